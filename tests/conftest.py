"""Fixtures every test folder shares: where the recorded traces and the Pico image are, or why a test skips."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from ccdmon_hil.rigs.pico_pty import PicoPty

PROJECT_DIR = Path(__file__).resolve().parent.parent


def _shared_dir() -> Path:
    """Folder with recordings and images: the setting CCDMON_SHARED, else `shared` beside the project."""
    return Path(os.environ.get("CCDMON_SHARED", PROJECT_DIR.parent / "shared"))


@pytest.fixture(scope="session")
def shared_dir() -> Path:
    """The folder of recordings that lies beside the project; skips where there is none."""
    if not _shared_dir().is_dir():
        pytest.skip(f"no recorded traces: {_shared_dir()} is missing (set CCDMON_SHARED)")
    return _shared_dir()


@pytest.fixture(scope="session")
def recorded_dir(shared_dir: Path) -> Path:
    """Folder of the three recorded cell traces."""
    return shared_dir / "traces" / "recorded"


@pytest.fixture(scope="session")
def pico_image() -> Path:
    """A MicroPython image for the emulated Pico; skips with the reason where none can be had quickly."""
    from ccdmon.errors import CcdmonError
    from ccdmon_hil.rigs.image import find_image

    ready = sorted((_shared_dir() / "images").glob("RPI_PICO-*.uf2"))
    if ready and "CCDMON_PICO_IMAGE" not in os.environ:
        return ready[-1]
    try:
        return find_image()
    except CcdmonError as error:
        pytest.skip(f"no Pico image: {error}")


@pytest.fixture
def blank_pico(pico_image: Path) -> Iterator["PicoPty"]:
    """An emulated Pico with MicroPython only, on a serial port of its own (`.port`)."""
    with _pico_pty().PicoPty(pico_image) as pico:
        yield pico


@pytest.fixture
def flashed_pico(pico_image: Path) -> Iterator["PicoPty"]:
    """An emulated Pico that runs ccdmon's firmware, on a serial port of its own (`.port`)."""
    with _pico_pty().PicoPty(pico_image, with_firmware=True) as pico:
        yield pico


def _pico_pty() -> Any:
    pytest.importorskip(
        "ccdmon_hil.rigs.pico", reason="the emulated Pico is not installed: pip install '.[pico]'"
    )
    from ccdmon_hil.rigs import pico_pty

    return pico_pty
