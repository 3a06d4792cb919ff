"""What is marked on the report's figures: events, the trip, their names, and where nothing was recorded."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes

from ccdmon.model.trace import FloatArray, Trace
from ccdmon.report.colours import EVENT_COLOURS, INK
from ccdmon.report.drawing import GAP_COLOUR

Document = Mapping[str, Any]

GAP_STEPS, GAP_OF_TEST = 20.0, 0.005  # a gap is longer than so many usual steps and so much of the test


def gaps_s(trace: Trace) -> list[tuple[float, float]]:
    """(last row before, first row after) in s of stretches without rows that are long enough to be seen."""
    steps_s, rows = np.diff(trace.test_time_s), np.diff(trace.numbers)
    if not len(steps_s):
        return []
    whole_s = float(trace.test_time_s[-1] - trace.test_time_s[0])
    least_s = max(GAP_STEPS * float(np.median(steps_s / rows)), GAP_OF_TEST * whole_s)
    before = np.flatnonzero((rows == 1) & (steps_s > least_s))  # rows that a figure left out are no gap
    return [(float(trace.test_time_s[k]), float(trace.test_time_s[k + 1])) for k in before]


def mark_gaps(panels: Sequence[Axes], gaps: Sequence[tuple[float, float]]) -> None:
    """A grey band in all panels where nothing was recorded; begin and end in the unit of the time axis."""
    for begin, end in gaps:
        for axes in panels:
            axes.axvspan(begin, end, color=GAP_COLOUR, lw=0, zorder=0.6)


def broken(
    x: FloatArray, y: FloatArray, gaps: Sequence[tuple[float, float]]
) -> tuple[FloatArray, FloatArray]:
    """The line of these points, with a hole for each gap (its ends in the unit of x)."""
    at = np.searchsorted(x, [end for _, end in gaps])
    return np.insert(x, at, np.nan), np.insert(y, at, np.nan)


def mark_events(panels: Sequence[Axes], events: Sequence[Document], trace: Trace, scale: float) -> None:
    """Shade each event from its start to its end, or to the end of the trace, in all panels."""
    last_s = float(trace.test_time_s[-1])
    for event in events:
        colour = EVENT_COLOURS.get(event["kind"], INK)
        start = event["start_s"] * scale
        end = (last_s if event["end_s"] is None else event["end_s"]) * scale
        for axes in panels:
            axes.axvspan(start, end, color=colour, alpha=0.10, lw=0)
            axes.axvline(start, color=colour, lw=1.2)


def label_events(axes: Axes, labels: Sequence[tuple[str, float, str]], middle: float) -> None:
    """(text, x, colour) above the top panel, one line each, on the side where there is room."""
    for level, (text, at, colour) in enumerate(labels):
        right = at > middle
        axes.annotate(
            text, (at, 1), xycoords=("data", "axes fraction"),
            xytext=(-4 if right else 4, 5 + 13 * level), textcoords="offset points",
            ha="right" if right else "left", color=colour, fontweight="bold",
        )  # fmt: skip


def event_labels(events: Sequence[Document], scale: float) -> list[tuple[str, float, str]]:
    """Each kind once, at its first event."""
    labels = []
    for kind in dict.fromkeys(event["kind"] for event in events):
        starts = [event["start_s"] for event in events if event["kind"] == kind]
        text = kind.replace("_", " ") + (f" x {len(starts)}" if len(starts) > 1 else "")
        labels.append((text, starts[0] * scale, EVENT_COLOURS.get(kind, INK)))
    return labels


def mark_trip(panels: Sequence[Axes], at: float) -> None:
    """A dashed line through all panels where the gate opened."""
    for axes in panels:
        axes.axvline(at, color=INK, lw=1.2, ls=(0, (4, 2)))


def zoom_labels(axes: Axes, row: int, trip_row: int | None) -> None:
    """Names of the two lines in the close-up."""
    axes.annotate(
        "first shorted sample", (row, 1), xycoords=("data", "axes fraction"), xytext=(-4, 4),
        textcoords="offset points", ha="right", color=EVENT_COLOURS["hard_short"], fontweight="bold",
    )  # fmt: skip
    if trip_row is not None:
        axes.annotate(
            "gate opened", (trip_row, 1), xycoords=("data", "axes fraction"), xytext=(4, 4),
            textcoords="offset points", fontweight="bold",
        )  # fmt: skip
