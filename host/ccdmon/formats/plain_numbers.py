"""The quick way through a table that holds nothing but numbers where numbers belong: pyarrow parses it.

Ten times quicker than field by field. Whatever it does not take (text, a torn line, dates) goes the slow way, which
says what is wrong and where.
"""

from collections.abc import Mapping, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.csv as pa_csv

from ccdmon.trace import FloatArray


def read_numbers(
    lines: Sequence[str], width: int, places: Mapping[str, int], separator: str, decimal_mark: str
) -> dict[str, FloatArray] | None:
    """Columns of shape (rows,) by the names of `places` (name: field); None where a row is not as wide or no number."""
    names = [str(field) for field in range(width)]
    wanted = [names[field] for field in dict.fromkeys(places.values())]
    try:
        table = pa_csv.read_csv(
            pa.BufferReader("\n".join(lines).encode()),
            pa_csv.ReadOptions(column_names=names),
            pa_csv.ParseOptions(delimiter=separator, newlines_in_values=False),
            pa_csv.ConvertOptions(
                include_columns=wanted,
                column_types=dict.fromkeys(wanted, pa.float64()),
                decimal_point=decimal_mark,
                null_values=["", "nan", "NaN"],
            ),
        )
    except (pa.ArrowInvalid, pa.ArrowKeyError):
        return None
    columns = {name: table[names[field]].to_numpy(zero_copy_only=False) for name, field in places.items()}
    return {name: np.array(values, dtype=np.float64) for name, values in columns.items()}
