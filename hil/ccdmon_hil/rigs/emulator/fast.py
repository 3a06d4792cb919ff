"""The emulated Pico's own source, compiled for this machine: some fifteen times as fast as the wheel's modules.

    prefer()      # before anything of rp2040py is imported: "fast", or "stock: " and why

Edited (`edits.py`), compiled once, and kept in the user's cache under all that it depends on: version of
the emulator and of Cython, this Python, the edits, the compiler's options. Where that cannot be done (no compiler, no
Cython, another version) the wheel's modules run, and one line on stderr says so; with CCDMON_EMULATOR=stock they run
as wished. `python -m ccdmon_hil.rigs.emulator.fast` compiles ahead of the first use, `... --patch` prints the edits.
"""

import hashlib
import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from difflib import unified_diff
from importlib import import_module
from importlib.machinery import ModuleSpec
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec, spec_from_file_location
from pathlib import Path

from ccdmon.errors import EXIT_FINE, EXIT_NEGATIVE
from ccdmon.extras import how_to_install
from ccdmon_hil.rigs.cache import cache_dir
from ccdmon_hil.rigs.emulator.edits import EDITS, MODULES, VERSION

SETTING = "CCDMON_EMULATOR"
STOCK = "stock"
PACKAGE = "rp2040py.native"
OPTIONS = ("-O3", "-g0", "-ffp-contract=off")
SUFFIX = str(sysconfig.get_config_var("EXT_SUFFIX"))
INSTALL = how_to_install("pico")
BUILDER = Path(__file__).with_name("build.py")


class UnavailableError(Exception):
    """Why the emulator cannot be compiled here."""


class _Finder:
    """Finds the modules of the emulator that lie in a folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def find_spec(self, name: str, _path: object = None, _target: object = None) -> ModuleSpec | None:
        package, _, module = name.rpartition(".")
        if package != PACKAGE or module not in MODULES:
            return None
        return spec_from_file_location(name, self._folder / (module + SUFFIX))


def prefer() -> str:
    """Let what is imported of the emulator from now on be the fast one; which one it is, and why if not that."""
    if os.environ.get(SETTING) == STOCK:
        return f"{STOCK}: {SETTING}"
    try:
        _import_from(compiled())
    except UnavailableError as error:
        print(f"emulator: not compiled for this machine, so it is slow: {error}", file=sys.stderr)
        return f"{STOCK}: {error}"
    return "fast"


def compiled() -> Path:
    """Folder of the compiled modules; compiles them where they are not in the cache."""
    kept = cache_dir() / "emulator" / _key()
    if kept.is_dir():
        return kept
    _require_compiler()
    try:
        with _alone(kept):
            if not kept.is_dir():
                _compile(_source(), kept)
    except OSError as error:
        raise UnavailableError(f"cache {kept.parent}: {error.strerror}") from error
    return kept


def edited(name: str, text: str) -> str:
    """A file of the emulator's folder with the edits in it; `UnavailableError` where they do not fit."""
    for edit in EDITS:
        if edit.file != name:
            continue
        if edit.find and text.count(edit.find) != edit.times:
            raise UnavailableError(f"its {name} is not that of {VERSION}: pip install rp2040py=={VERSION}")
        text = text.replace(edit.find, edit.put) if edit.find else edit.put
    return text


def _import_from(folder: Path) -> None:
    """The modules of `folder` take the place of the wheel's, or none of them does."""
    if "rp2040py" in sys.modules:
        raise UnavailableError("rp2040py was imported before")
    finder = _Finder(folder)
    sys.meta_path.insert(0, finder)
    try:
        import_module(f"{PACKAGE}._simulator")
    except ImportError as error:  # the emulator itself would go on with Python instead
        sys.meta_path.remove(finder)
        for name in [name for name in sys.modules if name.partition(".")[0] == "rp2040py"]:
            del sys.modules[name]
        raise UnavailableError(f"{folder}: {error}; remove that folder") from error


