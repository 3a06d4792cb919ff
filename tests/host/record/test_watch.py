"""What may go wrong around a recording is noticed once, logged and told."""

import json
from collections import namedtuple
from pathlib import Path
from typing import Any

import pytest

from ccdmon.record import watch as recording_watch
from ccdmon.record.recorder import Recorder
from ccdmon.record.watch import ClockWatch, Watch
from ccdmon.run import folder as run_folder
from ccdmon.run.time_axis import HostTime, RunTime
from tests.host.whole_run import open_run
from tests.host.wire_stream import CONFIG, Device

Usage = namedtuple("Usage", "total used free")


class Link:
    name, up, broke = "/dev/ttyX", True, "port /dev/ttyX: the link broke"


class Scene:
    """A recorder, a link and the host's clocks, all to be moved by hand."""

    def __init__(self, folder: Path) -> None:
        run_folder.create(folder, {**CONFIG, "time": {"seconds_per_sample": 0.5, "segments": "joined"}})
        self.folder, self.now, self.link, self.device = folder, HostTime(0.0, 0.0, 1.7e9), Link(), Device()
        self.recorder = Recorder(folder, time=RunTime(0.5), clock=lambda: self.now)
        self.said: list[str] = []
        self.greeted = 0
        self.watch = Watch(
            self.recorder, self.link, self.greet, self.said.append, keep_free_MB=500.0, clock=lambda: self.now
        )  # type: ignore[arg-type]

    def greet(self) -> None:
        self.greeted += 1

    def pass_(self, monotonic_s: float, boot_s: float, unix_s: float) -> None:
        self.now = HostTime(
            self.now.monotonic_s + monotonic_s, self.now.boot_s + boot_s, self.now.unix_s + unix_s
        )

    def round(self) -> None:
        self.watch.link()
        self.watch.look()

    def logged(self) -> list[dict[str, Any]]:
        self.recorder.sync()
        log = self.folder / run_folder.EVENTS_FILE
        return [json.loads(line) for line in log.read_text().splitlines()]


@pytest.fixture
def scene(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Scene:
    monkeypatch.setattr(recording_watch.shutil, "disk_usage", lambda _: Usage(1e12, 0, 1e11))
    return Scene(tmp_path / "r")


def test_nothing_happens_nothing_is_said(scene: Scene) -> None:
    for _ in range(5):
        scene.pass_(0.05, 0.05, 0.05)
        scene.round()
    assert (scene.said, scene.logged(), scene.greeted) == ([], [], 1)


def test_a_lost_link_and_its_return(scene: Scene) -> None:
    scene.round()
    for scene.link.up in (False, False, True, True):
        scene.round()
    assert [event["action"] for event in scene.logged()] == ["link_lost", "link_back"]
    assert scene.greeted == 2


def test_a_host_that_slept_and_a_clock_that_was_set(scene: Scene) -> None:
    scene.recorder.feed(scene.device.samples(0, 32))
    scene.round()
    scene.pass_(1.0, 3601.0, 3601.0)
    scene.round()
    scene.pass_(1.0, 1.0, -7199.0)
    scene.round()
    scene.recorder.feed(scene.device.samples(32, 32))
    assert [(event["action"], event["seconds"]) for event in scene.logged()] == [
        ("host_slept", 3600.0), ("clock_stepped", -7200.0),
    ]  # fmt: skip
    scene.recorder.close()
    unix_s = open_run(scene.folder).trace.unix_time_s
    assert unix_s is not None
    assert unix_s[32] - unix_s[31] == pytest.approx(0.5 - 7200.0), "each row has the wall clock of its time"


def test_a_disk_that_runs_low_is_told_once_and_again_after_a_while(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recording_watch, "SPACE_INTERVAL_S", 0.0)
    for free in (1e11, 4e8, 3e8, 1e11, 2e8):
        monkeypatch.setattr(recording_watch.shutil, "disk_usage", lambda _, free=free: Usage(1e12, 0, free))
        scene.round()
    assert [line.split(": ")[1] for line in scene.said] == [
        "only 400 MB are free; make space", "only 200 MB are free; make space",
    ]  # fmt: skip


def test_sleep_and_a_set_clock_are_told_apart() -> None:
    watch = ClockWatch(HostTime(0.0, 0.0, 1e9))
    assert watch.changes(HostTime(1.0, 1.0, 1e9 + 1.0)) == []
    assert watch.changes(HostTime(2.0, 3602.0, 1e9 + 3602.0)) == [("host_slept", 3600.0)]
    assert watch.changes(HostTime(3.0, 3603.0, 1e9 + 3003.0)) == [("clock_stepped", -600.0)]
