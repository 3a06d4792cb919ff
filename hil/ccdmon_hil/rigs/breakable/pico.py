"""The emulated Pico with a firmware that also carries out Python of ours (`hook.py`), and with power that may fail.

rig = HookedTarget(image)
session = Session(rig)
session.start()
hook(session, "pico._timer.deinit()")
rig.cut_power_at(3, torn_bytes=100)         # the third flash command from now on ends after 100 bytes
rig.power_cut                               # True once that happened; nothing reaches the flash any more
rig.restore_power()
"""

import operator
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ccdmon.errors import DeviceError
from ccdmon_fw import wire
from ccdmon_hil.rigs.breakable.hooks import BREAKABLE as BREAKABLE_TEXT
from ccdmon_hil.rigs.breakable.hooks import HOOKS, hook, settings
from ccdmon_hil.rigs.pico import PicoTarget, change_file_system
from ccdmon_hil.rigs.pico_firmware import PICO_PINS
from ccdmon_hil.rigs.session import Session
from ccdmon_hil.rigs.target import Source

__all__ = ["HookedTarget", "hook", "open_hooked", "run_for", "settings", "wait_for_opening"]
MAIN = ("from ccdmon_fw import board, pico\n" + HOOKS).encode()
BREAKABLE = BREAKABLE_TEXT.encode()
RUN = b"app.run(board)\n"
WRITES = (0x02, 0x20, 0xD8)  # page program, sector and block erase: the flash commands that change something
PATIENCE_S = 10.0  # virtual, for the gate
FILLER = "filler"
BLOCK_BYTES = 4096
ERASE_BYTES = {0x20: 4096, 0xD8: 65536}


class HookedTarget(PicoTarget):
    """See the top of this file."""

    main = MAIN + BREAKABLE + RUN
    power_cut = False
    flash_writes = 0  # since the boot

    def __init__(self, image: Path) -> None:
        super().__init__(image)
        # Level of the contact, by the gate: to ground, closes with it.
        self.contact: Callable[[bool], bool] = operator.not_
        self.pump_us: list[float] = []  # instants of the pump pin's edges
        self.stands_on: int | None = None  # the channel of the converter's multiplexer, whatever it is told

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

    def restore_power(self, clock_at_us: int = 0) -> None:
        """Boot again from the flash as the cut left it, the chip's clock at that time; returns when it samples."""
        self.power_cut = False
        self._cut_at = -1
        self.power_cycle()
        assert self._mcu is not None
        self._mcu.timer._epoch_nanos -= clock_at_us * 1000
        self._run_until_sampling()

    def await_reset(self) -> None:
        """Let the chip run until its watchdog resets it, and boot; returns when it samples."""
        while self._sampling:
            self.receive()
        self._run_until_sampling()

    def play_on(self, source: Source) -> None:
        """The rows that follow come from another source."""
        self._source = source

    def fill_flash(self, full: bool) -> None:
        """Take every free block of the file system, or give them back. For a chip that is about to boot."""
        assert self._mcu is not None
        change_file_system(self._mcu, lambda disk: _fill(disk, full))

    def reset_usb(self) -> None:
        """The host resets the bus, 10 ms from now, and enumerates the chip again."""
        assert self._mcu is not None
        self._enumerated = False
        self._cdc._on_controller_reset()  # the host's side of it forgets what it knew
        self._mcu.usb_ctrl.reset_device()

    def write_word(self, address: int, value: int) -> None:
        """Something outside the program changes a word of RAM or flash."""
        assert self._mcu is not None
        self._mcu.write_uint32(address, value)

    def slow_processor_clock(self, share: float) -> None:
        """The processor's cycles, as SysTick counts them, come at a share of their rate; the timer's us stay."""
        assert self._mcu is not None
        self._mcu.ppb.systick_timer.frequency = round(125e6 * share)

    def move_contact(self) -> None:
        """The contact goes where `contact` puts it now."""
        self.set_pin(PICO_PINS.feedback, self.contact(self._closed))

    def _wire_pins(self, mcu: Any) -> None:
        super()._wire_pins(mcu)
        convert = self._convert
        self._convert = lambda channel: convert(channel if self.stands_on is None else self.stands_on)
        mcu.gpio[PICO_PINS.pump].add_listener(lambda _now, _before: self.pump_us.append(self.virtual_us()))
        self.move_contact()

    def _on_gate(self, state: Any, before: Any) -> None:
        super()._on_gate(state, before)
        self.move_contact()

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


def _fill(disk: Any, full: bool) -> None:
    """Files of whole blocks until no block is free, or those files away."""
    from littlefs import LittleFSError

    if not full:
        for name in [name for name in disk.listdir("/") if name.startswith(FILLER)]:
            disk.remove(name)
        return
    for number in range(10):
        free = disk.block_count - disk.used_block_count
        try:
            with disk.open(f"{FILLER}{number}", "wb") as file:
                file.write(bytes(max(free - 4, 1) * BLOCK_BYTES))  # some go into its own index
        except LittleFSError:
            return


def open_hooked(image: Path) -> Session:
    """A running session on such a rig, silent but for answers and trips."""
    session = Session(HookedTarget(image))
    session.start()
    session.command(wire.STREAM, wire.pack(wire.STREAM, wire.EVENTS_ONLY, 0))
    return session


def run_for(session: Session, virtual_us: float) -> None:
    """Let so much of the emulator's time pass."""
    until_us = session.target.virtual_us() + virtual_us  # type: ignore[attr-defined]
    while session.target.virtual_us() < until_us:  # type: ignore[attr-defined]
        session.pump()


def wait_for_opening(session: Session, limit_s: float = PATIENCE_S) -> None:
    """Until the gate's pin has opened; `DeviceError` after `limit_s` of the emulator's time."""
    until_s = session.now_s() + limit_s
    while session.target.edges and session.target.edges[-1].closed:
        session.pump()
        if session.now_s() > until_s:
            raise DeviceError(f"rig {session.target.name}: the gate stays closed")
