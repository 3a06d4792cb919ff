"""The terminal of a recording: messages stand above the state line, which is there only on a terminal."""

import io
import re
from typing import Any

from rich.console import Console

from ccdmon import record_terminal
from ccdmon.record_terminal import Terminal

STATE: dict[str, Any] = {
    "elapsed_s": 3.0, "voltage_V": 0.1, "current_A": 1e-3, "gate": "closed", "link": "up", "trip": None, "disk": None,
    "samples": 64, "missing_samples": 0, "free_bytes": 5e9, "stop_in_s": None,
}  # fmt: skip


def terminal(is_terminal: bool) -> tuple[Terminal, io.StringIO]:
    out = io.StringIO()
    return Terminal(Console(file=out, force_terminal=is_terminal, width=100, highlight=False)), out


def screen(written: str) -> list[str]:
    """Lines as they stand in the end, of a terminal that knows carriage return, new line and erasing of a line."""
    lines, at = [""], 0
    for part in re.findall(r"\r|\n|\x1b\[[0-9;?]*[A-Za-z]|[^\r\n\x1b]+", written):
        if part == "\n":
            lines.append("")
            at = 0
        elif part == "\r":
            at = 0
        elif part == "\x1b[2K":
            lines[-1] = ""
        elif not part.startswith("\x1b"):
            lines[-1] = lines[-1][:at] + part + lines[-1][at + len(part) :]
            at += len(part)
    return [line for line in lines if line]


def test_a_message_stands_on_a_line_of_its_own(monkeypatch: Any) -> None:
    monkeypatch.setattr(record_terminal, "SHOWN_EVERY_S", 0.0)
    shown, out = terminal(True)
    with shown.state_line() as show:
        show(lambda: STATE)
        shown.say("TRIP 1: hard short; the gate is open")
        show(lambda: STATE)
        message, state = screen(out.getvalue())
    assert re.fullmatch(r"\d\d:\d\d:\d\d TRIP 1: hard short; the gate is open", message)
    assert state.startswith("00:00:03 · 100 mV · 1 mA · 100 Ω · gate closed")


def test_where_no_terminal_is_there_are_messages_only() -> None:
    shown, out = terminal(False)
    with shown.state_line() as show:
        show(lambda: STATE)
        shown.say("TRIP 1")
    assert out.getvalue() == "ccdmon record: TRIP 1\n"
