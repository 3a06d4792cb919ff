"""Parquet files of the Battery Data Format: their columns as tables, whole or in groups of rows."""

from collections import deque
from collections.abc import Container, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pa_parquet

from ccdmon.errors import InputError
from ccdmon.formats.bdf.csv import one_line, refuse_doubled

_LARGEST_GROUP_ROWS = 1 << 21  # held whole, three at a time; writers' defaults are 1 << 20 and less


def read_parquet(path: Path, known: Container[str] | None) -> pa.Table:
    """The columns whose labels are `known` (None: all). Raises `InputError` for a damaged file."""
    with _opened(path) as file:
        return file.read(_columns(path, file, known), use_threads=False)


def iter_parquet(path: Path, known: Container[str], chunk_rows: int) -> Iterator[pa.Table]:
    """As `read_parquet`, in tables of about `chunk_rows` or of one group of rows; at least one, perhaps empty."""
    with _opened(path) as file:
        columns = _columns(path, file, known)
        if file.metadata.num_rows == 0:
            yield file.read(columns=columns)
        groups = _groups(file.metadata, chunk_rows)
        if groups is None:
            for batch in file.iter_batches(chunk_rows, columns=columns):
                yield pa.Table.from_batches([batch])
        else:
            yield from _read_by_two(path, file.metadata, groups, columns)


def parquet_labels(path: Path) -> list[str]:
    """The file's labels. Raises `InputError` for a damaged file."""
    with _opened(path) as file:
        return list(file.schema_arrow.names)


def unpacked_parquet_size(path: Path) -> int:
    """Bytes that all of its columns take as numbers in memory. Raises `InputError` for a damaged file."""
    with _opened(path) as file:
        return 8 * int(file.metadata.num_rows) * int(file.metadata.num_columns)


def _columns(path: Path, file: pa_parquet.ParquetFile, known: Container[str] | None) -> list[str]:
    labels = [label for label in file.schema_arrow.names if known is None or label in known]
    refuse_doubled(labels, str(path))
    return labels


def _groups(metadata: pa_parquet.FileMetaData, chunk_rows: int) -> list[list[int]] | None:
    """Row groups, together about `chunk_rows` each or a larger one alone; None where one holds very many rows."""
    together: list[list[int]] = []
    rows = chunk_rows
    for number in range(metadata.num_row_groups):
        more = metadata.row_group(number).num_rows
        if more > _LARGEST_GROUP_ROWS:
            return None
        if rows + more > chunk_rows:
            together.append([])
            rows = 0
        together[-1].append(number)
        rows += more
    return together


def _read_by_two(
    path: Path, metadata: pa_parquet.FileMetaData, groups: list[list[int]], columns: list[str]
) -> Iterator[pa.Table]:
    """The groups in their order, two of them decoded at a time: most of the time goes into unpacking them."""

    def read(numbers: list[int]) -> pa.Table:
        with _opened(path, metadata) as file:
            return file.read_row_groups(numbers, columns=columns, use_threads=False)

    with ThreadPoolExecutor(2) as readers:
        coming = deque(readers.submit(read, numbers) for numbers in groups[:2])
        for numbers in groups[2:]:
            table = coming.popleft().result()
            coming.append(readers.submit(read, numbers))
            yield table
        while coming:
            yield coming.popleft().result()


def _opened(path: Path, metadata: pa_parquet.FileMetaData | None = None) -> pa_parquet.ParquetFile:
    try:
        return pa_parquet.ParquetFile(path, metadata=metadata, pre_buffer=False, buffer_size=1 << 20)
    except (pa.ArrowInvalid, OSError) as error:
        raise InputError(f"{path}: damaged Parquet file ({one_line(error)}); export it again") from error
