"""How many pages and sockets one browser, one address and all of them may have: the guard by itself, no server."""

from types import SimpleNamespace
from typing import Any

import pytest
from tornado.web import HTTPError

from ccdmon.live.guard import (
    ALL_BURST,
    ALL_PER_S,
    MOST_ADDRESSES,
    PAGES_BURST,
    PAGES_PER_S,
    SOCKETS,
    SOCKETS_PER_ADDRESS,
    SOCKETS_PER_SESSION,
    Bucket,
    Guard,
    digest,
    ipaddress_of,
)

PORT, SECRET = 5006, b"s" * 32


class Browser:
    """What a request handler shows the guard."""

    def __init__(
        self, cookie: str = "", ip: str = "1.1.1.1", host: str = f"127.0.0.1:{PORT}", **headers: str
    ) -> None:
        self.cookie = cookie
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        self.request: Any = SimpleNamespace(
            host=host, headers=named, arguments={}, remote_ip=ip, protocol="http"
        )

    def get_cookie(self, name: str) -> str | None:
        return self.cookie if name == f"ccdmon-{PORT}" else None


class Scene:
    def __init__(self, address: str = "127.0.0.1") -> None:
        self.now_s = 10.0
        self.guard = Guard(address, PORT, SECRET, lambda: self.now_s)

    def page(self, **browser: Any) -> Any:
        return self.guard.page(Browser(**browser))  # type: ignore[arg-type]

    def refused(self, **browser: Any) -> int:
        with pytest.raises(HTTPError) as caught:
            self.page(**browser)
        return caught.value.status_code


def test_a_bucket_fills_up_to_its_burst_and_no_further() -> None:
    bucket = Bucket(3, 0.5, 0.0)
    assert [bucket.take(0.0) for _ in range(4)] == [True, True, True, False]
    assert [bucket.take(at_s) for at_s in (1.9, 2.0, 2.1, 4.0, 1000.0, 1000.0, 1000.0, 1000.0)] == [
        False, True, False, True, True, True, True, False,
    ]  # fmt: skip


def test_how_many_there_are_of_each() -> None:
    """Chosen so that a flood leaves an open page its updates: `test_guard.py` measures that."""
    assert (PAGES_BURST, PAGES_PER_S, ALL_BURST, ALL_PER_S) == (8, 0.5, 16, 3.0)
    assert (SOCKETS_PER_SESSION, SOCKETS_PER_ADDRESS, SOCKETS) == (2, 16, 48)


def test_an_address_has_its_pages_and_all_have_theirs() -> None:
    scene = Scene()
    for _ in range(PAGES_BURST):
        scene.page()
    assert scene.refused() == 429
    scene.now_s += 1 / PAGES_PER_S
    scene.page()
    assert scene.refused() == 429
    scene = Scene()
    for n in range(ALL_BURST):
        scene.page(ip=f"2.2.2.{n}")
    assert scene.refused(ip="3.3.3.3") == 429
    scene.now_s += 1 / ALL_PER_S + 1e-6
    scene.page(ip="3.3.3.3")


def test_a_browser_keeps_its_cookie_and_a_holder_of_the_token_never_waits() -> None:
    scene = Scene()
    first = scene.page()
    assert first.cookie is not None and first.owner == digest(first.cookie)
    again = scene.page(cookie=first.cookie)
    assert (again.owner, again.cookie) == (first.owner, None)
    name, _, signature = first.cookie.partition(".")
    for forged in (
        "",
        ".",
        name,
        f"{name}.",
        f".{signature}",
        f"x{name}.{signature}",
        f"{name}.{signature}x",
    ):
        assert scene.page(cookie=forged, ip="9.9.9.9").owner != first.owner
        scene.now_s += 10.0
    for _ in range(PAGES_BURST):
        scene.page(cookie=first.cookie)
    assert scene.refused(cookie=first.cookie) == 429
    scene.guard.trusted.add(first.owner)
    for _ in range(3 * ALL_BURST):
        scene.page(cookie=first.cookie)


def test_the_oldest_address_is_forgotten() -> None:
    scene = Scene()
    for n in range(MOST_ADDRESSES + 5):
        scene.now_s += 1.0
        scene.page(ip=str(n))
        scene.guard.turn(Browser(), str(n))  # type: ignore[arg-type]
    assert len(scene.guard._pages) == len(scene.guard._turns) == MOST_ADDRESSES
    for known in (scene.guard._pages, scene.guard._turns):
        assert "4" not in known and "5" in known


