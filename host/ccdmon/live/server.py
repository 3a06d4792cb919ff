"""Serves the live page: a thread for each run folder, a document for each browser, everything behind the guard."""

import secrets
import socket
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from bokeh.application import Application as BokehApplication
from bokeh.document import Document
from bokeh.layouts import row
from bokeh.server.contexts import BokehSessionContext
from bokeh.server.server import Server

from ccdmon.errors import DeviceError
from ccdmon.live.controls import TokenCheck
from ccdmon.live.follower import Follower
from ccdmon.live.guard import Guard
from ccdmon.live.handlers import Owned, UnlockHandler, put_behind_guard
from ccdmon.live.page import TEMPLATE, Beat, RigPanel
from ccdmon.live.plots import WRAP
from ccdmon.live.server_log import say_little

UPDATE_MS, UPDATE_SEVERAL_MS = 250, 400  # a trip must be seen within a second
FOLLOW_PAUSE_S = 0.05
MOST_MESSAGE_BYTES = 1 << 18  # from a browser, which sends what was clicked and which part is looked at
TOKEN_LIFE_S = 300
UNUSED_MS = 10_000  # a session whose page is closed
HTTP_LIMITS = {
    "max_header_size": 16384, "max_body_size": 65536, "idle_connection_timeout": 10.0, "body_timeout": 10.0,
}  # fmt: skip


class Following:
    """Keeps followers up to date, a thread for each: one whose disk hangs does not stop the others."""

    def __init__(self, followers: Sequence[Follower]) -> None:
        self._stop = threading.Event()
        self._threads = [
            threading.Thread(target=self._run, args=(follower,), name="follow", daemon=True)
            for follower in followers
        ]

    def __enter__(self) -> "Following":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join(timeout=2.0)

    def _run(self, follower: Follower) -> None:
        while not self._stop.is_set():
            if not follower.follow():
                self._stop.wait(FOLLOW_PAUSE_S)


class Pages:
    """Builds the page of each session; `locks` has, by the key of a page, what takes the token for it."""

    def __init__(self, followers: Sequence[Follower], check: TokenCheck | None, trusted: set[str]) -> None:
        self._followers, self._check, self._trusted = followers, check, trusted
        self.locks: dict[str, Callable[[str, str], str]] = {}

    def fill(self, document: Document) -> None:
        """Build the page for one session."""
        followers, compact = self._followers, len(self._followers) > 1
        key = None if self._check is None else secrets.token_urlsafe(16)
        panels = [
            RigPanel(document, follower, f"rig{n}", compact, key) for n, follower in enumerate(followers)
        ]
        for panel in panels:
            panel.update()
        beat = Beat()
        document.add_root(row(*(panel.layout for panel in panels), sizing_mode="stretch_width", styles=WRAP))
        document.add_root(beat.div)
        document.title = "ccdmon: " + ", ".join(follower.folder.name for follower in followers)
        document.template = TEMPLATE  # type: ignore[assignment]  # a text is compiled with Bokeh's own environment
        if key is not None:
            self._lock(document, key, panels)
        turn = iter(_turns(panels))

        def update() -> None:
            if not _looked_at(document):
                return  # a page that was loaded and never opened its socket, or is closed, costs nothing
            beat.again()
            next(turn).update()

        document.add_periodic_callback(update, (UPDATE_SEVERAL_MS if compact else UPDATE_MS) // len(panels))

    def _lock(self, document: Document, key: str, panels: Sequence[RigPanel]) -> None:
        """Take tokens for this page from the browser that it belongs to."""
        context = document.session_context
        owner = context.token_payload.get("owner") if isinstance(context, BokehSessionContext) else None
        check = self._check
        assert check is not None

        def unlock(client: str, token: str) -> str:
            if client != owner:
                return "That is not the browser of this page."
            if wait_s := check.wait_s(client):
                said = f"Wrong too often; wait {wait_s:.0f} seconds."
            else:
                said = "" if check.right(token, client) else "That is not the token."
            if not said:
                self._trusted.add(client)
            document.add_next_tick_callback(lambda: _tell(panels, said))
            return said

        self.locks[key] = unlock
        document.on_session_destroyed(lambda _context: self.locks.pop(key, None) and None)


def _looked_at(document: Document) -> bool:
    """Whether a browser is there."""
    context = document.session_context
    session = context.session if isinstance(context, BokehSessionContext) else None
    return session is None or session.connection_count > 0


def _tell(panels: Sequence[RigPanel], said: str) -> None:
    for panel in panels:
        if panel.controls is not None:
            panel.controls.unlock(said)


def _turns(panels: list[RigPanel]) -> Any:
    while True:
        yield from panels


class WatchServer:
    """Serves the page at `url` until `run` is interrupted."""

    def __init__(
        self, folders: Sequence[Path], *, address: str = "127.0.0.1", port: int = 0, token: str | None = None
    ) -> None:
        """Raises `InputError` for a folder that cannot be watched, `DeviceError` for an address that is taken."""
        self.followers = [Follower(folder) for folder in folders]
        check = None if token is None else TokenCheck(token)
        say_little()
        secret = secrets.token_bytes(32)
        try:
            port = port or _free_port(address)
            guard = Guard(address, port, secret)
            pages = Pages(self.followers, check, guard.trusted)
            self._server = Server(
                {"/": BokehApplication(Owned(pages.fill))},
                address=address,
                port=port,
                secret_key=secret,
                sign_sessions=True,
                generate_session_ids=True,
                include_headers=[],
                include_cookies=[],
                allow_websocket_origin=[f"{name}:{port}" for name in {address, "127.0.0.1", "localhost"}],
                extra_patterns=[("/unlock", UnlockHandler)],
                websocket_max_message_size=MOST_MESSAGE_BYTES,
                session_token_expiration=TOKEN_LIFE_S,
                unused_session_lifetime_milliseconds=UNUSED_MS,
                check_unused_sessions_milliseconds=UNUSED_MS // 2,
                http_server_kwargs=HTTP_LIMITS,
            )
        except OSError as error:
            raise DeviceError(
                f"{address}:{port}: cannot be listened on ({error.strerror}); choose another with --http-port"
            ) from error
        put_behind_guard(self._server._tornado, guard, pages.locks)
        self.url = f"http://{address}:{port}/"

    def run(self) -> None:
        """Serve; returns when the loop is stopped."""
        with Following(self.followers):
            self._catch_up()
            self._server.start()
            self._server.io_loop.start()

    def stop(self) -> None:
        """End `run`, from any thread and from a signal's handler.

        Tornado's `add_callback` wakes no loop whose own thread calls it: a handler would wait for the next timer.
        """
        loop = self._server.io_loop
        loop.asyncio_loop.call_soon_threadsafe(loop.stop)  # type: ignore[attr-defined]  # every loop is one of asyncio

    def _catch_up(self) -> None:
        """A short folder is read before the first page is shown; a long one fills in."""
        until_s = time.monotonic() + 2.0
        while time.monotonic() < until_s and not all(follower.caught_up for follower in self.followers):
            time.sleep(0.02)


def _free_port(address: str) -> int:
    with socket.socket() as probe:
        probe.bind((address, 0))
        return int(probe.getsockname()[1])
