"""The tables of one rig on the live page: half-cycles, the newest first, and events. Only our own words and numbers."""

from collections.abc import Mapping
from typing import Any

from bokeh.models import ColumnDataSource, CustomJS
from bokeh.models.widgets import DataTable, NumberFormatter, TableColumn

from ccdmon.live.plots import DRAWN_FOR_LIGHT

_STYLE = """
.slick-header-column { font-weight: 600; }
.slick-header-column .slick-column-name { display: block !important; text-align: right !important; }
@media (max-width: 600px) { .slick-header-column { white-space: normal !important; height: 3.8em !important; } }
"""  # on a phone up to three lines, so that no unit is cut; text: a model would belong to one page alone
# Bokeh draws a table again where the number of its rows changes; the running half-cycle, and an event that recovers or
# is provisional no more, change without.
_REDRAW = "const view = Bokeh.index.find_one(table); if (view && view.grid) view.updateGrid();"
MOST_HALF_CYCLES = 500  # the whole table is in the report


class RigTables:
    """Two tables and their sources; `name` prefixes the names of the models on the page."""

    def __init__(self, name: str, compact: bool, area_known: bool) -> None:
        self._density = "current_density_mA_cm2" if area_known else "current_mA"
        self._capacity = "capacity_mAh_cm2" if area_known else "capacity_mAh"
        self._unit = "ohm_cm2" if area_known else "ohm"
        density, capacity, resistance = (
            ("j / mA cm⁻²", "Q / mAh cm⁻²", "Ω cm²") if area_known else ("I / mA", "Q / mAh", "Ω")
        )
        self._columns = ("cycle", "current", "duration_s", "capacity", "start", "end")
        self.half_cycles = ColumnDataSource({key: [] for key in self._columns}, name=f"{name}-half-cycles")
        self.events = ColumnDataSource(
            {key: [] for key in ("start_s", "kind", "current", "state")}, name=f"{name}-event-rows"
        )
        size: dict[str, Any] = {
            "height": 150 if compact else 260, "sizing_mode": "stretch_width", "index_position": None,
            "stylesheets": [_STYLE], "reorderable": False,
            "styles": DRAWN_FOR_LIGHT | ({} if compact else {"flex": "1 1 320px"}),  # side by side, where there is room
        }  # fmt: skip
        self.half_cycle_table = DataTable(
            source=self.half_cycles,
            columns=[
                _column("cycle", "cycle", "0"), _column("current", density, "0.000"),
                _column("duration_s", "time / s", "0.0"), _column("capacity", capacity, "0.0000"),
                _column("start", f"R start / {resistance}", "0.00"), _column("end", f"R end / {resistance}", "0.00"),
            ],
            **size,
        )  # fmt: skip
        self.event_table = DataTable(
            source=self.events,
            columns=[
                _column("start_s", "at / s", "0.00"), TableColumn(field="kind", title="event"),
                _column("current", density, "0.000"), TableColumn(field="state", title="state"),
            ],
            **size,
        )  # fmt: skip

        for source, table in ((self.half_cycles, self.half_cycle_table), (self.events, self.event_table)):
            source.js_on_change("data", CustomJS(args={"table": table}, code=_REDRAW))
            table.name = f"{source.name}-table"

    def show(self, report: Mapping[str, Any]) -> None:
        """The tables of a report."""
        newest = report["half_cycles"][: -MOST_HALF_CYCLES - 1 : -1]
        self.half_cycles.data = {
            "cycle": [h["cycle"] for h in newest],
            "current": [self._current(h) for h in newest],
            "duration_s": [h["end_s"] - h["start_s"] for h in newest],
            "capacity": [h[self._capacity] for h in newest],
            "start": [h[f"resistance_start_{self._unit}"] for h in newest],
            "end": [h[f"resistance_end_{self._unit}"] for h in newest],
        }
        events = report["events"][::-1]
        self.events.data = {
            "start_s": [e["start_s"] for e in events],
            "kind": [e["kind"].replace("_", " ") for e in events],
            "current": [self._current(e) for e in events],
            "state": [_state(e) for e in events],
        }

    def _current(self, document: Mapping[str, Any]) -> float | None:
        value = document["current_A"] * 1e3 if self._density == "current_mA" else document[self._density]
        return None if value is None else float(value)


def _state(event: Mapping[str, Any]) -> str:
    if event["recovered"]:
        return "recovered"
    return "provisional" if event["provisional"] else "stands"


def _column(field: str, title: str, number_format: str) -> TableColumn:
    return TableColumn(
        field=field,
        title=title,
        formatter=NumberFormatter(format=number_format, text_align="right", nan_format="–"),
    )
