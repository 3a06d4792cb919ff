"""Battery Data Format files: every way a file can be wrong, and everything that is normal in the field."""

import gzip
import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pa_parquet
import pytest

from ccdmon.errors import InputError
from ccdmon.formats.bdf.labels import COLUMN_NAMES
from ccdmon.formats.bdf.read import iter_bdf, read_ahead, read_bdf
from ccdmon.formats.bdf.sidecar import sidecar_path
from ccdmon.formats.bdf.write import table_of, write_bdf
from ccdmon.model.trace import Cell, Trace

HEADER = "Test Time / s,Voltage / V,Current / A\n"


def written(folder: Path, text: str, name: str = "t.bdf.csv") -> Path:
    path = folder / name
    path.write_text(text)
    return path


def refusal(path: Path) -> str:
    with pytest.raises(InputError) as caught:
        read_bdf(path)
    message = str(caught.value)
    assert "\n" not in message
    assert path.name in message
    with pytest.raises(InputError) as in_chunks:
        list(iter_bdf(path, 3))
    assert str(in_chunks.value) == message
    return message


def test_lines_may_end_as_on_an_old_macintosh(tmp_path: Path) -> None:
    path = tmp_path / "t.bdf.csv"
    path.write_bytes((HEADER + "0,0.1,1\n1,0.2,1\n").replace("\n", "\r").encode())
    assert read_bdf(path).voltage_V.tolist() == [0.1, 0.2]


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("", ["empty"]),
        ("\n\n", ["empty"]),
        (HEADER, ["no rows"]),
        ("Test Time / s,Voltage / V\n0,1\n", ["'Current / A' is missing", "Voltage / V"]),
        ("a,b\n0,1\n", ["'Test Time / s' is missing"]),
        (HEADER + "0,1,1\n1,oops,1\n", ["row 1", "'Voltage / V'", "'oops'"]),
        (HEADER + "0,1,1_000\n", ["row 0", "'Current / A'", "'1_000'"]),
        (HEADER + "0,1,1\n1,1\n", ["row 1", "2 fields"]),
        (HEADER + "0,1,1\n5,1,1\n4,1,1\n", ["row 2", "'Test Time / s'", "backwards"]),
        (HEADER + ",1,1\n,1,1\n", ["'Test Time / s'", "empty"]),
        (HEADER.replace(",", ";") + "0;1;1\n", ["';'"]),
        ("Test Time / s,Voltage / V,Current / A,Voltage / V\n0,1,1,1\n", ["'Voltage / V'", "twice"]),
        ("\0\0\0\0", ["binary"]),
    ],
)
def test_bad_csv_is_refused_naming_the_place(tmp_path: Path, text: str, parts: list[str]) -> None:
    message = refusal(written(tmp_path, text))
    for part in parts:
        assert part in message


def test_a_fault_behind_blank_lines_keeps_the_data_row_number(tmp_path: Path) -> None:
    assert "row 2," in refusal(written(tmp_path, HEADER + "0,1,1\n\n1,1,1\n\n2,x,1\n"))


def test_missing_file_and_folder(tmp_path: Path) -> None:
    assert "No such file" in refusal(tmp_path / "none.bdf.csv")
    assert "folder" in refusal(tmp_path)


def test_damaged_containers(tmp_path: Path) -> None:
    packed = gzip.compress((HEADER + "0,1,1\n" * 999).encode())
    cut = tmp_path / "t.bdf.csv.gz"
    cut.write_bytes(packed[:-20])
    assert "gzip" in refusal(cut)
    parquet = tmp_path / "t.bdf.parquet"
    parquet.write_bytes(b"PAR1 and nothing more")
    assert "Parquet" in refusal(parquet)


def test_a_column_that_is_twice_in_parquet(tmp_path: Path) -> None:
    labels, column = ["Test Time / s", "Voltage / V", "Current / A", "Voltage / V"], pa.array([0.0, 1.0])
    path = tmp_path / "doubled.bdf.parquet"
    pa_parquet.write_table(pa.Table.from_arrays([column] * 4, names=labels), path)
    assert "'Voltage / V' stands in the header twice" in refusal(path)
    with pytest.raises(InputError, match="twice"):
        list(iter_bdf(path))


def test_text_column_in_parquet(tmp_path: Path) -> None:
    path = tmp_path / "t.bdf.parquet"
    pa_parquet.write_table(
        pa.table({"Test Time / s": [0.0, 1.0], "Voltage / V": ["1", "x"], "Current / A": [1, 2]}), path
    )
    assert "row 1, column 'Voltage / V': 'x'" in refusal(path)


