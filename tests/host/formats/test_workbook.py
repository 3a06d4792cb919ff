"""Workbooks: the sheet that holds the test, dates and spans of time as cells, sheets that go on."""

from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from ccdmon.errors import InputError
from ccdmon.formats.impedance.files import read_spectra
from ccdmon.formats.importer import read_trace

xlsxwriter = pytest.importorskip("xlsxwriter", reason="the writer of test workbooks is not installed")
pytest.importorskip("python_calamine", reason="the optional reader of workbooks is not installed")


def book(path: Path, sheets: dict[str, list[list[object]]]) -> Path:
    with xlsxwriter.Workbook(str(path), {"default_date_format": "yyyy-mm-dd hh:mm:ss"}) as out:
        for name, rows in sheets.items():
            sheet = out.add_worksheet(name)
            for r, row in enumerate(rows):
                for c, cell in enumerate(row):
                    sheet.write(r, c, cell)
    return path


NEWARE = [
    ["DataPoint", "Step Type", "Time", "Total Time", "Current(mA)", "Voltage(V)", "Date"],
    *[
        [k, "CC Chg" if k < 2 else "CC DChg", "0:00:00", f"0:00:{10 * k:02d}", 1.0, 0.2, "2026-11-03"]
        for k in range(4)
    ],
]


def test_the_sheet_with_the_records_and_its_states(tmp_path: Path) -> None:
    path = book(
        tmp_path / "n.xlsx", {"unit": [["Current", "mA"]], "cycle": [["Cycle Index"], [1]], "record": NEWARE}
    )
    trace = read_trace(path)
    np.testing.assert_allclose(trace.test_time_s, [0, 10, 20, 30])
    np.testing.assert_allclose(trace.current_A, [1e-3, 1e-3, -1e-3, -1e-3])


def test_dates_and_spans_as_cells(tmp_path: Path) -> None:
    rows = [
        ["Date_Time", "Voltage(V)", "Current(A)"],
        *[[datetime(2026, 11, 3, 12, 0, 10 * k), 0.2, 1e-4] for k in range(3)],
    ]
    trace = read_trace(book(tmp_path / "d.xlsx", {"Channel_1": rows}))
    np.testing.assert_allclose(trace.test_time_s, [0, 10, 20])
    rows = [
        ["Test Time", "Voltage(V)", "Current(A)"],
        *[[timedelta(hours=25 * k), 0.2, 1e-4] for k in range(3)],
    ]
    path = tmp_path / "s.xlsx"
    with xlsxwriter.Workbook(str(path)) as out:
        sheet, span = out.add_worksheet(), out.add_format({"num_format": "[h]:mm:ss"})
        for r, row in enumerate(rows):
            sheet.write_row(r, 0, row)
            if r:
                sheet.write(r, 0, row[0], span)
    np.testing.assert_allclose(read_trace(path).test_time_s, [0, 90000, 180000])


def test_sheets_that_go_on_are_one_test_and_two_channels_are_refused(tmp_path: Path) -> None:
    def rows(begin: int) -> list[list[object]]:
        return [["Test_Time(s)", "Voltage(V)", "Current(A)"], *[[begin + k, 0.2, 1e-4] for k in range(3)]]

    trace = read_trace(book(tmp_path / "a.xlsx", {"Channel_1_1": rows(0), "Channel_1_2": rows(3)}))
    np.testing.assert_allclose(trace.test_time_s, np.arange(6))
    assert any("one test" in note for note in trace.notes)
    with pytest.raises(InputError, match="each hold a test"):
        read_trace(book(tmp_path / "b.xlsx", {"Channel_1": rows(0), "Channel_2": rows(0)}))


def test_columns_and_impedance_of_a_workbook(tmp_path: Path) -> None:
    path = book(tmp_path / "c.xlsx", {"x": [["a", "b", "c"], [0, 100, 1], [1, 200, -1]]})
    trace = read_trace(path, columns="time=a[h],voltage=b[mV],current=c[mA]")
    np.testing.assert_allclose(trace.test_time_s, [0, 3600])
    np.testing.assert_allclose(trace.voltage_V, [0.1, 0.2])
    z = book(
        tmp_path / "z.xlsx",
        {"EIS": [["f/Hz", "Re(Z)/Ohm", "-Im(Z)/Ohm"], *[[10.0**-k, 5.0, 2.0] for k in range(4)]]},
    )
    np.testing.assert_allclose(read_spectra(z)[0].impedance_ohm, 5 - 2j)


def test_a_sheet_of_statistics_is_passed_over_and_told(tmp_path: Path) -> None:
    labels = ["Cycle_Index", "Test_Time(s)", "Current(A)", "Voltage(V)"]
    rows = [[1 + k // 4, 10.0 * k + 0.123456789, 1e-4, 0.2 + 0.001 * k] for k in range(12)]
    last = [[*row, 5.0] for row in rows[3::4]]
    sheets = {"Statistics_1-005": [[*labels, "Charge_Capacity(Ah)"], *last], "Channel_1-005": [labels, *rows]}
    trace = read_trace(book(tmp_path / "arbin.xlsx", sheets))
    np.testing.assert_allclose(trace.voltage_V, [row[3] for row in rows])
    assert any("Statistics_1-005" in note for note in trace.notes)
    last[0][3] = 0.9  # a row that the test does not have
    with pytest.raises(InputError, match="each hold a test"):
        read_trace(book(tmp_path / "two.xlsx", sheets))
