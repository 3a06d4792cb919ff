"""Half-cycles and events of a report as tables beside it: a row each, under the document's own names."""

import csv
import io
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ccdmon.errors import InputError

TABLES = {"half_cycles": "half_cycles.csv", "events": "events.csv"}  # key of the document: file


def write_tables(document: Mapping[str, Any], folder: Path) -> None:
    """Write `half_cycles.csv` and `events.csv`. Raises `InputError` where the folder cannot be written."""
    for key, name in TABLES.items():
        try:
            (folder / name).write_text(table_text(document[key]), encoding="utf-8", newline="")
        except OSError as error:
            raise InputError(
                f"{folder / name}: cannot write: {error.strerror or error}; choose another folder"
            ) from error


def table_text(rows: Sequence[Mapping[str, Any]]) -> str:
    """CSV: columns in the order in which the rows first name them, empty where a row has nothing, evidence as JSON."""
    names = list(dict.fromkeys(name for row in rows for name in row))
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(names)
    writer.writerows([_cell(row.get(name)) for name in names] for row in rows)
    return out.getvalue()


def _cell(value: Any) -> Any:
    return json.dumps(value) if isinstance(value, dict | list) else "" if value is None else value
