"""Serves the page of all rigs, behind the guard of the live page: who may load it, under which name, how often."""

import asyncio
import threading
from base64 import b64encode
from collections.abc import Callable
from hashlib import sha256

from tornado.httpserver import HTTPServer
from tornado.netutil import bind_sockets
from tornado.web import Application, HTTPError, RequestHandler

from ccdmon.errors import DeviceError
from ccdmon.fleet.page import SCRIPT
from ccdmon.live.guard import Guard
from ccdmon.live.handlers import HEADERS
from ccdmon.live.server import HTTP_LIMITS
from ccdmon.live.server_log import say_little

_HASH = b64encode(sha256(SCRIPT.encode()).digest()).decode()
POLICY = (
    f"default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-{_HASH}'; connect-src 'self'; "
    "frame-ancestors 'none'"
)


class FleetHandler(RequestHandler):
    """The page, made at each request."""

    def initialize(self, guard: Guard, make: Callable[[], str]) -> None:
        """Takes what the server has."""
        self._guard, self._make = guard, make

    def get(self) -> None:
        """Raises `HTTPError` for whoever may not have it, or not now."""
        self._guard.page(self)
        for name, value in {**HEADERS, "Content-Security-Policy": POLICY}.items():
            self.set_header(name, value)
        self.finish(self._make())


class NothingHandler(RequestHandler):
    """Everything else."""

    def prepare(self) -> None:
        """There is nothing here."""
        raise HTTPError(404)


class FleetServer:
    """`make` makes the page. Serves at `url` while it runs."""

    def __init__(self, make: Callable[[], str], address: str, port: int, secret: bytes) -> None:
        """Raises `DeviceError` for an address that is taken."""
        say_little()
        try:
            self._sockets = bind_sockets(port, address)
        except OSError as error:
            raise DeviceError(
                f"{address}:{port}: cannot be listened on ({error.strerror}); choose another with --http-port"
            ) from error
        port = self._sockets[0].getsockname()[1]
        shared = {"guard": Guard(address, port, secret), "make": make}
        self._application = Application(
            [("/", FleetHandler, shared)], default_handler_class=NothingHandler, server_header=False
        )
        self.url = f"http://{address}:{port}/"

    def run(self, stop: threading.Event) -> None:
        """Serve until told to stop."""
        asyncio.run(self._serve(stop))

    async def _serve(self, stop: threading.Event) -> None:
        server = HTTPServer(self._application, **HTTP_LIMITS)
        server.add_sockets(self._sockets)
        while not stop.is_set():
            await asyncio.sleep(0.1)
        server.stop()
