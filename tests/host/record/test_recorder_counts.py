"""What the recorder counts and bounds: trips by their id, windows and latencies, bytes taken at once, what is lost."""

import json
import time
from collections import namedtuple
from pathlib import Path
from typing import Any

import pytest

from ccdmon.model.front_end import FrontEnd
from ccdmon.record import recorder as recorder_module
from ccdmon.record import serial_link, watch
from ccdmon.record.beside import TOLD_EVERY_S, Beside
from ccdmon.record.recorder import ANCHOR_INTERVAL_S, SYNC_INTERVAL_S, Recorder
from ccdmon.record.rule_events import action_of, described, reason_of, rule_of
from ccdmon.record.serial_link import SerialLink
from ccdmon.record.watch import ClockWatch, Watch
from ccdmon.run import folder as run_folder
from ccdmon.run.time_axis import HostTime, RunTime, read_anchors
from ccdmon_fw import limits
from tests.host.record.test_recording import wait_for
from tests.host.wire_stream import CONFIG, Device

Usage = namedtuple("Usage", "total used free")


def made(folder: Path, **options: Any) -> Recorder:
    if not (folder / "run.toml").exists():
        run_folder.create(folder, {**CONFIG, "time": {"seconds_per_sample": 0.5, "segments": "joined"}})
    return Recorder(folder, time=RunTime(0.5), **options)


def lines(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "events.ndjson").read_text().splitlines()]


def test_a_resumed_recorder_knows_the_trips_that_were_logged_and_no_other_ids(tmp_path: Path) -> None:
    device, first = Device(), made(tmp_path / "r")
    first.log(action="command", trip_id=5)
    first.log(action="blackbox_kept", trip_id=6)
    first.log(action="aaa", trip_id=7)
    first.log(action="trip", trip_id="8")
    first.feed(device.samples(0, 4) + device.trip(3, 2))
    first.close()
    second = made(tmp_path / "r")
    second.catch_up(lambda batch: None)
    assert set(second.trips) == {3}
    second.feed(device.trip(3, 2) + device.trip(5, 3) + device.trip(5, 3, repeat=2))
    second.close()
    assert [e["trip_id"] for e in lines(tmp_path / "r") if e["action"] == "trip"] == ["8", 3, 5]


def test_a_board_that_numbers_each_message_anew_fills_no_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recorder_module, "MOST_TRIPS", 300)
    device, recorder = Device(), made(tmp_path / "r")
    recorder.feed(device.samples(0, 4))
    for number in range(305):
        recorder.feed(device.trip(number, 1))
    recorder.close()
    assert len(recorder.trips) == 300 == len([e for e in lines(tmp_path / "r") if e["action"] == "trip"])


