"""The host's time of each sample: right within the stated error, with drift, jitter, steps, sleep and resets."""

import random
from pathlib import Path

import numpy as np
import pytest

from ccdmon.link.board_clock import WRAP_US
from ccdmon.record.recorder import Recorder
from ccdmon.run import folder as run_folder
from ccdmon.run.sample_clock import clock_account
from ccdmon.run.stored_rows import RunRows
from ccdmon.run.time_axis import CLOCK_FILE, HostTime, RunTime, read_anchors
from ccdmon_fw import wire
from tests.host.whole_run import open_run
from tests.host.wire_stream import CONFIG, Device

PERIOD_S = 0.05
PER_FRAME = 32


class Bench:
    """A device whose crystal is `ppm` fast and a host, both on true time; frames arrive late by a random delay."""

    def __init__(self, folder: Path, ppm: float, seed: int = 1) -> None:
        run_folder.create(folder, {**CONFIG, "time": {"seconds_per_sample": PERIOD_S, "segments": "joined"}})
        self.folder, self.ppm, self.draw = folder, ppm, random.Random(seed)
        self.true_s, self.wall_offset_s, self.slept_s = 1000.0, 1.7e9, 0.0
        self.taken: list[tuple[float, float]] = []  # (true time, wall offset then) of each sample
        self.recorder = self.resumed()
        self.reset()

    def resumed(self) -> Recorder:
        axis = RunTime(PERIOD_S)
        return Recorder(self.folder, time=axis, clock=self.clock)

    def clock(self) -> HostTime:
        return HostTime(self.true_s - self.slept_s, self.true_s, self.true_s + self.wall_offset_s)

    def reset(self) -> None:
        self.device, self.booted_s, self.sample = Device(), self.true_s, 0

    def device_us(self, true_s: float) -> int:
        return int((true_s - self.booted_s) * (1 + self.ppm * 1e-6) * 1e6)

    def late(self) -> None:
        self.true_s += 0.002 + self.draw.expovariate(1 / 0.01)

    def frame(self) -> None:
        """The next samples, each taken when the crystal says so, and the host gets them later."""
        times = [
            self.booted_s + (self.sample + n) * PERIOD_S / (1 + self.ppm * 1e-6) for n in range(PER_FRAME)
        ]
        self.true_s = max(self.true_s, times[-1])
        self.taken += [(time_s, self.wall_offset_s) for time_s in times]
        data = self.device.samples(self.sample, PER_FRAME)
        self.sample += PER_FRAME
        self.late()
        self.recorder.feed(data)

    def ask(self) -> None:
        """One round trip."""
        self.recorder.clock_asked()
        self.late()
        read_s, newest = self.true_s, self.sample - 1
        us = self.device_us(read_s)
        stamp = round(newest * PERIOD_S * 1e6) % WRAP_US
        body = wire.pack(wire.CLOCK, 1, us % WRAP_US, us // 1000, newest, stamp)
        self.late()
        self.recorder.feed(self.device.frame(wire.CLOCK, body))

    def run(self, frames: int) -> None:
        for _ in range(frames):
            self.frame()
            self.ask()

    def errors_s(self) -> np.ndarray:
        """By how much the Unix time of each row is wrong."""
        self.recorder.close()
        unix_s = open_run(self.folder).trace.unix_time_s
        assert unix_s is not None
        return np.abs(unix_s - np.array([true_s + offset_s for true_s, offset_s in self.taken]))


def stated(bench: Bench) -> float:
    account = RunRows(bench.folder).clock
    assert account is not None
    return account.error_s + 1e-6  # Unix time has some 0.2 us of resolution left


@pytest.mark.parametrize("ppm", [-80.0, 0.0, 45.0])
def test_every_row_is_right_within_the_stated_error(tmp_path: Path, ppm: float) -> None:
    bench = Bench(tmp_path / "r", ppm)
    bench.run(400)
    errors_s, account = bench.errors_s(), RunRows(tmp_path / "r").clock
    assert account is not None
    assert errors_s.max() <= stated(bench) < 0.2
    assert account.drift_ppm == pytest.approx(ppm, abs=account.drift_error_ppm)
    assert account.drift_error_ppm is not None
    assert account.drift_error_ppm < 100
    nominal_s = len(bench.taken) * PERIOD_S * abs(ppm) * 1e-6
    assert errors_s[-1] < max(nominal_s, 0.02), "drift is followed, not summed up"


def test_a_clock_that_was_set_counts_from_where_it_was_noticed(tmp_path: Path) -> None:
    bench = Bench(tmp_path / "r", 20.0)
    bench.run(50)
    bench.wall_offset_s += 3600.0
    bench.recorder.clock_stepped()
    bench.run(50)
    assert bench.errors_s().max() <= stated(bench)
    trace = open_run(bench.folder).trace
    np.testing.assert_allclose(np.diff(trace.test_time_s), PERIOD_S, rtol=1e-6)


def test_a_host_that_slept_changes_nothing(tmp_path: Path) -> None:
    bench = Bench(tmp_path / "r", 20.0)
    bench.run(50)
    bench.slept_s += 30.0
    bench.run(50)
    assert bench.errors_s().max() <= stated(bench)


def test_after_a_reset_and_a_restart_of_the_host_time_goes_on(tmp_path: Path) -> None:
    bench = Bench(tmp_path / "r", 60.0)
    bench.run(200)
    bench.true_s += 120.0
    bench.reset()
    bench.run(50)
    bench.recorder.close()
    bench.recorder = bench.resumed()
    bench.recorder.catch_up(lambda _batch: None)
    bench.true_s += 30.0
    bench.reset()
    bench.run(50)
    errors_s = bench.errors_s()
    assert errors_s.max() <= stated(bench)
    trace, true_s = open_run(bench.folder).trace, np.array([true_s for true_s, _ in bench.taken])
    begins = np.flatnonzero(np.diff(trace.test_time_s) > 2 * PERIOD_S)
    assert len(begins) == 2
    gaps_s = np.diff(trace.test_time_s)[begins]
    np.testing.assert_allclose(gaps_s, np.diff(true_s)[begins], atol=2 * stated(bench))


def test_unix_time_is_the_same_while_recording_and_afterwards(tmp_path: Path) -> None:
    """What the derived trace got as the rows came is what the frames give later."""
    bench, seen = Bench(tmp_path / "r", 45.0), list[np.ndarray]()
    feed = bench.recorder.feed

    def watched(data: bytes) -> object:
        batch = feed(data)
        for rows in batch.rows:
            unix_s = bench.recorder.time.unix_time_s(rows)
            assert unix_s is not None
            seen.append(unix_s)
        return batch

    bench.recorder.feed = watched  # type: ignore[method-assign,assignment]
    bench.run(60)
    bench.recorder.close()
    np.testing.assert_array_equal(np.concatenate(seen), open_run(bench.folder).trace.unix_time_s)


def test_a_device_that_never_tells_its_clock_has_no_stated_error(tmp_path: Path) -> None:
    bench = Bench(tmp_path / "r", 0.0)
    for _ in range(100):
        bench.frame()
    bench.recorder.close()
    assert RunRows(bench.folder).clock is None
    assert clock_account(read_anchors(bench.folder / CLOCK_FILE), PERIOD_S) is None


def test_an_answer_of_the_next_arming_says_nothing_of_this_one(tmp_path: Path) -> None:
    bench = Bench(tmp_path / "r", 0.0)
    bench.run(3)
    before = len(read_anchors(bench.folder / CLOCK_FILE))
    bench.recorder.clock_asked()
    bench.true_s += 0.01
    body = wire.pack(
        wire.CLOCK, 1, bench.device_us(bench.true_s), bench.device_us(bench.true_s) // 1000, 3, 10
    )
    bench.recorder.feed(bench.device.frame(wire.CLOCK, body))
    bench.recorder.feed(bench.device.samples(0, PER_FRAME, run=2))
    anchors = read_anchors(bench.folder / CLOCK_FILE)[before:]
    assert [(anchor.segment, anchor.error_s) for anchor in anchors] == [(1, None)]


def test_an_arming_too_short_for_a_reading_is_told_apart(tmp_path: Path) -> None:
    bench = Bench(tmp_path / "r", 0.0)
    bench.frame()
    bench.reset()
    bench.run(60)
    bench.recorder.close()
    account = RunRows(bench.folder).clock
    assert account is not None
    assert account.unknown == 1
    assert 0 < account.error_s < 1.0
