"""The recorded cells on both rigs: the hard short trips at its row, the others do not."""

from pathlib import Path

import pytest

from ccdmon.formats.bdf.read import read_bdf
from ccdmon_hil.play import replay
from ccdmon_hil.rigs.session import Session

SHORTED = "na_nasicon_na_hard_short"
FIRST_SHORTED_ROW = 2255  # traces/README.md
pytestmark = pytest.mark.traces


def test_the_hard_short_trips_on_the_unix_rig(unix: Session, recorded_dir: Path) -> None:
    trace = read_bdf(recorded_dir / f"{SHORTED}.bdf.csv")
    document = replay.replay_on(unix, trace).document()
    assert document["reason"] == "hard_short"
    assert FIRST_SHORTED_ROW <= document["trip_row"] <= FIRST_SHORTED_ROW + 3
    assert document["trip_time_s"] == trace.test_time_s[document["trip_row"]]
    assert (document["gate"], document["rows"], document["samples_received"]) == ("open", 3564, 3564)
    assert (document["dropped"], document["crc_errors"]) == (0, 0)
    assert document["latency"] == {"samples": 1, "virtual_us": None, "real_us": None}


@pytest.mark.pico
def test_the_hard_short_trips_on_the_emulated_pico(pico: Session, recorded_dir: Path) -> None:
    trace = read_bdf(recorded_dir / f"{SHORTED}.bdf.csv")
    document = replay.replay_on(pico, trace, start=2200, stop=2300).document()
    assert document["reason"] == "hard_short"
    assert FIRST_SHORTED_ROW <= document["trip_row"] <= FIRST_SHORTED_ROW + 3, (
        "a window keeps the file's rows"
    )
    assert document["trip_time_s"] == trace.test_time_s[document["trip_row"]]
    assert (document["gate"], document["dropped"], document["crc_errors"]) == ("open", 0, 0)
    # Two samples of confirmation: one period, and less than a second one for the tick itself.
    period_us = pico.identity["sample_period_us"]
    assert period_us <= document["latency"]["virtual_us"] < 2 * period_us
    assert document["latency"]["samples"] == 1
    assert document["firmware"]["board"] == "rpi_pico"


@pytest.mark.parametrize("name", ["li_llzo_li_healthy_low_voltage", "li_peo_polarisation_divergence"])
def test_no_short_no_trip(unix: Session, recorded_dir: Path, name: str) -> None:
    trace = read_bdf(recorded_dir / f"{name}.bdf.csv")
    document = replay.replay_on(unix, trace).document()
    assert (document["tripped"], document["reason"], document["trip_row"]) == (False, None, None)
    assert (document["gate"], document["rows"], document["dropped"]) == ("closed", len(trace), 0)


@pytest.mark.pico
@pytest.mark.parametrize(
    ("name", "start", "stop"),
    [("li_llzo_li_healthy_low_voltage", 200, 400), ("li_peo_polarisation_divergence", 2380, 2528)],
)
def test_no_short_no_trip_on_the_emulated_pico(
    pico: Session, recorded_dir: Path, name: str, start: int, stop: int
) -> None:
    trace = read_bdf(recorded_dir / f"{name}.bdf.csv")
    document = replay.replay_on(pico, trace, start=start, stop=stop).document()
    assert (document["tripped"], document["gate"], document["dropped"]) == (False, "closed", 0)
    assert document["rows"] == stop - start