def test_the_disk_is_asked_twice_a_second_and_only_for_something(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now_s, device = 0.0, Device()
    recorder = made(tmp_path / "r", clock=lambda: HostTime(now_s, now_s, 1.7e9 + now_s))
    synced: list[float] = []
    monkeypatch.setattr(recorder.frames, "sync", lambda: synced.append(now_s))
    for n in range(100):
        now_s = n / 10
        recorder.feed(device.samples(4 * n, 4) if n < 50 else b"")
    recorder.log(action="x")
    recorder.feed(b"")
    assert synced[:9] == [pytest.approx(SYNC_INTERVAL_S * n) for n in range(1, 10)]
    assert len([at for at in synced if at > 5.0]) <= 2 and synced[-1] == now_s


def test_a_board_without_a_clock_has_a_note_of_its_time_once_a_minute(tmp_path: Path) -> None:
    now_s, device = 0.0, Device()
    recorder = made(tmp_path / "r", clock=lambda: HostTime(now_s, now_s, 1.7e9 + now_s))
    for n in range(200):
        now_s = float(n)
        recorder.feed(device.samples(2 * n, 2))
    recorder.close()
    anchors = read_anchors(tmp_path / "r" / "clock.ndjson")
    assert [anchor.elapsed_s for anchor in anchors] == [ANCHOR_INTERVAL_S * n for n in range(4)]
    assert [anchor.sample for anchor in anchors] == [int(2 * ANCHOR_INTERVAL_S * n) + 1 for n in range(4)]
    assert all(anchor.unix_s - anchor.elapsed_s == 1.7e9 for anchor in anchors)


def test_a_resumed_recording_goes_on_in_its_own_time(tmp_path: Path) -> None:
    first = made(tmp_path / "r", clock=lambda: HostTime(5.0, 50.0, 1.7e9))
    first.feed(Device().samples(0, 2))
    first.close()
    second = made(tmp_path / "r", clock=lambda: HostTime(1.0, 7.0, 1.7e9 + 3600.0))
    assert second.elapsed_s() == pytest.approx(3600.0)
    assert second.elapsed_s(HostTime(2.0, 17.0, 0.0)) == pytest.approx(3610.0)
    second.close()


@pytest.mark.parametrize(
    ("samples", "window_s", "latency_s"), [(1, 0.25, 0.0), (2, 0.5, 0.25), (7, 1.75, 1.5)]
)
def test_what_a_rule_waits_for(samples: int, window_s: float, latency_s: float) -> None:
    identity = {
        "settings": {"confirm_samples": samples},
        "rules": ["smell"],
        "reasons": ["none", "hard_short"],
    }
    fields = {
        "reason": 1,
        "repeat": 3,
        "action": limits.ACTION_WARN,
        "rule": 0,
        "value": 1,
        "limit": 2,
        "sample": 9,
    }
    found = described(fields, identity, None, 0.25)
    assert found == {
        "rule": "smell", "reason": "hard_short", "value": 1, "limit": 2, "sample": 9, "window_samples": samples,
        "window_s": window_s, "latency_s": latency_s, "latency_from": "the first suspicious sample to the verdict",
    }  # fmt: skip
    assert "window_s" not in described(fields, {}, None, 0.25)
    physical = described({**fields, "rule": 0}, {"rules": limits.RULES}, FrontEnd(6.0, 0.01, None), 0.25)
    assert physical["unit"] and physical["limit_physical"] == 2 * physical["value_physical"]


def test_names_of_rules_reasons_and_actions() -> None:
    identity = {"rules": ["a", "b"], "reasons": ["none", "x"]}
    assert [reason_of(code, identity) for code in (0, 1, 2, 9)] == ["none", "x", "reason_2", "reason_9"]
    assert [rule_of({"rule": n, "reason": 1}, identity) for n in (0, 1, 2, 3)] == ["a", "b", "x", "x"]
    assert rule_of({"reason": 1}, identity) == "x" and reason_of(1, {}) == limits.REASONS[1]
    known = (
        {"action": limits.ACTION_INFORM},
        {"action": limits.ACTION_TRIP},
        {"action": limits.ACTION_WARN},
        {},
    )
    assert [action_of(fields) for fields in (*known, {"action": 99})] == [
        "inform",
        "trip",
        "warn",
        "warn",
        "warn",
    ]


class Full:
    """A port that gives `pieces` and then nothing."""

    name = "full"

    def __init__(self, pieces: list[bytes]) -> None:
        self.pieces = pieces

    def read(self) -> bytes:
        if self.pieces:
            return self.pieces.pop(0)
        time.sleep(0.002)
        return b""

    def write(self, data: bytes) -> None: ...
    def close(self) -> None: ...


def test_no_more_is_taken_at_once_than_memory_should_hold(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serial_link, "MOST_BYTES_TAKEN", 1000)
    sent = [bytes([n]) * (1 if n % 2 else 300) for n in range(40)]
    port = Full(list(sent))
    link = SerialLink("full", lambda name: port)
    wait_for(lambda: not port.pieces, "everything read")
    time.sleep(0.05)
    taken = []
    while data := link.take(0.05):
        taken.append(data)
    link.close()
    assert b"".join(taken) == b"".join(sent)
    assert len(taken) > 2 and all(1000 <= len(data) < 1300 for data in taken[:-1])


def test_a_failure_beside_is_told_now_and_after_a_while_and_each_is_counted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now_s, logged, said = 10.0, list[dict[str, Any]](), list[str]()
    monkeypatch.setattr("ccdmon.record.beside.time.monotonic", lambda: now_s)
    beside = Beside(lambda **event: logged.append(event), said.append)

    def broken() -> None:
        raise ValueError("on purpose")

    assert beside.do("page", lambda: 3) == 3
    for now_s in (10.0, 11.0, 10.0 + TOLD_EVERY_S - 1, 10.0 + TOLD_EVERY_S, 11.0 + TOLD_EVERY_S):  # noqa: B007
        assert beside.do("page", broken) is None
    beside.do("other", broken)
    assert [event["times"] for event in logged] == [1, 4, 1] and len(said) == 3
    assert said[0].startswith("page: ValueError: on purpose at ") and said[0].endswith(
        "; the recording goes on"
    )
    assert beside.failures == {"page": 5, "other": 1}

    def gone(*_: object, **__: object) -> None:
        raise OSError("no terminal")

    silent = Beside(gone, gone)
    for part in ("a", "b", "c"):
        silent.do(part, broken)
    assert silent.failures == {"a": 1, "b": 1, "c": 1, "telling": 6}


class Link:
    name, up, broke = "/dev/x", True, "it broke"


def test_a_disk_that_is_full_and_back_is_told_with_what_it_cost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watch.shutil, "disk_usage", lambda _: Usage(1, 0, 10**12))
    recorder, said, now_s = made(tmp_path / "r"), list[str](), 100.0
    looking = Watch(recorder, Link(), lambda: None, said.append, clock=lambda: HostTime(now_s, now_s, now_s))  # type: ignore[arg-type]
    recorder.frames._file.error = OSError(28, "No space left on device")
    for _ in range(3):
        looking.look()
    assert len(said) == 1 and said[0].endswith("make space; waiting") and looking.disk_is_full
    now_s = 100.5
    recorder.frames.dropped_bytes, recorder.frames._file.error = 4711, None
    for _ in range(3):
        looking.look()
    assert said[1:] == [f"{tmp_path / 'r'}: the disk takes bytes again, 4711 bytes are lost"]
    assert recorder.frames.dropped_bytes == 0 and not looking.disk_is_full
    recorder.close()
    (back,) = [e for e in lines(tmp_path / "r") if e["action"] == "disk_back"]
    assert (back["since"], back["lost_bytes"]) == (100.0, 4711)


