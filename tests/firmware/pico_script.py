"""Runs a script on the emulated Pico with the firmware beside it, and returns what it printed."""

import time
from collections.abc import Callable
from pathlib import Path

import pytest

import ccdmon_hil.rigs.pico
from ccdmon.link.firmware import compiled_files, firmware_files
from ccdmon_hil.rigs.pico import PicoTarget

FIRMWARE = Path(__file__).resolve().parents[2] / "firmware"
_PRINT_AFTERWARDS = """
import machine, time
machine.ADC(0).read_u16()  # the rig takes the first conversion for the sign that the board is up
time.sleep_ms(20)
_lines = []
def say(*words):
    _lines.append(" ".join(str(word) for word in words))
try:
    exec(_script)
except Exception as error:
    say("FAILED", repr(error))
for _ in range(3):  # the console may not be open yet: what is printed before is lost
    for _line in ["BEGIN"] + _lines + ["END"]:
        print(_line)
    time.sleep_ms(20)
"""


def run_on_pico(
    monkeypatch: pytest.MonkeyPatch,
    image: Path,
    script: str,
    limit_s: float = 120.0,
    make_target: Callable[[Path], PicoTarget] = PicoTarget,
    board: str | None = None,
    data: dict[str, bytes] | None = None,
) -> list[str]:
    """Lines that `script` gave to its function `say`, run as main.py on a fresh board.

    `board`: its description; `data`: other files that lie on its flash.
    """
    files = compiled_files(ccdmon_hil.rigs.pico.ARCHITECTURE) or firmware_files()
    files |= data or {}
    files["main.py"] = f"_script = {script!r}\n{_PRINT_AFTERWARDS}".encode()
    if board is not None:
        files["board.py"] = board.encode()
    monkeypatch.setattr(ccdmon_hil.rigs.pico, "compiled_files", lambda _architecture: None)
    monkeypatch.setattr(ccdmon_hil.rigs.pico, "firmware_files", lambda: files)
    target = make_target(image)
    target.start()
    printed = b""
    until_s = time.monotonic() + limit_s
    while printed.count(b"END\r\n") < 2 and time.monotonic() < until_s:
        printed += target.receive()
    target.close()
    block = printed.decode().split("END\r\n")[1].split("BEGIN\r\n")[-1]
    return block.split("\r\n")[:-1]
