"""The report's figures as SVG text: the whole test on one time axis, and the short sample by sample.

Long traces are drawn as the smallest and largest value of each pixel column, so no spike is lost and a week
of data stays a small file.
"""

import io
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import pairwise
from typing import Any

import matplotlib
import numpy as np

matplotlib.use("svg")  # before any figure: no display is needed or wanted
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ccdmon.trace import FloatArray, Trace

Document = Mapping[str, Any]

PIXEL_COLUMNS = 1600
ZOOM_ROWS = 14  # on either side of the short
INK, GRID, MUTED = "#1f2933", "#e4e7eb", "#616e7c"
# Okabe and Ito's palette, told apart by colour-blind readers.
VOLTAGE_COLOUR, CURRENT_COLOUR, PRESSURE_COLOUR = "#0072b2", "#52606d", "#009e73"
START_COLOUR, END_COLOUR = "#56b4e9", "#0b4f7a"
EVENT_COLOURS = {
    "hard_short": "#d1242f",
    "partial_short": "#e69f00",
    "soft_short": "#d98200",
    "contact_loss": "#8250a5",
    "fake_stable": "#7a4b2a",
    "limit": "#b35900",
    "sensor_fault": "#616e7c",
}
_STYLE: dict[Any, Any] = {
    "svg.fonttype": "none",  # text stays text: sharp, selectable, small
    "svg.hashsalt": "ccdmon",  # the same report gives the same bytes
    "font.family": "sans-serif",
    "font.sans-serif": ["Inter", "Segoe UI", "Helvetica Neue", "Arial", "DejaVu Sans"],
    "font.size": 10,
    "axes.edgecolor": MUTED,
    "axes.labelcolor": INK,
    "axes.linewidth": 0.8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.color": GRID,
    "grid.linewidth": 0.8,
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "text.color": INK,
    "legend.frameon": False,
}


def overview_svg(trace: Trace, document: Document, trip: Document | None = None) -> str:
    """Voltage, current, resistance per half-cycle and, where recorded, pressure over time, with the events.

    `trip`: `{"row", "reason"}` of the firmware's cutoff, when the trace is a monitored run.
    """
    with _styled():
        pressure = trace.pressure_Pa if _has_values(trace.pressure_Pa) else None
        heights = [3.2, 1.6, 2.2] + ([1.2] if pressure is not None else [])
        figure = Figure(figsize=(11, 1.05 * sum(heights)), layout="constrained")
        axes = figure.subplots(len(heights), 1, sharex=True, height_ratios=heights)
        unit, scale = time_unit(trace)
        _draw_voltage(axes[0], trace, scale)
        _draw_current(axes[1], trace, scale)
        _draw_resistance(axes[2], document["half_cycles"], scale)
        if pressure is not None:
            _line(axes[3], trace.test_time_s * scale, pressure / 1e6, PRESSURE_COLOUR)
            axes[3].set_ylabel("pressure / MPa")
        _mark_events(axes, document["events"], trace, scale)
        _mark_trip(axes, trip, trace, scale)
        axes[-1].set_xlabel(f"test time / {unit}")
        figure.align_ylabels()
        return _svg(figure)


def zoom_svg(trace: Trace, row: int, trip_row: int | None = None) -> str:
    """Voltage and current of the rows around `row` (the first that shows the fault), each sample a dot."""
    start = max(0, row - ZOOM_ROWS)
    part = trace.rows(start, max(row, trip_row or 0) + ZOOM_ROWS)
    rows = np.arange(start, start + len(part))
    with _styled():
        figure = Figure(figsize=(11, 3.0), layout="constrained")
        voltage_axes, current_axes = figure.subplots(1, 2)
        for axes, values, (label, factor), colour in (
            (voltage_axes, part.voltage_V, voltage_unit(part), VOLTAGE_COLOUR),
            (current_axes, *_current_in_unit(part), CURRENT_COLOUR),
        ):
            axes.plot(rows, values * factor, color=colour, lw=1.2, marker="o", ms=3.5, drawstyle="default")
            axes.axvline(row, color=EVENT_COLOURS["hard_short"], lw=1.2)
            axes.set_ylabel(label)
            axes.set_xlabel("sample (data row)")
            if trip_row is not None:
                axes.axvline(trip_row, color=INK, lw=1.2, ls=(0, (4, 2)))
        _zoom_labels(voltage_axes, row, trip_row)
        return _svg(figure)


def time_unit(trace: Trace) -> tuple[str, float]:
    """(unit, factor from seconds) that keeps the axis readable."""
    span_s = float(trace.test_time_s[-1] - trace.test_time_s[0])
    for unit, length_s in (("d", 86400.0), ("h", 3600.0), ("min", 60.0)):
        if span_s > 4 * length_s:
            return unit, 1 / length_s
    return "s", 1.0


def voltage_unit(trace: Trace) -> tuple[str, float]:
    """(axis label, factor from volts): millivolts for a cell that lives below a tenth of a volt."""
    finite = np.abs(trace.voltage_V[np.isfinite(trace.voltage_V)])
    small = finite.size and np.percentile(finite, 99) < 0.1
    return ("voltage / mV", 1e3) if small else ("voltage / V", 1.0)


def envelope(x: FloatArray, y: FloatArray, columns: int = PIXEL_COLUMNS) -> tuple[FloatArray, FloatArray]:
    """At most 4 points for each of `columns` bins of rows: first, smallest, largest, last, in row order."""
    known = np.isfinite(y)
    x, y = x[known], y[known]
    if len(y) <= 4 * columns:
        return x, y
    edges = np.linspace(0, len(y), columns + 1).astype(np.intp)
    picked = [_extremes(y, low, high) for low, high in pairwise(edges)]
    rows = np.unique(np.concatenate(picked))
    return x[rows], y[rows]


