"""A monitored run: the firmware's trip counts where the few samples it left prove nothing by themselves."""

from pathlib import Path

from ccdmon.run_analysis import analyze_run, trip_event
from ccdmon.run_folder import open_run
from tests.host.wire_stream import Device, recorded_run


def test_a_trip_is_an_event_of_the_run(tmp_path: Path) -> None:
    run = open_run(recorded_run(tmp_path / "r"))
    event = trip_event(run)
    assert event is not None
    assert (event.kind, event.evidence["criterion"]) == ("hard_short", "tripped by the firmware")
    document = analyze_run(run)
    assert document["verdict"] == "failed"
    assert "hard_short" in [found["kind"] for found in document["events"]]


def test_a_trip_whose_sample_was_lost_is_no_row(tmp_path: Path) -> None:
    device = Device()
    run = open_run(
        recorded_run(tmp_path / "r", device.identity() + device.samples(0, 30) + device.trip(1, 99))
    )
    assert trip_event(run) is None


def test_no_trip_no_event(tmp_path: Path) -> None:
    assert trip_event(open_run(recorded_run(tmp_path / "r", Device().samples(0, 30)))) is None
