"""Where images and the compiled emulator are kept, outside the project."""

import os
from pathlib import Path


def cache_dir() -> Path:
    """Folder of built images, outside the project."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "ccdmon"


def frozen_dir() -> Path:
    """Folder of built images that hold the firmware: not for the emulated Pico, which loads its own."""
    return cache_dir() / "frozen"
