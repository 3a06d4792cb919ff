"""The columns of the catalogue's tables, and where each stands in the report document."""

from collections.abc import Mapping
from functools import cache
from typing import Any

import pyarrow as pa

RUNS_FILE, EVENTS_FILE, HALF_CYCLES_FILE = "runs.parquet", "events.parquet", "half_cycles.parquet"
PARTS_DIR = "parts"  # beside them: what each call judged
# runs.parquet: (column, Arrow type, place in the report document); a place of None is filled by `judge` or `tables`.
RUNS: tuple[tuple[str, str, str | None], ...] = (
    ("file", "string", None),
    ("current", "bool", None),  # judged by the newest code that judged this file
    ("error", "string", None),
    ("error_kind", "string", None),  # unreadable, missing, bug, killed
    ("verdict", "string", "verdict"),
    ("reason", "string", "reason"),
    ("notes", "strings", "notes"),
    ("rows", "int64", None),
    ("half_cycles", "int64", None),
    ("events", "int64", None),
    ("configuration", "string", None),
    ("electrolyte", "string", None),
    ("cell", "string", None),  # all the sidecar says, as JSON
    ("protocol_kind", "string", "protocol.kind"),
    ("protocol_half_cycle_s", "double", "protocol.half_cycle_s"),
    ("protocol_half_cycle_mAh_cm2", "double", "protocol.half_cycle_mAh_cm2"),
    ("cycles_per_level", "int64", "protocol.cycles_per_level"),
    ("levels_mA_cm2", "doubles", "protocol.levels_mA_cm2"),
    ("endured_mA_cm2", "double", "ccd.endured_mA_cm2"),
    ("failed_at_mA_cm2", "double", "ccd.failed_at_mA_cm2"),
    ("endured_A", "double", "ccd.endured_A"),
    ("failed_at_A", "double", "ccd.failed_at_A"),
    ("lower_bound", "bool", "ccd.lower_bound"),
    ("limited_by", "string", "ccd.limited_by"),
    ("capacity_per_half_cycle_mAh_cm2", "double", "ccd.capacity_per_half_cycle_mAh_cm2"),
    ("cumulative_capacity_mAh_cm2", "double", "ccd.cumulative_capacity_mAh_cm2"),
    ("half_cycle_s", "double", "ccd.half_cycle_s"),
    ("temperature_degC", "double", "ccd.temperature_degC"),
    ("pressure_MPa", "double", "ccd.pressure_MPa"),
    ("area_cm2", "double", "ccd.area_cm2"),
    ("eis", "string", "ccd.eis"),
    ("software", "string", None),
    ("core", "string", None),
    ("sha256", "string", None),
    ("inputs", "string", None),
    ("key", "string", None),
)
EVENTS: tuple[tuple[str, str], ...] = (
    ("kind", "string"), ("start_s", "double"), ("end_s", "double"), ("row", "int64"), ("cycle", "int64"),
    ("current_density_mA_cm2", "double"), ("current_A", "double"), ("recovered", "bool"), ("provisional", "bool"),
    ("probability", "double"), ("evidence", "string"),
)  # fmt: skip
HALF_CYCLES: tuple[tuple[str, str], ...] = (
    ("index", "int64"), ("cycle", "int64"), ("start_s", "double"), ("end_s", "double"),
    ("current_density_mA_cm2", "double"), ("capacity_mAh_cm2", "double"), ("voltage_mean_V", "double"),
    ("resistance_start_ohm_cm2", "double"), ("resistance_end_ohm_cm2", "double"), ("noise_V", "double"),
)  # fmt: skip
# Of each run there are these in `events.parquet` and `half_cycles.parquet`, too.
OF_RUN = ("file", "current", "core", "key")
EVENT_LIST, HALF_CYCLE_LIST = "event_list", "half_cycle_list"  # in a part, which is one file


def _type(name: str) -> pa.DataType:
    lists = {"strings": pa.list_(pa.string()), "doubles": pa.list_(pa.float64())}
    return lists.get(name) or pa.type_for_alias(name)


def _struct(columns: tuple[tuple[str, str], ...]) -> pa.DataType:
    return pa.struct([(name, _type(kind)) for name, kind in columns])


@cache
def runs_schema() -> pa.Schema:
    """Of `runs.parquet`."""
    return pa.schema([(name, _type(kind)) for name, kind, _ in RUNS])


@cache
def part_schema() -> pa.Schema:
    """Of a part: a run each, without what belongs to its place, with its events and half-cycles in it."""
    runs = [field for field in runs_schema() if field.name not in ("file", "current")]
    lists = [(EVENT_LIST, pa.list_(_struct(EVENTS))), (HALF_CYCLE_LIST, pa.list_(_struct(HALF_CYCLES)))]
    return pa.schema([*runs, *(pa.field(name, kind) for name, kind in lists)])


def of_document(document: Mapping[str, Any]) -> dict[str, Any]:
    """The columns of a run that stand in its report document; null where an older document lacks one."""
    return {column: _at(document, place) for column, _, place in RUNS if place is not None}


def _at(document: Mapping[str, Any], place: str) -> Any:
    value: Any = document
    for name in place.split("."):
        value = value.get(name) if isinstance(value, Mapping) else None
    return value


def only(entry: Mapping[str, Any], columns: tuple[tuple[str, str], ...]) -> dict[str, Any]:
    """The columns of one event or half-cycle."""
    return {name: entry.get(name) for name, _ in columns}
