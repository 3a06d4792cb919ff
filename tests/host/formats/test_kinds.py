"""One small file for each way in which real ones go wrong: what is in it, or the one line that says why not."""

from pathlib import Path

import numpy as np
import pytest

from ccdmon.cli import main
from ccdmon.errors import InputError
from ccdmon.formats.importer import read_trace
from ccdmon.model.trace import Trace


def read(folder: Path, text: str | bytes, columns: str | None = None, **options: bool) -> Trace:
    path = folder / "file.txt"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return read_trace(path, columns=columns, **options)


def has(trace: Trace, time_s: list[float], voltage_V: list[float], current_A: list[float]) -> None:
    np.testing.assert_allclose(trace.test_time_s, time_s)
    np.testing.assert_allclose(trace.voltage_V, voltage_V)
    np.testing.assert_allclose(trace.current_A, current_A)


def refused(folder: Path, text: str, part: str, columns: str | None = None) -> str:
    with pytest.raises(InputError, match=part) as caught:
        read(folder, text, columns)
    assert "\n" not in str(caught.value)
    return str(caught.value)


# -- units


@pytest.mark.parametrize(
    "labels", ["t_s,U_mV,I_mA", "Time_s,Voltage_mV,Current_mA", "Time s,Voltage mV,Current mA", "Time [s],mV,mA",
               "Zeit in s,Spannung in mV,Strom in mA", "time_second,voltage_millivolt,current_milliampere"]
)  # fmt: skip
def test_units_without_brackets(labels: str, tmp_path: Path) -> None:
    has(
        read(tmp_path, labels.replace("t_s", "Time_s") + "\n0,100,2\n60,100,-2\n"),
        [0, 60],
        [0.1, 0.1],
        [2e-3, -2e-3],
    )


@pytest.mark.parametrize("units", ["[min];[mV];[mA]", "min;mV;mA", "(min);(mV);(mA)"])
def test_units_in_a_row_below(units: str, tmp_path: Path) -> None:
    trace = read(tmp_path, f"Zeit;Spannung;Strom\n{units}\n0;100,5;2\n1,5;100,5;-2\n")
    has(trace, [0, 90], [0.1005, 0.1005], [2e-3, -2e-3])


def test_units_below_that_contradict_the_label_are_refused(tmp_path: Path) -> None:
    refused(
        tmp_path,
        "Time (s);Voltage (V);Current (mA)\ns;V;A\n0;1;2\n",
        "the unit 'mA, and A below' is not known",
    )


@pytest.mark.parametrize(
    "labels", ["Time (s),Voltage,Current (A)", "Time (s),Voltage (V),Strom", "t,U/V,I/A"]
)
def test_a_unit_that_nothing_tells_is_asked_for_and_the_advice_works(labels: str, tmp_path: Path) -> None:
    table = labels + "\n0,0.5,1\n1,0.5,-1\n"
    line = refused(tmp_path, table, "nothing tells its unit")
    has(read(tmp_path, table, line.split("--columns ")[-1]), [0, 1], [0.5, 0.5], [1, -1])


def test_a_map_that_contradicts_a_label_is_refused_and_by_number_it_wins(tmp_path: Path) -> None:
    table = "Time_s,Voltage_mV,Current_mA\n0,100,1\n"
    assert "voltage=#2[V]" in refused(
        tmp_path, table, "says mV, the map V", "time=Time_s,voltage=Voltage_mV[V],current=Current_mA"
    )
    trace = read(tmp_path, table, "time=#1,voltage=#2[V],current=#3")
    has(trace, [0], [100], [1e-3])
    assert any("as --columns says" in note for note in trace.notes)
    has(read(tmp_path, table, "time=Time_s,voltage=Voltage_mV,current=Current_mA"), [0], [0.1], [1e-3])


