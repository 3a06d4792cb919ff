"""A run folder read piece by piece says what the whole in memory says, and the firmware's trip counts in it."""

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ccdmon.analysis.document import analyze
from ccdmon.cli import main
from ccdmon.cli.traces import pieces_of
from ccdmon.formats.bdf.read import read_bdf
from ccdmon.model.front_end import FrontEnd
from ccdmon.record.recorder import Recorder
from ccdmon.report.context import Context, methods
from ccdmon.run import folder as run_folder
from ccdmon.run.analysed import Analysed, analysed
from ccdmon.run.merge_rows import merged_table
from ccdmon.run.sources import FolderRows
from ccdmon.run.stored_rows import RunRows, derive_trace
from ccdmon.run.trip_place import TripPlace, device_event
from ccdmon.simulation.simulate import simulate
from ccdmon_fw import detector, wire
from tests.host.whole_run import open_run
from tests.host.wire_stream import CONFIG, Device, recorded_run

PIECE_BYTES = (64, 1000, 1 << 20)


def test_a_trip_is_an_event_of_the_run(tmp_path: Path) -> None:
    run = RunRows(recorded_run(tmp_path / "r"))
    event = TripPlace.of(run).event
    assert event is not None
    assert (event.kind, event.evidence["criterion"]) == ("hard_short", "tripped by the firmware")
    document = analysed(FolderRows(run)).document
    assert document["verdict"] == "failed"
    assert "hard_short" in [found["kind"] for found in document["events"]]


def test_a_trip_whose_sample_was_lost_is_no_row(tmp_path: Path) -> None:
    device = Device()
    data = device.identity() + device.samples(0, 30) + device.trip(1, 99)
    found = TripPlace.of(RunRows(recorded_run(tmp_path / "r", data)))
    assert (found.row, found.event) == (None, None)


def test_no_trip_no_event(tmp_path: Path) -> None:
    run = RunRows(recorded_run(tmp_path / "r", Device().samples(0, 30)))
    assert TripPlace.of(run).event is None


def shorted_run(folder: Path, *, joined: bool = True) -> Path:
    """A cell that shorts, with a hole and a second arming, and a trip that 40 pending samples came before."""
    trace = simulate("hard_short", 3).trace
    front_end = FrontEnd.for_trace(trace)
    rows = np.column_stack([front_end.codes(trace), np.zeros(len(trace))]).astype("<u2")
    tripped = len(rows) - 200
    rows[tripped - 40 : tripped, 3] = detector.PENDING
    scales = {
        "voltage_full_scale_V": front_end.voltage_full_scale_V,
        "current_full_scale_A": front_end.current_full_scale_A,
    }
    time = {"seconds_per_sample": 1.0, **({"segments": "joined"} if joined else {})}
    half, device, data = len(rows) // 2, Device(), b""
    for run, begin, stop in ((1, 0, half), (2, half, len(rows))):
        for first in range(begin, stop, 32):
            if begin == 0 and 960 <= first < 1024:
                continue
            part = rows[first : min(first + 32, stop)]
            head = wire.pack(wire.SAMPLES, first - begin, 0, 0, run, len(part), 0)
            data += device.frame(wire.SAMPLES, head + part.tobytes())
    data += device.identity() + device.trip(1, tripped - half)
    recorded_run(folder, data)
    run_folder.rewrite_config(folder, {**CONFIG, "front_end": scales, "time": time})
    return folder


def dumped(found: Analysed) -> str:
    """The document without its file."""
    return json.dumps({key: value for key, value in found.document.items() if key != "source"})


@pytest.mark.parametrize("joined", [True, False])
def test_pieces_of_any_size_say_what_the_whole_says(tmp_path: Path, joined: bool) -> None:
    folder = shorted_run(tmp_path / "r", joined=joined)
    whole = open_run(folder)
    assert whole.trip is not None
    first = whole.segments[-1].first_row
    tripped = first + int(np.searchsorted(whole.samples[first:], whole.trip["sample"]))
    event = device_event("hard_short", whole.trace, whole.verdicts, tripped)
    assert event.row == tripped - 40
    wanted = json.dumps(analyze(whole.trace, device_events=[event]))
    for size in PIECE_BYTES:
        assert TripPlace.of(RunRows(folder, read_bytes=size)).event == event
        found = analysed(FolderRows(RunRows(folder, read_bytes=size)))
        assert (dumped(found), found.trip_row) == (wanted, tripped)
        np.testing.assert_array_equal(found.trace.voltage_V, whole.trace.voltage_V)
        thin = analysed(FolderRows(RunRows(folder, read_bytes=size)), whole_rows=100)
        assert dumped(thin) == wanted
        assert tripped in thin.trace.numbers
        np.testing.assert_array_equal(thin.trace.voltage_V, whole.trace.voltage_V[thin.trace.numbers])


def test_a_trip_without_a_segment_is_one_of_the_last(tmp_path: Path) -> None:
    folder = shorted_run(tmp_path / "r")
    log = folder / run_folder.EVENTS_FILE
    events = [json.loads(line) for line in log.read_text().splitlines()]
    log.write_text("".join(json.dumps({k: v for k, v in e.items() if k != "segment"}) + "\n" for e in events))
    run = RunRows(folder)
    row = TripPlace.of(run).row
    assert row is not None
    assert row > run.segments[1].first_row