def _extremes(y: FloatArray, low: int, high: int) -> list[int]:
    part = y[low:high]
    return [low, low + int(part.argmin()), low + int(part.argmax()), high - 1]


def _draw_voltage(axes: Axes, trace: Trace, scale: float) -> None:
    label, factor = voltage_unit(trace)
    axes.axhline(0, color=MUTED, lw=0.6)
    _line(axes, trace.test_time_s * scale, trace.voltage_V * factor, VOLTAGE_COLOUR)
    axes.set_ylabel(label)


def _draw_current(axes: Axes, trace: Trace, scale: float) -> None:
    values, (label, factor) = _current_in_unit(trace)
    axes.axhline(0, color=MUTED, lw=0.6)
    _line(axes, trace.test_time_s * scale, values * factor, CURRENT_COLOUR)
    axes.set_ylabel(label)


def _current_in_unit(trace: Trace) -> tuple[FloatArray, tuple[str, float]]:
    area_cm2 = trace.cell.electrode_area_cm2
    if area_cm2:
        return trace.current_A, ("current density\n/ mA cm⁻²", 1e3 / area_cm2)
    return trace.current_A, ("current / mA", 1e3)


def _draw_resistance(axes: Axes, half_cycles: Sequence[Document], scale: float) -> None:
    """Each half-cycle a stroke from its resistance after settling to that at its end."""
    suffix = "ohm_cm2" if any(cycle.get("resistance_end_ohm_cm2") for cycle in half_cycles) else "ohm"
    ends = []
    for kind, colour, label in (("start", START_COLOUR, "after settling"), ("end", END_COLOUR, "at the end")):
        points = [
            (cycle[f"{kind}_s"] * scale, cycle.get(f"resistance_{kind}_{suffix}")) for cycle in half_cycles
        ]
        ends.append(points)
        known = [(x, y) for x, y in points if y is not None]
        axes.plot(*zip(*known, strict=True) if known else ([], []), "o", ms=3.5, color=colour, label=label)
    for (x0, y0), (x1, y1) in zip(*ends, strict=True):
        if y0 is not None and y1 is not None:
            axes.plot([x0, x1], [y0, y1], color=END_COLOUR, lw=1.0, alpha=0.6)
    axes.set_ylim(bottom=0)
    axes.set_ylabel("resistance\n/ Ω cm²" if suffix == "ohm_cm2" else "resistance / Ω")
    if half_cycles:
        axes.legend(loc="upper left", ncols=2, handletextpad=0.2, fontsize=9)


def _mark_events(panels: Sequence[Axes], events: Sequence[Document], trace: Trace, scale: float) -> None:
    last_s = float(trace.test_time_s[-1])
    for event in events:
        colour = EVENT_COLOURS.get(event["kind"], INK)
        start = event["start_s"] * scale
        end = (last_s if event["end_s"] is None else event["end_s"]) * scale
        for axes in panels:
            axes.axvspan(start, end, color=colour, alpha=0.10, lw=0)
            axes.axvline(start, color=colour, lw=1.2)
    _label_events(panels[0], events, trace, scale)


def _label_events(axes: Axes, events: Sequence[Document], trace: Trace, scale: float) -> None:
    """Names above the top panel, each kind once, on the side where there is room."""
    middle_s = (trace.test_time_s[0] + trace.test_time_s[-1]) / 2
    for level, kind in enumerate(dict.fromkeys(event["kind"] for event in events)):
        found = [event for event in events if event["kind"] == kind]
        text = kind.replace("_", " ") + (f" x {len(found)}" if len(found) > 1 else "")
        right = found[0]["start_s"] > middle_s
        axes.annotate(
            text, (found[0]["start_s"] * scale, 1), xycoords=("data", "axes fraction"),
            xytext=(-4 if right else 4, 5 + 13 * level), textcoords="offset points",
            ha="right" if right else "left", color=EVENT_COLOURS.get(kind, INK), fontweight="bold",
        )  # fmt: skip


def _mark_trip(panels: Sequence[Axes], trip: Document | None, trace: Trace, scale: float) -> None:
    if trip is None or not 0 <= trip["row"] < len(trace):
        return
    at = float(trace.test_time_s[trip["row"]]) * scale
    for axes in panels:
        axes.axvline(at, color=INK, lw=1.2, ls=(0, (4, 2)))
    panels[1].annotate(
        "gate opened", (at, 1), xycoords=("data", "axes fraction"), xytext=(-4, -10),
        textcoords="offset points", ha="right", fontsize=9,
    )  # fmt: skip


def _zoom_labels(axes: Axes, row: int, trip_row: int | None) -> None:
    axes.annotate(
        "first shorted sample", (row, 1), xycoords=("data", "axes fraction"), xytext=(-4, 4),
        textcoords="offset points", ha="right", color=EVENT_COLOURS["hard_short"], fontweight="bold",
    )  # fmt: skip
    if trip_row is not None:
        axes.annotate(
            "gate opened", (trip_row, 1), xycoords=("data", "axes fraction"), xytext=(4, 4),
            textcoords="offset points", fontweight="bold",
        )  # fmt: skip


def _line(axes: Axes, x: FloatArray, y: FloatArray, colour: str) -> None:
    axes.plot(*envelope(x, y), color=colour, lw=1.1, solid_joinstyle="round")


def _has_values(column: FloatArray | None) -> bool:
    return column is not None and bool(np.isfinite(column).any())


@contextmanager
def _styled() -> Iterator[None]:
    with matplotlib.rc_context(_STYLE):
        yield


def _svg(figure: Figure) -> str:
    sink = io.StringIO()
    figure.savefig(sink, format="svg", metadata={"Date": None, "Creator": None})
    text = sink.getvalue()
    return text[text.index("<svg") :]
