"""Long traces: analysed and drawn in pieces, with what the whole would show."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from ccdmon.cli import main
from ccdmon.formats import importer
from ccdmon.formats.bdf.write import write_bdf
from ccdmon.model.trace import Cell, Trace
from ccdmon.report.marks import gaps_s
from ccdmon.run.thinning import WINDOW_ROWS, Extremes, thinned
from ccdmon.simulation.simulate import simulate


def chunks(trace: Trace, rows: int) -> list[Trace]:
    return [trace.rows(k, k + rows) for k in range(0, len(trace), rows)]


def spiky(rows: int = 200_000) -> Trace:
    n = np.arange(rows)
    voltage_V = np.sin(n / 3e3)
    voltage_V[77_777:77_778], voltage_V[5] = 9.0, np.nan
    current_A = np.full(rows, 1e-3)
    current_A[150_001:150_002] = -3.0
    return Trace(n * 0.5, voltage_V, current_A, cell=Cell(0.785))


@pytest.mark.parametrize("rows", [1, 1000, 200_000])
def test_the_rows_that_stand_out_are_kept_whole(rows: int) -> None:
    trace = spiky()
    pieces = chunks(trace, rows) if rows > 1 else chunks(trace.rows(0, 3000), 1)
    extremes = Extremes()
    for piece in pieces:
        extremes.feed(piece)
    numbers = extremes.chosen([40_000])
    thin = thinned(pieces, numbers, trace.cell)
    assert thin.source_rows == extremes.rows
    np.testing.assert_array_equal(thin.voltage_V, trace.voltage_V[thin.numbers])
    np.testing.assert_array_equal(thin.test_time_s, trace.test_time_s[thin.numbers])
    assert {0, extremes.rows - 1} <= set(thin.numbers.tolist())
    if rows > 1:
        assert len(thin) < 40_000
        around = range(40_000 - WINDOW_ROWS, 40_000 + WINDOW_ROWS + 1)
        assert {77_777, 150_001, *around} <= set(thin.numbers.tolist())


@pytest.mark.parametrize("rows", [1000, 40_003, 200_000])
def test_a_gap_far_inside_is_seen_in_the_few_rows_as_in_all(rows: int) -> None:
    trace = spiky()
    late = replace(trace, test_time_s=trace.test_time_s + 3000.0 * (trace.numbers >= 120_007))
    extremes, pieces = Extremes(), chunks(late, rows)
    for piece in pieces:
        extremes.feed(piece)
    thin = thinned(pieces, extremes.chosen(), late.cell)
    assert gaps_s(thin) == gaps_s(late) == [(60_003.0, 63_003.5)]
    assert gaps_s(trace) == []


def test_rows_that_a_figure_leaves_out_are_no_gap() -> None:
    trace = spiky(400)
    thin = thinned([trace], np.r_[0:100, 200:400], trace.cell)
    assert len(thin) == 300
    assert gaps_s(thin) == []


def test_a_long_file_gives_the_document_and_the_page_of_a_short_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "t.bdf.csv"
    write_bdf(simulate("hard_short", 3).trace, path)
    written = []
    for limit, folder in ((1 << 60, "whole"), (0, "pieces")):
        monkeypatch.setattr(importer, "LONG_BYTES", limit)
        assert main(["analyze", str(path), "--json", "--out", str(tmp_path / folder)]) == 1
        page = (tmp_path / folder / "report.html").read_text()
        written.append((json.loads(capsys.readouterr().out), page))
    assert written[0][0] == written[1][0]
    assert written[0][1].count("<svg") == written[1][1].count("<svg") >= 2
    for text in (f"{len(simulate('hard_short', 3).trace):,} samples", "first shorted sample"):
        assert text in written[0][1] and text in written[1][1]


def test_a_fault_far_into_a_long_file_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(importer, "LONG_BYTES", 0)
    path = tmp_path / "t.bdf.csv"
    rows = "".join(f"{k},0.1,0.001\n" for k in range(2000))
    path.write_text("Test Time / s,Voltage / V,Current / A\n" + rows + "2000,x,0.001\n")
    assert main(["analyze", str(path)]) == 2
    assert "data row 2000, column 'Voltage / V': 'x'" in capsys.readouterr().err