@pytest.mark.parametrize("ending", ["csv", "csv.gz", "parquet"])
def test_a_run_converted_by_pieces_is_the_whole_trace(
    tmp_path: Path, ending: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = shorted_run(tmp_path / "r")
    monkeypatch.setattr(RunRows.__init__, "__kwdefaults__", {"read_bytes": 1000})
    target = tmp_path / f"t.bdf.{ending}"
    assert main(["convert", str(folder), str(target), "--area-cm2", "0.5"]) == 0
    back, whole = read_bdf(target), open_run(folder).trace
    np.testing.assert_array_equal(back.voltage_V, whole.voltage_V)
    np.testing.assert_array_equal(back.unix_time_s, whole.unix_time_s)
    assert back.cell.electrode_area_cm2 == 0.5
    assert [path.name for path in tmp_path.iterdir() if "unfinished" in path.name] == []


def test_a_run_without_rows_leaves_no_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = recorded_run(tmp_path / "r", Device().identity())
    assert main(["convert", str(folder), str(tmp_path / "t.bdf.csv")]) == 2
    assert "nothing was recorded" in capsys.readouterr().err
    assert not (tmp_path / "t.bdf.csv").exists()


def test_merged_by_pieces_is_merged_whole(tmp_path: Path) -> None:
    folder = shorted_run(tmp_path / "r")
    rig = open_run(folder).trace
    cycler = simulate("hard_short", 3).trace.rows(0, None)
    places = 3.7 + 0.998 * cycler.test_time_s[::7]
    whole = merged_table(cycler.rows(0, len(places)), [rig], places)
    pieces = [piece.trace for piece in RunRows(folder, read_bytes=1000).pieces()]
    parts = merged_table(cycler.rows(0, len(places)), pieces, places)
    assert whole.column_names == parts.column_names
    for label in whole.column_names:
        np.testing.assert_allclose(parts[label].to_numpy(), whole[label].to_numpy(), rtol=1e-9, atol=1e-15)
    assert np.isfinite(whole["Rig Voltage / V"].to_numpy()).mean() > 0.9


def test_a_run_is_validated_by_pieces(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = shorted_run(tmp_path / "r")
    assert main(["validate", str(folder), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)["files"][0]
    whole = open_run(folder).trace
    assert told["rows"] == len(whole)
    assert told["duration_s"] == whole.test_time_s[-1] - whole.test_time_s[0]
    args = argparse.Namespace(columns=None, salvage=False, area_cm2=None)
    assert sum(len(trace) for trace in pieces_of(str(folder), args)) == len(whole)


def warmed(folder: Path, **tables: dict[str, Any]) -> Path:
    """600 samples, from the 100th on at 40 degrees, from the 300th on at 50, at the end not measured."""
    device = Device()
    data = device.samples(0, 100) + device.status(400) + device.samples(100, 200) + device.status(500)
    data += device.samples(300, 200) + device.status() + device.samples(500, 100)
    run_folder.create(folder, {**CONFIG, "firmware": {"temperature": True}, **tables})
    recorder = Recorder(folder)
    recorder.feed(data)
    recorder.close()
    return folder


def test_a_measured_temperature_is_a_column_and_the_report_says_its_mean(tmp_path: Path) -> None:
    front_end = CONFIG["front_end"] | {"temperature": {"gain": 1.0, "offset": -2.0}}
    folder = warmed(tmp_path / "r", front_end=front_end)
    for size in (700, 1 << 20):
        run = RunRows(folder, read_bytes=size)
        found = np.concatenate([piece.trace.temperature_degC for piece in run.pieces()])
        expected = np.repeat([np.nan, 38.0, 48.0, np.nan], [100, 200, 200, 100])
        np.testing.assert_array_equal(found, expected)
        assert analysed(FolderRows(run)).document["ccd"]["temperature_degC"] == 43.0
    derived = read_bdf(derive_trace(folder))
    np.testing.assert_array_equal(derived.temperature_degC, expected)
    told = Context(config=run.config).remarks
    assert told == {"temperature_degC": "of the board, not of the cell"}
    found = analysed(FolderRows(run))
    assert "at 43 °C (of the board, not of the cell)" in methods(
        found.document, found.trace, Context(config=run.config)
    )


def test_what_was_set_in_an_oven_is_not_overruled_by_a_board_outside(tmp_path: Path) -> None:
    conditions = {"temperature_degC": 60.0}
    outside = RunRows(warmed(tmp_path / "outside", conditions=conditions))
    assert analysed(FolderRows(outside)).document["ccd"]["temperature_degC"] == 60.0
    assert Context(config=outside.config).remarks == {"temperature_degC": "as set, not measured"}
    front_end = CONFIG["front_end"] | {"temperature_at": "cell"}
    inside = RunRows(warmed(tmp_path / "inside", conditions=conditions, front_end=front_end))
    assert analysed(FolderRows(inside)).document["ccd"]["temperature_degC"] == 45.0
    assert Context(config=inside.config).remarks == {}
    old = RunRows(warmed(tmp_path / "old", firmware={}))
    assert analysed(FolderRows(old)).document["ccd"]["temperature_degC"] is None