def test_millivolts_called_volts_are_no_kilovolt_cell(tmp_path: Path) -> None:
    table = "Rec#\tStep\tTestTime\tmAmps\tVolts\tState\n1\t1\t0d 00:00:00\t2\t1853.5\tC\n2\t1\t0d 00:01:00\t2\t1853.5\tD\n"  # noqa: E501
    line = refused(tmp_path, table, "1854 V is no voltage of a cell")
    has(read(tmp_path, table, line.split("--columns ")[-1]), [0, 60], [1.8535, 1.8535], [2e-3, -2e-3])


def test_a_current_density_and_a_specific_current_are_no_current(tmp_path: Path) -> None:
    refused(tmp_path, "Time (s),Voltage (V),Current density (mA/cm2)\n0,1,1\n", "no column for the current")
    refused(tmp_path, "Time (s),Voltage (V),Current (A/g)\n0,1,1\n", "the unit 'A/g' is not known")


def test_an_odd_length_of_the_test_is_said(tmp_path: Path) -> None:
    for unit, word in (("h", "years"), ("us", "unit of its time")):
        seconds = [0, 10, 400_000] if unit == "h" else [0, 10, 20]
        rows = "".join(f"{t},0.1,1\n" for t in seconds)
        notes = read(tmp_path, f"Time ({unit}),Voltage (V),Current (mA)\n{rows}").notes
        assert any(word in note for note in notes)


@pytest.mark.parametrize("bad", ["inf", "-inf", "Infinity", "1e999"])
@pytest.mark.parametrize("labels", ["Test Time / s,Voltage / V,Current / A", "Time (s),U/V,I/A"])
def test_infinity_is_no_number(bad: str, labels: str, tmp_path: Path) -> None:
    refused(tmp_path, f"{labels}\n0,0.1,1\n1,{bad},1\n", "is not a number")


@pytest.mark.parametrize("empty", ["", "XXX", "NaN", "-", "n/a"])
def test_what_instruments_write_for_nothing_is_an_empty_cell(empty: str, tmp_path: Path) -> None:
    trace = read(tmp_path, f"Time (s)\tU/V\tI/A\tTemperature/°C\n0\t0.1\t1\t{empty}\n1\t0.1\t1\t25\n")
    assert trace.temperature_degC is not None
    np.testing.assert_array_equal(trace.temperature_degC, [np.nan, 25])


# -- numbers


def test_thousands_and_what_leaves_the_mark_open(tmp_path: Path) -> None:
    has(read(tmp_path, "Time (s);U/mV;I/mA\n0;1,234.5;1\n1;3;1\n"), [0, 1], [1.2345, 3e-3], [1e-3, 1e-3])
    has(read(tmp_path, "Time (s);U/mV;I/mA\n0;1.234,5;1\n1;1.234;1\n"), [0, 1], [1.2345, 1.234], [1e-3, 1e-3])
    table = "Time (s);U/V;I/mA\n0;3,412;1\n1;3,413;1\n"
    refused(tmp_path, table, "leave open which mark is decimal")
    has(
        read(tmp_path, table, "time=#1,voltage=#2,current=#3,decimal=comma"),
        [0, 1],
        [3.412, 3.413],
        [1e-3, 1e-3],
    )


def test_decimal_commas_in_a_table_with_commas_are_refused(tmp_path: Path) -> None:
    refused(
        tmp_path,
        "Time (s),Voltage (V),Current (A)\n0,0,1,0,001\n1,0,1,0,001\n",
        "is a comma the decimal mark",
    )


# -- time


def test_cumulative_time_is_preferred_to_that_of_a_step_and_to_a_date(tmp_path: Path) -> None:
    table = (
        "DataPoint,Step Type,Time,Total Time,Current(mA),Voltage(V),Date\n"
        "1,CC Chg,0:00:00,0:00:00,1,0.1,2026-03-06 12:00:00\n2,CC Chg,0:00:10,0:00:10,1,0.1,2026-03-06 12:00:00\n"
        "3,CC DChg,0:00:00,0:00:20,-1,-0.1,2026-03-06 11:00:00\n"
    )
    has(read(tmp_path, table), [0, 10, 20], [0.1, 0.1, -0.1], [1e-3, 1e-3, -1e-3])


