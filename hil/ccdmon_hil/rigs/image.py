"""Finds the MicroPython image that the emulated Pico boots.

In this order: the option, the setting CCDMON_PICO_IMAGE, our cache (where `ccdmon image --build` puts its
result), the emulator's own download. An option or a setting that points to something unusable is an error,
never passed over.

A download is checked by its SHA-256: against the setting CCDMON_PICO_IMAGE_SHA256 where there is one, else against
`PINNED`, else against what was noted at the first download on this machine, which says that nothing vouches for it.
Another one is refused and not kept. What somebody names or builds is theirs: `ccdmon image` tells its hash.
"""

import hashlib
import os
import shutil
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from ccdmon.errors import DeviceError, InputError
from ccdmon_hil.rigs import uf2
from ccdmon_hil.rigs.cache import cache_dir, frozen_dir

IMAGE_SETTING = "CCDMON_PICO_IMAGE"
HASH_SETTING = "CCDMON_PICO_IMAGE_SHA256"
# SHA-256 by file name of images that the tests ran on; how one comes in: .github/CONTRIBUTING.md, Dependencies.
PINNED = {
    # Stock MicroPython 1.26.1, by `ccdmon image --build` from Debian's micropython 1.26.1+ds, pico-sdk 2.1.1.
    "RPI_PICO-micropython-1.26.1.uf2": "ed58d32d7b429484d6c9dab0e47cba1185b6ce519efcb274cb4df2373312aa9d",
}


def find_image(option: str | Path | None = None, *, download: bool = True) -> Path:
    """Path of a checked UF2 image.

    Raises `InputError` where the image named is not one, `DeviceError` where none can be had.
    """
    named = option or os.environ.get(IMAGE_SETTING)
    if named:
        return check_image(Path(named))
    cached = sorted(cache_dir().glob("*.uf2"))
    if cached:
        return check_image(cached[-1])
    fetched = _download() if download else None
    if fetched is None:
        raise DeviceError(
            f"no MicroPython image for the Pico: name a UF2 of 1.26 or newer (micropython.org has it as RPI_PICO) in "
            f"{IMAGE_SETTING} or with --image, or build one with `ccdmon image --build`"
        )
    return fetched


def check_image(path: Path) -> Path:
    """`path` itself if it is a complete UF2 image for the RP2040; raises `InputError` otherwise."""
    try:
        found = uf2.problem(path.read_bytes())
    except OSError as error:
        raise InputError(
            f"image {path}: {error.strerror}; name a UF2 file of MicroPython for the Pico"
        ) from error
    if found:
        raise InputError(f"image {path}: {found}; name a UF2 file of MicroPython 1.26 or newer for the Pico")
    return path


def build_into_cache(say: Callable[[str], None], work_dir: Path | None = None, frozen: bool = False) -> Path:
    """Build an image from Debian's packages into the cache; the folder of the build goes unless named.

    `frozen`: with the firmware in it.
    """
    from ccdmon_hil.rigs.image_build import build_image

    folder = work_dir or Path(tempfile.mkdtemp(prefix="ccdmon-image-"))
    built = check_image(build_image(folder, say, frozen))
    kept_in = frozen_dir() if frozen else cache_dir()
    kept_in.mkdir(parents=True, exist_ok=True)
    kept = Path(shutil.copy(built, kept_in / built.name))
    if work_dir is None:
        shutil.rmtree(folder, ignore_errors=True)
    return kept


def _download() -> Path | None:
    """The emulator's own download, checked; None where emulator or network are missing.

    Raises `InputError` where it is not the image that was expected.
    """
    try:
        from ccdmon_hil.rigs.pico import download_image
    except ImportError:
        return None
    path = download_image()
    if path is None:
        return None
    if uf2.problem(path.read_bytes()):
        path.unlink()  # a download cut short must not be found again
        return None
    check_hash(path)
    return path


def vouched(path: Path) -> tuple[str, bool | None]:
    """(SHA-256 of an image, whether it is the pinned one of that name; None: none of that name is pinned)."""
    found, pinned = hashlib.sha256(path.read_bytes()).hexdigest(), PINNED.get(path.name)
    return found, None if pinned is None else found == pinned


def check_hash(path: Path) -> None:
    """Raises `InputError`, and takes a download away, where it is another than setting, `PINNED` or note says."""
    found, _ = vouched(path)
    note = cache_dir() / f"{path.name}.sha256"
    if named := os.environ.get(HASH_SETTING, "").strip().lower():
        wanted, whose = named, HASH_SETTING
    elif path.name in PINNED:
        wanted, whose = PINNED[path.name], "pinned"
    elif note.is_file():
        wanted, whose = note.read_text(encoding="ascii").strip(), str(note)
    else:
        wanted, whose = found, ""
    if found != wanted:
        path.unlink()
        raise InputError(
            f"image {path.name}: downloaded with SHA-256 {found}, expected {wanted} ({whose}); it is not used: "
            "find out why, or build one with `ccdmon image --build`"
        )
    if not whose:  # nothing to compare with: whoever downloads may have something
        print(
            f"image {path.name}: not pinned, so nothing vouches for this first download; SHA-256 {found}, later ones "
            f"must be the same ({HASH_SETTING} names another)",
            file=sys.stderr,
        )
    note.parent.mkdir(parents=True, exist_ok=True)
    note.write_text(found + "\n", encoding="ascii")
