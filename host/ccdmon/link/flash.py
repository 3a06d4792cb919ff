"""Puts the firmware on a board: compiled where that fits, verified by hash, and seen to answer.

Settings and trips of the board (`/ccdmon`) stay. `main.py` goes first and comes last, so that a deployment cut short
leaves a board that does nothing, with `boot.py` holding its gate open.
"""

import contextlib
import hashlib
import itertools
import re
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ccdmon.errors import DeviceError
from ccdmon.link.console import Console
from ccdmon.link.decoder import Decoder, Message
from ccdmon.link.device import Device, RefusedError
from ccdmon.link.firmware import (
    ARCHITECTURES,
    DESCRIPTION,
    PICO,
    bytecode_fits,
    compiled_files,
    firmware_files,
)
from ccdmon.link.port import Port, name_of, patience, plugged_in, usb_identity
from ccdmon_fw import limits, wire
from ccdmon_fw.chips import known

OLDEST_MICROPYTHON = (1, 26, 0)
PLATFORM = "rp2"
PACKAGE = "ccdmon_fw"
ASK_LIMIT_S = 8.0  # for a sign of what is on the console
RESTART_LIMIT_S = 60.0
PROMPT_TRIES = 3
ASK_AGAIN_S = 2.0
_PROMPT_ACTS_ON = frozenset(range(1, 7))  # Ctrl-A to Ctrl-F: other modes, an interrupt, a restart

Say = Callable[[str], object]


@dataclass(frozen=True)
class Flashed:
    """What was done: see `document`."""

    port: str
    micropython: str
    compiled: bool
    files: int
    written: int
    removed: int
    bytes_written: int
    identity: Mapping[str, Any]

    def document(self) -> dict[str, Any]:
        """`ccdmon flash --json`."""
        return {
            "schema": "ccdmon.flash/1",
            "port": self.port,
            "micropython": self.micropython,
            "compiled": self.compiled,
            "files": self.files,
            "written": self.written,
            "removed": self.removed,
            "bytes_written": self.bytes_written,
            "firmware": {name: self.identity.get(name) for name in ("version", "board", "id")},
            "fault": self.identity.get("fault"),
        }


def flash(port: str, say: Say, *, board: str = PICO, source: bool = False, unproven: bool = False) -> Flashed:
    """Deploy the firmware with the description of `board`; `source`: not compiled. `say` gets lines of progress.

    `unproven`: also on a board that it was never run on, see `ccdmon_fw/chips/known.py`.

    Raises `InputError` for a description that is none, `DeviceError` where the board cannot run it or fails.
    """
    firmware_files(board)  # a board that does not exist is told before anything is touched
    identity = usb_identity(port)
    port, console = prompt(port, say)
    with console:
        micropython, architecture, mpy, machine = _check_board(console, port)
        accepted = _accept(machine, mpy, port, unproven, say)
        files, compiled = _files(board, architecture, mpy, source, say)
        if accepted:
            files[known.ACCEPTED] = accepted.encode()
        written, removed = _deploy(console, port, files, say)
        say("starting it")
        console.reset()
    port = _await_port(port, identity)
    return Flashed(
        port, micropython, compiled, len(files), len(written), removed,
        sum(len(files[name]) for name in written), see_it_run(port, board),
    )  # fmt: skip


def prompt(port: str, say: Say) -> tuple[str, Console]:
    """(port, its prompt), whatever runs on the board; tried again for one that was just starting its program.

    Raises `DeviceError` while the board is armed, or where no MicroPython answers.
    """
    identity = usb_identity(port)
    for _ in range(PROMPT_TRIES - 1):
        port = leave_program(port, identity, say)
        with contextlib.suppress(DeviceError):
            return port, Console(port)
    port = leave_program(port, identity, say)
    return port, Console(port)


def leave_program(port: str, identity: tuple[int, int, str] | None, say: Say) -> str:
    """Bring back the prompt of a board whose console carries frames; the port where it is then.

    `identity`: see `port.usb_identity`. Raises `DeviceError` while the board is armed.
    """
    for _ in range(3):  # a board whose watchdog runs starts afresh once, with the program again
        with Port(port) as open_port:
            if not runs_ccdmon(open_port):
                return port
            say("ending the firmware that runs on it")
            try:
                _device(open_port).command(wire.EXIT)
            except RefusedError as error:
                if error.result != "armed":
                    raise
                raise DeviceError(
                    f"port {port}: the board is armed, its cell may carry current; first `ccdmon disarm --port {port}`"
                ) from error
        port = _await_port(port, identity)
    raise DeviceError(f"port {port}: the firmware does not leave the console; take the board off its power")


def runs_ccdmon(port: Port) -> bool:
    """Whether a ccdmon answers; False for a prompt or silence.

    Not whether frames come: those of a program that has ended may still be on their way.
    """
    decoder, text, numbers = Decoder(), b"", set()
    slower = patience(port.name)
    begun_s, asked_s = time.monotonic(), -ASK_AGAIN_S * slower
    while (now_s := time.monotonic()) - begun_s < ASK_LIMIT_S * slower:
        if now_s - asked_s >= ASK_AGAIN_S * slower:
            asked_s = now_s
            number, frame = next(_questions)
            numbers.add(number)
            # For a prompt: leave the raw REPL, an empty line. Zeros end frames.
            port.write(b"\0" + frame + b"\r\x02\r\0")
        data = port.read()
        text = (text + data)[-200:]
        for event in decoder.feed(data):
            if (
                isinstance(event, Message)
                and event.name == "ack"
                and event.fields["command_sequence"] in numbers
            ):
                return True
        if b"\n>>> " in text:
            return False
    return False


