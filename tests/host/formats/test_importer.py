"""Files of cyclers, told by content: small ones of each dialect written here, and recorded ones."""

import ast
import gzip
import inspect
import struct
from collections.abc import Sequence
from importlib.metadata import EntryPoint
from pathlib import Path

import numpy as np
import pytest

from ccdmon.cli import main
from ccdmon.errors import InputError
from ccdmon.formats import importer
from ccdmon.formats.bdf.read import read_bdf
from ccdmon.formats.cyclers import dialects
from ccdmon.formats.cyclers.time_axis import seconds_of
from ccdmon.formats.impedance.files import read_spectra
from ccdmon.formats.importer import read_trace
from ccdmon.formats.tables.labels import split_label
from ccdmon.formats.tables.rows import RowReader
from ccdmon.model.trace import Trace

# Each writes the same three rows: 0, 30, 60 s; 0.1, 0.2, -0.2 V; 1, 1, -1 mA; 25 degC where there is a column.
DIALECTS = {
    "Arbin text export": "Data Point,Date Time,Test Time (s),Cycle Index,Step Index,Current (A),Voltage (V),"
    "Aux_Temperature_1 (C)\n"
    "1,\t09/20/2024 08:32:34.5,0,1,1,0.001,0.1,25\n2,x,30,1,1,0.001,0.2,25\n3,x,60,1,2,-0.001,-0.2,25\n",
    "Maccor text export": "Today's Date ,28-Nov-23\nDate of Test:,23-Nov-23\n"
    "Rec\tCycle P\tStep\tTest Time\tAmps\tVolts\tMD\tTemp 1\n"
    "1\t1\t1\t0d 00:00:00.00\t0.001\t0.1\tC\t25\n2\t1\t1\t0d 00:00:30.00\t0.001\t0.2\tC\t25\n"
    "3\t1\t2\t0d 00:01:00.00\t0.001\t-0.2\tD\t25\n",
    "Landt text export": "Record,Cycle-Index,Step-Index,StepTime/Sec,TestTime/Sec,State,Current/mA,Voltage/V\n"
    "1,1,1,0,0,C_CC,1,0.1\n2,1,1,30,30,C_CC,1,0.2\n3,1,2,0,60,D_CC,1,-0.2\n",
    "Neware text export": "Record ID,Step ID,Status,Date,Current(mA),Voltage(V),T1(°C)\n"
    "1,1,CC Chg,2024-01-02 10:00:00,1,0.1,25\n2,1,CC Chg,2024-01-02 10:00:30,1,0.2,25\n"
    "3,2,CC DChg,2024-01-02 10:01:00,-1,-0.2,25\n",
    "Basytec text export": "~Resultfile from Basytec Battery Test System\n~\n"
    "~Time[s]\tDataSet\tLine\tCommand\tU[V]\tI[A]\tT1[°C]\n"
    "0\t1\t3\tCharge\t0,1\t0,001\t25\n30\t2\t3\tCharge\t0,2\t0,001\t25\n60\t3\t4\tDischarge\t-0,2\t-0,001\t25\n",
    "Novonix file": "[Summary]\nNovonix UHPC data file\nNovonix\n[End Summary]\n[Data]\n"
    "Date and Time,Cycle Number,Run Time (h),Current (A),Potential (V),Temperature (°C),Step Number\n"
    "x,1,0,0.001,0.1,25,1\nx,1,0.008333333333333333,0.001,0.2,25,1\nx,1,0.016666666666666666,-0.001,-0.2,25,2\n",
    "Gamry file": "EXPLAIN\nTAG\tCHRONOP\nCURVE\tTABLE\t3\n\tPt\tT\tVf\tIm\n\t#\ts\tV vs. Ref.\tA\n"
    "\t0\t0\t1,0E-001\t1,0E-003\n\t1\t30\t2,0E-001\t1,0E-003\n\t2\t60\t-2,0E-001\t-1,0E-003\n"
    "EXPERIMENTABORTED\tTOGGLE\tT\tExperiment Aborted\n",
    "BioLogic .mpt": "EC-Lab ASCII FILE\nNb header lines : 5\n\nGalvanostatic Cycling\n"
    "mode\tNs\ttime/s\tEwe/V\t<I>/mA\tfreq/Hz\n"
    "1\t0\t0\t0.1\t1\t0\n1\t0\t30\t0.2\t1\t0\n1\t0\t40\t0.2\t1\t7,0E+003\n1\t1\t60\t-0.2\t-1\t0\n",
    "plain table": "Zeit / min;Spannung / mV;Strom / µA;Druck / bar\n0;100;1000;50\n0,5;200;1000;50\n1;-200;-1000;50\n",
}


