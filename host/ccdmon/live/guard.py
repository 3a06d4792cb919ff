"""Who may load the page, and how often: checks before Bokeh sees a request.

Every page belongs to the browser that loaded it. That browser gets a cookie no script can read, the page's session a
token that the server signed and that names the cookie's digest: a session is opened by its own browser only. Whoever
brings an id or a token of a session along, in a link, has prepared it for somebody else: refused, as is a page
embedded in another, a name of this server that is not its own (rebinding) and a socket whose origin is another page's
or is not told at all.

Building a page takes a tenth of a second. How many are built, and for how many clients they are kept up to date, is
bounded, so that the pages that are open go on whatever others ask.
"""

import asyncio
import hashlib
import hmac
import ipaddress
import secrets
import socket
import time
from collections import Counter, OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from bokeh.util.token import check_token_signature, get_token_payload
from tornado.httputil import HTTPServerRequest
from tornado.web import HTTPError, RequestHandler

LOOPBACK = ("127.0.0.1", "localhost", "[::1]")
OWN_KEYS = ("bokeh-token", "bokeh-session-id", "bokeh-autoload-element", "bokeh-app-path")
PAGES_BURST, PAGES_PER_S = 8, 0.5  # built for one address
ALL_BURST, ALL_PER_S = 16, 3.0  # and for all
SOCKETS_PER_SESSION, SOCKETS_PER_ADDRESS, SOCKETS = 2, 16, 48
MOST_ADDRESSES = 4096


class Bucket:
    """`burst` at once, then `per_s`."""

    def __init__(self, burst: float, per_s: float, now_s: float) -> None:
        self._burst, self._per_s = burst, per_s
        self._left, self._at_s = burst, now_s

    def take(self, now_s: float) -> bool:
        """Whether one more is allowed now."""
        self._left = min(self._burst, self._left + (now_s - self._at_s) * self._per_s)
        self._at_s = now_s
        if self._left < 1.0:
            return False
        self._left -= 1.0
        return True


@dataclass(frozen=True)
class Client:
    """Who asks: `owner` is the digest of its cookie, which `cookie` is to be set where it is new."""

    owner: str
    cookie: str | None = None


