"""By what a judgement is known: the content of trace, sidecar and spectra, the code that judges, and its options.

A file that was moved has the key it had; another sidecar, another spectrum, another core or option makes another key.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any

from ccdmon.catalogue.subjects import Subject
from ccdmon.formats.bdf.sidecar import sidecar_path
from ccdmon.run.frame_files import require_regular
from ccdmon.version import __version__

# What a document depends on: how files are read, the core, the analysis, and a run folder's rows.
JUDGING = ("ccdmon.model", "ccdmon.formats", "ccdmon.analysis", "ccdmon.run", "ccd_fastcore")
KEY_DIGITS = 32


@dataclass(frozen=True)
class Task:
    """One thing to judge. Hashes: of the trace (or a run folder), of it and all that belongs to it, of the code."""

    path: str
    eis_before: str | None
    eis_after: str | None
    sha256: str
    inputs: str
    core: str
    key: str
    size: int  # bytes


def task_of(subject: Subject, options: Mapping[str, Any]) -> Task:
    """The subject with its keys; what cannot be read at all is known by its name and the reason."""
    before, after = (None if path is None else str(path) for path in (subject.eis_before, subject.eis_after))
    try:
        content, size = _content(subject.path)
        beside = [_sha256(path) for path in _beside(subject)]
    except OSError as error:
        content, size, beside = f"{subject.path}: {error.strerror}", 0, []
    inputs = _digest(json.dumps([content, beside, dict(options)], sort_keys=True))
    core = core_hash()
    return Task(str(subject.path), before, after, content, inputs, core, _digest(inputs + core), size)


@cache
def core_hash() -> str:
    """Of the version and all text of the code that judges, the same on every machine."""
    whole = hashlib.sha256(__version__.encode())
    for package in JUDGING:
        for name, text in sorted(_texts(files(package), package)):
            whole.update(name.encode() + b"\0" + text)
    return whole.hexdigest()[:12]


def _texts(folder: Traversable, name: str) -> Iterator[tuple[str, bytes]]:
    for entry in folder.iterdir():
        if entry.is_dir():
            yield from _texts(entry, f"{name}/{entry.name}")
        elif entry.name.endswith((".py", ".pxd")):
            yield f"{name}/{entry.name}", entry.read_bytes()


def _content(path: Path) -> tuple[str, int]:
    """SHA-256 and bytes of a file, or of all that a run folder recorded."""
    if not path.is_dir():
        return _sha256(path), path.stat().st_size
    recorded = sorted([*path.glob("frames*.bin"), *path.glob("*.toml"), *path.glob("*.ndjson")])
    lines = [f"{file.name} {_sha256(file)}" for file in recorded]
    return hashlib.sha256("\n".join(lines).encode()).hexdigest(), sum(f.stat().st_size for f in recorded)


def _beside(subject: Subject) -> list[Path]:
    """Sidecar and spectra."""
    sidecars = {sidecar_path(subject.path), sidecar_path(subject.path.with_suffix(".bdf.csv"))}
    spectra = [path for path in (subject.eis_before, subject.eis_after) if path is not None]
    return [path for path in sorted(sidecars) if path.is_file()] + spectra


def _sha256(path: Path) -> str:
    require_regular(path)
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:KEY_DIGITS]
