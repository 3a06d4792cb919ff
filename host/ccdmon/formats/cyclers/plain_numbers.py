"""The quick way through a table that holds nothing but numbers where numbers belong: pyarrow parses it.

Ten times quicker than field by field. Whatever it does not take (text, a torn line, dates) goes the slow way, which
says what is wrong and where.
"""

import re
from collections.abc import Mapping, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.csv as pa_csv

from ccdmon.model.trace import FloatArray

_THOUSANDS = {mark: re.compile(rf"[+-]?\d{{1,3}}([{mark}]\d{{3}})+") for mark in ",."}


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


def with_point(text: str, mark: str) -> str:
    """A decimal point for the mark; without separators of thousands where a decimal mark follows them."""
    if "," in text and "." in text:
        first, last = (",", ".") if text.rfind(",") < text.rfind(".") else (".", ",")
        whole, _, rest = text.partition(last)
        if _THOUSANDS[first].fullmatch(whole) and rest.isdigit():
            return f"{whole.replace(first, '')}.{rest}"
    return text.replace(mark, ".") if mark else text