class Guard:
    """Of a server at `address` and `port`; `secret` signs its sessions."""

    def __init__(
        self, address: str, port: int, secret: bytes, clock_s: Callable[[], float] = time.monotonic
    ) -> None:
        self._address, self._port, self.secret, self._clock_s = address, port, secret, clock_s
        self.cookie_name = f"ccdmon-{port}"
        self.sockets: Counter[tuple[str, str]] = (
            Counter()
        )  # open ones: ("session" | "address" | "all", which)
        self._pages: OrderedDict[str, Bucket] = OrderedDict()
        self.building = asyncio.Lock()  # one page at a time
        self._turns: OrderedDict[str, asyncio.Lock] = OrderedDict()
        self._all = Bucket(ALL_BURST, ALL_PER_S, clock_s())
        self.trusted: set[str] = set()  # owners that have shown the control token: never kept waiting

    def page(self, handler: RequestHandler) -> Client:
        """A browser asks for a page. Raises `HTTPError` where it may not have one, or not now."""
        request = handler.request
        self._check_host(request)
        if "Bokeh-Session-Id" in request.headers or any(key in request.arguments for key in OWN_KEYS):
            raise HTTPError(403, reason="A link must not bring a session along")
        used_as = request.headers.get("Sec-Fetch-Dest", "document")
        own = (
            used_as == "empty" and request.headers.get("Sec-Fetch-Site") == "same-origin"
        )  # its own script asks
        if used_as != "document" and not own:
            raise HTTPError(403, reason="Not inside another page")
        owner = self._owner(handler)
        if owner not in self.trusted:
            self._afford(request.remote_ip or "")
        if owner is not None:
            return Client(owner)
        name = secrets.token_urlsafe(24)
        cookie = f"{name}.{self._signature(name)}"
        return Client(digest(cookie), cookie)

    def socket(self, handler: RequestHandler) -> str:
        """A page opens its socket; the session it belongs to. Raises `HTTPError`."""
        self._check_host(handler.request)
        self._check_origin(handler.request)
        session, owner = self._session(handler.request)
        if owner is None or owner != self._owner(handler):
            raise HTTPError(403, reason="Not the browser that loaded this page")
        places = self.places(session, handler.request)
        for place, most in zip(places, (SOCKETS_PER_SESSION, SOCKETS_PER_ADDRESS, SOCKETS), strict=True):
            if self.sockets[place] >= most:
                raise HTTPError(429, reason="Too many pages are open")
        return session

    def post(self, handler: RequestHandler) -> str:
        """A page sends something beside its socket; its owner. Raises `HTTPError`."""
        self._check_host(handler.request)
        self._check_origin(handler.request)
        owner = self._owner(handler)
        if owner is None:
            raise HTTPError(403, reason="Not a browser that loaded this page")
        return owner

    def file(self, handler: RequestHandler) -> None:
        """A script is asked for. Raises `HTTPError`."""
        self._check_host(handler.request)

    def turn(self, handler: RequestHandler, address: str) -> asyncio.Lock:
        """To be held while a message is carried out: one at a time for an address, and each holder of the token."""
        owner = self._owner(handler)
        key = owner if owner is not None and owner in self.trusted else address
        lock = self._turns.pop(key, None) or asyncio.Lock()
        self._turns[key] = lock
        if len(self._turns) > MOST_ADDRESSES:
            self._turns.popitem(last=False)
        return lock

    def places(self, session: str, request: HTTPServerRequest) -> tuple[tuple[str, str], ...]:
        """What an open socket counts for."""
        return ("session", session), ("address", request.remote_ip or ""), ("all", "")

    def _afford(self, address: str) -> None:
        now_s = self._clock_s()
        bucket = self._pages.pop(address, None) or Bucket(PAGES_BURST, PAGES_PER_S, now_s)
        self._pages[address] = bucket
        if len(self._pages) > MOST_ADDRESSES:
            self._pages.popitem(last=False)
        if not (bucket.take(now_s) and self._all.take(now_s)):
            raise HTTPError(429, reason="Too many pages at once: try again in some seconds")

    def _check_host(self, request: HTTPServerRequest) -> None:
        name, _, port = request.host.lower().rpartition(":")
        if port != str(self._port) or not self._is_ours(name):
            raise HTTPError(403, reason="Not the name of this server")

    def _is_ours(self, name: str) -> bool:
        """A name that somebody else may point at this server must not do; a number cannot be."""
        if self._address in LOOPBACK or ipaddress_of(self._address) in ("127.0.0.1", "::1"):
            return name in LOOPBACK
        return name in (*LOOPBACK, self._address.lower(), socket.gethostname().lower()) or bool(
            ipaddress_of(name)
        )

    def _check_origin(self, request: HTTPServerRequest) -> None:
        origin = request.headers.get("Origin") or request.headers.get("Sec-Websocket-Origin")
        if origin is None or origin.lower() != f"{request.protocol}://{request.host.lower()}":
            raise HTTPError(403, reason="Not a page of this server")

    def _owner(self, handler: RequestHandler) -> str | None:
        """The digest of the cookie, where this server has made it."""
        cookie = handler.get_cookie(self.cookie_name) or ""
        name, _, signature = cookie.partition(".")
        known = name and hmac.compare_digest(signature.encode(), self._signature(name).encode())
        return digest(cookie) if known else None

    def _session(self, request: HTTPServerRequest) -> tuple[str, str | None]:
        """(id, owner) of the session whose token the socket brings."""
        offered = request.headers.get("Sec-WebSocket-Protocol", "").split(",")
        token = offered[-1].strip()
        try:
            signed = check_token_signature(token, secret_key=self.secret, signed=True)
            payload: dict[str, Any] = get_token_payload(token) if signed else {}
        except Exception as error:
            raise HTTPError(403, reason="Not a session of this server") from error
        if not payload:
            raise HTTPError(403, reason="Not a session of this server")
        owner = payload.get("owner")
        return digest(token), owner if isinstance(owner, str) else None

    def _signature(self, name: str) -> str:
        return hmac.new(self.secret, b"client " + name.encode(), hashlib.sha256).hexdigest()


def digest(text: str) -> str:
    """What may be shown of a secret."""
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def ipaddress_of(name: str) -> str | None:
    """A host's name as an address; None where it is none."""
    try:
        return str(ipaddress.ip_address(name.strip("[]")))
    except ValueError:
        return None
