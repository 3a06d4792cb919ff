"""One truth: the detector says the same on every row on CPython, unix port and emulated Pico."""

from functools import cache
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from ccdmon.formats.bdf.read import read_bdf
from ccdmon.model.front_end import FrontEnd
from ccdmon.model.trace import Trace
from ccdmon.simulation.simulate import SCENARIOS, simulate
from ccdmon_fw.detector import ACTION_MASK, TRIPS, Detector
from ccdmon_hil.play import replay
from ccdmon_hil.rigs.session import Session

SEEDS = range(24)
RECORDED = ("na_nasicon_na_hard_short", "li_llzo_li_healthy_low_voltage", "li_peo_polarisation_divergence")
MAX_ROWS = 10_000  # on the unix port
PICO_ROWS = 80


def _golden(trace: Trace, start: int, stop: int | None) -> npt.NDArray[np.uint16]:
    """Verdicts of the detector on CPython, shape (samples,): rows without a voltage or a current are none."""
    front_end = FrontEnd.for_trace(trace)
    detector = Detector(replay.detector_settings(trace, front_end))
    codes = front_end.codes(trace)[_played(trace, start, stop)].tolist()
    return np.array([detector.step(*row) for row in codes], dtype=np.uint16)


def _played(trace: Trace, start: int, stop: int | None) -> npt.NDArray[np.intp]:
    known = replay.known_rows(trace)
    return known[(known >= start) & (known < (len(trace) if stop is None else stop))]


def _check(session: Session, trace: Trace, start: int = 0, stop: int | None = None) -> None:
    result = replay.replay_on(session, trace, start=start, stop=stop)
    golden = _golden(trace, start, stop)
    assert result.dropped == 0
    different = np.flatnonzero(result.verdicts != golden)
    assert not different.size, f"sample {different[0]} of {len(golden)} differs"
    trips = np.flatnonzero((golden & ACTION_MASK) == TRIPS)
    assert result.trip_row == (_played(trace, start, stop)[trips[0]] if trips.size else None)


@cache
def _simulated(seed: int) -> tuple[Trace, int]:
    """A trace and the row where it gets interesting."""
    scenarios = list(SCENARIOS)
    simulated = simulate(scenarios[seed % len(scenarios)], seed, max_rows=MAX_ROWS)
    return simulated.trace, simulated.truth["first_faulty_row"] or 0


@pytest.mark.parametrize("seed", SEEDS)
def test_simulated_cells_on_the_unix_rig(unix: Session, seed: int) -> None:
    _check(unix, _simulated(seed)[0])


@pytest.mark.pico
@pytest.mark.parametrize("seed", SEEDS)
def test_simulated_cells_on_the_emulated_pico(pico: Session, seed: int) -> None:
    trace, row = _simulated(seed)
    start = max(0, row - 2 * PICO_ROWS // 3)
    _check(pico, trace, start, min(len(trace), start + PICO_ROWS))


@pytest.mark.traces
@pytest.mark.parametrize("name", RECORDED)
def test_recordings_on_the_unix_rig(unix: Session, recorded_dir: Path, name: str) -> None:
    _check(unix, read_bdf(recorded_dir / f"{name}.bdf.csv"))


@pytest.mark.traces
@pytest.mark.pico
@pytest.mark.parametrize(("name", "start"), list(zip(RECORDED, (2190, 0, 2400), strict=True)))
def test_recordings_on_the_emulated_pico(pico: Session, recorded_dir: Path, name: str, start: int) -> None:
    _check(pico, read_bdf(recorded_dir / f"{name}.bdf.csv"), start, start + PICO_ROWS)


def test_the_comparison_sees_a_single_other_verdict(unix: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    plain = _golden
    one_other = np.eye(1, 60, 7, dtype=np.uint16)[0]
    monkeypatch.setitem(globals(), "_golden", lambda *args: plain(*args) ^ one_other)
    with pytest.raises(AssertionError, match="sample 7 "):
        _check(unix, _simulated(0)[0], 0, 60)
