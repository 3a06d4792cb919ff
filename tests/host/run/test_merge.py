"""One time axis from two clocks: offset, drift and sign come back, other tests are refused."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from ccdmon.cli import main
from ccdmon.errors import InputError
from ccdmon.formats.bdf.read import read_bdf
from ccdmon.formats.bdf.write import write_bdf
from ccdmon.model.trace import Cell, Trace
from ccdmon.run.merge import align, current_steps
from ccdmon.run.merge_rows import Around, merged_table


def program_A(
    time_s: np.ndarray, half_cycle_s: float = 600.0, levels: int = 6, step_A: float = 1e-4
) -> np.ndarray:
    """A ramp: two half-cycles for each level, zero before and after."""
    half = np.floor(time_s / half_cycle_s).astype(int)
    inside = (half >= 0) & (half < 2 * levels)
    return np.where(inside, np.where(half % 2 == 0, 1, -1) * (half // 2 + 1) * step_A, 0.0)


def seen_by(
    interval_s: float, *, offset_s: float, drift: float, sign: int = 1, seed: int = 0, **program: float
) -> Trace:
    """The same test on a clock that reads offset + (1 + drift) * true time, with noise; pressure follows true time."""
    rng = np.random.default_rng(seed)
    clock_s = np.arange(0.0, 9000.0, interval_s)
    true_s = (clock_s - offset_s) / (1 + drift)
    current = sign * program_A(true_s, **program)  # type: ignore[arg-type]
    current += rng.normal(0, 1e-6, len(clock_s))
    voltage = 50 * current + rng.normal(0, 1e-5, len(clock_s))
    return Trace(clock_s, voltage, current, pressure_Pa=5e6 + 10 * true_s, cell=Cell(0.785))


@pytest.mark.parametrize(
    ("offset_s", "drift", "sign"), [(700.0, 0.0, 1), (700.3, 1500e-6, 1), (-300.0, -1000e-6, -1)]
)
def test_offset_drift_and_sign_come_back_and_the_residual_is_stated(
    offset_s: float, drift: float, sign: int
) -> None:
    cycler = seen_by(5.0, offset_s=0.0, drift=0.0)
    rig = seen_by(1.0, offset_s=offset_s, drift=drift, sign=sign, seed=1)
    found = align(current_steps([cycler]), current_steps([rig]))
    assert found.opposite_signs == (sign < 0)
    assert found.matched >= found.steps - 1 >= 8
    # A row every 5 s places a step half a row late on average.
    at_s = np.array([0.0, 7000.0])
    np.testing.assert_allclose(found.rig_time_s(at_s), offset_s + (1 + drift) * at_s, atol=5.0)
    assert found.residual_s < 3.0


@pytest.mark.parametrize("rows", [2, 5])
def test_between_two_rows_the_value_lies_between_theirs(rows: int) -> None:
    around = Around(np.array([1.25]))
    time_s = np.arange(5.0)
    for first in range(0, 5, rows):
        part = slice(first, first + rows)
        around.feed(time_s[part], 10 * time_s[part])
    assert around.means() == pytest.approx([12.5])


def test_pressure_and_voltage_are_seen_together() -> None:
    cycler = replace(seen_by(5.0, offset_s=0.0, drift=0.0), pressure_Pa=None)
    rig = seen_by(0.5, offset_s=700.0, drift=1e-4, seed=1)
    found = align(current_steps([cycler]), current_steps([rig]))
    table = merged_table(
        cycler, [rig], found.rig_time_s(cycler.test_time_s), opposite_signs=found.opposite_signs
    )
    pressure = table["Surface Pressure / Pa"].to_numpy()
    inside = cycler.test_time_s < 8000
    np.testing.assert_allclose(pressure[inside], 5e6 + 10 * cycler.test_time_s[inside], atol=60)  # 6 s of it
    assert np.isnan(pressure[-20:]).all()  # the rig had stopped
    voltage, beside = table["Voltage / V"].to_numpy(), table["Rig Voltage / V"].to_numpy()
    assert np.corrcoef(voltage[inside], beside[inside])[0, 1] > 0.98


def test_another_test_is_refused() -> None:
    cycler = seen_by(5.0, offset_s=0.0, drift=0.0)
    other = seen_by(1.0, offset_s=0.0, drift=0.0, half_cycle_s=370.0, step_A=1.7e-4)
    with pytest.raises(InputError, match="current steps"):
        align(current_steps([cycler]), current_steps([other]))
    still = replace(cycler, current_A=np.zeros(len(cycler)))
    with pytest.raises(InputError, match="0 and"):
        align(current_steps([still]), current_steps([cycler]))


def test_steps_that_repeat_need_a_hint() -> None:
    time_s = np.arange(0.0, 18000.0, 5.0)
    current = np.where(np.floor(time_s / 300).astype(int) % 2 == 0, 1e-4, -1e-4)
    cycler = Trace(time_s, 50 * current, current)
    part = cycler.rows(1200, 2400)
    rig = replace(part, test_time_s=part.test_time_s - 5000.0)
    with pytest.raises(InputError, match="--near-s"):
        align(current_steps([cycler]), current_steps([rig]))
    found = align(current_steps([cycler]), current_steps([rig]), near_s=-5010.0)
    assert found.offset_s == pytest.approx(-5000.0, abs=5.0)


def test_the_command_writes_rows_and_says_how_well(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_bdf(replace(seen_by(5.0, offset_s=0.0, drift=0.0), pressure_Pa=None), tmp_path / "cycler.bdf.csv")
    write_bdf(seen_by(1.0, offset_s=700.0, drift=1e-4, seed=1), tmp_path / "rig.bdf.parquet")
    out = tmp_path / "both.bdf.csv"
    files = [str(tmp_path / "cycler.bdf.csv"), str(tmp_path / "rig.bdf.parquet")]
    assert main(["merge", *files, "--out", str(out), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["schema"], told["opposite_signs"]) == ("ccdmon.merge/1", False)
    assert read_bdf(out).pressure_Pa is not None
    assert (
        json.loads((tmp_path / "both.bdf.metadata.json").read_text())["extras"]["merge"]["matched_steps"]
        == told["matched_steps"]
    )