def _status_requests() -> Iterator[tuple[int, bytes]]:
    """(number, frame) without a byte that a prompt would act on, each another one."""
    for number in itertools.cycle(range(0xFFFF, 0x8000, -1)):
        frame = wire.encode(wire.GET_STATUS, number)
        if not _PROMPT_ACTS_ON & set(frame):
            yield number, frame


_questions = _status_requests()


def _check_board(console: Console, port: str) -> tuple[str, str | None, int, str]:
    """(MicroPython's version, architecture of its native code, its `_mpy`, the board's name). `DeviceError`: unfit."""
    console.run("import sys")
    version, mpy, platform, machine = console.evaluate(
        "(tuple(sys.implementation.version[:3]), getattr(sys.implementation, '_mpy', 0), sys.platform, "
        "getattr(sys.implementation, '_machine', ''))"
    )
    text = ".".join(map(str, version))
    if version < OLDEST_MICROPYTHON or platform != PLATFORM:
        raise DeviceError(
            f"port {port}: MicroPython {text} for {platform} is on this board; ccdmon needs 1.26 or newer on a "
            "Raspberry Pi Pico: put such an image on it (hold BOOTSEL while plugging it in)"
        )
    number = mpy >> 10
    return text, ARCHITECTURES[number] if number < len(ARCHITECTURES) else None, mpy, machine


def _accept(machine: str, mpy: int, port: str, unproven: bool, say: Say) -> str:
    """The name to accept as unproven; "" for a board that needs none. `DeviceError` for one that is not known."""
    if known.problem(machine, mpy, "") == "":
        return ""
    why = known.problem(machine, mpy, machine if unproven else "")
    if why:
        raise DeviceError(f"port {port}: {why}")
    say(
        f"{machine}: this firmware was never run on one; connect no cell before you have seen it open its gate"
    )
    return machine


def _files(
    board: str, architecture: str | None, mpy: int, source: bool, say: Say
) -> tuple[dict[str, bytes], bool]:
    files = None if source or architecture is None else compiled_files(architecture, board)
    if files is not None and bytecode_fits(files, mpy):
        say(f"{len(files)} files, compiled for {architecture}")
        return files, True
    files = firmware_files(board)
    reason = (
        "" if source else ": the board compiles them at every start (no mpy-cross that fits its MicroPython)"
    )
    say(f"{len(files)} files as source{reason}")
    return files, False


def _deploy(console: Console, port: str, files: Mapping[str, bytes], say: Say) -> tuple[list[str], int]:
    """(names written, how many were removed); afterwards exactly `files` are there, checked by hash."""
    places = (
        PACKAGE,
        "boot.py",
        "main.py",
        known.ACCEPTED,
        DESCRIPTION,
        DESCRIPTION.removesuffix(".py") + ".mpy",
    )
    wanted = {name: hashlib.sha256(content).hexdigest() for name, content in files.items()}
    there = console.hashes(places)
    if there == wanted:
        say("all of them are on the board already")
        return [], 0
    if "main.py" in there:
        console.remove("main.py")
        del there["main.py"]
    # A module's source beside its bytecode would be preferred by MicroPython.
    stale = [name for name in there if name not in wanted]
    for name in stale:
        console.remove(name)
    for folder in sorted({name.rpartition("/")[0] for name in files} - {""}):
        console.make_folder(folder)
    changed = [name for name in files if there.get(name) != wanted[name] and name != "main.py"]
    for number, name in enumerate([*changed, "main.py"], start=1):
        say(f"writing {number}/{len(changed) + 1} {name}")
        console.write(name, files[name])
    if console.hashes(places) != wanted:
        raise DeviceError(f"port {port}: what lies on the board differs from what was sent; flash it again")
    return [*changed, "main.py"], len(stale)


def _await_port(port: str, identity: tuple[int, int, str] | None) -> str:
    """The port after a reset: a USB board goes and comes back, perhaps under another name."""
    if identity is None:
        return port
    until_s = time.monotonic() + RESTART_LIMIT_S
    time.sleep(1.0)
    while time.monotonic() < until_s:
        found = name_of(identity)
        if found is not None:
            return found
        time.sleep(0.2)
    raise DeviceError(f"port {port}: the board does not come back after its reset; plug it in again")


def await_board(before: Collection[str]) -> str:
    """The port of a board that comes up and was not among those of `before`. Raises `DeviceError`."""
    until_s = time.monotonic() + RESTART_LIMIT_S
    while time.monotonic() < until_s:
        if new := [port for port in plugged_in() if port not in before]:
            return new[0]
        time.sleep(0.2)
    raise DeviceError(
        f"the image was copied and no board came up within {RESTART_LIMIT_S:g} s; plug it in again without BOOTSEL, "
        "then look at it with `ccdmon doctor`"
    )


def see_it_run(port: str, board: str) -> dict[str, Any]:
    """The identity of the firmware that runs there. Raises `DeviceError` where it is not this package's."""
    with Port(port) as open_port:
        identity = _device(open_port).identify()
    if identity.get("version") != limits.VERSION:
        raise DeviceError(
            f"port {port}: the board runs firmware {identity.get('version')}, not {limits.VERSION}; flash it again"
        )
    name = _name_in(firmware_files(board).get(DESCRIPTION))
    if name is not None and identity.get("board") != name:
        raise DeviceError(
            f"port {port}: the board calls itself {identity.get('board')}, not {name}; flash it again"
        )
    return identity


def _device(port: Port) -> Device:
    return Device(port.write, port.read, f"port {port.name}", answer_limit_s=RESTART_LIMIT_S)


def _name_in(own: bytes | None) -> str | None:
    found = re.search(rb'^NAME = "(.*)"$', own or b"", re.MULTILINE)
    return found.group(1).decode() if found else None
