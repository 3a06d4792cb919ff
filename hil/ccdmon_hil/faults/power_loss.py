"""Power that fails while flash is written, on the emulated Pico: `python -m ccdmon_hil.faults.power_loss [--cuts N]`.

A trip (its latch, then its black box) and new settings (one slot) are written; power fails in a random one of the flash
commands that takes, after a random part of its bytes, and the board boots again from what was left. What must hold:

    gate      open at the pin
    trip      latched as it was told; or not latched, where power failed before the latch had reached the flash
    black box whole, or empty; those before it are there
    settings  the old or the new ones, never others
"""

import argparse
import random
import sys
from pathlib import Path
from typing import NamedTuple

from ccdmon.errors import CcdmonError
from ccdmon.link.device import RefusedError
from ccdmon_fw import limits, wire
from ccdmon_hil.rigs.breakable.pico import HookedTarget, open_hooked, run_for, settings
from ccdmon_hil.rigs.image import find_image
from ccdmon_hil.rigs.session import Session

TRIP_WRITES = 24  # flash commands of a latch and a black box
CONFIG_WRITES = 4
PATIENCE_US = 600_000.0


class Cut(NamedTuple):
    """One loss of power and what the board said after it."""

    during: str
    write: int
    torn_bytes: int
    happened: bool
    gate_closed: bool
    latched: bool
    reason: str
    box: str  # whole, empty, none, torn
    settings: str  # old, new, defaults, others

    @property
    def holds(self) -> bool:
        """Whether nothing came out that may not."""
        trip_fits = not self.latched or self.reason == "command"
        kept = self.settings in (("old", "new") if self.during == "settings" else ("old",))
        return not self.gate_closed and trip_fits and self.box != "torn" and kept


def cut_power(session: Session, during: str, write: int, torn_bytes: int) -> Cut:
    """Let power fail once, in the `write`-th flash command (from 1) of a trip or of new settings."""
    rig = session.target
    assert isinstance(rig, HookedTarget)
    old, new = settings(confirm_samples=3), settings(confirm_samples=4)
    session.configure(old)
    if during == "trip":
        session.arm()
        run_for(session, 3_000)
        kind, body = wire.FORCE_TRIP, b""
    else:
        kind = wire.SET_CONFIG
        body = wire.pack(kind, limits.SCHEMA, 0, len(new)) + b"".join(
            value.to_bytes(4, "little") for value in new
        )
    rig.cut_power_at(write, torn_bytes)
    rig.send(wire.encode(kind, 1, body))
    until_us = rig.virtual_us() + PATIENCE_US
    while not rig.power_cut and rig.virtual_us() < until_us:
        session.pump()
    happened = rig.power_cut
    rig.restore_power()
    session.device.identify()
    status = session.status()
    return Cut(
        during, write, torn_bytes, happened, bool(rig.edges[-1].closed), bool(status["trip_id"]),
        limits.REASONS[status["reason"]], _box(session, status["trip_id"]), _settings(session, old, new),
    )  # fmt: skip


def _box(session: Session, trip_id: int) -> str:
    if not trip_id:
        return "none"
    try:
        total = session.command(wire.GET_BLACKBOX, wire.pack(wire.GET_BLACKBOX, trip_id))
    except RefusedError as refused:
        return "none" if refused.result == "no_record" else refused.result
    return "whole" if total > 256 else "torn" if total else "empty"


def _settings(session: Session, old: list[int], new: list[int]) -> str:
    kept = session.device.settings()
    names = {"old": old, "new": new, "defaults": limits.default_settings()}
    return next((name for name, settings in names.items() if settings == kept), "others")


def main(arguments: list[str] | None = None) -> int:
    """Print one line for each cut; exit code 1 if something came out that may not."""
    parser = argparse.ArgumentParser(
        prog="python -m ccdmon_hil.faults.power_loss", description=__doc__.split("\n")[0]
    )
    parser.add_argument("--image", type=Path)
    parser.add_argument("--cuts", type=int, default=40)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args(arguments)
    draw = random.Random(options.seed)
    broken = 0
    try:
        session = open_hooked(find_image(options.image))
        for number in range(options.cuts):
            during = "settings" if number % 4 == 3 else "trip"
            write = draw.randint(1, TRIP_WRITES if during == "trip" else CONFIG_WRITES)
            cut = cut_power(session, during, write, draw.choice((0, draw.randint(1, 255), 256, 4096)))
            broken += not cut.holds
            print("holds " if cut.holds else "BROKEN", *cut, flush=True)
    except CcdmonError as error:
        print(f"power_loss: {error}", file=sys.stderr)
        return error.exit_code
    print(f"{options.cuts} cuts, {broken} broken")
    return int(broken > 0)


if __name__ == "__main__":
    sys.exit(main())
