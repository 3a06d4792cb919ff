"""What a recording says: messages stand above the state line; its end, with a report or without."""

import io
import re
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from ccdmon.cli import record
from ccdmon.record import terminal as record_terminal
from ccdmon.record.terminal import Terminal
from ccdmon.report import run_report
from ccdmon.run.state_line import state_line
from tests.host.wire_stream import Device, recorded_run

STATE: dict[str, Any] = {
    "elapsed_s": 3.0, "voltage_V": 0.1, "current_A": 1e-3, "gate": "closed", "link": "up", "trip": None, "disk": None,
    "samples": 64, "missing_samples": 0, "free_bytes": 5e9, "stop_in_s": None,
}  # fmt: skip


def terminal(is_terminal: bool) -> tuple[Terminal, io.StringIO]:
    out = io.StringIO()
    return Terminal(Console(file=out, force_terminal=is_terminal, width=100, highlight=False)), out


def screen(written: str) -> list[str]:
    """Lines as they stand in the end, of a terminal that knows return, new line, up and erasing of a line."""
    lines, row, at = [""], 0, 0
    for part in re.findall(r"\r|\n|\x1b\[[0-9;?]*[A-Za-z]|[^\r\n\x1b]+", written):
        if part == "\n":
            row, at = row + 1, 0
            lines += [""] * (row == len(lines))
        elif part == "\r":
            at = 0
        elif part == "\x1b[1A":
            row -= 1
        elif part == "\x1b[2K":
            lines[row] = ""
        elif not part.startswith("\x1b"):
            lines[row] = lines[row][:at] + part + lines[row][at + len(part) :]
            at += len(part)
    return [line for line in lines if line]


def test_a_message_stands_on_a_line_of_its_own(monkeypatch: Any) -> None:
    monkeypatch.setattr(record_terminal, "SHOWN_EVERY_S", 0.0)
    shown, out = terminal(True)
    with shown.state_line() as show:
        show(lambda: STATE)
        shown.say("TRIP 1: hard short; the gate is open")
        show(lambda: STATE)
        message, measured, kept = screen(out.getvalue())
    assert re.fullmatch(r"\d\d:\d\d:\d\d TRIP 1: hard short; the gate is open", message)
    assert measured == "00:00:03 · 100 mV · 1 mA · 100 Ω"
    assert kept == "gate closed · 64 samples · 0 missing · 5 GB free"


def test_a_week_at_2_khz_fits_a_usual_terminal() -> None:
    week = {"elapsed_s": 6e5, "voltage_V": -0.3448, "current_A": -2.402e-3, "pressure_Pa": 2.002e6,
            "temperature_degC": 22.0, "samples": 1_209_600_000, "free_bytes": 700e9, "stop_in_s": 86400.0}  # fmt: skip
    lines = state_line({**STATE, **week}).split("\n")
    assert max(map(len, lines)) < 80
    assert "700 GB free" in lines[1] and lines[1].endswith("1d 00:00:00 left")


def test_where_no_terminal_is_there_are_messages_only() -> None:
    shown, out = terminal(False)
    with shown.state_line() as show:
        show(lambda: STATE)
        shown.say("TRIP 1")
    assert out.getvalue() == "ccdmon record: TRIP 1\n"


@pytest.mark.parametrize("cause", ["ctrl-c", "nothing recorded", "disk full"])
def test_a_report_that_cannot_be_written_is_one_line_and_no_failure(
    cause: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []
    if cause == "ctrl-c":

        def interrupted(_folder: Path) -> None:
            raise KeyboardInterrupt

        monkeypatch.setattr(run_report, "write_run_report", interrupted)
    folder = recorded_run(tmp_path / "r", Device().identity() if cause == "nothing recorded" else None)
    if cause == "disk full":
        (folder / "report.html").mkdir()
    assert record.report_of(folder, said.append) is None
    assert len(said) == 2
    assert {
        "ctrl-c": "ccdmon report",
        "nothing recorded": "nothing was recorded",
        "disk full": "cannot write",
    }[cause] in said[1]
