"""What `import ccdmon` offers gives what the command line gives."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

import ccdmon
from ccdmon.cli import main
from ccdmon.formats.bdf.write import table_of, write_bdf
from ccdmon.formats.impedance.csv import write_eis_csv
from ccdmon.model.spectrum import make_spectrum
from ccdmon.simulation.simulate import simulate

SHORT = simulate("hard_short", 3)


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("traces") / "cell.bdf.csv"
    write_bdf(SHORT.trace, path)
    return path


@pytest.fixture
def told(file: Path, capsys: pytest.CaptureFixture[str]) -> Any:
    main(["analyze", str(file), "--json"])
    return json.loads(capsys.readouterr().out)


def frames() -> dict[str, Any]:
    table = table_of(SHORT.trace)
    pandas, polars = pytest.importorskip("pandas"), pytest.importorskip("polars")
    return {
        "pyarrow": table,
        "batch": table.combine_chunks().to_batches()[0],
        "pandas": pandas.DataFrame({name: table[name].to_numpy() for name in table.column_names}),
        "pandas nullable": pandas.DataFrame(
            {name: table[name].to_numpy() for name in table.column_names}
        ).astype("Float64"),
        "polars": polars.from_arrow(table),
        "mapping": {name: table[name].to_pylist() for name in table.column_names},
    }


def test_a_path_gives_the_document_of_the_command_line(file: Path, told: Any) -> None:
    assert ccdmon.analyze(file).document == told
    assert ccdmon.analyze(str(file)).document == told
    assert ccdmon.analyze(ccdmon.read(file)).document == told


@pytest.mark.parametrize("kind", ["pyarrow", "batch", "pandas", "pandas nullable", "polars", "mapping"])
def test_a_data_frame_is_read_by_its_labels(kind: str) -> None:
    whole = ccdmon.analyze(SHORT.trace)
    cell = SHORT.trace.cell
    report = ccdmon.analyze(frames()[kind], area_cm2=cell.electrode_area_cm2)
    assert report.verdict == "failed"
    assert report.document["half_cycles"] == whole.document["half_cycles"]


@pytest.mark.parametrize("kind", ["pyarrow", "pandas", "pandas nullable", "polars", "mapping"])
def test_columns_of_any_kind_make_the_same_trace(kind: str) -> None:
    frame, cell = frames()[kind], SHORT.trace.cell
    made = ccdmon.trace(
        time_s=frame["Test Time / s"], voltage_V=frame["Voltage / V"], current_A=frame["Current / A"],
        area_cm2=cell.electrode_area_cm2, configuration=cell.configuration, electrolyte=cell.electrolyte,
    )  # fmt: skip
    for name in ("test_time_s", "voltage_V", "current_A"):
        column = getattr(made, name)
        assert column.dtype == np.float64
        assert np.array_equal(column, getattr(SHORT.trace, name), equal_nan=True)
    assert ccdmon.analyze(made).verdict == "failed"


def test_impedance_is_taken_from_files_and_as_spectra(tmp_path: Path) -> None:
    frequency_Hz = np.logspace(6, -1, 40)
    spectra = [
        make_spectrum(frequency_Hz, np.asarray(ohm + ohm / (1 + 1j * frequency_Hz * ohm * 1e-5)))
        for ohm in (100.0, 4.0)
    ]
    for name, spectrum in zip(("b.csv", "a.csv"), spectra, strict=True):
        write_eis_csv(spectrum, tmp_path / name)
    reports = [
        ccdmon.analyze(SHORT.trace, *spectra),
        ccdmon.analyze(SHORT.trace, tmp_path / "b.csv", str(tmp_path / "a.csv")),
        ccdmon.analyze(SHORT.trace, eis_before=spectra[0], eis_after=tmp_path / "a.csv"),
    ]
    assert [report.ccd["eis"] for report in reports] == ["shorted"] * 3


def test_the_result_as_a_table_a_page_and_in_a_notebook(tmp_path: Path) -> None:
    report = ccdmon.analyze(SHORT.trace)
    table = report.half_cycles
    assert isinstance(table, pa.Table)
    assert (table.schema.field("index").type, table.schema.field("noise_V").type) == (
        pa.int64(),
        pa.float64(),
    )
    assert table.to_pylist() == report.document["half_cycles"]
    assert report.events == report.document["events"]
    shown = report._repr_html_()
    assert "<svg" in shown
    assert "hard short" in shown
    assert repr(report).startswith("<ccdmon.Report: failed. ")
    assert report.write(tmp_path / "out").read_text(encoding="utf-8").startswith("<!doctype html>")
    assert json.loads((tmp_path / "out" / "report.json").read_text()) == report.document


def test_no_half_cycle_is_an_empty_table_with_its_columns() -> None:
    report = ccdmon.analyze(ccdmon.trace([0.0, 1.0, 2.0], [1.0, 1.0, 1.0], [0.0, 0.0, 0.0]))
    assert len(report.half_cycles) == 0
    assert {"index", "capacity_mAh_cm2", "resistance_end_ohm_cm2"} <= set(report.half_cycles.column_names)


def test_replay_gives_the_document_of_the_command_line(
    file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["replay", str(file), "--rig", "model", "--json"])
    assert ccdmon.replay(ccdmon.read(file)) == json.loads(capsys.readouterr().out)
    assert ccdmon.replay(file, "unix")["reason"] == "hard_short"


TIMES, VOLTS, AMPERES = [0.0, 1.0, 2.0], [1.0, 1.1, 1.2], [0.1, 0.1, 0.1]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ({"voltage_V": ["1", "2", "3"]}, r"voltage_V: .*not.*number"),
        ({"voltage_V": [True, False, True]}, r"voltage_V: holds bool, not numbers"),
        ({"voltage_V": [[1.0], [2.0], [3.0]]}, r"voltage_V: has shape \(3, 1\)"),
        ({"voltage_V": [1.0, 2.0]}, r"different numbers of rows \(test_time_s 3, voltage_V 2"),
        ({"time_s": np.array([0, 1, 2], "datetime64[s]")}, r"time_s: holds datetime64\[s\].*give seconds as numbers"),
        ({"time_s": pa.array([0, 1, 2], pa.timestamp("s"))}, r"time_s: holds timestamp\[s\].*give seconds"),
        ({"time_s": [0.0, 2.0, 1.0]}, r"data row 2.*time runs backwards"),
        ({"time_s": [], "voltage_V": [], "current_A": []}, "no rows"),
        ({"current_A": [1.0, "x", 2.0]}, "current_A: .*"),
        ({"current_A": [1.0, 1j, 2.0]}, "current_A: .*not.*number"),
        ({"configuration": "coin"}, r"configuration is 'coin'; use one of symmetric, half, full"),
        ({"area_cm2": -1.0}, r"area_cm2 is -1; an electrode area is a number above 0"),
    ],
)  # fmt: skip
def test_what_cannot_be_used_is_told_in_one_line(arguments: dict[str, Any], told: str) -> None:
    with pytest.raises(ccdmon.errors.InputError, match=told) as caught:
        ccdmon.trace(**{"time_s": TIMES, "voltage_V": VOLTS, "current_A": AMPERES, **arguments})
    assert "\n" not in str(caught.value)


def test_missing_values_are_nan_whatever_they_are() -> None:
    made = ccdmon.trace([0, None, 2], [1.0, None, 1.2], np.ma.masked_invalid([0.1, np.nan, 0.1]))
    assert made.test_time_s.tolist() == [0.0, 1.0, 2.0]
    assert np.isnan(made.voltage_V).tolist() == np.isnan(made.current_A).tolist() == [False, True, False]


@pytest.mark.parametrize(
    ("frame", "told"),
    [
        (
            {"time": TIMES, "voltage": VOLTS, "current": AMPERES},
            r"data frame: column 'Test Time / s' is missing",
        ),
        (
            {"Test Time / s": TIMES, "Voltage / V": ["a", "b", "c"], "Current / A": AMPERES},
            r"column 'Voltage / V': .*",
        ),
        (42, r"int: give a path, a trace, or a data frame"),
        (None, r"NoneType: give a path, a trace, or a data frame"),
    ],
)
def test_a_frame_that_is_none_is_told_in_one_line(frame: Any, told: str) -> None:
    with pytest.raises(ccdmon.errors.InputError, match=told) as caught:
        ccdmon.analyze(frame)
    assert "\n" not in str(caught.value)


def test_a_query_that_has_not_run_is_told_so() -> None:
    polars = pytest.importorskip("polars")
    with pytest.raises(ccdmon.errors.InputError, match="collect"):
        ccdmon.analyze(polars.from_arrow(table_of(SHORT.trace)).lazy())


def test_units_of_labels_are_kept() -> None:
    frame = {
        "Test Time / s": TIMES,
        "Voltage / mV": [1000.0, 1100.0, 1200.0],
        "Current / mA": [1.0, 1.0, 1.0],
    }
    assert ccdmon.analyze(frame).trace.voltage_V.tolist() == [1.0, 1.1, 1.2]


def test_importing_it_is_cheap_and_its_names_are_told() -> None:
    call = "import sys, ccdmon; print(*(n for n in ('numpy', 'pyarrow', 'argparse') if n in sys.modules))"
    assert subprocess.run([sys.executable, "-c", call], capture_output=True, text=True).stdout.strip() == ""
    assert set(ccdmon.__all__) <= set(dir(ccdmon))
    for name in ccdmon.__all__:
        assert getattr(ccdmon, name).__doc__, name  # of __version__, str has one
    with pytest.raises(AttributeError, match="no attribute 'analyse'"):
        ccdmon.analyse  # noqa: B018
