"""The live page against who would take it over or keep it from others; without a browser, by what a browser sends."""

import asyncio
import base64
import contextlib
import json
import os
import re
import subprocess
import sys
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlparse

import pytest
from bokeh.util.token import generate_jwt_token, generate_session_id
from tornado.httpclient import AsyncHTTPClient, HTTPClientError, HTTPRequest

from ccdmon.cli import main
from ccdmon.cli.watch import TOKEN_SETTING
from ccdmon.live.controls import FREE_TRIES, WRONG_TOKEN_PAUSE_S, TokenCheck
from ccdmon.live.guard import PAGES_BURST, SOCKETS_PER_SESSION, Bucket
from ccdmon.live.handlers import REPLACED, put_behind_guard
from tests.host.live.beating import beats, most_between
from tests.host.live.page_client import cookie_of, get, opened_page, socket_of, token_of
from tests.host.live_rig import cell, page, rig_file, served, worked_s
from tests.host.pty_board import PtyBoard
from tests.host.record.test_recording import events, recorder, samples, wait_for
from tests.host.wire_stream import recorded_run

TOKEN = "only-for-this-test"
PAGES_BETWEEN_UPDATES = 7  # of 0.1 s each, and the update's own quarter of a second: a second


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A page of a run that is over."""
    with page(recorded_run(tmp_path_factory.mktemp("watched") / "run"), token=TOKEN) as address:
        yield address


@pytest.fixture(scope="module")
def loaded(address: str) -> tuple[str, str]:
    """Cookie and token of one page, for whoever only tries what is refused: each page more is a two seconds' wait."""
    answer = run(lambda: patient(address))
    return cookie_of(answer), token_of(answer)


def run(work: Callable[[], Awaitable[Any]]) -> Any:
    async def limited() -> Any:
        return await asyncio.wait_for(work(), 150)

    return asyncio.run(limited())


async def patient(address: str, cookie: str = "", **headers: str) -> Any:
    """A page, whatever the tests before have asked for."""
    for _ in range(60):
        answer = await get(address, cookie, **headers)
        if answer.code != 429:
            return answer
        await asyncio.sleep(0.5)
    raise AssertionError("never allowed")


async def refused_socket(address: str, token: str, **headers: str) -> int:
    """The code with which a socket is refused; fails where it opens."""
    with pytest.raises(HTTPClientError) as refused:
        (await socket_of(address, token, **headers)).close()
    return refused.value.code


def test_a_link_that_brings_a_session_along_is_refused(address: str, loaded: tuple[str, str]) -> None:
    """In 0.1.0 whoever opened it shared the document, token box included, with who had prepared it."""

    async def work() -> None:
        mine = loaded[1]
        theirs = generate_session_id(signed=False)
        for query in (
            f"bokeh-session-id={theirs}",
            f"bokeh-token={mine}",
            "bokeh-token=x",
            "bokeh-session-id=",
        ):
            assert (await get(f"{address}?{query}")).code == 403 or query.endswith("=")
        assert (await get(address, Bokeh_Session_Id=theirs)).code == 403
        for path in (
            "autoload.js?bokeh-autoload-element=1",
            "metadata",
            f"autoload.js?bokeh-session-id={theirs}",
        ):
            assert (await get(address + path)).code == 404

    run(work)