def test_space_syncs_parts_and_a_moved_folder_are_looked_at_every_two_seconds_and_told_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now_s, free, asked = 0.0, 600e6, list[float]()
    monkeypatch.setattr(watch.time, "monotonic", lambda: now_s)

    def usage(_: Path) -> Usage:
        asked.append(now_s)
        return Usage(1, 0, free)

    monkeypatch.setattr(watch.shutil, "disk_usage", usage)
    recorder, said = made(tmp_path / "r"), list[str]()
    clock = HostTime(0.0, 0.0, 0.0)
    looking = Watch(recorder, Link(), lambda: None, said.append, keep_free_MB=500.0, clock=lambda: clock)  # type: ignore[arg-type]
    for n in range(60):
        now_s, free = n / 10, 600e6 if n < 30 else 400e6
        looking.look()
    assert asked == [0.0, 2.0, 4.0]
    assert said == [f"{tmp_path / 'r'}: only 400 MB are free; make space"] and looking.free_bytes == 400e6
    now_s, free = 7.0, 500e6
    looking.look()
    recorder.frames._file.unsynced, recorder.frames.part_error = 2, OSError(24, "Too many open files")
    now_s, free = 9.5, 400e6
    looking.look()
    now_s = 12.0
    looking.look()
    assert [line.split(": ", 1)[1][:30] for line in said[1:]] == [
        "the next frames file cannot be", "the disk does not confirm what", "only 400 MB are free; make spa",
    ]  # fmt: skip
    (tmp_path / "r").rename(tmp_path / "s")
    now_s = 14.5
    looking.look()
    looking.look()
    assert looking.moved and "was moved or deleted" in said[-1]
    (tmp_path / "s").rename(tmp_path / "r")
    now_s = 17.0
    looking.look()
    assert not looking.moved
    recorder.close()
    logged = [(e["action"], e.get("times"), e.get("cause")) for e in lines(tmp_path / "r")]
    assert logged == [
        ("part_not_begun", None, "Too many open files"), ("not_synced", 2, None), ("folder_moved", None, None),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("passed", "found"),
    [
        ((1.0, 1.0, 1.0), []), ((0.1, 1.05, 1.05), []), ((0.0, 1.0, 1.0), [("host_slept", 1.0)]),
        ((1.0, 1.0, 2.0), [("clock_stepped", 1.0)]), ((1.0, 1.0, 0.0), [("clock_stepped", -1.0)]),
        ((1.0, 1.0, 1.9), []), ((2.0, 10.0, 5.0), [("host_slept", 8.0), ("clock_stepped", -5.0)]),
    ],
)  # fmt: skip
def test_clocks_that_part(passed: tuple[float, float, float], found: list[tuple[str, float]]) -> None:
    clocks = ClockWatch(HostTime(3.0, 4.0, 5.0))
    later = HostTime(3.0 + passed[0], 4.0 + passed[1], 5.0 + passed[2])
    assert clocks.changes(later) == [(action, pytest.approx(seconds)) for action, seconds in found]
    assert clocks.changes(later) == []
