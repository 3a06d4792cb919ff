"""Where the firmware lies, and what a rig needs to know of its boards."""

from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

from ccdmon_fw import wire


class Pins(NamedTuple):
    """Converter channels and the gate's GPIO of a board."""

    voltage_channel: int
    current_channel: int
    pressure_channel: int
    gate: int

    @property
    def channels(self) -> tuple[int, int, int]:
        """Converter channels in the order of the codes."""
        return self[:3]


# As wired in firmware/ccdmon_fw/board.py.
PICO_PINS = Pins(voltage_channel=0, current_channel=1, pressure_channel=2, gate=15)


def firmware_dir() -> Path:
    """Folder that holds the package `ccdmon_fw`."""
    return Path(wire.__file__).parent.parent


def firmware_files() -> dict[str, bytes]:
    """The board's files by their path on its file system."""
    package = firmware_dir() / "ccdmon_fw"
    start = {name: (_start_dir() / name).read_bytes() for name in ("boot.py", "main.py")}
    return start | {
        f"ccdmon_fw/{file.relative_to(package)}": file.read_bytes() for file in sorted(package.rglob("*.py"))
    }


def _start_dir() -> Path:
    """Folder of `boot.py` and `main.py`: installed under a name of their own, for nobody imports them."""
    spec = find_spec("ccdmon_board")
    assert spec is not None and spec.submodule_search_locations
    return Path(next(iter(spec.submodule_search_locations)))