def test_a_stolen_session_is_refused(address: str) -> None:
    async def work() -> None:
        answer = await patient(address)
        cookie, token, origin = cookie_of(answer), token_of(answer), address.rstrip("/")
        other = cookie_of(await patient(address))
        assert await refused_socket(address, token, Origin=origin) == 403, "no cookie"
        assert await refused_socket(address, token, Origin=origin, Cookie=other) == 403, "another browser's"
        made_up = cookie.split(".")[0] + ".0000"
        assert await refused_socket(address, token, Origin=origin, Cookie=made_up) == 403
        secret = cookie.split("=")[1]
        body = token.split(".")[0] + "=="
        payload = base64.urlsafe_b64decode(body[: len(body) // 4 * 4])
        assert secret.encode() not in answer.body and secret.encode() not in payload, "no script can read it"
        (await socket_of(address, token, Origin=origin, Cookie=cookie)).close()

    run(work)


def test_a_session_that_the_server_did_not_sign_is_refused(address: str, loaded: tuple[str, str]) -> None:
    async def work() -> None:
        (cookie, token), origin = loaded, address.rstrip("/")
        unsigned = generate_jwt_token(
            generate_session_id(signed=False), signed=False, extra_payload={"owner": "x"}
        )
        wrong = generate_jwt_token(generate_session_id(b"k" * 32, True), secret_key=b"k" * 32, signed=True)
        body, _, signature = token.partition(".")
        for offered in (
            unsigned,
            wrong,
            f"{body[:-2]}xx.{signature}",
            f"{unsigned}.{signature}",
            "x",
            "..",
            "\xff",
        ):
            with contextlib.suppress(UnicodeError):
                assert await refused_socket(address, offered, Origin=origin, Cookie=cookie) == 403, offered

    run(work)


@pytest.mark.parametrize(
    "origin",
    [None, "null", "http://evil.example", "https://127.0.0.1:{port}", "http://127.0.0.1:1", "http://127.0.0.1",
     "http://127.0.0.1:{port}.evil.example", "http://localhost:{port}"],
)  # fmt: skip
def test_a_socket_of_another_page_is_refused(
    address: str, loaded: tuple[str, str], origin: str | None
) -> None:
    async def work() -> None:
        cookie, token = loaded
        named = {} if origin is None else {"Origin": origin.format(port=urlparse(address).port)}
        assert await refused_socket(address, token, Cookie=cookie, **named) == 403
        body = json.dumps({"page": "x", "token": TOKEN})
        named |= {"Cookie": cookie}
        post = HTTPRequest(address + "unlock", method="POST", body=body, headers=named)
        assert (await AsyncHTTPClient().fetch(post, raise_error=False)).code == 403

    run(work)


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:{port}", "127.0.0.1", "127.0.0.1:1", "", "[::2]:{port}"]
)
def test_a_name_that_others_point_here_is_refused(address: str, host: str) -> None:
    async def work() -> None:
        named = host.format(port=urlparse(address).port)
        assert (await get(address, Host=named)).code in (400, 403)

    run(work)


def test_scripts_are_for_who_names_this_server_and_odd_paths_are_no_bug(address: str) -> None:
    """A zero in the path was an error of the server, and any name got an answer."""

    async def work() -> None:
        script = f"{address}static/js/bokeh.min.js"
        assert (await get(script)).code == 200
        assert (await get(script, Host=f"evil.example:{urlparse(address).port}")).code == 403
        for path in ("static/%00", "static/js/%00.js", "static/extensions/x/y.js", "static/extensions/%00/y"):
            assert (await get(address + path)).code == 404

    run(work)


def test_a_page_inside_another_is_refused(address: str) -> None:
    async def work() -> None:
        for place in ("iframe", "image", "script", "empty", "object"):
            assert (await get(address, Sec_Fetch_Dest=place)).code == 403
        answer = await patient(address, Sec_Fetch_Dest="document")
        assert answer.headers["X-Frame-Options"] == "DENY"
        assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]
        assert re.search(r"HttpOnly.*SameSite=Lax", answer.headers["Set-Cookie"])

    run(work)


def test_the_token_is_in_no_document_and_unlocks_only_the_page_of_its_browser(address: str) -> None:
    async def work() -> None:
        async with opened_page(address) as mine, opened_page(address) as other:
            assert await mine.unlock("wrong" * 3) == (200, "That is not the token.")
            assert await mine.unlock(TOKEN, cookie=other.cookie) == (
                200,
                "That is not the browser of this page.",
            )
            assert await mine.unlock(TOKEN, cookie="") == (403, "")
            assert not mine.named("rig0-trip")["visible"]
            assert await mine.unlock(TOKEN) == (200, "")
            await mine.until(lambda: mine.named("rig0-trip")["visible"])
            for seen in (mine, other):
                await seen.pull()
                assert TOKEN not in seen.document
            assert not other.named("rig0-trip")["visible"]

    run(work)


