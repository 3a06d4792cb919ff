"""A report as a notebook shows it: verdict, result, conditions and events beside the figure, in a part of a page."""

from collections.abc import Mapping
from html import escape
from typing import Any

from ccdmon.model.trace import Trace
from ccdmon.report import words
from ccdmon.report.context import Context
from ccdmon.report.plot import overview

MOST_EVENTS = 20  # the page has them all


def fragment(document: Mapping[str, Any], trace: Trace, trip_row: int | None, context: Context) -> str:
    """HTML without a style of its own but for widths: it takes the notebook's."""
    title = "" if trace.source is None else f"{trace.source.name}: "
    rows = words.conditions(document, trace.cell, context.remarks)
    return (
        f"<div><p><b>{escape(title + words.name(document['verdict']))}.</b> {escape(words.ccd_sentence(document))}</p>"
        f'<div style="max-width: 60em">{overview(trace, document, trip_row).svg()}</div>'
        f"{_events(document['events'])}{_table(rows)}</div>"
    )


def _events(events: list[Mapping[str, Any]]) -> str:
    lines = [
        f"<li><b>{escape(words.name(event['kind']))}</b> {escape(words.event_line(event))}</li>"
        for event in events[:MOST_EVENTS]
    ]
    if len(events) > MOST_EVENTS:
        lines.append(f"<li>and {len(events) - MOST_EVENTS} more</li>")
    return f"<ul>{''.join(lines)}</ul>" if lines else ""


def _table(rows: list[tuple[str, str]]) -> str:
    lines = (f"<tr><th>{escape(label)}</th><td>{escape(value)}</td></tr>" for label, value in rows)
    return f"<table>{''.join(lines)}</table>"