def test_what_is_normal_is_read(tmp_path: Path) -> None:
    text = (
        "note,current_ampere,Voltage / V, Test Time / s ,Applied Pressure / Pa,Surface Temperature / degC\r\n"
        "start,1e-3,,0,2e6,25\r\n"
        '"a, b",2e-3,NaN,5,,\r\n'
        ",,0.5,5,1e6,26\r\n"
        ",0,0.5,,1e6,26\r\n"
        ",0,0.5,9,1e6,26\r\n"
    )
    trace = read_bdf(written(tmp_path, "\ufeff" + text))
    assert trace.test_time_s.tolist() == [0, 5, 5, 7, 9], "an empty time is filled, repeats stay"
    np.testing.assert_array_equal(trace.current_A, [1e-3, 2e-3, np.nan, 0, 0])
    np.testing.assert_array_equal(trace.voltage_V, [np.nan, np.nan, 0.5, 0.5, 0.5])
    assert trace.pressure_Pa is not None
    assert trace.pressure_Pa[0] == 2e6
    assert trace.temperature_degC is not None
    assert trace.temperature_degC[2] == 26
    assert trace.cycle_count is None


def make_trace(rows: int = 1000) -> Trace:
    rng = np.random.default_rng(1)
    columns = {name: rng.normal(size=rows) for name in COLUMN_NAMES}
    columns["test_time_s"] = np.cumsum(np.abs(columns["test_time_s"]))
    columns["pressure_Pa"][::7] = np.nan
    cell = Cell(0.785, "half", "LLZO", {"cell": {"electrode_area_cm2": 0.785, "maker": "we"}, "who": "us"})
    return Trace(**columns, cell=cell)


@pytest.mark.parametrize("ending", [".bdf.csv", ".bdf.csv.gz", ".bdf.parquet"])
def test_round_trip_is_exact(tmp_path: Path, ending: str) -> None:
    trace, path = make_trace(), tmp_path / f"t{ending}"
    write_bdf(trace, path)
    back = read_bdf(path)
    for name in COLUMN_NAMES:
        np.testing.assert_array_equal(getattr(back, name), getattr(trace, name), err_msg=name)
    assert (back.cell.electrode_area_cm2, back.cell.configuration) == (0.785, "half")
    assert json.loads(sidecar_path(path).read_text())["extras"]["who"] == "us"
    assert sidecar_path(path).name == "t.bdf.metadata.json"


def test_content_decides_not_the_name(tmp_path: Path) -> None:
    write_bdf(make_trace(), tmp_path / "t.bdf.parquet")
    (tmp_path / "t.bdf.parquet").rename(tmp_path / "u.bdf.csv")
    assert len(read_bdf(tmp_path / "u.bdf.csv")) == 1000


@pytest.mark.parametrize("ending", [".bdf.csv", ".bdf.csv.gz", ".bdf.parquet"])
@pytest.mark.parametrize("chunk_rows", [1, 7, 333, 5000])
def test_chunks_join_to_the_whole(tmp_path: Path, ending: str, chunk_rows: int) -> None:
    path = tmp_path / f"t{ending}"
    write_bdf(make_trace(500), path)
    chunks = list(iter_bdf(path, chunk_rows))
    assert max(map(len, chunks)) <= chunk_rows
    whole = read_bdf(path)
    for name in COLUMN_NAMES:
        joined = np.concatenate([getattr(chunk, name) for chunk in chunks])
        np.testing.assert_array_equal(joined, getattr(whole, name), err_msg=name)
    assert chunks[-1].cell == whole.cell


@pytest.mark.parametrize("chunk_rows", [1, 2, 3, 4, 7, 100])
def test_empty_times_are_filled_alike_in_any_chunks(tmp_path: Path, chunk_rows: int) -> None:
    times = ["", "", "0.3", "", "", "1.7", "1.7", "", "", "", "", "9.1", ""]
    path = written(tmp_path, HEADER + "".join(f"{t},{k},1\n" for k, t in enumerate(times)))
    whole = read_bdf(path)
    chunks = list(iter_bdf(path, max(chunk_rows, 3)))  # the first needs a time
    np.testing.assert_array_equal(np.concatenate([c.test_time_s for c in chunks]), whole.test_time_s)
    np.testing.assert_array_equal(np.concatenate([c.voltage_V for c in chunks]), whole.voltage_V)


def test_time_running_backwards_between_chunks_is_seen(tmp_path: Path) -> None:
    path = tmp_path / "t.bdf.parquet"
    time_s = [0.0, 1, 2, 3, 2.5, 4]
    pa_parquet.write_table(
        pa.table({"Test Time / s": time_s, "Voltage / V": time_s, "Current / A": time_s}), path
    )
    with pytest.raises(InputError, match="data row 4"):
        list(iter_bdf(path, 2))


