"""Times as people write them: what two numbers with a colon mean, and a date in two columns."""

from pathlib import Path

import numpy as np
import pytest

from ccdmon.errors import InputError
from ccdmon.formats.importer import read_trace
from ccdmon.model.trace import Trace

SECONDS = [0, 50, 100, 3650, 3700]


def trace(folder: Path, label: str, cells: list[str], columns: str | None = None) -> Trace:
    path = folder / "t.csv"
    rows = "".join(f"{cell},0.1,0.001\n" for cell in cells)
    path.write_text(f"{label},Voltage (V),Current (A)\n{rows}")
    return read_trace(path, columns=columns)


def minutes(seconds: float) -> str:
    return f"{int(seconds // 60):02d}:{int(seconds % 60):02d}"


@pytest.mark.parametrize("label", ["Time (mm:ss)", "Time [m:s]", "Zeit/mm:ss"])
def test_the_label_says_that_they_are_minutes_and_seconds(tmp_path: Path, label: str) -> None:
    assert trace(tmp_path, label, list(map(minutes, SECONDS))).test_time_s.tolist() == SECONDS


def test_the_label_says_that_they_are_hours_and_minutes(tmp_path: Path) -> None:
    found = trace(tmp_path, "Time (hh:mm)", list(map(minutes, SECONDS)))
    assert found.test_time_s.tolist() == [60 * s for s in SECONDS]


def test_other_cells_say_it(tmp_path: Path) -> None:
    assert trace(tmp_path, "Time", ["59:50", "1:00:05"]).test_time_s.tolist() == [3590, 3605]
    assert trace(tmp_path, "Time", ["00:50", "01:00.5"]).test_time_s.tolist() == [50, 60.5]


def test_where_nothing_says_it_the_advice_works(tmp_path: Path) -> None:
    cells = list(map(minutes, SECONDS))
    with pytest.raises(InputError, match=r"time=#1\[hh:mm\] or time=#1\[mm:ss\]$"):
        trace(tmp_path, "Time", cells)
    assert trace(tmp_path, "Time", cells, "time=#1[mm:ss]").test_time_s.tolist() == SECONDS


def test_a_date_and_a_time_of_day_are_one_time(tmp_path: Path) -> None:
    cells = ["04.03.2024,23:59:00", "04.03.2024,23:59:30", "05.03.2024,00:00:10", "05.03.2024,00:00:30"]
    found = trace(tmp_path, "Date,Time", cells)
    assert found.test_time_s.tolist() == [0, 30, 70, 90]
    assert "date and time of day are put together" in found.notes


def test_a_date_beside_a_time_since_the_start_is_left(tmp_path: Path) -> None:
    cells = ["04.03.2024,23:59:00", "04.03.2024,24:00:30", "05.03.2024,24:01:10"]
    np.testing.assert_allclose(np.diff(trace(tmp_path, "Date,Time", cells).test_time_s), [90, 40])


def test_a_date_of_days_is_no_time_for_steps_that_begin_anew(tmp_path: Path) -> None:
    cells = ["04.03.2024,1,0", "04.03.2024,1,10", "04.03.2024,2,0", "05.03.2024,2,10"]
    found = trace(tmp_path, "Date,Step,Time (s)", cells)
    assert found.test_time_s.tolist() == [0, 10, 10, 20]


def test_an_exponent_after_a_d_is_one_of_a_number(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    rows = "".join(f"{t}.0D+00,-1.5D-01,-3.0D-04\n" for t in range(20))
    path.write_text(f"Time (s),Voltage (V),Current (A)\n{rows}")
    found = read_trace(path)
    assert (len(found), found.notes) == (20, ())
    np.testing.assert_allclose(found.current_A, -3e-4)