def test_who_is_wrong_waits_and_nobody_else(address: str) -> None:
    async def work() -> None:
        async with opened_page(address) as wrong, opened_page(address) as right:
            for _ in range(FREE_TRIES):
                assert (await wrong.unlock("not-the-token"))[1] == "That is not the token."
            assert "Wrong too often" in (await wrong.unlock(TOKEN))[1], "not even the right one"
            assert await right.unlock(TOKEN) == (200, ""), "who holds the token does not wait for others"

    run(work)


def test_a_token_is_compared_whole_and_a_slip_costs_nothing() -> None:
    now_s = 0.0
    check = TokenCheck("right-token", lambda: now_s)
    for wrong in ("", "right-toke", "right-token ", "Right-token", "\udcff")[: FREE_TRIES - 1]:
        assert not check.right(wrong, "a")
    assert check.right("right-token", "a")
    for _ in range(FREE_TRIES):
        assert not check.right("wrong", "a")
    assert not check.right("right-token", "a")
    assert check.wait_s("a") == WRONG_TOKEN_PAUSE_S
    assert (check.wait_s("b"), check.right("right-token", "b")) == (0.0, True)
    now_s += WRONG_TOKEN_PAUSE_S
    assert check.right("right-token", "a")


def test_a_bucket_gives_its_burst_and_then_its_rate() -> None:
    bucket = Bucket(3, 0.5, 0.0)
    assert [bucket.take(0.0) for _ in range(5)] == [True] * 3 + [False] * 2
    assert [bucket.take(second) for second in (1.0, 2.0, 3.0, 4.0)] == [False, True, False, True]
    assert sum(bucket.take(1e6) for _ in range(10)) == 3


def test_a_bokeh_with_other_handlers_is_not_served(monkeypatch: pytest.MonkeyPatch) -> None:
    from tornado.web import Application, RequestHandler

    class Unknown(RequestHandler):
        pass

    monkeypatch.setitem(REPLACED, Unknown, Unknown)
    with pytest.raises(RuntimeError, match="Unknown"):
        put_behind_guard(Application([]), None, {})  # type: ignore[arg-type]


def test_a_session_has_few_sockets_and_an_address_few_pages_at_once(tmp_path: Path) -> None:
    async def work(address: str) -> None:
        codes = [
            answer.code for answer in await asyncio.gather(*(get(address) for _ in range(3 * PAGES_BURST)))
        ]
        assert codes.count(200) >= PAGES_BURST
        assert codes.count(429) > PAGES_BURST
        answer = await patient(address)
        named = {"Cookie": cookie_of(answer), "Origin": address.rstrip("/")}
        held = [await socket_of(address, token_of(answer), **named) for _ in range(SOCKETS_PER_SESSION)]
        assert await refused_socket(address, token_of(answer), **named) == 429
        held[0].close()
        await asyncio.sleep(0.5)
        (await socket_of(address, token_of(answer), **named)).close()
        for one in held:
            one.close()

    with page(recorded_run(tmp_path / "run")) as address:
        run(lambda: work(address))