def test_every_dialect_has_a_file_here_and_knows_no_other() -> None:
    assert {dialect.kind for dialect in dialects.DIALECTS} < DIALECTS.keys()
    modules = [module for module in vars(dialects).values() if hasattr(module, "DIALECT")]
    assert len(modules) == len(dialects.DIALECTS)
    for module in modules:
        imported = {
            node.module
            for node in ast.walk(ast.parse(inspect.getsource(module)))
            if isinstance(node, ast.ImportFrom)
        }
        of_cyclers = {name for name in imported if name and name.startswith("ccdmon.formats.cyclers")}
        assert of_cyclers == {"ccdmon.formats.cyclers.dialect"}, module.__name__


@pytest.mark.parametrize("kind", DIALECTS)
@pytest.mark.parametrize("encoding", ["utf-8-sig", "latin-1", "utf-16"])
def test_each_dialect_is_told_by_its_content_and_read_in_si_units(
    kind: str, encoding: str, tmp_path: Path
) -> None:
    path = tmp_path / "no-telling-name.dat"
    path.write_bytes(DIALECTS[kind].replace("\n", "\r\n").encode(encoding))
    trace = read_trace(path)
    assert trace.cell.metadata["import"]["format"] == kind
    np.testing.assert_allclose(trace.test_time_s, [0, 30, 60])
    np.testing.assert_allclose(trace.voltage_V, [0.1, 0.2, -0.2])
    np.testing.assert_allclose(trace.current_A, [1e-3, 1e-3, -1e-3])
    if trace.temperature_degC is not None:
        np.testing.assert_allclose(trace.temperature_degC, 25)
    if trace.pressure_Pa is not None:
        np.testing.assert_allclose(trace.pressure_Pa, 5e6)


@pytest.mark.parametrize(
    "table",
    [
        'time/s,U/V,I/mA\n0,0.1,1\n999,0.1,1\n"1,000.5",0.1,"1,234.5"\n',
        "Zeit/s;Spannung/V;Strom/mA\n0;0,1;1\n999;0,1;1\n1.000,5;0,1;1.234,5\n",
        "Temps (s);Tension (V);Courant (mA)\n0;0,1;1\n999;0,1;1\n1000,5;0,1;1234,5\n",
        "测试时间/Sec\t电压/V\t电流/mA\n0\t0.1\t1\n999\t0.1\t1\n1000.5\t0.1\t1234.5\n",
        "Rec#\tStep\tTest (Sec)\tAmps\tVolts\n1\t1\t0\t1e-3\t0.1\n2\t1\t999\t1e-3\t0.1\n3\t1\t1,000.5\t1.2345\t0.1\n",
    ],
)
def test_separators_of_thousands_and_other_languages(table: str, tmp_path: Path) -> None:
    (tmp_path / "t.txt").write_text(table)
    trace = read_trace(tmp_path / "t.txt")
    np.testing.assert_allclose(trace.test_time_s, [0, 999, 1000.5])
    np.testing.assert_allclose(trace.current_A, [1e-3, 1e-3, 1.2345])


CHINESE = {
    "Neware": "数据序号,循环号,工步号,工步类型,时间,总时间,电流(mA),电压(V),绝对时间\n"
    "1,1,1,恒流充电,00:00:00,00:00:00,1,0.1,2024-01-02 10:00:00\n"
    "2,1,1,恒流充电,00:00:30,00:00:30,1,0.2,2024-01-02 10:00:30\n"
    "3,1,2,恒流放电,00:00:00,00:01:00,1,-0.2,2024-01-02 10:01:00\n",
    "Landt": "记录序号\t循环序号\t状态\t测试时间/Sec\t电流/mA\t电压/V\t温度/℃\n"
    "1\t1\t恒流充电\t0\t1\t0.1\t25\n2\t1\t恒流充电\t30\t1\t0.2\t25\n3\t1\t恒流放电\t60\t1\t-0.2\t25\n",
}


