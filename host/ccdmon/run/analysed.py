"""The analysis of anything that gives its rows in pieces, at bounded memory; a second time only for a long figure."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Unpack

from ccdmon.analysis.document import Options, StreamingAnalysis
from ccdmon.analysis.events import Event
from ccdmon.errors import InputError
from ccdmon.model.trace import Trace, joined
from ccdmon.run.provenance import provenance
from ccdmon.run.sources import Source
from ccdmon.run.thinning import Extremes, thinned

WHOLE_ROWS = 1 << 20  # no more rows are drawn from all of them: some tens of megabytes


@dataclass(frozen=True)
class Analysed:
    """`document` is `ccdmon.report/2`; `trace` what figures need: all rows of few, chosen ones of many."""

    document: dict[str, Any]
    trace: Trace
    trip_row: int | None  # at which the firmware opened the gate


def analysed(
    source: Source, *, drawn: bool = True, whole_rows: int = WHOLE_ROWS, **options: Unpack[Options]
) -> Analysed:
    """Analyse all rows of a source; `options` as in `ccdmon.analysis.document.Options`. Raises `InputError`.

    `drawn` False: nothing will be drawn, `trace` is the last piece only.
    """
    events: list[Event] = []
    options["device_events"] = events
    analysis, extremes, held = None, Extremes(), list[Trace]()
    for trace in source.traces():
        analysis = analysis or StreamingAnalysis(trace.cell, **options)
        analysis.feed(trace)
        analysis.look()
        if drawn:
            extremes.feed(trace)
        if not drawn or analysis.rows > whole_rows:
            held.clear()
        held.append(trace)
    if analysis is None:
        raise InputError("no rows to analyse")
    place = source.place
    trip_row = place.row if place else None
    if place and place.event is not None:
        events.append(place.event)
    found = analysis.report()
    document = {"schema": found["schema"], "source": provenance(source, analysis.rows), **found}
    if not drawn or analysis.rows <= whole_rows:
        return Analysed(document, joined(held), trip_row)
    windows = [event["row"] for event in document["events"] if event["kind"] == "hard_short"]
    chosen = extremes.chosen(windows if trip_row is None else [*windows, trip_row])
    again = _first(source.traces(), analysis.rows)
    return Analysed(document, thinned(again, chosen, held[-1].cell), trip_row)


def _first(traces: Iterable[Trace], rows: int) -> Iterator[Trace]:
    """Until so many rows have come: a folder that is being recorded has grown meanwhile."""
    for trace in traces:
        if rows <= 0:
            return
        yield trace
        rows -= len(trace)
