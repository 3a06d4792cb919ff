"""A fixed drive of the emulated Pico, and digests of all that it shows; a program, for the emulator is chosen once.

    python tests/hil/rigs/emulator/drive.py IMAGE [--begin]

With `--begin` two begins of a boot and a power cycle between them. Else boot, identity, settings, self-test, armed rows
whose samples are streamed, a short that trips, a torn write of its black box, a main loop that hangs until the watchdog
resets the chip and the begin of its boot, a power cycle and that of the next. Whole boots take the wheel nine seconds
each.
"""

import hashlib
import json
import sys
from pathlib import Path

from ccdmon.link.firmware import compiled_files
from ccdmon_fw import wire
from ccdmon_hil.rigs import pico
from ccdmon_hil.rigs.breakable.pico import HookedTarget, settings
from ccdmon_hil.rigs.session import Session
from ccdmon_hil.rigs.target import Codes

HEALTHY: Codes = (40000, 40000, 32768)
SHORTED: Codes = (32784, 40000, 32768)
SHORTED_FROM = 40  # row
HANGS = b"import machine\nmachine.WDT(timeout=5)\nwhile True: pass"
BEGIN_US, MOUNTED_US = 60_000, 150_000  # of a boot; by the second the flash was read


def begin(image: Path) -> dict[str, str]:
    """As `drive`, of what takes the wheel some seconds."""
    rig = HookedTarget(image)
    rig.models_cache = False  # the wheel has none
    rig.power_on(compiled_files(pico.ARCHITECTURE))
    rig.run_until(BEGIN_US)
    rig.power_cycle()
    rig.run_until(rig.virtual_us() + MOUNTED_US)
    return {"emulator": pico.EMULATOR} | digests(rig, b"")


def drive(image: Path) -> dict[str, str]:
    """Which emulator ran, and a digest of each part of what it left."""
    received = bytearray()
    rig = HookedTarget(image)
    rig.models_cache = False  # the wheel has none
    session = Session(rig, received.extend)
    session.start()
    session.configure(settings(self_test_ms=20, overrun_limit=20, sample_period_us=500))
    session.command(wire.STREAM, wire.pack(wire.STREAM, wire.EVERY_SAMPLE, 0))
    rig.play(lambda row, _closed: SHORTED if row >= SHORTED_FROM else HEALTHY)
    session.arm()
    rig.cut_power_at(5, torn_bytes=100)
    while not rig.power_cut:
        session.pump()
    rig.send(wire.encode(wire.KEEP_ALIVE, 1, HANGS))
    while rig._sampling:  # until the watchdog bites
        session.pump()
    rig.run_until(rig.virtual_us() + BEGIN_US)
    rig.power_cycle()
    rig.run_until(rig.virtual_us() + MOUNTED_US)
    assert rig.edges
    assert len(received) > 1000
    return {"emulator": pico.EMULATOR} | digests(rig, bytes(received))


def digests(rig: HookedTarget, received: bytes) -> dict[str, str]:
    """Of bytes on the wire, edges at pins, memories, registers and clock."""
    chip = rig._mcu
    assert chip
    core = chip.core
    edges = [tuple(edge) for edge in rig.edges]
    parts = {
        "bytes": received,
        "edges": repr((edges, rig.pump_us, rig.flash_writes)).encode(),
        "memory": bytes(chip.sram) + bytes(chip.usb_dpram),
        "flash": bytes(chip.flash),
        "registers": repr((list(core.registers), core.x_psr, core.pm, core.cycles)).encode(),
        "clock": repr(chip.clock.nanos).encode(),
    }
    return {name: hashlib.sha256(part).hexdigest() for name, part in parts.items()}


if __name__ == "__main__":
    print(json.dumps((begin if "--begin" in sys.argv else drive)(Path(sys.argv[1]))))
