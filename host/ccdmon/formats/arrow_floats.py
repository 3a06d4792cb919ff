"""Arrow columns of numbers and of text; pyarrow's own ways import pandas where it is installed, for a second."""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from ccdmon.model.trace import FloatArray


def floats_of(column: pa.ChunkedArray) -> FloatArray:
    """The values, NaN where one is null; a view where it is one chunk without nulls, not to be written to."""
    parts = [_values(chunk) for chunk in column.chunks]
    return parts[0] if len(parts) == 1 else np.concatenate(parts) if parts else np.zeros(0)


def _values(chunk: pa.Array) -> FloatArray:
    valid, data = chunk.buffers()
    if data is None or not len(chunk):
        return np.zeros(len(chunk))
    values = np.frombuffer(data, np.float64)[chunk.offset : chunk.offset + len(chunk)]
    if valid is None or chunk.null_count == 0:
        return values
    bits = np.unpackbits(np.frombuffer(valid, np.uint8), bitorder="little")
    return np.where(bits[chunk.offset : chunk.offset + len(chunk)].astype(bool), values, np.nan)


def column_of(values: FloatArray) -> pa.Array:
    """A column of these values, null where one is NaN; of shape (rows,), copied where they do not lie side by side."""
    values = np.ascontiguousarray(values, dtype=np.float64)
    missing = np.isnan(values)
    nulls = int(missing.sum())
    valid = pa.py_buffer(np.packbits(~missing, bitorder="little").tobytes()) if nulls else None
    return pa.Array.from_buffers(pa.float64(), len(values), [valid, pa.py_buffer(values)], null_count=nulls)


def text_column_of(values: Sequence[str | None]) -> pa.Array:
    """A column of these texts, null where one is None."""
    texts = [b"" if value is None else value.encode() for value in values]
    ends = np.cumsum([0, *map(len, texts)]).astype(np.int32)
    valid = np.packbits(np.array([value is not None for value in values], bool), bitorder="little").tobytes()
    buffers = [pa.py_buffer(part) for part in (valid, ends.tobytes(), b"".join(texts))]
    return pa.Array.from_buffers(pa.string(), len(values), buffers)
