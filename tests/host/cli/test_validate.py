"""What is no file is unusable (2), what is a file and no trace is invalid (1); what is assumed is told once, streamed
or not."""

import json
import os
from pathlib import Path

import pytest

from ccdmon.cli import main
from ccdmon.formats import importer

STATED = "Test Time (s),Voltage (V),Current (A),State\n" + "".join(
    f"{t},{0.1 * s},0.001,{'C' if s > 0 else 'D'}\n" for t in range(0, 200, 10) for s in [(-1) ** (t // 50)]
)


@pytest.mark.parametrize("what", ["fifo", "device", "nothing", "folder"])
def test_what_is_no_file_is_unusable(tmp_path: Path, what: str, capsys: pytest.CaptureFixture[str]) -> None:
    path = Path("/dev/zero") if what == "device" else tmp_path / what
    if what == "fifo":
        os.mkfifo(path)
    elif what == "folder":
        path.mkdir()
    good = tmp_path / "good.csv"
    good.write_text(STATED)
    for argv in (["validate", good, path], ["analyze", path], ["convert", path, tmp_path / "o.bdf.csv"]):
        assert main(list(map(str, argv))) == 2
        told = capsys.readouterr()
        assert told.err.count("\n") == 1
        assert str(path) in told.err


def test_a_file_without_a_trace_is_invalid(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "t.bdf.csv").write_text("Test Time / s,Voltage / V,Current / A\n0,x,1\n")
    assert main(["validate", str(tmp_path / "t.bdf.csv")]) == 1
    assert main(["analyze", str(tmp_path / "t.bdf.csv")]) == 2
    assert "row 0" in capsys.readouterr().err


@pytest.mark.parametrize("long_bytes", [0, 1 << 26])
def test_what_is_assumed_is_told_once(
    tmp_path: Path, long_bytes: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(importer, "LONG_BYTES", long_bytes)
    (tmp_path / "t.txt").write_text(STATED)
    target = tmp_path / "o.bdf.csv"
    assert main(["convert", str(tmp_path / "t.txt"), str(target), "--json"]) == 0
    told = capsys.readouterr()
    notes = json.loads(told.out)["notes"]
    assert notes
    assert [told.err.count(note) for note in notes] == [1] * len(notes)
    sidecar = json.loads((tmp_path / "o.bdf.metadata.json").read_text())
    assert sidecar["extras"]["import"]["notes"] == notes
    assert json.loads(told.out)["format"] == sidecar["extras"]["import"]["format"]
    assert main(["analyze", str(tmp_path / "t.txt"), "--area-cm2", "1"]) == 0
    assert capsys.readouterr().err.count(notes[0]) == 1


def test_what_is_left_out_of_a_long_file_is_told_as_of_a_short_one(tmp_path: Path) -> None:
    """Text between the rows, and a second table: known only when the file was read to its end."""
    labels = "Time (s),Voltage (V),Current (A)\n"
    rows = [f"{t},0.1,0.001\n" for t in range(100)]
    path = tmp_path / "t.txt"
    path.write_text(labels + "".join(rows[:50]) + "a pause\n" + labels + "".join(rows[50:]) + "the end\n")
    pieces = list(importer.iter_trace(path))
    told = {note for piece in pieces for note in piece.notes}
    assert told == set(importer.read_trace(path).notes)
    assert "2 tables one below the other are read as one test" in told
    assert any("lines of text" in note for note in told)
    assert sum(map(len, pieces)) == 100
