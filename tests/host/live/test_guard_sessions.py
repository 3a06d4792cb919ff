"""Whose page, session and link it is: the guard by itself, with tokens as Bokeh makes them."""

import time
from typing import Any

import pytest
from bokeh.util.token import generate_jwt_token, generate_session_id
from tornado.web import HTTPError

from ccdmon.live import guard as guarding
from ccdmon.live.guard import LOOPBACK, OWN_KEYS, Guard, digest
from tests.host.live.test_guard_counts import PORT, SECRET, Browser, Scene

ORIGIN = f"http://127.0.0.1:{PORT}"


def token(owner: object, secret: bytes = SECRET, signed: bool = True) -> str:
    """A session's token, as the server makes it for the page of that owner."""
    session = generate_session_id(secret, signed)
    return str(generate_jwt_token(session, secret, signed, extra_payload={"owner": owner}, expiration=300))


def browser(cookie: str, offered: str, **more: str) -> Any:
    named = {"Origin": ORIGIN, "Sec_WebSocket_Protocol": f"bokeh, {offered}", **more}
    return Browser(cookie=cookie, **named)


def refused(scene: Scene, who: Any) -> int:
    with pytest.raises(HTTPError) as caught:
        scene.guard.socket(who)
    return caught.value.status_code


def test_a_session_is_opened_by_its_own_browser_only() -> None:
    scene = Scene()
    mine, another = scene.page(), scene.page()
    right = token(mine.owner)
    assert scene.guard.socket(browser(mine.cookie, right)) == digest(right)
    for who in (
        browser(another.cookie, right),
        browser("", right),
        browser(mine.cookie, token(another.owner)),
        browser(mine.cookie, token(None)),
        browser("", token(None)),
        browser(mine.cookie, token(7)),
        browser(mine.cookie, token(mine.owner, b"k" * 32)),
        browser(mine.cookie, token(mine.owner, signed=False)),
        browser(mine.cookie, right[:-2]),
        browser(mine.cookie, ""),
        browser(mine.cookie, "\xff"),
        *(browser(mine.cookie, right, Origin=other) for other in ("http://0.example", "http://evil.example")),
    ):
        assert refused(scene, who) == 403
    away: Any = browser(mine.cookie, right)
    away.request.host = f"evil.example:{PORT}"
    assert refused(scene, away) == 403
    del away.request.headers["Sec-WebSocket-Protocol"]
    away.request.host = f"127.0.0.1:{PORT}"
    assert refused(scene, away) == 403


def test_the_last_of_the_protocols_offered_is_the_token() -> None:
    scene = Scene()
    mine = scene.page()
    right = token(mine.owner)
    both = browser(mine.cookie, right, Sec_WebSocket_Protocol=f"{token(None)} , {right} ")
    assert scene.guard.socket(both) == digest(right)


@pytest.mark.parametrize("key", OWN_KEYS)
def test_a_link_brings_nothing_of_a_session(key: str) -> None:
    assert OWN_KEYS == ("bokeh-token", "bokeh-session-id", "bokeh-autoload-element", "bokeh-app-path")
    scene, who = Scene(), Browser()
    who.request.arguments = {"other": [b"1"]}
    assert scene.guard.page(who).cookie  # type: ignore[arg-type]
    who.request.arguments = {"other": [b"1"], key: [b""]}
    with pytest.raises(HTTPError) as caught:
        scene.guard.page(who)  # type: ignore[arg-type]
    assert caught.value.status_code == 403


def test_a_header_brings_nothing_either_and_no_page_lies_inside_another() -> None:
    scene = Scene()
    assert scene.refused(Bokeh_Session_Id="x") == 403
    for place in ("iframe", "empty", "documents"):
        assert scene.refused(Sec_Fetch_Dest=place) == 403
    assert scene.page(Sec_Fetch_Dest="document").cookie
    for site in ("cross-site", "same-site", "none"):
        assert scene.refused(Sec_Fetch_Dest="empty", Sec_Fetch_Site=site) == 403
    assert scene.page(Sec_Fetch_Dest="empty", Sec_Fetch_Site="same-origin").cookie, "its own script may ask"
    assert scene.refused(Sec_Fetch_Dest="iframe", Sec_Fetch_Site="same-origin") == 403


def test_a_browser_without_a_cookie_gets_one_that_only_this_server_makes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    scene = Scene()
    first, second = scene.page(), scene.page()
    assert first.cookie != second.cookie and len(first.cookie.split(".")[0]) >= 32
    assert scene.guard.cookie_name == f"ccdmon-{PORT}", "cookies of another port's server are another's"
    other = Guard("127.0.0.1", PORT, b"o" * 32)
    assert other.page(Browser(cookie=first.cookie)).cookie is not None, "another secret"  # type: ignore[arg-type]
    handed = Guard("127.0.0.1", PORT, SECRET)
    assert handed.page(Browser(cookie=first.cookie)).cookie is None  # type: ignore[arg-type]


def test_a_server_of_this_machine_only_has_no_other_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guarding.socket, "gethostname", lambda: "Bench")
    for address in (*LOOPBACK, "127.0.0.1", "::1"):
        scene = Scene(address)
        assert scene.refused(host=f"bench:{PORT}") == 403 and scene.refused(host=f"10.0.0.1:{PORT}") == 403
        for name in LOOPBACK:
            scene.page(host=f"{name}:{PORT}")
    assert Scene("0.0.0.0").page(host=f"BENCH:{PORT}").cookie
    assert Scene("10.0.0.1").page(host=f"[::1]:{PORT}").cookie


def test_who_gives_no_clock_waits_by_the_machines() -> None:
    assert Guard("127.0.0.1", PORT, SECRET)._clock_s is time.monotonic