@pytest.mark.parametrize("group_rows", [1, 7, 60, 500])
def test_row_groups_of_any_size_join_to_the_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, group_rows: int
) -> None:
    """Two are decoded at a time, and those too long for that piece by piece."""
    monkeypatch.setattr("ccdmon.formats.bdf.parquet._LARGEST_GROUP_ROWS", 100)
    path, trace = tmp_path / "t.bdf.parquet", make_trace(500)
    pa_parquet.write_table(table_of(trace), path, row_group_size=group_rows)
    for chunk_rows in (1, 50, 1000):
        chunks = list(iter_bdf(path, chunk_rows))
        assert max(map(len, chunks)) <= chunk_rows
        np.testing.assert_array_equal(np.concatenate([c.voltage_V for c in chunks]), trace.voltage_V)


def test_parquet_of_a_converter_takes_half_the_bytes_of_the_library_s_default(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    time_s = np.arange(50_000) * 5e-4 * (1 + 3e-5)
    codes = rng.normal(0, 6, (2, time_s.size)).round()
    trace = Trace(time_s, codes[0] * 1.5e-4, codes[1] * 1.2e-7, unix_time_s=1.8e9 + time_s)
    write_bdf(trace, tmp_path / "own.bdf.parquet")
    pa_parquet.write_table(table_of(trace), tmp_path / "default.parquet")
    own, default = (p.stat().st_size for p in (tmp_path / "own.bdf.parquet", tmp_path / "default.parquet"))
    assert own < 0.55 * default


def test_reading_ahead_gives_the_same_chunks_and_the_same_error(tmp_path: Path) -> None:
    write_bdf(make_trace(500), tmp_path / "t.bdf.parquet")
    plain, ahead = (list(f(iter_bdf(tmp_path / "t.bdf.parquet", 70))) for f in (iter, read_ahead))
    assert [c.voltage_V.tolist() for c in ahead] == [c.voltage_V.tolist() for c in plain]
    with pytest.raises(InputError, match="data row 1,"):
        list(read_ahead(iter_bdf(written(tmp_path, HEADER + "0,1,1\n1,oops,1\n"))))


def test_chunks_of_parquet_need_constant_memory(tmp_path: Path) -> None:
    path = tmp_path / "t.bdf.parquet"
    rows = 1_000_000
    column = np.arange(rows, dtype=np.float64)
    table = pa.table({"Test Time / s": column, "Voltage / V": column, "Current / A": column})
    pa_parquet.write_table(table, path, row_group_size=20_000)
    del table
    before = pa.total_allocated_bytes()
    peak = max(pa.total_allocated_bytes() - before for _ in iter_bdf(path, 20_000))
    assert peak < 3 * 8 * rows / 3, f"{peak} bytes held for a file of {3 * 8 * rows}"


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("{", "JSON"),
        ("[]", "'cell' object"),
        ('{"cell": {"electrode_area_cm2": 0}}', "electrode_area_cm2"),
        ('{"cell": {"electrode_area_cm2": "big"}}', "electrode_area_cm2"),
        ('{"cell": {"configuration": "round"}}', "symmetric, half, full"),
    ],
)
def test_bad_sidecar_is_refused(tmp_path: Path, text: str, part: str) -> None:
    path = written(tmp_path, HEADER + "0,1,1\n")
    sidecar_path(path).write_text(text)
    with pytest.raises(InputError, match=part):
        read_bdf(path)


def test_no_sidecar_declares_nothing(tmp_path: Path) -> None:
    assert read_bdf(written(tmp_path, HEADER + "0,1,1\n")).cell == Cell()


def test_unwritable_places(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="ending"):
        write_bdf(make_trace(3), tmp_path / "t.xlsx")
    with pytest.raises(InputError, match="cannot write"):
        write_bdf(make_trace(3), tmp_path / "no" / "t.bdf.csv")


def test_recorded_traces_are_read(recorded_dir: Path) -> None:
    rows = {path.name: len(read_bdf(path)) for path in sorted(recorded_dir.glob("*.bdf.csv"))}
    assert rows["na_nasicon_na_hard_short.bdf.csv"] == 3564
    assert len(rows) == 3


@pytest.mark.parametrize("second", ["voltage_volt", "Voltage / mV", "Current / mA", "Test Time / ms"])
def test_two_columns_of_one_quantity_must_agree(tmp_path: Path, second: str) -> None:
    scale = 1000.0 if second.partition(" / ")[2] in ("mV", "mA", "ms") else 1.0
    of = {"v": [0.1, 0.2], "C": [1e-3, -1e-3], "T": [0.0, 1.0], "V": [0.1, 0.2]}[second[0]]
    header = f"Test Time / s,Voltage / V,Current / A,{second}\n"
    path = tmp_path / "two.bdf.csv"

    def write(factor: float) -> None:
        more = [factor * scale * value for value in of]
        path.write_text(header + f"0,0.1,0.001,{more[0]}\n1,0.2,-0.001,{more[1]}\n", encoding="utf-8")

    write(1.0)
    np.testing.assert_array_equal(read_bdf(path).voltage_V, [0.1, 0.2])
    write(0.5)
    with pytest.raises(InputError, match="hold different values"):
        read_bdf(path)
