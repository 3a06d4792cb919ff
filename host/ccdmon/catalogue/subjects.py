"""What lies below the names of a command line: traces, cyclers' files, run folders, and the spectra beside them.

A file that is named is taken whatever it is called; in a folder, what has the ending of a trace or a cycler's file. The
spectra of `NAME.bdf.csv` are `NAME.eis-before.csv` and `NAME.eis-after.csv` (as `ccdmon simulate --eis` writes
them), or `NAME.eis.csv` with both, if they lie beside it.
"""

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from ccdmon.catalogue.columns import EVENTS_FILE, HALF_CYCLES_FILE, PARTS_DIR, RUNS_FILE
from ccdmon.run.frame_files import is_run_folder

ENDINGS = (
    ".bdf.csv", ".bdf.csv.gz", ".bdf.parquet", ".csv", ".csv.gz", ".parquet", ".tsv", ".txt", ".mpr", ".mpt",
    ".nda", ".ndax", ".xlsx", ".xls", ".dta",
)  # fmt: skip
TABLES = (RUNS_FILE, EVENTS_FILE, HALF_CYCLES_FILE)
BEFORE, AFTER, BOTH = ".eis-before.csv", ".eis-after.csv", ".eis.csv"
# `analyze --out` writes them beside `report.json`.
_REPORT_TABLES = {f"{name}.{kind}" for name in ("half_cycles", "events") for kind in ("csv", "parquet")}


@dataclass(frozen=True)
class Subject:
    """One trace, file or run folder, by its whole path, and its spectra."""

    path: Path
    eis_before: Path | None = None
    eis_after: Path | None = None


def subjects_of(names: Iterable[str], leave_out: Path) -> Iterator[Subject]:
    """Each once, those of a folder in the order of their names; `leave_out` is the catalogue's own folder."""
    seen: set[Path] = set()
    for name in names:
        for path in _below(Path(os.path.abspath(name)), Path(os.path.abspath(leave_out))):  # noqa: PTH100  links stay
            if path not in seen:
                seen.add(path)
                yield _with_spectra(path)


def _below(path: Path, leave_out: Path) -> Iterator[Path]:
    if not path.is_dir() or is_run_folder(path):
        yield path
        return
    for folder, folders, files in os.walk(path):
        here = Path(folder)
        if here == leave_out:
            folders.clear()
            continue
        if _is_catalogue(folders, files):  # tables of judgements are no traces
            folders.remove(PARTS_DIR)
            files = [name for name in files if name not in TABLES]
        runs = [name for name in sorted(folders) if is_run_folder(here / name)]
        folders[:] = sorted(name for name in folders if name not in runs and not name.startswith("."))
        mine = [name for name in files if _is_trace(name) and not _is_of_report(name, files)]
        yield from (here / name for name in sorted([*mine, *runs]))


def _is_catalogue(folders: list[str], files: list[str]) -> bool:
    return PARTS_DIR in folders and RUNS_FILE in files


def _is_trace(name: str) -> bool:
    low = name.lower()
    return not low.startswith(".") and low.endswith(ENDINGS) and not low.endswith((BEFORE, AFTER, BOTH))


def _is_of_report(name: str, beside: list[str]) -> bool:
    return name in _REPORT_TABLES and "report.json" in beside


def _with_spectra(path: Path) -> Subject:
    stem = path.name
    for ending in (".gz", ".csv", ".parquet", ".bdf"):
        stem = stem.removesuffix(ending)
    both = _there(path.with_name(stem + BOTH))
    before, after = _there(path.with_name(stem + BEFORE)), _there(path.with_name(stem + AFTER))
    return Subject(path, before or both, after or both)


def _there(path: Path) -> Path | None:
    return path if path.is_file() else None
