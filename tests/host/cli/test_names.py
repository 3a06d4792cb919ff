"""Names that no file system takes: one line and exit code 2 from every verb, no bug."""

from pathlib import Path

import pytest

from ccdmon.cli import main

LONG = "x" * 5000


@pytest.mark.parametrize(
    "argv",
    [
        ["analyze", LONG],
        ["analyze", "cell\nof bay 3.csv"],
        ["analyze", "cell.bdf.csv", "--out", LONG],
        ["validate", LONG],
        ["convert", LONG, "out.bdf.csv"],
        ["report", LONG],
        ["replay", LONG],
        ["watch", LONG],
        ["record", "--port", "loop://", "--out", LONG],
        ["init", LONG],
        ["merge", LONG, "other", "--out", "both.bdf.csv"],
        ["demo", "--out", LONG],
    ],
    ids=lambda argv: argv[0],
)
def test_one_line(
    argv: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("cell.bdf.csv").write_text("Test Time / s,Voltage / V,Current / A\n0,1,1\n1,1,1\n")
    assert main(argv) == 2
    told = [line for line in capsys.readouterr().err.splitlines() if not line.startswith("rig ")]
    assert len(told) == 1
    assert told[0].startswith(f"ccdmon {argv[0]}: ")
    assert any(word in told[0] for word in ("check the path", "choose another"))