def test_time_within_each_step_is_added_up_and_said(tmp_path: Path) -> None:
    rows = (
        "1,1,CC Chg,0:00:00,0.1,1\n2,1,CC Chg,0:00:10,0.1,1\n3,2,Rest,0:00:00,0.1,0\n4,2,Rest,0:00:05,0.1,0\n"
    )
    trace = read(tmp_path, "Record ID,Step ID,Step Type,Time,Voltage(V),Current(mA)\n" + rows)
    np.testing.assert_allclose(trace.test_time_s, [0, 10, 10, 15])
    assert any("one behind the other" in note for note in trace.notes)
    refused(tmp_path, "Time (s),Voltage (V),Current (A)\n0,1,1\n10,1,1\n0,1,1\n", "time runs backwards")


@pytest.mark.parametrize(
    ("dates", "seconds"),
    [
        (["05/06/2026 23:30:00", "05/06/2026 23:50:00", "06/06/2026 00:10:00"], [0, 1200, 2400]),
        (["06/05/2026 23:30:00", "06/05/2026 23:50:00", "06/06/2026 00:10:00"], [0, 1200, 2400]),
        (["30.11.2026 23:59:59", "01.12.2026 00:00:01", "01.12.2026 00:00:02,5"], [0, 2, 3.5]),
        (["11/30/2026 11:59:59 PM", "12/1/2026 12:00:01 AM", "12/1/2026 12:00:02 AM"], [0, 2, 3]),
        (["2026-10-25 02:59:50", "2026-10-25 02:00:00", "2026-10-25 02:00:10"], [0, 10, 20]),
        (["2026年3月1日 00:00:00", "2026年3月1日 00:01:00", "2026年3月1日 00:02:00"], [0, 60, 120]),
    ],
)
def test_dates_of_several_countries_and_the_hour_of_autumn(
    dates: list[str], seconds: list[float], tmp_path: Path
) -> None:
    rows = "".join(f"{date};0,1;1\n" for date in dates)
    np.testing.assert_allclose(read(tmp_path, "Date Time;U/V;I/mA\n" + rows).test_time_s, seconds)


def test_a_day_that_could_be_a_month_is_no_unix_time(tmp_path: Path) -> None:
    rows = "".join(f"05/06/2026 10:00:{second:02d};0.1;1\n" for second in range(3))
    trace = read(tmp_path, "Date Time;U/V;I/mA\n" + rows)
    assert trace.test_time_s.tolist() == [0, 1, 2] and trace.unix_time_s is None


# -- several tables, levels, text between


def test_tables_below_one_another_are_one_test_if_time_goes_on(tmp_path: Path) -> None:
    def curve(number: int, begin: int) -> str:
        return (
            f"CURVE{number}\tTABLE\n\tPt\tT\tVf\tIm\n\t#\ts\tV vs. Ref.\tA\n"
            f"\t0\t{begin}\t1E-1\t1E-4\n\t1\t{begin + 10}\t1E-1\t1E-4\n"
        )

    head = "EXPLAIN\nTAG\tCHRONOP\n"
    trace = read(tmp_path, head + "".join(curve(k, 20 * k) for k in range(5)))
    np.testing.assert_allclose(trace.test_time_s, np.arange(0, 100, 10))
    assert any("5 tables" in note for note in trace.notes)
    refused(tmp_path, head + curve(1, 0) + curve(2, 0), "begins anew at 0 s")
    plain = "Time (s),U/V,I/A\n0,1,1\n1,1,1\n\nTime (s),U/V,I/A\n2,1,1\n"
    has(read(tmp_path, plain), [0, 1, 2], [1, 1, 1], [1, 1, 1])
    refused(
        tmp_path, "Time (s),U/V,I/A\n0,1,1\n\nTime (s),I/A,U/V\n2,1,1\n", "two tables with different columns"
    )


