"""Resets of the emulated Pico while armed: the gate opens and the reason is latched on flash."""

import struct
from pathlib import Path

import pytest
from littlefs import LittleFS, UserContext
from rp2040py.utils import firmware_retrieve

from ccdmon_fw import limits, store, wire
from ccdmon_hil.pico import PicoTarget
from ccdmon_hil.session import Session

pytestmark = pytest.mark.pico

MAIN = b"""
from ccdmon_fw import app, board, commands, pico
pico.WATCHDOG_MS = 300
def stop_sampling(_self, _sequence, _fields, _rest):
    pico._timer.deinit()
commands.Commands._keep_alive = stop_sampling
app.run(board)
"""


class BreakableTarget(PicoTarget):
    """Firmware whose `keep_alive` command stops the timer, as a dead interrupt would."""

    def _boot(self, files: dict[str, bytes]) -> None:
        super()._boot(files | {"main.py": MAIN})


def test_samples_that_stop_reset_the_chip_and_the_trip_stays(pico_image: Path, tmp_path: Path) -> None:
    target = BreakableTarget(pico_image)
    session = Session(target)
    session.start()
    session.command(wire.STREAM, wire.pack(wire.STREAM, wire.EVENTS_ONLY, 0))
    session.arm()
    assert target.edges[-1].closed
    stopped_us = target.virtual_us()
    session.command(wire.KEEP_ALIVE)
    while target.edges[-1].closed and target.virtual_us() < stopped_us + 2e6:
        session.pump()
    assert not target.edges[-1].closed
    assert target.edges[-1].virtual_us < stopped_us + 600e3  # 300 ms of the watchdog, and the way there
    rebooted_us = target.virtual_us()
    while target.virtual_us() < rebooted_us + 0.8e6:
        session.pump()
    trip_id, _, reason = latched(target, tmp_path)
    assert (trip_id, limits.REASONS[reason]) == (1, "watchdog")
    assert not target.edges[-1].closed
    session.close()


def latched(target: PicoTarget, folder: Path) -> tuple[int, int, int]:
    """(trip id, last id, reason) as they lie on the board's flash."""
    layout = firmware_retrieve.flash_layout(firmware_retrieve.MICROPYTHON, "pico")
    block_size, block_count = layout["fs_blocksize"], layout["fs_blockcount"]
    context = UserContext(buffsize=block_size * block_count)
    context.buffer[:] = target._mcu.flash[layout["fs_start"] : layout["fs_start"] + block_size * block_count]
    disk = LittleFS(
        context=context, block_size=block_size, block_count=block_count, prog_size=256, mount=True
    )
    for name in disk.listdir("/ccdmon"):
        with disk.open(f"/ccdmon/{name}", "rb") as file:
            (folder / name).write_bytes(file.read())
    record = store.Slots(str(folder), "latch", 2).newest()
    assert record is not None
    return struct.unpack("<IIB", record[1])
