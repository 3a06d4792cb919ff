"""Parquet files with other labels than BDF's: columns by their names, or by `--columns`."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pa_parquet

from ccdmon.errors import InputError
from ccdmon.formats.arrow_floats import floats_of
from ccdmon.formats.bdf.csv import one_line
from ccdmon.formats.bdf.parquet import unpacked_parquet_size
from ccdmon.formats.cyclers.arrays import read_arrays
from ccdmon.formats.cyclers.column_map import parse_map
from ccdmon.formats.cyclers.dialect import Columns
from ccdmon.formats.cyclers.dialects import PLAIN
from ccdmon.formats.cyclers.tables import MAP_ROLES
from ccdmon.formats.opening import WHOLE_BYTES
from ccdmon.formats.tables.labels import Label, split_label


def read_parquet_columns(source: Path | bytes, name: str, columns: str | None) -> Columns:
    """The columns of any Parquet file, named by `--columns` or by their labels. Raises `InputError`."""
    if isinstance(source, Path) and (size := unpacked_parquet_size(source)) > 2 * WHOLE_BYTES:
        raise InputError(
            f"{name}: {size >> 20} MB unpacked, and no more than {WHOLE_BYTES >> 19} MB are read at once; split it, "
            "or label it as the Battery Data Format does"
        )
    try:
        table = pa_parquet.read_table(source if isinstance(source, Path) else pa.BufferReader(source))
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError, OSError) as error:
        raise InputError(f"{name}: damaged Parquet file ({one_line(error)}); export it again") from error
    arrays = [_as_array(column) for column in table.columns]
    map_ = parse_map(columns, MAP_ROLES) if columns else None
    return read_arrays(PLAIN, list(map(_label_of, table.schema)), arrays, name, map_)


def _label_of(field: pa.Field) -> Label:
    """The label; dates and spans are in the unit of their type, whatever it says."""
    label = split_label(field.name)
    timed = pa.types.is_timestamp(field.type) or pa.types.is_duration(field.type)
    return replace(label, unit="s", loose=False) if timed else label


def _as_array(column: pa.ChunkedArray) -> np.ndarray:
    """Dates and spans as seconds, decimals as floats, anything else as it is."""
    kind, factor = column.type, 1.0
    if pa.types.is_timestamp(kind) or pa.types.is_duration(kind):
        micro = pa.timestamp("us", kind.tz) if pa.types.is_timestamp(kind) else pa.duration("us")
        column, factor = column.cast(micro).cast(pa.int64()).cast(pa.float64()), 1e-6
    elif pa.types.is_decimal(kind):
        column = column.cast(pa.float64())
    elif pa.types.is_boolean(kind):
        column = column.cast(pa.string())  # true is no number
    if pa.types.is_integer(column.type) or pa.types.is_floating(column.type):
        return floats_of(column.cast(pa.float64())) * factor
    values: np.ndarray = column.to_numpy(zero_copy_only=False)
    return values