NESTED = (
    "Cycle Index,Chg. Cap.(Ah),DChg. Cap.(Ah),Chg. Time\n,Step Index,Step Type,Step Time,Oneset Volt.(V)\n"
    ",,DataPoint,Time,Total Time,Current(mA),Voltage(V)\n"
    "1,0.02,0.3,00:00:20\n,1,CC Chg,00:00:20,0.10\n,,1,0:00:00,0:00:00,1,0.1\n,,2,0:00:10,0:00:10,1,0.1\n"
    ",2,CC DChg,00:00:20,0.10\n,,3,0:00:00,0:00:20,1,-0.1\n,,4,0:00:10,0:00:30,1,-0.1\n"
)


def test_sums_of_a_nested_table_are_no_samples_and_its_steps_tell_the_sign(tmp_path: Path) -> None:
    for salvage in (False, True):
        trace = read(tmp_path, NESTED, salvage=salvage)
        has(trace, [0, 10, 20, 30], [0.1, 0.1, -0.1, -0.1], [1e-3, 1e-3, -1e-3, -1e-3])
    assert any("no samples" in note for note in trace.notes)


def test_labels_far_below_and_a_clock_of_hours(tmp_path: Path) -> None:
    head = "".join(f"Header field {k}:,x\n" for k in range(300)) + "#RESULTS\nReq,Type,Value,Reason,\n"
    labels = "Test,Cell,Total Time (Hours in hh:mm:ss.xxx),Voltage (V),Current (A)\n"
    trace = read(tmp_path, head + labels + "1,2,00:00:00.5,0.1,1\n1,2,25:00:00.500,0.1,-1\n")
    has(trace, [0.5, 90000.5], [0.1, 0.1], [1, -1])


# -- signs


@pytest.mark.parametrize(
    ("up", "down"),
    [("CC Chg", "CC DChg"), ("CCCV Chg", "CCCV DChg"), ("CP Chg", "CP DChg"), ("CR Chg", "CR DChg"), ("C", "D"), ("C_CC", "D_CC"),  # noqa: E501
     ("Charge", "Discharge"), ("Laden", "Entladen"), ("恒流充电", "恒压放电"), ("charge", "décharge"), ("CC_Chg", "CC_DChg")],  # noqa: E501
)  # fmt: skip
def test_unsigned_currents_with_any_state_of_any_cycler(up: str, down: str, tmp_path: Path) -> None:
    rows = f"1,{up},0,0.1,1\n2,Rest,10,0.1,0\n3,{down},20,-0.1,1\n"
    trace = read(tmp_path, "Record,Step Type,TestTime/Sec,Voltage/V,Current/mA\n" + rows)
    has(trace, [0, 10, 20], [0.1, 0.1, -0.1], [1e-3, 0, -1e-3])
    mapped = read(
        tmp_path,
        "Record,Step Type,TestTime/Sec,Voltage/V,Current/mA\n" + rows,
        "time=#3,voltage=#4,current=#5",
    )
    assert mapped.current_A[2] == -1e-3


def test_a_state_that_tells_no_direction_is_refused_while_current_flows(tmp_path: Path) -> None:
    table = "Record,State,TestTime/Sec,Voltage/V,Current/mA\n1,Impulse,0,0.1,1\n2,D,10,-0.1,1\n"
    refused(tmp_path, table, "the state 'Impulse' tells no direction")


# -- rests