def test_the_pages_of_others_are_up_to_date_during_a_flood(tmp_path: Path) -> None:
    """Pages, sockets, whole documents and nonsense for many at once: news on an open page within a second.

    What the server works between two updates is what they are late by on a machine that it has for itself. How long
    that is depends on the machine and on who shares it: the measure is what one page costs the same server, in
    this run, a tenth of a second on a machine at rest. The clock's own time is bounded where the machine is idle.
    """
    costs_s = list[float]()

    async def watch(address: str, pid: int) -> str:
        for _ in range(3):
            before_s = worked_s(pid)
            await get(address)
            costs_s.append(worked_s(pid) - before_s)
        del costs_s[0]  # with what a first page loads
        async with opened_page(address) as watched:
            enemies = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "tests.host.live.flood", address, "6", stdout=subprocess.PIPE
            )
            ended = asyncio.create_task(enemies.communicate())
            while not ended.done():
                await watched.changed()
            return (await ended)[0].decode()

    folder, file = tmp_path / "run", tmp_path / "beats"
    with PtyBoard(tmp_path / "port", source=cell()) as board, recorder(board.name, folder):
        wait_for(lambda: samples(folder, 1000), "samples")
        idle = os.getloadavg()[0] < 1.0
        with served(folder, module=("tests.host.live.beating", str(file))) as (address, pid):
            asked = run(lambda: watch(address, pid))
    updates, cost_s = beats(file), max(0.1, *costs_s)
    pause_s, work_s = most_between(updates)
    print(f"asked {asked.strip()}; load {os.getloadavg()[0]:.1f}; a page costs {cost_s:.2f} s; {len(updates)} updates, "
          f"most work between two {work_s:.2f} s, longest pause {pause_s:.2f} s")  # fmt: skip
    assert int(asked.split()[0]) > 50 and "429" in asked
    assert len(updates) > 10
    assert work_s <= PAGES_BETWEEN_UPDATES * cost_s
    assert pause_s <= 1.0 or not idle


def test_trip_goes_through_while_others_are_wrong_and_many(tmp_path: Path) -> None:
    async def work(address: str, board: PtyBoard) -> None:
        async with opened_page(address) as holder, opened_page(address) as enemy:
            assert await holder.unlock(TOKEN) == (200, "")
            await holder.until(lambda: holder.named("rig0-trip")["visible"])
            for _ in range(10):
                await enemy.unlock("wrong-token")
            codes = [
                answer.code
                for answer in await asyncio.gather(*(get(address) for _ in range(PAGES_BURST + 4)))
            ]
            assert 429 in codes
            assert (await get(address, holder.cookie)).code == 200, "the holder's reload is not kept waiting"
            await enemy.click("rig0-trip")
            await enemy.click("rig0-yes")
            await asyncio.sleep(1.0)
            assert board.gate == 1, "a page that is locked does nothing"
            await holder.click("rig0-trip")
            await holder.until(lambda: holder.named("rig0-yes")["visible"])
            await holder.click("rig0-yes")
            for _ in range(100):
                if board.gate == 0:
                    return
                await asyncio.sleep(0.05)
        raise AssertionError("no trip")

    folder, rig = tmp_path / "run", rig_file(tmp_path, "one")
    with PtyBoard(tmp_path / "port") as board, recorder(board.name, folder, "--rig-file", str(rig)):
        wait_for(lambda: samples(folder, 1000), "samples")
        with page(folder, token=TOKEN) as address:
            run(lambda: work(address, board))
        assert [e["command"] for e in events(folder) if e["action"] == "command"] == ["trip"]


def test_the_token_comes_from_a_file_of_ones_own_or_the_environment(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, file = recorded_run(tmp_path / "run"), tmp_path / "token"

    def said(*more: str) -> str:
        assert main(["watch", str(folder), *more]) == 2
        line = capsys.readouterr().err
        assert line.count("\n") == 1
        return line

    assert "--token-file" in said("--token", "on-the-command-line") and "on-the" not in said(
        "--token", "on-the-x"
    )
    assert "cannot be read" in said("--token-file", str(file))
    file.write_text("a-long-enough-token\n")
    file.chmod(0o644)
    assert f"chmod 600 {file}" in said("--token-file", str(file))
    file.write_text("short\n")
    file.chmod(0o600)
    assert "at least 8" in said("--token-file", str(file))
    file.write_bytes(b"\xff\xfe" * 20)
    assert "no text" in said("--token-file", str(file))
    monkeypatch.setenv(TOKEN_SETTING, "short")
    assert TOKEN_SETTING in said()
