"""Messages on a trip: sent by apprise to a web server on this machine; trouble is one line and never a wait."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from ccdmon.notify import message, on_trip

EVENT = {"action": "trip", "rule": "hard_short", "value": 12, "limit": 26, "trip_id": 3, "host_time_s": 1.0}


class Server:
    """Takes one POST after another; `release` lets the answers go."""

    def __init__(self) -> None:
        self.received: list[dict[str, str]] = []
        self.release = threading.Event()
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                server.received.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
                server.release.wait(20)
                self.send_response(200)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.http.serve_forever, daemon=True).start()
        self.url = f"json://127.0.0.1:{self.http.server_port}/"


@pytest.fixture
def server() -> Iterator[Server]:
    pytest.importorskip("apprise", reason="the optional extra ccdmon[notify] is not installed")
    running = Server()
    yield running
    running.release.set()
    running.http.shutdown()


def test_a_trip_is_told_and_the_caller_does_not_wait_for_it(server: Server) -> None:
    problems: list[str] = []
    thread = on_trip([server.url], "bay 3", EVENT, on_problem=problems.append)
    assert thread is not None and thread.is_alive()  # the server has not answered yet
    server.release.set()
    thread.join(20)
    assert problems == []
    (sent,) = server.received
    assert sent["title"] == "bay 3: cut off (hard short)"
    assert "trip_id: 3" in sent["message"]


def test_every_address_is_tried_and_trouble_is_a_line_without_the_secret(server: Server) -> None:
    server.release.set()
    problems: list[str] = []
    urls = ["nonsense://user:secret@nowhere", "json://secret@127.0.0.1:1/", server.url]
    thread = on_trip(urls, "bay 3", EVENT, on_problem=problems.append)
    assert thread is not None
    thread.join(30)
    assert len(server.received) == 1
    assert [line.split(":")[1][:10] for line in problems] == [" address 1", " address 2"]
    assert not any("secret" in line for line in problems)


def test_without_addresses_nothing_happens() -> None:
    assert on_trip([], "bay 3", EVENT) is None


def test_an_event_with_little_in_it_still_makes_a_message() -> None:
    assert message("bay 3", {})[0] == "bay 3: cut off (unknown reason)"
