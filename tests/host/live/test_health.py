"""A page that cannot lie: what is not followed is red, with since when, within three seconds; without a browser."""

import asyncio
import os
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NoReturn

import pytest

from ccdmon.live.follower import Follower
from ccdmon.live.health import STALE_S, Complaint
from ccdmon.live.page import RigPanel
from ccdmon.live.server import Following
from ccdmon.live.words import state_complaints, wrong_banner
from ccdmon.run.frame_files import part_path
from ccdmon.run.stored_rows import RunRows
from tests.host.live.page_client import opened_page
from tests.host.live_rig import page
from tests.host.pty_board import PtyBoard
from tests.host.record.test_recording import recorder, samples, wait_for
from tests.host.wire_stream import Device, recorded_run

RED_WITHIN_S = 3.0


def broken(*_: object, **__: object) -> NoReturn:
    raise RuntimeError("on purpose")


@pytest.fixture
def follower(tmp_path: Path) -> Iterator[Follower]:
    follower = Follower(recorded_run(tmp_path / "run"))
    with Following([follower]):
        wait_for(lambda: follower.caught_up, "the end of the run")
        yield follower


def panel(follower: Follower) -> RigPanel:
    from bokeh.document import Document

    return RigPanel(Document(), follower, "rig0", False, "key")


def shown(panel: RigPanel) -> str:
    panel.update()
    return panel._wrong.text


def red_after(follower: Follower, what: str) -> float:
    """How long it takes until the page says so in red."""
    began_s, seen = time.monotonic(), panel(follower)
    wait_for(lambda: what in shown(seen), f"{what!r} on the page")
    assert "#d1242f" in seen._wrong.text and "since 20" in seen._wrong.text
    assert "not followed" in seen._title.text and "#1a7f37" not in seen._title.text, "nothing is green"
    return time.monotonic() - began_s


def test_a_run_that_is_followed_has_nothing_red(follower: Follower) -> None:
    assert shown(panel(follower)) == ""


