"""A Pico in BOOTSEL mode: a drive whose `INFO_UF2.TXT` names it. What is copied there is its new flash.

Source: RP2040 datasheet, 2.8.4.1 (the drive's name RPI-RP2) and 2.8.4.2 (INFO_UF2.TXT).
"""

import os
import string
import sys
from collections.abc import Iterable
from pathlib import Path

from ccdmon.errors import DeviceError

INFO_FILE = "INFO_UF2.TXT"
RP2040 = "RPI-RP2"
MOST_INFO_BYTES = 4096


def bootsel_drives(roots: Iterable[Path] | None = None) -> list[Path]:
    """Mounted drives of Picos that wait for an image. `roots`: folders of mounts, default this system's."""
    found = {
        drive for root in (_roots() if roots is None else roots) for drive in _below(root) if _is_pico(drive)
    }
    return sorted(found)


def copy_image(image: Path, drive: Path) -> None:
    """Copy an image to a drive; the board starts it when it has all of it. Raises `DeviceError`."""
    try:
        with (drive / image.name).open("wb") as file:
            file.write(image.read_bytes())
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        # The drive goes away as soon as the last block is there: what then fails is only its end.
        if drive.is_dir() and (drive / INFO_FILE).is_file():
            raise DeviceError(
                f"{drive}: cannot copy the image ({error.strerror}); plug the board in again with BOOTSEL held"
            ) from error


def _is_pico(drive: Path) -> bool:
    try:
        with (drive / INFO_FILE).open("rb") as file:
            return RP2040.encode() in file.read(MOST_INFO_BYTES)
    except OSError:
        return False


def _below(root: Path) -> list[Path]:
    """The folder itself and what is mounted in it, one level down."""
    try:
        return [root, *(path for path in root.iterdir() if path.is_dir())]
    except OSError:
        return []


def _roots() -> list[Path]:
    if sys.platform == "win32":
        return [Path(f"{letter}:\\") for letter in string.ascii_uppercase[2:]]
    if sys.platform == "darwin":
        return [Path("/Volumes")]
    user = os.environ.get("USER", "")
    return [Path("/media"), Path("/media") / user, Path("/run/media") / user, Path("/mnt")]
