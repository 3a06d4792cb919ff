"""The way to the hardware-in-the-loop part: the host never imports it, but loads it by entry point."""

from importlib.metadata import entry_points
from typing import Any

from ccdmon.errors import DeviceError

# The firmware on CPython, on MicroPython's unix port, on an emulated Raspberry Pi Pico, on a board.
RIGS = ("model", "unix", "pico", "board")


def load_rigs() -> Any:
    """The module behind the entry point `replay` of the group `ccdmon.rigs`: `ccdmon_hil.play.replay`."""
    found = next(iter(entry_points(group="ccdmon.rigs", name="replay")), None)
    if found is None:
        raise DeviceError("the rigs are not installed: install ccdmon again, as its README says")
    return found.load()
