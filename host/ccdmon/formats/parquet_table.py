"""Parquet files with other labels than BDF's: columns by their names, or by `--columns`."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pa_parquet

from ccdmon.errors import InputError
from ccdmon.formats.bdf.csv import one_line
from ccdmon.formats.cyclers.columns import parse_map
from ccdmon.formats.cyclers.dialect import Columns
from ccdmon.formats.cyclers.tables import MAP_ROLES, PLAIN, read_arrays


def read_parquet_columns(source: Path | bytes, name: str, columns: str | None) -> Columns:
    """The columns of any Parquet file, named by `--columns` or by their labels. Raises `InputError`."""
    try:
        table = pa_parquet.read_table(source if isinstance(source, Path) else pa.BufferReader(source))
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError, OSError) as error:
        raise InputError(f"{name}: damaged Parquet file ({one_line(error)}); export it again") from error
    arrays = [_as_array(column) for column in table.columns]
    return read_arrays(PLAIN, table.column_names, arrays, name, parse_map(columns, MAP_ROLES) if columns else None)


def _as_array(column: pa.ChunkedArray) -> np.ndarray:
    if pa.types.is_timestamp(column.type):
        return column.cast(pa.timestamp("us", column.type.tz)).cast(pa.int64()).cast(pa.float64()).to_numpy() * 1e-6
    if pa.types.is_duration(column.type):
        return column.cast(pa.duration("us")).cast(pa.int64()).cast(pa.float64()).to_numpy() * 1e-6
    if pa.types.is_decimal(column.type):
        column = column.cast(pa.float64())
    return column.to_numpy(zero_copy_only=False)