def _require_compiler() -> None:
    """Where it is known which one this Python was built with: translating the source for it takes seconds."""
    named = os.environ.get("CC") or sysconfig.get_config_var("CC")
    if not named:
        return
    if not shutil.which(named.split()[0]):
        raise UnavailableError(f"no C compiler ({named}); the emulator is compiled with one")
    with tempfile.TemporaryDirectory() as scratch:
        Path(scratch, "nothing.c").touch()
        tried = subprocess.run(
            [*named.split(), "-c", "nothing.c"], cwd=scratch, capture_output=True, check=False
        )
    if tried.returncode:
        raise UnavailableError(
            f"the C compiler ({named}) compiles nothing; the emulator is compiled with one"
        )


def _source() -> Path:
    found = find_spec("rp2040py")
    assert found
    assert found.submodule_search_locations
    return Path(found.submodule_search_locations[0]) / "native"


def _key() -> str:
    try:
        if version("rp2040py") != VERSION:
            raise UnavailableError(f"the edits are for {VERSION}: pip install rp2040py=={VERSION}")
        parts = (VERSION, version("Cython"), SUFFIX, OPTIONS, MODULES, EDITS)
    except PackageNotFoundError as error:
        raise UnavailableError(f"{error.name} is not installed: {INSTALL}") from error
    return f"{VERSION}-{hashlib.sha256(repr(parts).encode()).hexdigest()[:16]}"


@contextmanager
def _alone(kept: Path) -> Iterator[None]:
    """One process compiles, the others wait for it; where there are no such locks each does."""
    kept.parent.mkdir(parents=True, exist_ok=True)
    try:
        import fcntl
    except ImportError:
        yield
        return
    with (kept.parent / f"{kept.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _compile(source: Path, kept: Path) -> None:
    print("emulator: compiling it for this machine, once: a minute", file=sys.stderr)
    with tempfile.TemporaryDirectory(prefix="compiling-", dir=kept.parent) as scratch:
        package = Path(scratch, *PACKAGE.split("."))
        package.mkdir(parents=True)
        for folder in (package, package.parent):
            (folder / "__init__.py").touch()
        for path in (*source.glob("*.pxd"), *source.glob("*.pyx")):
            text = edited(path.name, path.read_text(encoding="utf-8"))
            (package / path.name).write_text(text, encoding="utf-8")
        _run_build(scratch)
        try:
            Path(scratch, "built", *PACKAGE.split(".")).rename(kept)
        except OSError:
            if not kept.is_dir():  # else another process was faster
                raise


def _run_build(scratch: str) -> None:
    """In a process of its own: a compiler's driver changes the one it is in."""
    command = [sys.executable, str(BUILDER), PACKAGE, ",".join(MODULES), *OPTIONS]
    run = subprocess.run(command, cwd=scratch, capture_output=True, text=True, check=False)
    if run.returncode:
        lines = run.stderr.strip().splitlines()
        raise UnavailableError(
            f"{lines[-1] if lines else run.returncode}: it takes a C compiler and {INSTALL}"
        )


def patch() -> str:
    """The edits as a patch of the emulator's own source, for its authors (`UPSTREAM.md`)."""
    source, lines = _source(), list[str]()
    for name in sorted({edit.file for edit in EDITS}):
        before = (source / name).read_text(encoding="utf-8")
        after, path = edited(name, before), f"src/rp2040py/native/{name}"
        lines += unified_diff(
            before.splitlines(keepends=True), after.splitlines(keepends=True), f"a/{path}", f"b/{path}"
        )
    return "".join(lines)


def main() -> int:
    """Say which emulator runs here; with `--patch`, what is changed in its source."""
    if sys.argv[1:] == ["--patch"]:
        print(patch(), end="")
        return EXIT_FINE
    which = prefer()
    print(which)
    return EXIT_FINE if which == "fast" else EXIT_NEGATIVE


if __name__ == "__main__":
    sys.exit(main())
