"""The plots of one rig on the live page: voltage, current, pressure, temperature and resistance against time.

Events go across all. One data source holds what is visible and no more; zooming asks the history for the finer part.
The time axis is shared.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from bokeh.models import (
    BasicTicker,
    ColumnDataSource,
    CustomJSTickFormatter,
    DataRange1d,
    HoverTool,
    PanTool,
    Range1d,
    WheelZoomTool,
)
from bokeh.models.annotations import LabelSet
from bokeh.plotting import figure

from ccdmon.live.follower import Follower
from ccdmon.live.history import View
from ccdmon.report.colours import EVENT_COLOURS, INK

# Turned round whole where the reader's machine is dark: data/live.html
DRAWN_FOR_LIGHT: dict[str, str | None] = {
    "filter": "var(--invert)", "background": "#fff", "color": "#1f2933", "color-scheme": "light",
}  # fmt: skip
WRAP: dict[str, str | None] = {"flex-wrap": "wrap"}  # as many side by side as there is room for
POINTS, POINTS_COMPACT = 900, 400  # buckets across a plot: about one a pixel
_LABEL_PLACES = ("place_px", "offset_px", "align")
_LABEL_SHARE = 0.3  # of the plot's width, at its right end, where a label stands left of its mark
# test time as the axis shows it: seconds below two minutes, else h:mm:ss
_TIME_TICKS = """
const whole = Math.floor(Math.abs(tick)), sign = tick < 0 ? "-" : "";
const step = ticks.length > 1 ? Math.abs(ticks[1] - ticks[0]) : 1;
const places = step >= 1 ? 0 : Math.min(4, Math.ceil(-Math.log10(step)));
if (Math.abs(tick) < 120) return sign + Math.abs(tick).toFixed(places) + " s";
const two = (n) => String(n).padStart(2, "0");
const fraction = places ? (Math.abs(tick) - whole).toFixed(places).slice(1) : "";
const days = Math.floor(whole / 86400), rest = whole % 86400;
const text = two(Math.floor(rest / 3600)) + ":" + two(Math.floor(rest / 60) % 60) + ":" + two(rest % 60) + fraction;
return sign + (days ? days + "d " : "") + text;
"""
_PANELS = (
    ("voltage_V", "Voltage / V", "#1f6feb"),
    ("current_mA", "Current / mA", "#1a7f37"),
    ("pressure_MPa", "Pressure / MPa", "#8250df"),
    ("temperature_degC", "Temperature / °C", "#bc4c00"),
)


class RigPlots:
    """Figures and their sources for one follower; `name` prefixes the names of the models on the page."""

    def __init__(self, follower: Follower, name: str, compact: bool) -> None:
        self._follower, self._compact = follower, compact
        self.x_range = Range1d(start=0.0, end=1.0, name=f"{name}-x")
        panels = [panel for panel in _PANELS if self._has(panel[0])]
        columns: dict[str, Any] = {"time_s": [], **{column: [] for column, _, _ in panels}}
        self.rows = ColumnDataSource(columns, name=f"{name}-rows")
        self.resistance = ColumnDataSource({"time_s": [], "resistance": []}, name=f"{name}-resistance")
        empty: dict[str, list[Any]] = {key: [] for key in ("time_s", "label", "colour", *_LABEL_PLACES)}
        self.events = ColumnDataSource(empty, name=f"{name}-events")
        self.figures = [self._figure(label) for _, label, _ in panels]
        for plot, (column, label, colour) in zip(self.figures, panels, strict=True):
            line = plot.line("time_s", column, source=self.rows, color=colour, line_width=1.2)
            quantity, _, unit = label.partition(" / ")
            tips = [("at", "@time_s{0.000} s"), (quantity, f"@{column}{{0.0000}} {unit}")]
            plot.add_tools(
                HoverTool(tooltips=tips, renderers=[line], mode="vline", point_policy="snap_to_data")
            )
        self._temperature = self.figures[-1]
        self._temperature.name = f"{name}-temperature"
        self._temperature.y_range.default_span = 2.0  # K
        self._temperature.visible = follower.measures_temperature
        self.figures.append(self._resistance_figure())
        for plot in self.figures:
            plot.vspan(x="time_s", source=self.events, color="colour", line_width=1.6)
        self.figures[0].add_layout(
            LabelSet(
                x="time_s",
                y="place_px",
                y_units="screen",
                text="label",
                text_color="colour",
                x_offset="offset_px",
                text_align="align",
                source=self.events,
                text_font_size="11px",
                text_font_style="bold",
                background_fill_color="white",
                background_fill_alpha=0.8,
            )
        )
        self.figures[-1].xaxis.axis_label = "Test time"
        for plot in self.figures[:-1]:
            plot.xaxis.visible = False  # measuring labels that nobody sees costs as much as drawing the line

    @property
    def points(self) -> int:
        """Buckets worth drawing."""
        return POINTS_COMPACT if self._compact else POINTS

    @property
    def visible_s(self) -> tuple[float, float]:
        """Test time at the ends of the time axis."""
        return float(str(self.x_range.start)), float(str(self.x_range.end))

    def show(self, view: View) -> None:
        """Put a part of the history on the page."""
        values = view.values
        data: dict[str, Any] = {"time_s": view.time_s, "voltage_V": values["voltage_V"]}
        data["current_mA"] = values["current_A"] * 1e3
        data["temperature_degC"] = values["temperature_degC"]
        self._temperature.visible = self._follower.measures_temperature
        if "pressure_MPa" in self.rows.data:
            data["pressure_MPa"] = values["pressure_Pa"] * 1e-6
        self.rows.data = data

    def show_report(self, report: Mapping[str, Any], trips: Sequence[Mapping[str, Any]]) -> None:
        """Resistance of each half-cycle, from its start to its end, and the events."""
        unit = "ohm_cm2" if report["ccd"]["area_cm2"] else "ohm"
        times, values = list[float](), list[float]()
        for h in report["half_cycles"]:
            times += [h["start_s"], h["end_s"], h["end_s"]]
            ends = (h[f"resistance_start_{unit}"], h[f"resistance_end_{unit}"])
            values += [np.nan if end is None else abs(end) for end in ends] + [np.nan]
        self.resistance.data = {"time_s": np.array(times), "resistance": np.array(values)}
        self.figures[-1].yaxis.axis_label = "Resistance / Ω cm²" if unit == "ohm_cm2" else "Resistance / Ω"
        marks = [(e["start_s"], e["kind"], EVENT_COLOURS.get(e["kind"], INK)) for e in report["events"]]
        marks += [(t["test_time_s"], "gate opened", INK) for t in trips if t.get("test_time_s") is not None]
        marks.sort()
        start_s, end_s = self.visible_s
        late = [mark[0] > end_s - _LABEL_SHARE * (end_s - start_s) for mark in marks]
        self.events.data = {
            "time_s": [mark[0] for mark in marks],
            "label": [mark[1].replace("_", " ") for mark in marks],
            "colour": [mark[2] for mark in marks],
            "place_px": [8 + 16 * (n % 3) for n in range(len(marks))],
            "offset_px": [-4 if left else 4 for left in late],
            "align": ["right" if left else "left" for left in late],
        }

    def _has(self, column: str) -> bool:
        return column != "pressure_MPa" or self._follower.measures_pressure

    def _figure(self, label: str) -> Any:
        wheel = WheelZoomTool(dimensions="width")
        plot = figure(
            height=(120 if self._compact else 165), sizing_mode="stretch_width", x_range=self.x_range,
            y_range=DataRange1d(range_padding=0.08, only_visible=False, default_span=1e-3),
            tools=[PanTool(dimensions="width"), wheel], active_scroll=wheel, toolbar_location=None, min_border_left=70,
            outline_line_color="#d0d7de", background_fill_color="#ffffff", lod_threshold=None, styles=DRAWN_FOR_LIGHT,
        )  # fmt: skip
        plot.yaxis.axis_label = label
        plot.yaxis.axis_label_text_font_size = "11px"
        plot.yaxis.axis_label_text_font_style = "normal"
        plot.xaxis.axis_label_text_font_style = "normal"
        plot.xaxis.formatter = CustomJSTickFormatter(code=_TIME_TICKS)
        plot.yaxis.ticker = BasicTicker(desired_num_ticks=3 if self._compact else 5)
        plot.grid.grid_line_color = "#eaeef2"
        return plot

    def _resistance_figure(self) -> Any:
        plot = self._figure("Resistance / Ω")
        plot.line("time_s", "resistance", source=self.resistance, color="#cf222e", line_width=2)
        plot.add_tools(HoverTool(tooltips=[("at", "@time_s{0.0} s"), ("R", "@resistance{0.000}")]))
        plot.height += 20
        return plot
