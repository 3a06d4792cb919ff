"""The emulated Pico with a firmware that also carries out Python of ours (`hook.py`), and with power that may fail.

rig = HookedTarget(image)
session = Session(rig)
session.start()
hook(session, "pico._timer.deinit()")
rig.cut_power_at(3, torn_bytes=100)         # the third flash command from now on ends after 100 bytes
rig.power_cut                               # True once that happened; nothing reaches the flash any more
rig.restore_power()
"""

import time
from pathlib import Path

from ccdmon.errors import DeviceError
from ccdmon_fw import wire
from ccdmon_hil.hook import BREAKABLE as BREAKABLE_TEXT
from ccdmon_hil.hook import HOOKS, hook, settings
from ccdmon_hil.pico import PicoTarget
from ccdmon_hil.session import Session

__all__ = ["HookedTarget", "hook", "open_hooked", "run_for", "settings", "wait_for_opening"]
MAIN = ("from ccdmon_fw import board, pico\n" + HOOKS).encode()
BREAKABLE = BREAKABLE_TEXT.encode()
RUN = b"app.run(board)\n"
WRITES = (0x02, 0x20, 0xD8)  # page program, sector and block erase: the flash commands that change something
PATIENCE_S = 300.0  # of the machine's time, for an answer: it may be crowded
ERASE_BYTES = {0x20: 4096, 0xD8: 65536}


class HookedTarget(PicoTarget):
    """See the top of this file."""

    main = MAIN + BREAKABLE + RUN
    power_cut = False
    flash_writes = 0  # since the boot

    def _boot(self, files: dict[str, bytes]) -> None:
        super()._boot(files | {"main.py": self.main})
        assert self._mcu is not None
        self._ssi = self._mcu.ssi
        self._apply_command = self._ssi._apply_command
        self._cut_at = -1
        self._torn_bytes = 0
        self._ssi._apply_command = self._on_command  # type: ignore[method-assign] # no hook there

    def cut_power_at(self, write: int, torn_bytes: int = 0) -> None:
        """Let the power fail in the `write`-th erase or program from now on (from 1), after some of its bytes."""
        self.power_cut = False
        self._cut_at = self.flash_writes + write
        self._torn_bytes = torn_bytes

    def restore_power(self) -> None:
        """Boot again from the flash as the cut left it; returns when it samples."""
        self.power_cut = False
        self._cut_at = -1
        self.power_cycle()
        self._run_until_sampling()

    def _on_command(self) -> None:
        command = self._ssi._tx_buffer
        if command and command[0] in WRITES and self._ssi._write_enabled:
            self.flash_writes += 1
            if self._cut_at >= 0 and self.flash_writes >= self._cut_at:
                self._tear(command)
                return
        self._apply_command()

    def _tear(self, command: bytearray) -> None:
        """Power fails: part of the first command still reaches the flash, the rest never does."""
        if not self.power_cut:
            self.power_cut = True
            assert self._mcu is not None
            flash, address = self._mcu.flash, int.from_bytes(command[1:4], "big")
            if command[0] in ERASE_BYTES:
                address &= ~(ERASE_BYTES[command[0]] - 1)
                flash[address : address + self._torn_bytes] = b"\xff" * self._torn_bytes
            for offset, byte in enumerate(command[4 : 4 + self._torn_bytes] if command[0] == 0x02 else b""):
                flash[address + offset] &= byte
        self._ssi._write_enabled = False
        self._ssi._tx_buffer = bytearray()


def open_hooked(image: Path) -> Session:
    """A running session on such a rig, silent but for answers and trips."""
    session = Session(HookedTarget(image), answer_limit_s=PATIENCE_S)
    session.start()
    session.command(wire.STREAM, wire.pack(wire.STREAM, wire.EVENTS_ONLY, 0))
    return session


def run_for(session: Session, virtual_us: float) -> None:
    """Let so much of the emulator's time pass."""
    until_us = session.target.virtual_us() + virtual_us  # type: ignore[attr-defined]
    while session.target.virtual_us() < until_us:  # type: ignore[attr-defined]
        session.pump()


def wait_for_opening(session: Session, limit_s: float = PATIENCE_S) -> None:
    """Until the gate's pin has opened; `DeviceError` after `limit_s` of the machine's time."""
    until_s = time.monotonic() + limit_s
    while session.target.edges and session.target.edges[-1].closed:
        session.pump()
        if time.monotonic() > until_s:
            raise DeviceError(f"rig {session.target.name}: the gate stays closed")
