"""Bokeh's request handlers, each behind the guard, and the one that takes the control token."""

import asyncio
import json
import time
from collections.abc import Callable
from typing import Any

from bokeh.application.handlers import Handler
from bokeh.document import Document
from bokeh.server.views.autoload_js_handler import AutoloadJsHandler
from bokeh.server.views.doc_handler import DocHandler
from bokeh.server.views.metadata_handler import MetadataHandler
from bokeh.server.views.multi_root_static_handler import MultiRootStaticHandler
from bokeh.server.views.static_handler import StaticHandler
from bokeh.server.views.ws import WSHandler
from tornado.httputil import HTTPServerRequest
from tornado.web import Application, HTTPError, RequestHandler

from ccdmon.live.guard import Guard

MOST_POST_BYTES = 4096
PAUSE_PER_WORK = 2.0  # an address whose messages take a second to carry out is not listened to for so many
MOST_PAUSE_S = 2.0
# The browser keeps the page out of others, and its address out of what it links to.
HEADERS = {
    "X-Frame-Options": "DENY", "Content-Security-Policy": "frame-ancestors 'none'", "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer", "X-Content-Type-Options": "nosniff",
}  # fmt: skip


def guard_of(handler: RequestHandler) -> Guard:
    """The guard of the server that this handler is one of."""
    guard: Guard = handler.application.settings["guard"]
    return guard


class PageHandler(DocHandler):
    """A page with a session of its own, for the browser that asks."""

    async def prepare(self) -> None:
        """Refuse, or note whose page it becomes."""
        client = guard_of(self).page(self)
        if client.cookie is not None:
            name = guard_of(self).cookie_name
            self.set_cookie(name, client.cookie, httponly=True, samesite="Lax", path="/", expires_days=None)
        self.request.ccdmon_owner = client.owner  # type: ignore[attr-defined]  # for `Owned`
        for name, value in HEADERS.items():
            self.set_header(name, value)

    async def get(self, *args: Any, **kwargs: Any) -> None:
        """Build it, one after the other, with time for the pages that are open in between."""
        building = guard_of(self).building
        await building.acquire()
        began_s = time.monotonic()
        try:
            await super().get(*args, **kwargs)  # type: ignore[misc]  # Bokeh leaves it untyped
        finally:
            pause_s = min((time.monotonic() - began_s) * PAUSE_PER_WORK, MOST_PAUSE_S)
            asyncio.get_running_loop().call_later(pause_s, building.release)


class Owned(Handler):
    """Puts the owner into the token of each new session; `fill` makes its document."""

    def __init__(self, fill: Callable[[Document], object]) -> None:
        super().__init__()
        self._fill = fill

    def modify_document(self, doc: Document) -> None:
        """Build the page."""
        self._fill(doc)

    def process_request(self, request: HTTPServerRequest) -> dict[str, Any]:
        """The owner that `PageHandler` noted; a session that nobody loaded a page for has none."""
        return {"owner": getattr(request, "ccdmon_owner", None)}


class SocketHandler(WSHandler):
    """The socket of a page, for its owner, at a pace that leaves time for others."""

    _counted: tuple[tuple[str, str], ...] = ()

    async def prepare(self) -> None:
        """Refuse whoever is not the owner."""
        session = guard_of(self).socket(self)
        self._places = guard_of(self).places(session, self.request)

    def open(self) -> None:
        """Count it."""
        self._counted = self._places
        for place in self._counted:
            guard_of(self).sockets[place] += 1
        super().open()

    def on_close(self) -> None:
        """Count it no more."""
        for place in self._counted:
            guard_of(self).sockets[place] -= 1
            if not guard_of(self).sockets[place]:
                del guard_of(self).sockets[place]
        self._counted = ()
        super().on_close()

    async def on_message(self, fragment: str | bytes) -> None:
        """The next message is read when this is done: whoever keeps the server busy waits, with all of his address."""
        async with guard_of(self).turn(self, self.request.remote_ip or ""):
            began_s = time.monotonic()
            await super().on_message(fragment)
            worked_s = time.monotonic() - began_s
            await asyncio.sleep(min(worked_s * PAUSE_PER_WORK, MOST_PAUSE_S))


class NothingHandler(RequestHandler):
    """What of Bokeh's server this page does not need."""

    def initialize(self, **_: Any) -> None:
        """Takes what Bokeh would give."""

    async def prepare(self) -> None:
        """There is nothing here."""
        raise HTTPError(404)


class FilesHandler(StaticHandler):
    """Bokeh's scripts, for who names this server."""

    def prepare(self) -> None:
        """Refuse other names, and a path that no file system has."""
        guard_of(self).file(self)
        if any("\0" in part for part in self.path_args):
            raise HTTPError(404)


class UnlockHandler(RequestHandler):
    """Takes the control token, beside Bokeh: it never becomes part of a document."""

    def post(self) -> None:
        """`{"page": key, "token": text}` -> `{"ok": bool, "said": text}`; raises `HTTPError` for anything else."""
        owner = guard_of(self).post(self)
        if len(self.request.body) > MOST_POST_BYTES:
            raise HTTPError(413)
        try:
            document = json.loads(self.request.body)
            key, token = document["page"], document["token"]
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            raise HTTPError(400) from error
        if not isinstance(key, str) or not isinstance(token, str):
            raise HTTPError(400)
        unlock = self.application.settings["locks"].get(key)
        if unlock is None:
            raise HTTPError(404)
        said = unlock(owner, token)
        self.write({"ok": said == "", "said": said})


REPLACED: dict[type[RequestHandler], type[RequestHandler]] = {
    DocHandler: PageHandler,
    WSHandler: SocketHandler,
    MetadataHandler: NothingHandler,
    AutoloadJsHandler: NothingHandler,
    StaticHandler: FilesHandler,
    MultiRootStaticHandler: NothingHandler,
}


def put_behind_guard(application: Application, guard: Guard, locks: dict[str, Any]) -> None:
    """Replace Bokeh's handlers by ours. Raises RuntimeError where it has others: none may stay unguarded."""
    application.settings.update(guard=guard, locks=locks)
    missing = set(REPLACED)
    for rule in application.wildcard_router.rules:
        ours = REPLACED.get(rule.target)
        if ours is not None:
            missing.discard(rule.target)
            rule.target = ours
    if missing:
        raise RuntimeError(f"this Bokeh has no {', '.join(kind.__name__ for kind in missing)}")
