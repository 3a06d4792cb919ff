"""Parquet files with other labels than BDF's: columns by their names, or by `--columns`."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pa_parquet

from ccdmon.errors import InputError
from ccdmon.formats.arrow_floats import floats_of
from ccdmon.formats.bdf.csv import one_line
from ccdmon.formats.cyclers.column_map import parse_map
from ccdmon.formats.cyclers.dialect import Columns
from ccdmon.formats.cyclers.dialects import PLAIN
from ccdmon.formats.cyclers.tables import MAP_ROLES, read_arrays


def read_parquet_columns(source: Path | bytes, name: str, columns: str | None) -> Columns:
    """The columns of any Parquet file, named by `--columns` or by their labels. Raises `InputError`."""
    try:
        table = pa_parquet.read_table(source if isinstance(source, Path) else pa.BufferReader(source))
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError, OSError) as error:
        raise InputError(f"{name}: damaged Parquet file ({one_line(error)}); export it again") from error
    arrays = [_as_array(column) for column in table.columns]
    return read_arrays(
        PLAIN, table.column_names, arrays, name, parse_map(columns, MAP_ROLES) if columns else None
    )


def _as_array(column: pa.ChunkedArray) -> np.ndarray:
    """Dates and spans as seconds, decimals as floats, anything else as it is."""
    kind, factor = column.type, 1.0
    if pa.types.is_timestamp(kind) or pa.types.is_duration(kind):
        micro = pa.timestamp("us", kind.tz) if pa.types.is_timestamp(kind) else pa.duration("us")
        column, factor = column.cast(micro).cast(pa.int64()).cast(pa.float64()), 1e-6
    elif pa.types.is_decimal(kind):
        column = column.cast(pa.float64())
    if pa.types.is_integer(column.type) or pa.types.is_floating(column.type):
        return floats_of(column.cast(pa.float64())) * factor
    values: np.ndarray = column.to_numpy(zero_copy_only=False)
    return values
