"""Columns of numbers from arrays, lists and data frames of pandas, polars and pyarrow; none of these is imported here.

A column that is no numbers is refused rather than read as some: text, dates, spans of time and truth values have a unit
or a meaning that only its owner knows.
"""

import math
from collections.abc import Mapping
from decimal import Decimal
from numbers import Real
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from ccdmon.errors import InputError
from ccdmon.formats.arrow_floats import column_of, floats_of
from ccdmon.formats.bdf.labels import KNOWN
from ccdmon.formats.bdf.read import trace_of_table, with_checked_time
from ccdmon.model.trace import FloatArray, Trace

NUMBERS = "iuf"  # kinds of numpy's types


def floats(values: Any, name: str) -> FloatArray:
    """One column as float64 of shape (rows,), NaN where a value is missing. `InputError` for what holds no numbers."""
    array = _of_arrow(values, name) if _is_arrow(values) else _of_numpy(values, name)
    if array.ndim != 1:
        raise InputError(f"{name}: has shape {array.shape}; give one number for each row")
    infinite = np.flatnonzero(np.isinf(array))
    if infinite.size:
        row = int(infinite[0])
        raise InputError(f"{name}: data row {row}: {array[row]} is not a number; mend it, or make it NaN")
    return array


def same_length(columns: Mapping[str, FloatArray]) -> None:
    """Raises `InputError` where columns have different numbers of rows."""
    lengths = {name: len(column) for name, column in columns.items()}
    if len(set(lengths.values())) > 1:
        told = ", ".join(f"{name} {rows}" for name, rows in lengths.items())
        raise InputError(
            f"columns have different numbers of rows ({told}); give one value for each row in all"
        )


def trace_of_frame(frame: Any) -> Trace:
    """The trace of a data frame whose columns are labelled as in the Battery Data Format, others ignored.

    `frame`: of pandas, polars or pyarrow, or a mapping from labels to columns. Raises `InputError`.
    """
    known = [(label, values) for label, values in _labelled(frame) if label in KNOWN]
    labels = [label for label, _ in known]
    doubled = next((label for label in labels if labels.count(label) > 1), None)
    if doubled:
        raise InputError(f"data frame: column '{doubled}' is there twice; keep one of them")
    columns = {label: floats(values, f"column '{label}'") for label, values in known}
    same_length(columns)
    table = pa.table({label: column_of(values) for label, values in columns.items()})
    return with_checked_time(trace_of_table(table, "data frame", 0), "data frame", 0, None)


def _labelled(frame: Any) -> list[tuple[str, Any]]:
    if isinstance(frame, Mapping):
        return [(str(label), values) for label, values in frame.items()]
    if hasattr(frame, "collect_schema") and not hasattr(frame, "get_column"):
        raise InputError("data frame: a query that has not run; give what its collect() returns")
    if hasattr(frame, "column_names") and hasattr(frame, "column"):  # of pyarrow
        return [(label, frame.column(at)) for at, label in enumerate(frame.column_names)]
    if hasattr(frame, "columns") and hasattr(frame, "__getitem__"):  # of pandas or polars
        index = getattr(frame, "index", None)  # of pandas: a column, where it is named like one
        named = getattr(index, "name", None)
        first = [(named, index)] if isinstance(named, str) and named not in frame.columns else []
        return first + [(str(label), frame[label]) for label in frame.columns]
    raise InputError(
        f"{type(frame).__name__}: give a path, a trace, or a data frame with the columns of the Battery Data Format"
    )


def _is_arrow(values: Any) -> bool:
    """A column of pyarrow or polars, or of whatever else speaks Arrow's protocol."""
    return hasattr(values, "__arrow_c_stream__") or hasattr(values, "__arrow_c_array__")


def _of_arrow(values: Any, name: str) -> FloatArray:
    whole = hasattr(values, "__arrow_c_array__")
    try:
        column = pa.chunked_array([pa.array(values)] if whole else values)
    except pa.ArrowInvalid as error:  # a type of polars that Arrow does not have
        kind = getattr(values, "dtype", type(values).__name__)
        raise InputError(f"{name}: holds {kind}, which Arrow does not know; cast it to Float64") from error
    kind, types = column.type, pa.types
    if types.is_dictionary(kind):
        kind = kind.value_type
    if types.is_null(kind):
        return np.full(len(column), np.nan)
    if not (types.is_integer(kind) or types.is_floating(kind) or types.is_decimal(kind)):
        raise _no_numbers(name, str(kind))
    return floats_of(column.cast(pa.float64(), safe=False))


def _of_numpy(values: Any, name: str) -> FloatArray:
    if hasattr(values, "to_numpy") and getattr(values.dtype, "kind", "") in NUMBERS:
        values = values.to_numpy(
            dtype="float64", na_value=np.nan
        )  # of pandas: a missing value may be its own
    if isinstance(values, np.ma.MaskedArray):
        values = np.where(np.ma.getmaskarray(values), np.nan, np.ma.getdata(values))
    if isinstance(values, list | tuple) and any(isinstance(value, bool | np.bool_) for value in values):
        raise _no_numbers(name, "bool")  # among numbers they would become 0 and 1
    try:
        array = np.asarray(values)
    except ValueError as error:  # rows of different lengths
        raise _no_numbers(name, "lists") from error
    if array.ndim == 0:
        kind = type(values).__name__
        raise InputError(f"{name}: a {kind} is no column; give a list or an array, one number for each row")
    if array.dtype.kind == "O":
        return _of_objects(array, name)
    if array.dtype.kind not in NUMBERS:
        raise _no_numbers(name, str(array.dtype))
    return array.astype(np.float64)


def _of_objects(array: npt.NDArray[Any], name: str) -> FloatArray:
    """Numbers among which one is missing make a list, and a column of pandas, one of objects."""
    numbers = np.empty(array.shape, object)
    for at, value in np.ndenumerate(array):
        numbers[at] = _number(value)
        if numbers[at] is None:
            raise InputError(f"{name}: data row {at[0]}: {value!r:.40} is not a number; give numbers")
    return numbers.astype(np.float64)


def _number(value: Any) -> float | None:
    """One value as a float, NaN where it is missing; None where it is no number, or beyond a float's range."""
    if value is None or type(value).__name__ in ("NAType", "NaTType"):
        return math.nan
    if isinstance(value, bool) or not isinstance(value, Real | Decimal):
        return None
    try:
        return float(value)
    except (OverflowError, ValueError):  # 10**400, a signalling NaN
        return None


def _no_numbers(name: str, kind: str) -> InputError:
    hint = "seconds as numbers" if "time" in kind or "date" in kind or "duration" in kind else "numbers"
    return InputError(f"{name}: holds {kind}, not numbers; give {hint}")
