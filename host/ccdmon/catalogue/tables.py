"""`runs.parquet`, `events.parquet` and `half_cycles.parquet`, made of the parts at the end of a call, sorted by file.

`runs.parquet` is also what the catalogue knows of files: one row for each file and core that judged it. They are
written whole and renamed, some hundred runs at a time, so that memory does not grow with their number.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pa_compute
import pyarrow.parquet as pa_parquet

from ccdmon.catalogue.columns import EVENT_LIST, HALF_CYCLE_LIST, OF_RUN, part_schema, runs_schema
from ccdmon.catalogue.columns import EVENTS_FILE as EVENTS_FILE
from ccdmon.catalogue.columns import HALF_CYCLES_FILE as HALF_CYCLES_FILE
from ccdmon.catalogue.columns import RUNS_FILE as RUNS_FILE
from ccdmon.catalogue.parts import places_of, read_columns, table_of
from ccdmon.errors import InputError

_RUNS_AT_ONCE = 512
_PARTS_HELD = 8
_LISTED = ("file", "core", "key", "sha256", "current")


@dataclass(frozen=True)
class Listed:
    """A file as one core judged it."""

    file: str
    core: str
    key: str
    sha256: str
    current: bool = True


def listed(folder: Path) -> list[Listed]:
    """What the catalogue knows of files. Raises `InputError` for a damaged one."""
    path = folder / RUNS_FILE
    if not path.exists():
        return []
    try:
        with pa_parquet.ParquetFile(path) as file:
            rows = file.read(list(_LISTED)).to_pylist()
    except (pa.ArrowException, OSError, ValueError) as error:
        raise InputError(
            f"{path}: not a catalogue's ({error}); remove it: the parts keep what was judged"
        ) from error
    return [Listed(**row) for row in rows]


def read_runs(folder: Path, columns: Sequence[str]) -> Iterator[dict[str, Any]]:
    """These columns of `runs.parquet`, row by row. Raises `InputError` where it is missing, or is none."""
    path = folder / RUNS_FILE
    try:
        with pa_parquet.ParquetFile(path) as file:
            missing = [name for name in columns if name not in file.schema_arrow.names]
            if missing:
                raise InputError(
                    f"{path}: no catalogue of runs (no column {missing[0]}); write it with --catalogue"
                )
            for group in range(file.num_row_groups):
                yield from file.read_row_group(group, list(columns)).to_pylist()
    except FileNotFoundError:
        raise InputError(
            f"{path}: not there; 'ccdmon analyze FOLDER --catalogue {folder}' writes it"
        ) from None
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: cannot be read ({error}); write it with --catalogue") from error


def merged(before: Iterable[Listed], now: Sequence[Listed]) -> list[Listed]:
    """All that is known after a call that judged `now`, in the order of the tables.

    What it judged is current; of a file that is gone and came again under another name the old rows follow it.
    """
    found = {(entry.file, entry.core): entry for entry in now}
    files, moved = {entry.file for entry in now}, {entry.sha256: entry.file for entry in now}
    for entry in before:
        file = entry.file
        if file not in files and entry.sha256 in moved and not Path(file).exists():
            file = moved[entry.sha256]
        current = entry.current and file not in files
        found.setdefault((file, entry.core), replace(entry, file=file, current=current))
    return sorted(found.values(), key=lambda entry: (entry.file, not entry.current, entry.core))


def write_tables(folder: Path, entries: Sequence[Listed], parts: Sequence[Path]) -> None:
    """The three files of these entries, each renamed into place, `runs.parquet` last."""
    places = places_of(parts)
    entries = [entry for entry in entries if entry.key in places]
    schemas = {
        EVENTS_FILE: _with_run(EVENT_LIST),
        HALF_CYCLES_FILE: _with_run(HALF_CYCLE_LIST),
        RUNS_FILE: runs_schema(),
    }
    with ExitStack() as stack:
        writers = {
            name: stack.enter_context(
                pa_parquet.ParquetWriter(_unfinished(folder / name), schema, compression="zstd")
            )
            for name, schema in schemas.items()
        }
        for whole in _pieces(entries, places):
            writers[RUNS_FILE].write_table(whole.select(runs_schema().names))
            writers[EVENTS_FILE].write_table(_flat(whole, EVENT_LIST))
            writers[HALF_CYCLES_FILE].write_table(_flat(whole, HALF_CYCLE_LIST))
    for name in schemas:
        _unfinished(folder / name).replace(folder / name)


def _unfinished(path: Path) -> Path:
    return path.with_suffix(".unfinished")


def _pieces(entries: Sequence[Listed], places: Mapping[str, tuple[Path, int]]) -> Iterator[pa.Table]:
    """Rows of the parts in the order of the entries, with file and `current`."""
    read = lru_cache(_PARTS_HELD)(_read)
    for start in range(0, len(entries), _RUNS_AT_ONCE):
        some = entries[start : start + _RUNS_AT_ONCE]
        by_part: dict[Path, list[int]] = {}
        for number, entry in enumerate(some):
            by_part.setdefault(places[entry.key][0], []).append(number)
        pieces = [
            read(part).take(_indices(places[some[n].key][1] for n in numbers))
            for part, numbers in by_part.items()
        ]
        order = np.argsort(np.concatenate([np.asarray(numbers) for numbers in by_part.values()]))
        rows = pa.concat_tables(pieces).take(_indices(order))
        placed = table_of(
            [{"file": entry.file, "current": entry.current} for entry in some],
            pa.schema([runs_schema().field("file"), runs_schema().field("current")]),
        )
        for field, column in zip(placed.schema, placed.columns, strict=True):
            rows = rows.append_column(field, column)
        yield rows


def _read(part: Path) -> pa.Table:
    table = read_columns(part)
    if table.schema.equals(part_schema()):
        return table
    return table_of(table.to_pylist(), part_schema())  # of another version: what it lacks is null


def _indices(numbers: Iterable[int]) -> pa.Array:
    values = np.fromiter(numbers, np.int64)
    return pa.Array.from_buffers(pa.int64(), len(values), [None, pa.py_buffer(values)])


def _with_run(column: str) -> pa.Schema:
    struct = part_schema().field(column).type.value_type
    of_run = [runs_schema().field(name) for name in OF_RUN]
    return pa.schema([*of_run, *(struct.field(n) for n in range(struct.num_fields))])


def _flat(rows: pa.Table, column: str) -> pa.Table:
    """The entries of a list column, each with its run."""
    lists = rows.column(column).combine_chunks()
    parents = pa_compute.list_parent_indices(lists)
    of_run = [rows.column(name).take(parents) for name in OF_RUN]
    values = lists.flatten()
    schema = _with_run(column)
    fields = [values.field(n) for n in range(values.type.num_fields)]
    return pa.Table.from_arrays([*of_run, *fields], schema=schema)


def outcomes(folder: Path, files: Sequence[Listed]) -> Iterator[tuple[str, str | None, str | None]]:
    """(file, verdict, error) of some files as they are judged now."""
    wanted = {(entry.file, entry.core) for entry in files}
    with pa_parquet.ParquetFile(folder / RUNS_FILE) as file:
        for group in range(file.num_row_groups):
            for row in file.read_row_group(group, ["file", "core", "verdict", "error"]).to_pylist():
                if (row["file"], row["core"]) in wanted:
                    yield row["file"], row["verdict"], row["error"]
