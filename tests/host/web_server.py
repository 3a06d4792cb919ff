"""A web server on this machine that takes what apprise sends, and answers when it is let."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Server:
    """Takes one POST after another; `release` lets the answers go."""

    def __init__(self) -> None:
        self.received: list[dict[str, str]] = []
        self.release = threading.Event()
        self.fail_first = 0  # so many are answered with an error
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                server.received.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
                server.release.wait(20)
                self.send_response(503 if len(server.received) <= server.fail_first else 200)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.http.serve_forever, daemon=True).start()
        self.url = f"json://127.0.0.1:{self.http.server_port}/"
