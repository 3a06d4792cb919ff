"""A board's console: leave the firmware that runs there, and run a script from memory by stock mpremote."""

import subprocess
import sys
import tempfile
import time
from pathlib import Path

from ccdmon.errors import DeviceError
from ccdmon.port import Port
from ccdmon_fw import wire

PROMPT = b">>>"
LEAVE_LIMIT_S = 120.0  # an emulated board on a busy machine boots that slowly
ASK_AGAIN_S = 2.0
SILENCE_LIMIT_S = 8.0  # nothing at all comes back: no firmware, or no prompt to be asked for
MPREMOTE_LIMIT_S = 120.0


def leave_firmware(port_name: str) -> None:
    """Bring the board to MicroPython's prompt. `DeviceError` where an armed firmware refuses, or nobody answers."""
    unframer = wire.Unframer()
    until_s = time.monotonic() + LEAVE_LIMIT_S
    silence_limit_s = LEAVE_LIMIT_S if is_pseudo_terminal(port_name) else SILENCE_LIMIT_S
    with Port(port_name) as port:
        heard_s = asked_s = time.monotonic()
        _ask_to_leave(port)
        tail = b""
        while time.monotonic() < until_s and time.monotonic() - heard_s < silence_limit_s:
            data = port.read()
            if data:
                heard_s = time.monotonic()
            tail = (tail + data)[-200:]
            if tail.rstrip().endswith(PROMPT):
                return
            for kind, _, body in unframer.feed(data):
                _check_answer(port_name, kind, bytes(body))
            if time.monotonic() - asked_s > ASK_AGAIN_S:
                asked_s = time.monotonic()
                _ask_to_leave(port)
    raise DeviceError(f"port {port_name}: no MicroPython answers; is it a board with MicroPython on it?")


def run_script(port_name: str, script: str) -> None:
    """Start a script on the board, from memory, and leave it running. Raises `DeviceError` with mpremote's word."""
    with tempfile.NamedTemporaryFile("w", suffix=".py") as file:
        file.write(script)
        file.flush()
        mpremote(port_name, "run", "--no-follow", file.name)


def mpremote(port_name: str, *words: str) -> str:
    """What stock mpremote prints. Raises `DeviceError` with its last line where it fails."""
    command = [sys.executable, "-m", "mpremote", "connect", port_name, *words]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=MPREMOTE_LIMIT_S, check=False)
    except subprocess.TimeoutExpired as error:
        raise DeviceError(f"port {port_name}: mpremote does not come to an end; reset the board") from error
    if done.returncode:
        said = (done.stdout + done.stderr).strip().splitlines()
        raise DeviceError(f"port {port_name}: mpremote: {said[-1] if said else 'no message'}")
    return done.stdout


def is_pseudo_terminal(port_name: str) -> bool:
    """Whether nothing but another program can be behind the port."""
    return Path(port_name).resolve().is_relative_to("/dev/pts")


def _ask_to_leave(port: Port) -> None:
    """A carriage return for a prompt that waits, and the command for a firmware that runs."""
    port.write(b"\r\0" + wire.encode(wire.EXIT, int(time.monotonic() * 10) & 0xFFFF))


def _check_answer(port_name: str, kind: int, body: bytes) -> None:
    if kind != wire.ACK:
        return
    answer = wire.unpack(wire.ACK, body)[0]
    if answer["command"] == wire.EXIT and answer["result"] == wire.ARMED:
        raise DeviceError(f"port {port_name}: the board is armed; disarm it first (`ccdmon disarm`)")
