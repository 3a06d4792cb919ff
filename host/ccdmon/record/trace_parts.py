"""The derived trace while a recording runs: Parquet parts that are always whole, joined at the end.

`trace-parts/part-00000.bdf.parquet` and on. The newest part is written anew every minute with all rows it has (renamed
into place, so a reader sees the old one or the new one) until it is full. `frames.bin` stays the truth: parts can be
thrown away at any time.
"""

import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pa_parquet

from ccdmon.formats.bdf.sidecar import write_cell
from ccdmon.formats.bdf.write import parquet_writer, table_of
from ccdmon.model.trace import Trace
from ccdmon.record.memory import give_back
from ccdmon.run.folder import TRACE_FILE
from ccdmon.run.stored_rows import derive_trace

PARTS_DIR = "trace-parts"
ROWS_PER_PART = 1 << 15  # some megabytes in memory while they are written
REWRITE_INTERVAL_S = 60.0
MOST_TABLES = 128  # of some rows each, which takes more than the rows


class TraceParts:
    """Parts of one recording. An `OSError` (a full disk) leaves the last whole parts and is tried again later.

    Rows of a part that the disk does not take at all leave the memory: `finish` then derives the trace from the frames.
    """

    def __init__(
        self,
        folder: Path,
        *,
        rows_per_part: int = ROWS_PER_PART,
        monotonic_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self._folder, self._rows_per_part, self._monotonic_s = folder, rows_per_part, monotonic_s
        self._parts = folder / PARTS_DIR
        with suppress(OSError):  # `_write` tells
            self._parts.mkdir(exist_ok=True)
            for stale in self._parts.iterdir():  # of an earlier host: all rows come again
                stale.unlink()
        # What the library loads at its first use takes longer than a board waits.
        table_of(Trace(np.zeros(1), np.zeros(1), np.zeros(1)))
        self._number = 0
        self._tables: list[pa.Table] = []
        self._rows = 0
        self._written_s = monotonic_s()
        self._dirty = self._incomplete = False

    def add(self, trace: Trace) -> None:
        """Take rows; memory holds one part at most."""
        self._tables.append(table_of(trace))
        self._rows += len(trace)
        self._dirty = True
        if len(self._tables) > MOST_TABLES:
            self._tables = [_whole(self._tables)]
        if self._rows >= self._rows_per_part:
            try:
                self._write()
            except Exception:
                self._incomplete = True
                raise
            finally:
                self._tables, self._rows, self._number = [], 0, self._number + 1
                give_back()

    def poll(self) -> None:
        """Write the newest part anew where it is time."""
        if self._dirty and self._monotonic_s() - self._written_s >= REWRITE_INTERVAL_S:
            self._write()

    def finish(self, last: Trace | None) -> Path | None:
        """Join all parts into `trace.bdf.parquet` with its sidecar; None where there were no rows."""
        if self._dirty and not self._incomplete:
            self._write()
        paths = sorted(self._parts.glob("part-*.bdf.parquet"))
        if last is None or not (paths or self._incomplete):
            return None
        target = self._folder / TRACE_FILE
        if self._incomplete:
            derive_trace(self._folder)
        else:
            _join(paths, target)
            write_cell(last.cell, target)
        for path in self._parts.iterdir():
            path.unlink()
        self._parts.rmdir()
        return target

    def _write(self) -> None:
        self._written_s = self._monotonic_s()  # also of an attempt that fails
        path = self._parts / f"part-{self._number:05d}.bdf.parquet"
        whole = _whole(self._tables)
        unfinished = path.with_suffix(".unfinished")
        self._parts.mkdir(exist_ok=True)
        with parquet_writer(unfinished, whole.schema) as writer:
            writer.write_table(whole)
        unfinished.replace(path)
        self._dirty = False


def _whole(tables: list[pa.Table]) -> pa.Table:
    """One after the other; a column that one of them lacks is empty there."""
    return pa.concat_tables(tables, promote_options="default").combine_chunks()


def _join(paths: list[Path], target: Path) -> None:
    """Row groups of all parts one after the other, one part in memory at a time."""
    unfinished = target.with_suffix(".unfinished")
    schema = pa.unify_schemas([pa_parquet.read_schema(path) for path in paths])
    with parquet_writer(unfinished, schema) as writer:
        for path in paths:
            # Not `empty_table` and `read_table`, which import pandas where it is installed.
            with pa_parquet.ParquetFile(path) as part:
                writer.write_table(_whole([pa.Table.from_batches([], schema), part.read(use_threads=False)]))
            give_back()
    unfinished.replace(target)
