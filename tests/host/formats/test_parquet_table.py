"""Parquet with any labels: types tell units, text is no number, what is not told is refused with the map that works."""

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pa_parquet
import pytest

from ccdmon.cli import main
from ccdmon.errors import InputError
from ccdmon.formats.importer import is_long, read_trace
from ccdmon.model.trace import Trace

SECONDS = [0.0, 10.0, 20.0, 30.0]
VOLTS, AMPERES = [0.1, 0.1, -0.1, -0.1], [2e-3, 2e-3, -2e-3, -2e-3]
BEGIN = datetime(2026, 3, 4, 23, 59, 50)


def parquet(folder: Path, **columns: Any) -> Path:
    path = folder / "t.parquet"
    pa_parquet.write_table(pa.table({key.replace("_", " "): value for key, value in columns.items()}), path)
    return path


def check(trace: Trace) -> None:
    np.testing.assert_allclose(trace.test_time_s, SECONDS)
    np.testing.assert_allclose(trace.voltage_V, VOLTS)
    np.testing.assert_allclose(trace.current_A, AMPERES)


ELECTRIC = {"Voltage (mV)": [1e3 * v for v in VOLTS], "Current (mA)": [1e3 * i for i in AMPERES]}
TIMES: dict[str, Any] = {
    "Time (h)": [s / 3600 for s in SECONDS],
    "Time (s)": [str(s) for s in SECONDS],
    "Time": [BEGIN + timedelta(seconds=s) for s in SECONDS],
    "Elapsed Time (h)": [timedelta(seconds=s) for s in SECONDS],  # the type says more than the label
}


@pytest.mark.parametrize("label", TIMES)
def test_labels_and_types_tell_what_is_what(tmp_path: Path, label: str) -> None:
    check(read_trace(parquet(tmp_path, **{label: TIMES[label]}, **ELECTRIC)))


def test_texts_are_numbers_where_all_are(tmp_path: Path) -> None:
    texts = {
        label: [f"{value:.4f}".replace(".", ",") for value in values] for label, values in ELECTRIC.items()
    }
    check(read_trace(parquet(tmp_path, **{"Time (s)": SECONDS}, **texts)))
    open_marks = {**texts, "Voltage (mV)": ["1,000", "1,000", "-1,000", "-1,000"]}
    path = parquet(tmp_path, **{"Time (s)": SECONDS}, **open_marks)
    with pytest.raises(
        InputError, match="leave open which mark is decimal; add decimal=point or decimal=comma"
    ):
        read_trace(path)
    assert read_trace(path, columns="decimal=comma").voltage_V.tolist() == [1e-3, 1e-3, -1e-3, -1e-3]
    texts["Voltage (mV)"][2] = "high"
    with pytest.raises(InputError, match=r"data row 2, column 'Voltage \(mV\)': 'high' is not a number"):
        read_trace(parquet(tmp_path, **{"Time (s)": SECONDS}, **texts))


@pytest.mark.parametrize("label", ["Voltage (V)", "Voltage / V"])
def test_true_is_no_number(tmp_path: Path, label: str) -> None:
    time, current = ("Test Time / s", "Current / A") if "/" in label else ("Time (s)", "Current (A)")
    columns = {time: SECONDS, label: [True, False, True, True], current: AMPERES}
    with pytest.raises(InputError, match=r"true and false|'true' is not a number"):
        read_trace(parquet(tmp_path, **columns))


def test_the_map_of_the_refusal_works(tmp_path: Path) -> None:
    path = parquet(tmp_path, time=SECONDS, voltage=ELECTRIC["Voltage (mV)"], current=AMPERES)
    with pytest.raises(InputError, match=r"--columns time=#1\[s\],voltage=#2\[V\],current=#3\[A\]"):
        read_trace(path)
    check(read_trace(path, columns="time=#1[s],voltage=#2[mV],current=#3[A]"))


def test_few_bytes_that_hold_many_rows_are_not_held(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = pa.array(np.zeros(1 << 20))
    path = tmp_path / "bomb.parquet"
    for labels in (
        ["Test Time / s", "Voltage / V", "Current / A"],
        ["Time (s)", "Voltage (V)", "Current (A)"],
    ):
        schema = pa.schema([(label, pa.float64()) for label in labels])
        with pa_parquet.ParquetWriter(path, schema) as writer:
            for _ in range(50):
                writer.write_table(pa.table([rows] * 3, schema))
        assert path.stat().st_size < 1 << 20
        if labels[0] == "Time (s)":
            assert main(["validate", str(path)]) == 1
            assert "split it" in capsys.readouterr().out
        else:
            assert is_long(path)
