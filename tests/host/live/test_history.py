"""History and follower: any zoom shows what was recorded, no spike is lost, memory is bounded."""

from pathlib import Path

import numpy as np
import pytest

from ccdmon.live.follower import Follower
from ccdmon.live.history import History, Stretch, View
from ccdmon.record.recorder import Recorder
from ccdmon.run import folder as run_folder
from tests.host.whole_run import open_run
from tests.host.wire_stream import CONFIG, Device


def stretch(first: int, values: np.ndarray, segment: int = 0) -> Stretch:
    table = np.column_stack([values, values, *2 * [np.full(len(values), np.nan)]]).astype(np.float32)
    return Stretch((first + np.arange(len(values))).astype(float), table, table, table > 1e9, 1.0, segment, 0)


def test_every_spike_shows_at_any_zoom() -> None:
    values = np.zeros(100_000)
    values[[7, 31_234, 99_998]] = (5.0, -3.0, 9.0)
    history = History(most=1000)
    for first in range(0, 100_000, 777):
        history.add(stretch(first, values[first : first + 777]))
    assert history.buckets <= 1000
    view = history.view(0.0, 1e5, 50)
    assert len(view.time_s) <= 120
    assert (view.values["voltage_V"].max(), view.values["voltage_V"].min()) == (9.0, -3.0)
    part = history.view(31_000.0, 31_500.0, 50)
    assert part.values["voltage_V"].min() == -3.0
    assert part.values["voltage_V"].max() == 0.0


def turns(view: View) -> int:
    """How often the line through the points of a view goes the other way."""
    steps = np.sign(np.diff(view.values["voltage_V"]))
    steps = steps[steps != 0]
    return int((steps[1:] != steps[:-1]).sum())


@pytest.mark.parametrize("piece", [1, 37, 777, 100_000])
@pytest.mark.parametrize("up", [True, False])
def test_a_reversal_is_drawn_as_one_step(up: bool, piece: int) -> None:
    """0.1.0 drew down-up-down, which looks like a short that never was."""
    values = np.where(np.arange(100_000) < 50_003, -1.0, 1.0) * (1 if up else -1)
    begin, end = (48_000, 51_000) if piece == 1 else (0, 100_000)
    history = History(most=1000)
    for first in range(begin, end, piece):
        history.add(stretch(first, values[first : min(first + piece, end)]))
    history._recent.clear()
    for most in (50, 333, 5000):
        view = history.view(0.0, 1e5, most)
        assert turns(view) == 0
        assert {view.values["voltage_V"].min(), view.values["voltage_V"].max()} == {-1.0, 1.0}


def test_extremes_come_in_the_order_of_time_whatever_the_zoom() -> None:
    """A ramp of random steps: each pair that is drawn is as the rows behind it came."""
    values = np.random.default_rng(1).standard_normal(40_000)
    history = History(most=300)
    for first in range(0, len(values), 501):
        history.add(stretch(first, values[first : first + 501]))
    history._recent.clear()
    view = history.view(0.0, 4e4, 100)
    pairs = view.values["voltage_V"].reshape(-1, 2)
    begins = view.time_s.reshape(-1, 2)[:, 0].astype(int)
    for (one, other), begin, end in zip(pairs, begins, [*begins[1:], len(values)], strict=True):
        rows = values[begin:end].astype(np.float32)
        assert {one, other} == {rows.min(), rows.max()}
        assert (one == rows.max()) == (rows.argmax() < rows.argmin())


def test_the_line_breaks_where_rows_are_missing() -> None:
    history = History()
    history.add(stretch(0, np.ones(100)))
    history.add(stretch(500, np.ones(100), segment=1))
    view = history.view(0.0, 600.0, 100)
    gap = np.flatnonzero(np.isnan(view.values["voltage_V"]))
    assert len(gap) == 1
    assert 99.0 < view.time_s[gap[0]] < 500.0


def test_the_newest_rows_are_shown_one_by_one() -> None:
    history = History(most=64)
    history.add(stretch(0, np.arange(10_000.0)))
    view = history.view(9000.0, 9100.0, 500)
    assert view.single_rows
    inside = (view.time_s >= 9000) & (view.time_s <= 9100)
    assert view.values["voltage_V"][inside].tolist() == list(range(9000, 9101))


def recorded(folder: Path, samples: int) -> Path:
    """Two armings of a device, with a hole in the second."""
    run_folder.create(folder, {**CONFIG, "time": {"seconds_per_sample": 0.5, "segments": "joined"}})
    recorder = Recorder(folder, rotate_bytes=100_000)
    for device, run in ((Device(), 1), (Device(), 2)):
        for first in range(0, samples, 32):
            if run == 1 or not 640 <= first < 960:
                recorder.feed(device.samples(first, 32, run))
    recorder.close()
    return folder


def test_a_follower_shows_single_rows_of_any_time_as_recorded(tmp_path: Path) -> None:
    folder = recorded(tmp_path / "r", 32_000)
    follower = Follower(folder)
    while follower.poll():
        pass
    follower.history._recent.clear()  # as after hours: only the files hold single rows
    trace = open_run(folder).trace
    for begin, end in ((100.0, 130.0), (15_900.0, 16_700.0), (20_000.25, 20_020.0)):
        view = follower.history.view(begin, end, 100_000)
        known = ~np.isnan(view.values["voltage_V"])
        inside = known & (view.time_s >= begin) & (view.time_s <= end)
        wanted = (trace.test_time_s >= begin) & (trace.test_time_s <= end)
        np.testing.assert_allclose(view.time_s[inside], trace.test_time_s[wanted])
        np.testing.assert_allclose(view.values["voltage_V"][inside], trace.voltage_V[wanted], atol=1e-6)
        assert view.single_rows


def test_a_follower_takes_what_is_added_and_a_torn_end(tmp_path: Path) -> None:
    folder = recorded(tmp_path / "r", 320)
    follower = Follower(folder)
    while follower.poll():
        pass
    rows = follower.live.rows
    frame = Device().samples(320, 32, 2)
    with (folder / "frames.bin").open("ab") as file:
        file.write(frame[:40])
        file.flush()
        follower.poll()
        assert follower.live.rows == rows
        file.write(frame[40:])
    follower.poll()
    assert follower.live.rows == rows + 32
    assert follower.reader.counts.crc_errors == 0


def test_rows_read_again_know_the_temperature_told_before_them(tmp_path: Path) -> None:
    run_folder.create(tmp_path / "r", CONFIG)
    recorder, device = Recorder(tmp_path / "r"), Device()
    follower = Follower(tmp_path / "r")
    recorder.feed(device.samples(0, 32) + device.status(312))
    for first in range(32, 200_000, 2000):
        recorder.feed(b"".join(device.samples(first + n, 200) for n in range(0, 2000, 200)))
        recorder.sync()
        while follower.poll():
            pass
    recorder.close()
    assert follower.measures_temperature
    assert follower.live.newest()["temperature_degC"] == 31.2
    early = follower.history.view(0.0, 30.0, 900)
    known = np.unique(early.values["temperature_degC"])
    assert known[0] == np.float32(31.2) and np.isnan(known[1:]).all(), "nothing before the first status"
    later = follower.history.view(10_000.0, 10_010.0, 900)
    assert later.single_rows
    assert np.unique(later.values["temperature_degC"]).tolist() == [np.float32(31.2)]
