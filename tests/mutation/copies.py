"""A copy of the project in which something may be broken, and its tests run on that copy."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
SOURCES = ("firmware", "host", "hil", ".")  # as on the path: they hold the packages
PARTS = ("firmware", "host", "hil", "ccd_fastcore", "tests", "pyproject.toml", "README.md")


def copy_project(target: Path) -> Path:
    """Copy what the tests need (the compiled core as it was built) to `target`."""
    for part in PARTS:
        source = ROOT / part
        if source.is_dir():
            shutil.copytree(
                source, target / part, ignore=shutil.ignore_patterns("__pycache__", "*.c", "mutants")
            )
        else:
            shutil.copy(source, target / part)
    return target


def environment(folder: Path) -> dict[str, str]:
    """The copy comes before the installed project on Python's path, and MicroPython takes its firmware from there."""
    path = os.pathsep.join(str(folder / part) for part in SOURCES)
    shared = os.environ.get("CCDMON_SHARED", str(ROOT.parent / "shared"))
    return os.environ | {"PYTHONPATH": path, "CCDMON_SHARED": shared, "PYTHONDONTWRITEBYTECODE": "1"}


def run_tests(folder: Path, tests: tuple[str, ...]) -> subprocess.CompletedProcess[str]:
    """Pytest on the copy, up to the first failure."""
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", *tests]
    return subprocess.run(
        command, cwd=folder, env=environment(folder), capture_output=True, text=True, check=False
    )
