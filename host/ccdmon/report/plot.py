"""Figures of a test in time: the whole test on one time axis, and the short sample by sample.

Long traces are drawn as the smallest and largest value of each pixel column, so no spike is lost and a week
of data stays a small file.
"""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ccdmon.model.trace import FloatArray, Trace
from ccdmon.report.colours import EVENT_COLOURS, INK
from ccdmon.report.drawing import (
    CURRENT_COLOUR,
    END_COLOUR,
    FAINT,
    MUTED,
    PRESSURE_COLOUR,
    START_COLOUR,
    TEMPERATURE_COLOUR,
    VOLTAGE_COLOUR,
    Drawing,
)
from ccdmon.report.marks import (
    broken,
    event_labels,
    gaps_s,
    label_events,
    mark_events,
    mark_gaps,
    mark_trip,
    zoom_labels,
)

Document = Mapping[str, Any]
Gaps = Sequence[tuple[float, float]]  # begin and end of each, in the unit of the time axis

PIXEL_COLUMNS = 1600
MEGAPASCALS_WORTH_SHOWING, KELVINS_WORTH_SHOWING = 0.001, 1.0
ZOOM_ROWS = 14  # on either side of the short


def overview(trace: Trace, document: Document, trip_row: int | None = None) -> Drawing:
    """Voltage, current, resistance per half-cycle and, where they vary, pressure and temperature, with the events.

    `trip_row`: the data row at which the firmware opened the gate, when the trace is a monitored run.
    """
    extra = _surroundings(trace)
    heights = [3.2, 1.6, 2.2] + [1.2] * len(extra)
    unit, scale = time_unit(trace)
    gaps = [(begin_s * scale, end_s * scale) for begin_s, end_s in gaps_s(trace)]

    def draw(figure: Figure) -> None:
        axes = figure.subplots(len(heights), 1, sharex=True, height_ratios=heights)
        mark_gaps(axes, gaps)
        _draw_voltage(axes[0], trace, scale, gaps)
        _draw_current(axes[1], trace, scale, gaps)
        _draw_resistance(axes[2], trace, document["half_cycles"], scale)
        for panel, (label, values, colour) in zip(axes[3:], extra, strict=True):
            _line(panel, trace.test_time_s * scale, values, colour, gaps)
            panel.set_ylabel(label)
        labels = event_labels(document["events"], scale)
        mark_events(axes, document["events"], trace, scale)
        if trip_row is not None:
            at = float(trace.test_time_s[np.searchsorted(trace.numbers, trip_row)]) * scale
            mark_trip(axes, at)
            labels.append(("gate opened", at, INK))
        begin, end = trace.test_time_s[0] * scale, trace.test_time_s[-1] * scale
        label_events(axes[0], labels, (begin + end) / 2)
        margin = (end - begin) * 0.01 or 1.0
        axes[-1].set_xlim(begin - margin, end + margin)
        axes[-1].set_xlabel(f"test time / {unit}")
        figure.align_ylabels()

    caption = "The whole test" + ("; grey where nothing was recorded." if gaps else ".")
    return Drawing("overview", caption, draw, (11, 1.05 * sum(heights)))


def zoom(trace: Trace, row: int, trip_row: int | None = None) -> Drawing:
    """Voltage and current of the rows around `row` (the first that shows the fault), each sample a dot."""
    at, end = np.searchsorted(trace.numbers, (row, max(row, trip_row or 0))).tolist()
    part = trace.rows(max(0, at - ZOOM_ROWS), end + ZOOM_ROWS)
    rows = trace.numbers[max(0, at - ZOOM_ROWS) : end + ZOOM_ROWS]

    def draw(figure: Figure) -> None:
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
        zoom_labels(voltage_axes, row, trip_row)

    caption = "The short, sample by sample" + (
        ", and the firmware's answer." if trip_row is not None else "."
    )
    return Drawing("short", caption, draw, (11, 3.0))


