"""One UF2 with MicroPython and the firmware: copied to a Pico in BOOTSEL mode, it makes a board of it in one drag.

It writes the sectors of MicroPython and of a fresh file system with the firmware's files; what a board kept before
(settings, zeros, trips) is on the old file system and gone. The sectors behind stay as they were and count for nothing.
"""

import hashlib
from pathlib import Path

from ccdmon.errors import InputError
from ccdmon.link.firmware import PICO, bytecode_fits, compiled_files, firmware_files
from ccdmon_hil.rigs import uf2
from ccdmon_hil.rigs.cache import cache_dir
from ccdmon_hil.rigs.image import check_image, find_image

MPY_OF_IMAGE = 6 | 3 << 8  # bytecode 6.3, which MicroPython 1.23 to 1.28 read; see `bytecode_fits`


def drag_image(board: str = PICO, image: str | Path | None = None) -> tuple[Path, str]:
    """(path in the cache, SHA-256) of the image for a board's description; made anew where something in it changed.

    `image`: MicroPython's own (`find_image`). Raises `InputError`, `DeviceError` where one of both cannot be had.
    """
    from ccdmon_hil.rigs.pico import ARCHITECTURE, flash_with  # the emulator knows the flash's layout

    base = find_image(image)
    files = compiled_files(ARCHITECTURE, board)
    if files is None or not bytecode_fits(files, MPY_OF_IMAGE):
        files = firmware_files(board)  # the board compiles them at every start
    content = uf2.encode_used(flash_with(base, files))
    digest = hashlib.sha256(content).hexdigest()
    path = cache_dir() / "drag" / f"ccdmon-{Path(board).stem}-{digest[:12]}.uf2"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_suffix(".part")
        part.write_bytes(content)
        part.replace(path)
    except OSError as error:
        raise InputError(
            f"{path}: cannot write ({error.strerror}); free some or set XDG_CACHE_HOME"
        ) from error
    return check_image(path), digest
