"""Parts of a catalogue: files renamed into place, so that what was judged is seen by looking.

    DIR/parts/00003-5f1c...parquet     generation (one a call), and a hash of the keys in it

A part holds a row for each run with its events and half-cycles in it. Of one key in several parts the last generation
holds.
"""

import hashlib
import io
import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.json as pa_json
import pyarrow.parquet as pa_parquet

from ccdmon.catalogue.columns import PARTS_DIR as PARTS_DIR
from ccdmon.catalogue.columns import part_schema
from ccdmon.catalogue.judge import Row, judged
from ccdmon.catalogue.keys import Task
from ccdmon.errors import InputError

TRIED_AGAIN = ("missing", "killed")  # errors that the next call may not meet


def judge_into(path: Path, tasks: Sequence[Task], options: Mapping[str, Any], begin: Any = None) -> None:
    """Judge a chunk and write its part; `begin(index)` is called before each task."""
    rows = []
    for index, task in enumerate(tasks):
        if begin is not None:
            begin(index)
        rows.append(judged(task, options))
    write_part(path, rows)


def part_name(generation: int, tasks: Iterable[Task]) -> str:
    """The same for the same tasks: a chunk that is judged twice is one part."""
    keys = "\n".join(task.key for task in tasks)
    return f"{generation:05d}-{hashlib.sha256(keys.encode()).hexdigest()[:16]}.parquet"


def write_part(path: Path, rows: Sequence[Row]) -> None:
    """Write a part and rename it into place."""
    unfinished = path.with_suffix(".unfinished")
    pa_parquet.write_table(table_of(rows, part_schema()), unfinished, compression="zstd")
    unfinished.replace(path)


def table_of(rows: Sequence[Row], schema: pa.Schema) -> pa.Table:
    """Rows as a table. By way of JSON: pyarrow's own conversion imports pandas where it is installed."""
    if not rows:
        return schema.empty_table()
    text = "\n".join(map(_json, rows))
    options = pa_json.ParseOptions(explicit_schema=schema, unexpected_field_behavior="ignore")
    read = pa_json.ReadOptions(use_threads=False, block_size=len(text.encode()) + 1)
    return pa_json.read_json(io.BytesIO(text.encode()), read, options).select(schema.names)


def _json(row: Row) -> str:
    """One line; of names of files that are no UTF-8 the bytes, for no table has them."""
    text = json.dumps(row, allow_nan=False)
    if "\\ud" not in text:
        return text
    return json.dumps(_tabled(row))


def _tabled(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _tabled(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_tabled(one) for one in value]
    return tabled(value) if isinstance(value, str) else value


def tabled(text: str) -> str:
    """A name as tables have it."""
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def parts_of(folder: Path) -> list[Path]:
    """The parts of a catalogue, the last generation last."""
    return sorted((folder / PARTS_DIR).glob("[0-9]*-*.parquet"))


def generation_of(part: Path) -> int:
    """Which call wrote it."""
    return int(part.name.split("-", 1)[0])


def read_columns(part: Path, columns: Sequence[str] | None = None) -> pa.Table:
    """Some columns of a part, or all. Raises `InputError` for what is none."""
    try:
        with pa_parquet.ParquetFile(part) as file:
            return file.read(None if columns is None else list(columns))
    except (pa.ArrowException, OSError) as error:
        raise InputError(
            f"{part}: not a part of a catalogue ({error}); remove it, and what it held is judged again"
        ) from error


def places_of(parts: Iterable[Path]) -> dict[str, tuple[Path, int]]:
    """(part, row) of every key that needs no other try, the last generation's."""
    places: dict[str, tuple[Path, int]] = {}
    for part in parts:
        table = read_columns(part, ["key"])
        for row, key in enumerate(table.column("key").to_pylist()):
            places[key] = (part, row)
    return places


def settled(parts: Iterable[Path]) -> set[str]:
    """Keys whose row stands whatever happens."""
    kinds: dict[str, str | None] = {}
    for part in parts:
        table = read_columns(part, ["key", "error_kind"])
        kinds.update(
            zip(table.column("key").to_pylist(), table.column("error_kind").to_pylist(), strict=True)
        )
    return {key for key, kind in kinds.items() if kind not in TRIED_AGAIN}