@pytest.mark.parametrize("maker", CHINESE)
@pytest.mark.parametrize("encoding", ["gbk", "gb18030", "utf-8-sig", "utf-16"])
def test_exports_in_chinese_in_their_own_code_page(maker: str, encoding: str, tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_bytes(CHINESE[maker].replace("\n", "\r\n").encode(encoding))
    trace = read_trace(path)
    np.testing.assert_allclose(trace.test_time_s, [0, 30, 60])
    np.testing.assert_allclose(trace.voltage_V, [0.1, 0.2, -0.2])
    np.testing.assert_allclose(trace.current_A, [1e-3, 1e-3, -1e-3])
    assert trace.cycle_count is not None


@pytest.mark.parametrize(
    "table",
    [
        "time/s voltage/V current/mA\n0 0.1 1\n30 0.2 1\n60 -0.2 -1\n",
        "# time/s   U/V     I/mA\n  0        0.1     1\n 30        0.2     1\n 60       -0.2    -1\n",
        "Test Time (s)  Voltage (V)  Current (mA)\n       0          0,1             1\n"
        "      30          0,2             1\n      60         -0,2            -1\n",
    ],
)
def test_a_table_set_apart_by_blanks(table: str, tmp_path: Path) -> None:
    path = tmp_path / "t.txt"
    path.write_text(table)
    mapped = "time=time,voltage=voltage,current=current"
    for columns in (None, mapped) if "voltage/V" in table else (None,):
        trace = read_trace(path, columns=columns)
        np.testing.assert_allclose(trace.test_time_s, [0, 30, 60])
        np.testing.assert_allclose(trace.voltage_V, [0.1, 0.2, -0.2])
        np.testing.assert_allclose(trace.current_A, [1e-3, 1e-3, -1e-3])


def test_rows_of_impedance_scans_are_left_out_and_said(tmp_path: Path) -> None:
    (tmp_path / "t.mpt").write_text(DIALECTS["BioLogic .mpt"])
    assert read_trace(tmp_path / "t.mpt").notes == ("left out 1 rows of impedance scans",)


def test_a_column_map_names_what_cannot_be_guessed(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("a,b,c,p\n0,100,1,2\n1,200,-1,2\n")
    with pytest.raises(InputError, match="--columns"):
        read_trace(path)
    trace = read_trace(path, columns="time=a[h], voltage=b/mV,current=c/mA,pressure=p[MPa]")
    np.testing.assert_allclose(trace.test_time_s, [0, 3600])
    np.testing.assert_allclose(trace.voltage_V, [0.1, 0.2])
    np.testing.assert_allclose(trace.current_A, [1e-3, -1e-3])
    assert trace.pressure_Pa is not None and trace.pressure_Pa[0] == 2e6


@pytest.mark.parametrize(
    ("columns", "part"),
    [
        ("time=a,voltage=b", "current"),
        ("time=a,voltage=b,current=zzz", "zzz"),
        ("when=a", "when=a"),
        ("time=a[fortnights],voltage=b,current=c", "fortnights"),
        ("time", "NAME=LABEL"),
    ],
)
def test_a_wrong_map_is_one_line(columns: str, part: str, tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("a,b,c\n0,1,2\n")
    with pytest.raises(InputError, match=part.replace("[", r"\[")):
        read_trace(tmp_path / "t.csv", columns=columns)


@pytest.mark.parametrize(
    ("text", "part"),
    [
        (b"", "empty"),
        (b"hello world\nno table here\n", "not a file that ccdmon knows"),
        (b"\x00\x01\x02" * 50, "binary file"),
        (b"PK\x03\x04 workbook", "workbook"),
        (b"ZPLOT2 ASCII\n", "impedance"),
        (b"Frequency / Hz,Real Impedance / ohm,Imaginary Impedance / ohm\n1,2,3\n", "impedance"),
        (b"Rec,Step,Test Time (sec),Current,Voltage\n1,1,0,x,3\n", "line 2, column 'Current': 'x'"),
        (b"Rec,Step,Test Time (sec),Current\n1,1,0,3\n", "not a file that ccdmon knows"),
        (b"time/s,U/V,I/A\n2,1,1\n1,1,1\n", "data row 1: time runs backwards to 1 s"),
        (b"time/s,U/V,I/furlong\n2,1,1\n", "the unit 'furlong' is not known"),
        (b"time/s,U/V,I/A\n", "no rows"),
        (b"BIO-LOGIC MODULAR FILE\x1a", "no data in it"),
        (b"NEWARE" + b"\0" * 600, "cannot be read|no records"),
        (gzip.compress(DIALECTS["Novonix file"].encode())[:-30], "damaged gzip"),
    ],
)
def test_what_cannot_be_read_is_one_line(text: bytes, part: str, tmp_path: Path) -> None:
    pytest.importorskip("fastnda", reason="the optional reader of Neware files is not installed")
    (tmp_path / "file").write_bytes(text)
    with pytest.raises(InputError, match=part) as refused:
        read_trace(tmp_path / "file")
    assert "\n" not in str(refused.value)


def test_salvage_keeps_readable_rows_and_says_what_it_left_out(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "t.bdf.csv"
    path.write_text("Test Time / s,Voltage / V,Current / A\n0,1,1\n1,x,1\n2,1,1\n1,1,1\n3,1,1\n4,1")
    assert main(["convert", str(path), str(tmp_path / "u.bdf.csv")]) == 2
    assert main(["convert", str(path), str(tmp_path / "u.bdf.csv"), "--salvage"]) == 0
    assert "left out 2 unreadable lines" in (err := capsys.readouterr().err) and "time runs backwards" in err
    np.testing.assert_allclose(read_bdf(tmp_path / "u.bdf.csv").test_time_s, [0, 2, 3])


def test_salvage_leaves_out_rows_with_a_bad_cell_anywhere(tmp_path: Path) -> None:
    path = tmp_path / "t.txt"
    path.write_text("Time (s),U/V,I/A,Temperature (C)\n0,1,1,25\n1,1,1,2x\n2,1,1,26\n")
    with pytest.raises(InputError, match="'2x' is not a number"):
        read_trace(path)
    trace = read_trace(path, salvage=True)
    assert trace.temperature_degC is not None
    assert [len(column) for column in (trace.test_time_s, trace.current_A, trace.temperature_degC)] == [
        2,
        2,
        2,
    ]


def test_a_torn_last_line_is_no_row(tmp_path: Path) -> None:
    path = tmp_path / "t.txt"
    path.write_text("Rec,Step,Test Time (sec),Current,Voltage\n1,1,0,1,3\n2,1,1,1,3\n3,1,2,1")
    with pytest.raises(InputError, match="line 4, column 'Voltage'"):
        read_trace(path)
    assert len(read_trace(path, salvage=True)) == 2


def test_the_quick_way_and_the_slow_one_read_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = "".join(
        f"{k};{k / 7:.6f};{(-1) ** k * k / 3:.6e};{'' if k % 5 else k}\n".replace(".", ",")
        for k in range(500)
    )
    (tmp_path / "t.txt").write_text("time[s];U[mV];I[µA];temperature[°C]\n" + rows)
    quick = read_trace(tmp_path / "t.txt")
    monkeypatch.setattr(RowReader, "_parsed", lambda *_: None)
    slow = read_trace(tmp_path / "t.txt")
    for column in ("test_time_s", "voltage_V", "current_A", "temperature_degC"):
        np.testing.assert_array_equal(getattr(quick, column), getattr(slow, column))


def test_an_ellipsis_in_a_western_code_page_is_no_line_end(tmp_path: Path) -> None:
    text = DIALECTS["Basytec text export"].replace("\tCharge\t0,2", "\tCharge\x85\t0,2")
    (tmp_path / "t.txt").write_bytes(text.encode("latin-1"))
    assert len(read_trace(tmp_path / "t.txt")) == 3


def test_salvage_reads_the_beginning_of_a_cut_off_archive(tmp_path: Path) -> None:
    rows = "".join(f"{t},{t % 7 / 10},0.001\n" for t in range(5000))
    packed = gzip.compress(("Test Time / s,Voltage / V,Current / A\n" + rows).encode())
    (tmp_path / "t.bdf.csv.gz").write_bytes(packed[: len(packed) // 2])
    with pytest.raises(InputError):
        read_trace(tmp_path / "t.bdf.csv.gz")
    trace = read_trace(tmp_path / "t.bdf.csv.gz", salvage=True)
    assert 500 < len(trace) < 5000
    np.testing.assert_array_equal(trace.test_time_s, np.arange(len(trace)))


def mpr_file(
    columns: Sequence[int], records: bytes, count: int, *, version: int = 3, length: int | None = None
) -> bytes:
    """A BioLogic binary with one data module, laid out as the comment of `biologic_mpr` says."""
    wide = version >= 10
    head = struct.pack("<IH" if wide else "<IB", count, len(columns)) + struct.pack(
        f"<{len(columns)}H", *columns
    )
    content = head.ljust(1007 if wide else 406, b"\0") + records
    size = len(content) if length is None else length
    sizes = struct.pack("<IIII", 0xFFFFFFFF, size, 0, version) if wide else struct.pack("<II", size, version)
    module = b"MODULE" + b"VMP data".ljust(10) + b"VMP data".ljust(25) + sizes + b"01/01/26" + content
    return b"BIO-LOGIC MODULAR FILE\x1a".ljust(0x34, b" ") + module


RECORDS = b"".join(struct.pack("<Bdff", 7, t, 0.1 * t, -2.0) for t in range(5))


@pytest.mark.parametrize("version", [3, 11])
def test_biologic_binary_and_salvage_of_a_cut_off_one(version: int, tmp_path: Path) -> None:
    whole = mpr_file([1, 2, 4, 6, 8], RECORDS, 5, version=version)
    (tmp_path / "t.mpr").write_bytes(whole)
    trace = read_trace(tmp_path / "t.mpr")
    np.testing.assert_allclose(trace.voltage_V, 0.1 * np.arange(5), rtol=1e-6)
    np.testing.assert_allclose(trace.current_A, -2e-3)
    (tmp_path / "t.mpr").write_bytes(whole[:-20])
    with pytest.raises(InputError, match="cut off after 3 of 5 records"):
        read_trace(tmp_path / "t.mpr")
    assert len(read_trace(tmp_path / "t.mpr", salvage=True)) == 3


def test_biologic_columns_that_are_not_known_or_not_as_wide_are_refused(tmp_path: Path) -> None:
    (tmp_path / "t.mpr").write_bytes(mpr_file([1, 4, 9998, 6, 9999], RECORDS, 5))
    with pytest.raises(InputError, match="column number 9998, 9999 is not known"):
        read_trace(tmp_path / "t.mpr")
    (tmp_path / "t.mpr").write_bytes(mpr_file([1, 4, 6], RECORDS, 5))
    with pytest.raises(InputError, match="a record should take 13 bytes and takes 17"):
        read_trace(tmp_path / "t.mpr")


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("12.5", 12.5),
        ("0d 00:00:30.50", 30.5),
        ("2d 01:00:00", 176400),
        ("26:00:01", 93601),
        ("1970-01-02 00:00:00", 86400),
        ("01/02/1970 00:00:01.25", 86401.25),
        ("02.01.1970 00:00:00", 86400),
        ("02-Jan-70 12:00:00 AM", 86400),
        ("1970-01-02T00:00:00", 86400),
    ],
)
def test_times(text: str, seconds: float) -> None:
    values, _, _ = seconds_of([text], "hh:mm", salvage=False)
    assert values.tolist() == [seconds]


@pytest.mark.parametrize(
    ("label", "split"),
    [
        ("Test_Time (s)", ("Test_Time", "s")),
        ("<I>/mA", ("<I>", "mA")),
        ("<Ewe/V>", ("Ewe", "V")),
        ("U[V]", ("U", "V")),
        ("Cycle-Index", ("Cycle-Index", None)),
        ("control/V/mA", ("control", "V/mA")),
        ("Voltage / V", ("Voltage", "V")),
        ("Voltage_mV", ("Voltage", "mV")),
        ("Current mA", ("Current", "mA")),
        ("Strom in mA", ("Strom", "mA")),
        ("mAmps", ("current", "mA")),
        ("电流（mA）", ("电流", "mA")),
        ("Total Time (Hours in hh:mm:ss.xxx)", ("Total Time", "Hours in hh:mm:ss.xxx")),
        ("E/V vs. Li/Li+", ("E", "V vs. Li/Li+")),
        ("Re(Z)/Ohm", ("Re(Z)", "Ohm")),
        ("-Z'' (Ω)", ("-Z''", "Ω")),
        ('Z"/ohm', ("Z''", "ohm")),
        ("Cycle C", ("Cycle C", None)),
    ],
)
def test_labels(label: str, split: tuple[str, str | None]) -> None:
    found = split_label(label)
    assert (found.name, found.unit) == split


def test_damaged_files_are_read_or_refused_in_one_line(tmp_path: Path) -> None:
    """Cut, flipped and spliced at random places, with and without salvage: never anything but `InputError`."""
    rng = np.random.default_rng(5)
    whole = [text.encode() for text in DIALECTS.values()] + [
        mpr_file([1, 2, 4, 6, 8], RECORDS, 5, version=11)
    ]
    for data in whole:
        for _ in range(12):
            damaged = bytearray(data)
            at = int(rng.integers(len(damaged)))
            match rng.integers(3):
                case 0:
                    del damaged[at:]
                case 1:
                    damaged[at] = rng.integers(256)
                case 2:
                    damaged[at : at + 9] = bytes(rng.choice(list(b"0123,;\t\n.-aN"), 6).tolist())
            (tmp_path / "f").write_bytes(damaged)
            for salvage in (False, True):
                try:
                    read_trace(tmp_path / "f", salvage=salvage)
                except InputError as error:
                    assert "\n" not in str(error) and len(str(error)) < 400


def test_an_installed_plugin_reads_its_ending(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wanted = Trace(np.arange(3.0), np.zeros(3), np.zeros(3))
    plugin = EntryPoint("mpr", "tests.host.formats.test_importer:read_by_plugin", importer.PLUGIN_GROUP)
    monkeypatch.setattr(importer, "entry_points", lambda group, name: [plugin] if name == "mpr" else [])
    monkeypatch.setattr(EntryPoint, "load", lambda _self: lambda path: wanted)
    assert read_trace(tmp_path / "t.MPR") is wanted


# -- recorded files

EXPECTED = {  # rows, or what the one line says
    "00_test_01_OCV_C01.mpr": 2,
    "2017-05-09_test-TC-contact_CH33.csv": 287,
    "46_1_5_60_bts16.ndax": 84,
    "GCPL-0.mpr": 4,
    "PEIS-0.mpr": "impedance",
    "Unit27_Example_Corrupt.ndax": 301,
    "chronoa_de_data.dta": 10,
    "eispot_data.dta": "impedance",
    "eispot_data_curveaborted.dta": "impedance",
    "empty.ndax": "no records in it",
    "exampleDataBioLogic.mpt": "impedance",
    "exampleDataGamry.DTA": "impedance",
    "exampleDataZPlot.z": "impedance",
    "mb.issue_218.mpr": 3564,
    "mb.mpr": 1028,
    "sample_data_arbin.csv": 13,
    "sample_data_basytec.txt": 74,
    "sample_data_maccor.csv": 15,
    "sample_data_novonix.csv": 207,
    "test.ndax": 1464,
}


def test_every_recorded_file_is_read_or_refused_in_one_line(shared_dir: Path) -> None:
    pytest.importorskip("fastnda", reason="the optional reader of Neware files is not installed")
    found = {path.name for path in (shared_dir / "traces" / "import").iterdir()}
    assert found >= set(EXPECTED)
    for name, expected in EXPECTED.items():
        path = shared_dir / "traces" / "import" / name
        if isinstance(expected, int):
            assert len(read_trace(path)) == expected, name
        else:
            with pytest.raises(InputError, match=expected) as refused:
                read_trace(path)
            assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("binary", "recorded"),
    [
        ("mb.issue_218.mpr", "na_nasicon_na_hard_short.bdf.csv"),
        ("mb.mpr", "li_llzo_li_healthy_low_voltage.bdf.csv"),
    ],
)
def test_the_biologic_binary_agrees_with_the_recording_made_of_it(
    binary: str, recorded: str, shared_dir: Path
) -> None:
    ours = read_trace(shared_dir / "traces" / "import" / binary)
    theirs = read_bdf(shared_dir / "traces" / "recorded" / recorded)
    assert len(ours) == len(theirs)
    np.testing.assert_allclose(ours.test_time_s, theirs.test_time_s, rtol=1e-6)
    np.testing.assert_allclose(ours.voltage_V, theirs.voltage_V, rtol=1e-6, atol=1e-12)
    np.testing.assert_allclose(ours.current_A, theirs.current_A, rtol=1e-6, atol=1e-15)


def test_impedance_in_a_biologic_binary_serves_as_a_spectrum(shared_dir: Path) -> None:
    (spectrum,) = read_spectra(shared_dir / "traces" / "import" / "PEIS-0.mpr")
    assert len(spectrum) == 60
    assert (np.diff(spectrum.frequency_Hz) < 0).all()


def test_batterydf_reads_what_we_export(tmp_path: Path) -> None:
    bdf = pytest.importorskip("bdf", reason="the optional cross-check batterydf (570 MB) is not installed")
    (tmp_path / "t.dta").write_text(DIALECTS["Gamry file"])
    assert main(["convert", str(tmp_path / "t.dta"), str(tmp_path / "t.bdf.csv")]) == 0
    frame = bdf.read(tmp_path / "t.bdf.csv")
    np.testing.assert_allclose(frame["Voltage / V"], [0.1, 0.2, -0.2])
    assert bdf.validate_df(frame)["ok"]