@pytest.mark.parametrize(
    "error", [RuntimeError("on purpose"), OSError(5, "Input/output error"), MemoryError()]
)
def test_an_exception_in_the_thread_that_follows_is_red_and_comes_right_again(
    follower: Follower, error: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In 0.1.0 one froze the page, green, for ever."""

    def raising() -> NoReturn:
        raise error

    with monkeypatch.context() as patch:
        patch.setattr(follower.recorder, "ask", raising)
        assert red_after(follower, "files" if isinstance(error, OSError) else "reading") <= RED_WITHIN_S
    wait_for(lambda: follower.health.complaints() == [], "a page that is well again")
    assert follower.live.rows == 1000


def test_a_follower_that_hangs_is_red_and_the_page_does_not_wait_for_it(
    follower: Follower, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone_on = threading.Event()
    monkeypatch.setattr(follower.live, "refresh", lambda: gone_on.wait(30))  # while it holds the lock
    try:
        wait_for(lambda: follower.lock.locked(), "a follower that hangs")
        began_s = time.monotonic()
        seen = panel(follower)
        while "not followed" not in shown(seen):
            assert time.monotonic() - began_s < RED_WITHIN_S
        assert time.monotonic() - began_s >= STALE_S - 1.0
    finally:
        gone_on.set()


def test_an_analysis_that_stops_is_red_and_the_rows_go_on(
    follower: Follower, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = follower.live.rows
    monkeypatch.setattr(follower.live._analysis, "feed", broken)
    with (follower.folder / "frames.bin").open("ab") as file:
        file.write(Device().samples(1000, 32))
    wait_for(lambda: follower.live.rows == rows + 32, "the rows")
    assert red_after(follower, "the analysis stopped") <= RED_WITHIN_S


def test_times_that_cannot_be_read_are_red_and_end_no_follower(
    follower: Follower, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where the follower begins anew just then: the thread ended, and the page stayed green."""

    def unreadable(_: Path) -> NoReturn:
        raise OSError(5, "Input/output error")

    with monkeypatch.context() as patch:
        patch.setattr("ccdmon.live.follower.read_anchors", unreadable)
        patch.setattr(follower.recorder, "ask", broken)
        red_after(follower, "reading")
    monkeypatch.setattr("ccdmon.live.follower.read_anchors", unreadable)
    red_after(follower, "rows follow one another")
    wait_for(lambda: follower.live.rows == 1000, "the rows")


@pytest.mark.parametrize("text", [b"", b"[time]\nseconds_per_", b"\xff\xfe", b"time = 3\n"])
def test_a_half_saved_configuration_is_passed_over_and_told(follower: Follower, text: bytes) -> None:
    config = follower.folder / "run.toml"
    whole = config.read_bytes()
    config.write_bytes(text)
    assert red_after(follower, "what it said before is in force") <= RED_WITHIN_S
    config.write_bytes(whole)
    wait_for(lambda: follower.health.complaints() == [], "a page that is well again")


def test_a_part_that_is_missing_is_passed_over_and_told(tmp_path: Path) -> None:
    folder, device = recorded_run(tmp_path / "run"), Device()
    part_path(folder, 2).write_bytes(device.samples(1000, 32))
    follower = Follower(folder)
    with Following([follower]):
        wait_for(lambda: follower.live.rows == 1032, "the rows behind it")
        assert "frames-0001.bin is missing" in shown(panel(follower))


def test_frames_that_get_shorter_are_told(follower: Follower) -> None:
    os.truncate(follower.folder / "frames.bin", 100)
    assert red_after(follower, "shorter than it was") <= RED_WITHIN_S


def test_a_recorder_that_hangs_is_red_not_finished(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    with PtyBoard(tmp_path / "port") as board, recorder(board.name, folder) as process:
        wait_for(lambda: samples(folder, 1000), "samples")
        follower = Follower(folder)
        with Following([follower]):
            wait_for(lambda: follower.state.get("gate"), "the state")
            process.send_signal(signal.SIGSTOP)
            try:
                assert red_after(follower, "holds the folder and does not answer") <= RED_WITHIN_S + 1.0
            finally:
                process.send_signal(signal.SIGCONT)
            wait_for(lambda: follower.health.complaints() == [], "a page that is well again")
        two = [Follower(folder), Follower(folder)]  # two that watch one run
        with Following(two):
            wait_for(lambda: all(f.live.rows > 1000 and f.state["recording"] for f in two), "both")


def test_a_finished_run_opens_whole_and_without_controls(follower: Follower) -> None:
    seen = panel(follower)
    seen.update()
    end_s = RunRows(follower.folder).config["time"]["seconds_per_sample"] * 1000
    assert seen.plots.visible_s == (0.0, end_s)
    assert seen.controls is not None and not seen.controls.layout.visible


def test_what_the_recorder_says_is_wrong_is_red_and_only_text() -> None:
    assert state_complaints({"recording": True, "failures": {}, "not_notified": 0, "moved": False}) == []
    found = state_complaints({"failures": {"<b>": 2}, "not_notified": 3, "moved": True})
    text = wrong_banner([*found, Complaint("page", "<script>", 0.0)])
    assert "nobody was told" in text and "3 not sent" in text and "moved" in text
    assert "<script>" not in text and "<b>" not in text and "&lt;b&gt; (2)" in text


def test_the_page_hears_the_server_while_it_is_there(tmp_path: Path) -> None:
    """The script of the page turns red where these beats stay out for `PAGE_STALE_MS`."""

    async def work(address: str) -> list[float]:
        beats: list[float] = []
        async with opened_page(address) as seen:
            while len(beats) < 6:
                if "beat" in str(seen.models.get(await seen.changed(), {}).get("name")):
                    beats.append(time.monotonic())
        return beats

    with page(recorded_run(tmp_path / "run")) as address:
        beats: Any = asyncio.run(asyncio.wait_for(work(address), 60))
    assert beats[-1] - beats[0] < 5 * 2.5
