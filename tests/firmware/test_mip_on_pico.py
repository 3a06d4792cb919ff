"""The `mip` package, put on a blank emulated Pico by the stock mpremote: the board compiles the source and answers."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from ccdmon.link.device import Device
from ccdmon.link.port import Port
from ccdmon_fw import limits

FIRMWARE = Path(__file__).resolve().parents[2] / "firmware"
BOOTS_WITHIN_S = 300.0  # 3 s of a board
pytestmark = [
    pytest.mark.pico,
    pytest.mark.skipif(not os.environ.get("CCDMON_SLOW"), reason="slow: CCDMON_SLOW=1 runs it"),
]


def mpremote(port: str, *command: str) -> None:
    """In the folder of the package; raises where it fails."""
    subprocess.run([sys.executable, "-m", "mpremote", "connect", port, *command], cwd=FIRMWARE, check=True)


def test_a_blank_board_runs_the_firmware_after_mip_install(pico_image: Path) -> None:
    pico_pty = pytest.importorskip("ccdmon_hil.rigs.pico_pty", reason="the emulated Pico is not installed")
    with pico_pty.PicoPty(pico_image) as board:
        mpremote(board.port, "mip", "install", "--target", "", "package.json")
        mpremote(board.port, "reset")
        port = Port(board.port)
        try:
            device = Device(port.write, port.read, "mip", answer_limit_s=BOOTS_WITHIN_S)
            identity = device.identify()  # asked for again and again while it boots: all are answered at once
            status = device.status()
        finally:
            port.close()
    assert (identity["board"], identity["version"]) == ("rpi_pico", limits.VERSION)
    assert (status["gate"], status["armed"], status["reason"]) == (0, 0, 0)
