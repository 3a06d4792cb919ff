"""What is named may be a pipe, a device, a bomb, a line without an end: each ends with one line, soon."""

import gzip
import io
import os
import time
import zipfile
from pathlib import Path

import pytest

from ccdmon.cli import main
from ccdmon.errors import InputError
from ccdmon.formats import opening, workbook
from ccdmon.formats.impedance.files import read_spectra
from ccdmon.formats.importer import iter_trace, read_trace


def packed_zeros(text: bytes, megabytes: int) -> bytes:
    out = io.BytesIO()
    with gzip.GzipFile(fileobj=out, mode="wb") as file:
        file.write(text)
        for _ in range(megabytes):
            file.write(b"0,0.1,0.001\n" * 87381)
    return out.getvalue()


@pytest.mark.parametrize("read", [read_trace, read_spectra, lambda path: list(iter_trace(path))])
def test_a_pipe_and_devices_are_not_waited_for(read, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    begin = time.monotonic()
    for path in (tmp_path / "pipe", Path("/dev/zero"), Path("/dev/null")):
        with pytest.raises(InputError, match="not a regular file"):
            read(path)
    assert time.monotonic() - begin < 5


@pytest.mark.parametrize(
    "head", [b"Test Time / s,Voltage / V,Current / A\n", b"Time (s),U/V,I/A\n", b"f,Z',Z''\n"]
)
def test_a_gzip_bomb(head: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(opening, "LEAST_BOMB_BYTES", 1 << 20)
    (tmp_path / "b.csv.gz").write_bytes(packed_zeros(head, 8))
    with pytest.raises(InputError, match="unpacks to"):
        (read_spectra if head.startswith(b"f") else read_trace)(tmp_path / "b.csv.gz")
    lying = bytearray((tmp_path / "b.csv.gz").read_bytes())
    lying[-4:] = b"\1\0\0\0"  # how much it says it unpacks to
    (tmp_path / "b.csv.gz").write_bytes(lying)
    with pytest.raises(InputError, match="unpacks to"):
        (read_spectra if head.startswith(b"f") else read_trace)(tmp_path / "b.csv.gz")


def test_a_workbook_that_unpacks_to_too_much(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("python_calamine", reason="the optional extra ccdmon[import] is not installed")
    monkeypatch.setattr(workbook, "MOST_UNPACKED_BYTES", 1 << 20)
    with zipfile.ZipFile(tmp_path / "b.xlsx", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", "<x/>")
        archive.writestr("xl/worksheets/sheet1.xml", " " * (2 << 20))
    for read in (read_trace, read_spectra):
        with pytest.raises(InputError, match="unpacks to 2 MB"):
            read(tmp_path / "b.xlsx")


def test_too_many_columns_and_a_line_without_an_end(tmp_path: Path) -> None:
    names = ",".join(f"c{k}" for k in range(20_000))
    for head in ("", "Test Time / s,Voltage / V,Current / A,"):
        (tmp_path / "w.csv").write_text(f"{head}{names}\n" + "1," * 20_003 + "\n")
        with pytest.raises(InputError, match=r"columns|not a file"):
            read_trace(tmp_path / "w.csv")
    (tmp_path / "l.csv").write_text("time/s,U/V,I/mA\n" + "1" * 3_000_000)
    with pytest.raises(InputError, match="a line longer than"):
        read_trace(tmp_path / "l.csv")


@pytest.mark.parametrize(
    ("data", "part"),
    [
        (b"\x00\x01\x00\x00Standard Jet DB\x00", "an Arbin .res file"),
        (b"\x89HDF\r\n\x1a\n", "HDF5"),
        (b"PK\x03\x04something", "damaged archive|an archive"),
        (b"Rar!\x1a", "an archive"),
        (b"\n" * 5_000_000, "empty"),
    ],
)
def test_what_is_no_table_says_what_it_is(data: bytes, part: str, tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes(data)
    with pytest.raises(InputError, match=part):
        read_trace(tmp_path / "f")


def test_what_nobody_foresaw_ends_with_exit_4_and_its_details_in_a_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "t.txt").write_text("Time (s),U/V,I/A\n0,1,1\n")
    monkeypatch.setattr("ccdmon.formats.cyclers.tables.assembled", lambda *_: 1 // 0)
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    for verb in ("validate", "analyze"):
        assert main([verb, str(tmp_path / "t.txt")]) == 4
        line = capsys.readouterr().err
        assert line.count("\n") == 1
        assert "ZeroDivisionError" in line
        named = line.split("details in ")[1].split(",")[0]
        assert "Traceback" in Path(named).read_text()


@pytest.mark.parametrize("read", [read_trace, read_spectra])
@pytest.mark.parametrize(
    "lines",
    [["Time (s) Voltage (V) Current (A)"], ["Time (s),U (V),I (A)", "Time (s),V (V),I (A)"], ["f Z' Z''"]],
)
def test_thousands_of_lines_of_labels(read, lines: list[str], tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("\n".join(lines * 3000) + "\n")
    begin = time.process_time()
    with pytest.raises(InputError):
        read(tmp_path / "t.csv")
    assert time.process_time() - begin < 5