def test_a_rest_without_a_current_is_one_and_nothing_else_is(tmp_path: Path) -> None:
    mpt = "EC-Lab ASCII FILE\nNb header lines : 5\n\nOpen Circuit Voltage\nmode\ttime/s\tEwe/V\n3\t0\t0.3\n3\t1\t0.3\n"
    gamry = "EXPLAIN\nTAG\tCORPOT\nCURVE\tTABLE\n\tPt\tT\tVf\n\t#\ts\tV\n\t0\t0\t0.3\n\t1\t1\t0.3\n"
    states = "Record,State,TestTime/Sec,Voltage/V\n1,Rest,0,0.3\n2,Rest,1,0.3\n"
    for text in (mpt, gamry, states):
        trace = read(tmp_path, text)
        has(trace, [0, 1], [0.3, 0.3], [0, 0])
        assert any("rested" in note for note in trace.notes)
    line = refused(tmp_path, "Time (s),U/V\n0,0.3\n1,0.3\n", "no column for the current")
    has(
        read(tmp_path, "Time (s),U/V\n0,0.3\n1,0.3\n", line.split("--columns ")[-1]),
        [0, 1],
        [0.3, 0.3],
        [0, 0],
    )


# -- BioLogic's text


def mpt(labels: str, rows: str, header: str = "") -> str:
    lines = ["EC-Lab ASCII FILE", "", "", "Chronopotentiometry", *header.split("\n"), labels]
    lines[1] = f"Nb header lines : {len(lines)}"
    return "\n".join(lines) + "\n" + rows


def test_means_in_brackets_and_the_voltage_that_was_controlled(tmp_path: Path) -> None:
    trace = read(
        tmp_path, mpt("mode\ttime/s\tcontrol/mA\t<Ewe/V>\tI/mA", "1\t0\t2\t0.05\t2\n1\t1\t2\t0.06\t2\n")
    )
    has(trace, [0, 1], [0.05, 0.06], [2e-3, 2e-3])
    asked = read(tmp_path, mpt("mode\ttime/s\tcontrol/mA\tEwe/V", "1\t0\t2\t0.05\n1\t1\t2\t0.06\n"))
    has(asked, [0, 1], [0.05, 0.06], [2e-3, 2e-3])
    assert any("the one asked for" in note for note in asked.notes)
    three = mpt(
        "time/s\tEwe/V\tEce/V\tI/mA", "0\t12.5\t12.1\t1\n1\t12.6\t12.1\t1\n", "Potential control : Ewe-Ece"
    )
    has(read(tmp_path, three), [0, 1], [0.4, 0.5], [1e-3, 1e-3])
    silent = read(tmp_path, three.replace("Potential control : Ewe-Ece", "x"))
    has(silent, [0, 1], [0.4, 0.5], [1e-3, 1e-3])
    assert any("which no cell has" in note for note in silent.notes)
    wired = mpt("time/s\tEwe/V\tEce/V\tI/mA", "0\t0.5\t-0.1\t1\n1\t0.6\t-0.1\t1\n", "Potential control : Ewe")
    alone = read(tmp_path, wired)
    has(alone, [0, 1], [0.5, 0.6], [1e-3, 1e-3])
    assert any("the whole cell has Ewe-Ece" in note for note in alone.notes)
    has(read(tmp_path, wired, "time=time,voltage=Ewe-Ece,current=I"), [0, 1], [0.6, 0.7], [1e-3, 1e-3])


# -- BDF


def test_bdf_in_other_units_and_its_legacy_names(tmp_path: Path) -> None:
    has(
        read(tmp_path, "Test Time / h,Voltage / mV,Current / mA\n0,100,1\n0.5,100,-1\n"),
        [0, 1800],
        [0.1, 0.1],
        [1e-3, -1e-3],
    )
    has(
        read(tmp_path, "test_time_millisecond,voltage_volt,current_ampere\n0,1,1\n1000,1,1\n"),
        [0, 1],
        [1, 1],
        [1, 1],
    )


def test_notes_reach_stderr_and_the_sidecar(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "t.txt").write_text(
        "Record,State,TestTime/Sec,Voltage/V,Current/mA\n1,C,0,0.1,1\n2,D,10,-0.1,1\n"
    )
    assert main(["convert", str(tmp_path / "t.txt"), str(tmp_path / "u.bdf.csv")]) == 0
    assert "note: currents have no sign" in capsys.readouterr().err
    assert "currents have no sign" in (tmp_path / "u.bdf.metadata.json").read_text()