def test_messages_of_an_address_take_turns_and_the_holder_of_the_token_has_his_own() -> None:
    scene = Scene()
    client = scene.page()
    here = scene.guard.turn(Browser(), "1.1.1.1")  # type: ignore[arg-type]
    assert here is scene.guard.turn(Browser(cookie=client.cookie), "1.1.1.1")  # type: ignore[arg-type]
    assert here is not scene.guard.turn(Browser(), "2.2.2.2")  # type: ignore[arg-type]
    scene.guard.trusted.add(client.owner)
    assert here is not scene.guard.turn(Browser(cookie=client.cookie), "1.1.1.1")  # type: ignore[arg-type]


def test_sockets_are_counted_by_session_address_and_all(monkeypatch: pytest.MonkeyPatch) -> None:
    scene = Scene()
    client = scene.page()
    browser: Any = Browser(cookie=client.cookie, Origin=f"http://127.0.0.1:{PORT}")
    monkeypatch.setattr(scene.guard, "_session", lambda _: ("session", client.owner))
    places = scene.guard.places("session", browser.request)
    assert places == (("session", "session"), ("address", "1.1.1.1"), ("all", ""))
    for place, most in zip(places, (SOCKETS_PER_SESSION, SOCKETS_PER_ADDRESS, SOCKETS), strict=True):
        scene.guard.sockets[place] = most - 1
        assert scene.guard.socket(browser) == "session"
        for too_many in (most, most + 1):
            scene.guard.sockets[place] = too_many
            with pytest.raises(HTTPError) as caught:
                scene.guard.socket(browser)
            assert caught.value.status_code == 429
        scene.guard.sockets[place] = 0
    monkeypatch.setattr(scene.guard, "_session", lambda _: ("session", None))
    for wrong in (None, "x" + client.owner[1:]):
        monkeypatch.setattr(scene.guard, "_session", lambda _, wrong=wrong: ("session", wrong))
        with pytest.raises(HTTPError) as caught:
            scene.guard.socket(browser)
        assert caught.value.status_code == 403


@pytest.mark.parametrize(
    ("address", "host", "ours"),
    [
        ("127.0.0.1", "127.0.0.1", True), ("127.0.0.1", "localhost", True), ("127.0.0.1", "[::1]", True),
        ("127.0.0.1", "LOCALHOST", True), ("localhost", "192.168.0.4", False), ("::1", "192.168.0.4", False),
        ("127.0.0.1", "192.168.0.4", False), ("0.0.0.0", "192.168.0.4", True), ("0.0.0.0", "evil.example", False),
        ("0.0.0.0", "localhost", True), ("lab.example", "lab.example", True), ("Lab.example", "lab.EXAMPLE", True),
        ("lab.example", "evil.example", False),
    ],
)  # fmt: skip
def test_which_names_are_the_servers(address: str, host: str, ours: bool) -> None:
    scene = Scene(address)
    if ours:
        scene.page(host=f"{host}:{PORT}")
    else:
        assert scene.refused(host=f"{host}:{PORT}") == 403
    assert scene.refused(host=host) == 403 and scene.refused(host=f"{host}:{PORT + 1}") == 403


def test_a_post_needs_origin_and_cookie() -> None:
    scene = Scene()
    client, origin = scene.page(), f"http://127.0.0.1:{PORT}"
    assert scene.guard.post(Browser(cookie=client.cookie, Origin=origin.upper())) == client.owner  # type: ignore[arg-type]
    old: Any = Browser(cookie=client.cookie, Sec_Websocket_Origin=origin)
    assert scene.guard.post(old) == client.owner
    for wrong in (
        Browser(Origin=origin),
        Browser(cookie=client.cookie),
        Browser(cookie=client.cookie, Origin=origin + "x"),
    ):
        with pytest.raises(HTTPError) as caught:
            scene.guard.post(wrong)  # type: ignore[arg-type]
        assert caught.value.status_code == 403


def test_an_address_is_a_number_or_none() -> None:
    assert [ipaddress_of(name) for name in ("127.0.0.1", "[::1]", "::1", "lab", "")] == [
        "127.0.0.1",
        "::1",
        "::1",
        None,
        None,
    ]
    assert digest("a") == digest("a") != digest("b") and len(digest("a")) == 32