def _surroundings(trace: Trace) -> list[tuple[str, FloatArray, str]]:
    """(label, values, colour) of what was measured beside the cell, where it varies."""
    measured = (
        ("pressure\n/ MPa", trace.pressure_Pa, 1e-6, MEGAPASCALS_WORTH_SHOWING, PRESSURE_COLOUR),
        ("temperature\n/ °C", trace.temperature_degC, 1.0, KELVINS_WORTH_SHOWING, TEMPERATURE_COLOUR),
    )
    return [
        (label, values * factor, colour)
        for label, values, factor, least, colour in measured
        if values is not None and _varies(values * factor, least)
    ]


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


def _draw_voltage(axes: Axes, trace: Trace, scale: float, gaps: Gaps) -> None:
    label, factor = voltage_unit(trace)
    axes.axhline(0, color=MUTED, lw=0.6)
    _line(axes, trace.test_time_s * scale, trace.voltage_V * factor, VOLTAGE_COLOUR, gaps)
    axes.set_ylabel(label)


def _draw_current(axes: Axes, trace: Trace, scale: float, gaps: Gaps) -> None:
    values, (label, factor) = _current_in_unit(trace)
    axes.axhline(0, color=MUTED, lw=0.6)
    _line(axes, trace.test_time_s * scale, values * factor, CURRENT_COLOUR, gaps)
    axes.set_ylabel(label)


def _current_in_unit(trace: Trace) -> tuple[FloatArray, tuple[str, float]]:
    area_cm2 = trace.cell.electrode_area_cm2
    if area_cm2:
        return trace.current_A, ("current density\n/ mA cm⁻²", 1e3 / area_cm2)
    return trace.current_A, ("current / mA", 1e3)


def _draw_resistance(axes: Axes, trace: Trace, half_cycles: Sequence[Document], scale: float) -> None:
    """V/I of every sample, faint, and of each half-cycle its values after settling and at the end."""
    specific = trace.cell.electrode_area_cm2 is not None
    suffix = "ohm_cm2" if specific else "ohm"
    momentary = momentary_resistance_ohm(trace) * (trace.cell.electrode_area_cm2 or 1.0)
    axes.plot(*envelope(trace.test_time_s * scale, momentary), ".", ms=1.5, color=FAINT)
    for kind, colour, label in (("start", START_COLOUR, "after settling"), ("end", END_COLOUR, "at the end")):
        points = [(cycle[f"{kind}_s"] * scale, cycle[f"resistance_{kind}_{suffix}"]) for cycle in half_cycles]
        known = [(x, y) for x, y in points if y is not None]
        axes.plot(*zip(*known, strict=True) if known else ([], []), "o", ms=3.5, color=colour, label=label)
    known_ohm = momentary[np.isfinite(momentary)]
    top = float(np.percentile(known_ohm, 99.5)) * 1.15 if known_ohm.size else 1.0
    axes.set_ylim(0, top if top > 0 else 1.0)
    axes.set_ylabel("resistance\n/ Ω cm²" if specific else "resistance / Ω")
    if half_cycles:
        axes.legend(
            loc="lower left", bbox_to_anchor=(0, 1), ncols=2, handletextpad=0.1, borderpad=0, fontsize="small"
        )


def momentary_resistance_ohm(trace: Trace) -> FloatArray:
    """V/I of each row, NaN in rests (below a tenth of the usual current) and where either is missing."""
    size = np.abs(trace.current_A)
    usual_A = float(np.nanmedian(size[size > 0])) if (size > 0).any() else np.inf
    flowing = size > 0.1 * usual_A
    result = np.full(len(trace), np.nan)
    result[flowing] = trace.voltage_V[flowing] / trace.current_A[flowing]
    return result


def _line(axes: Axes, x: FloatArray, y: FloatArray, colour: str, gaps: Gaps) -> None:
    axes.plot(*broken(*envelope(x, y), gaps), color=colour, lw=1.1, solid_joinstyle="round")


def _varies(values: FloatArray, least: float) -> bool:
    """Whether a column is worth a panel: nine tenths of it span more than `least`. Else a condition tells it."""
    known = values[np.isfinite(values)]
    return known.size > 0 and float(np.ptp(np.percentile(known, (5, 95)))) > least
