"""Half-cycles and events of a report as tables: a row each, under the document's own names, types from its schema."""

import json
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from ccdmon.formats.arrow_floats import column_of, text_column_of
from ccdmon.formats.bdf.write import write_table

TABLES = {
    "half_cycles": "half_cycle",
    "events": "event",
}  # key of the document, name of the file: kind in the schema
ENDINGS = (".csv", ".parquet")
_ARROW = {"integer": pa.int64(), "boolean": pa.bool_(), "number": pa.float64()}


def write_tables(document: Mapping[str, Any], folder: Path) -> None:
    """Write `half_cycles` and `events`, each as `.csv` and `.parquet`, into `folder`, which exists.

    Raises `InputError` where it cannot be written.
    """
    for key in TABLES:
        table = table_of(document, key)
        for ending in ENDINGS:
            write_table(table, folder / (key + ending))


def table_of(document: Mapping[str, Any], key: str) -> pa.Table:
    """`half_cycles` or `events` of a document: all columns that its schema knows, null where a row has nothing.

    Objects are JSON. A test without any has the columns, too.
    """
    records = document[key]
    return pa.table(
        {
            name: _column([record.get(name) for record in records], _type_of(field))
            for name, field in _schema()["$defs"][TABLES[key]]["properties"].items()
        }
    )


@cache
def _schema() -> dict[str, Any]:
    text = files("ccdmon").joinpath("data/report.schema.json").read_text(encoding="utf-8")
    schema: dict[str, Any] = json.loads(text)
    return schema


def _type_of(field: Mapping[str, Any]) -> str:
    """`integer`, `number`, `boolean`, `string` or `object`."""
    if "$ref" in field:
        field = _schema()["$defs"][field["$ref"].rpartition("/")[2]]
    kinds = field.get("type", "string")  # without a type it is one of some words
    return str(kinds if isinstance(kinds, str) else next(kind for kind in kinds if kind != "null"))


def _column(values: list[Any], kind: str) -> pa.Array:
    if kind not in _ARROW:
        return text_column_of([json.dumps(value) if kind == "object" else value for value in values])
    numbers = column_of(np.array([np.nan if value is None else value for value in values], dtype=np.float64))
    return numbers.cast(_ARROW[kind])
