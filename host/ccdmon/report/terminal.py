"""The analysis on a terminal: a summary a person reads in one look, in colour only where colour shows."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from ccdmon.model.trace import Cell
from ccdmon.report import words

Document = Mapping[str, Any]
VERDICT_STYLE = {
    "healthy": "bold green",
    "suspect": "bold yellow",
    "failed": "bold red",
    "not_judged": "bold",
}
ONLY_IN_THE_REPORT = ("index", "end_s", "noise_V")  # so that the rest fits 80 columns
SHOWN_HALF_CYCLES = 12  # the last ones; the report has them all


def print_report(
    document: Document,
    cell: Cell,
    title: str,
    console: Console | None = None,
    remarks: Mapping[str, str] = MappingProxyType({}),
) -> None:
    """Print one analysis to `console`, by default stdout (rich honours NO_COLOR and a pipe).

    `remarks`: what to know of its conditions (`Context.remarks`).
    """
    out = console or Console(highlight=False)
    verdict = document["verdict"]
    said = (words.name(verdict), VERDICT_STYLE.get(verdict, "bold"))
    out.print(Text.assemble((title, "bold"), ": ", said), soft_wrap=True)
    out.print(words.ccd_sentence(document), markup=False, soft_wrap=True)
    if document["ccd"]["area_cm2"] is None:
        out.print(words.NO_AREA, markup=False, soft_wrap=True)
    out.print(_conditions(document, cell, remarks))
    _print_events(document, out)
    for label, text in words.reasons(document):
        out.print(Text.assemble((label, "bold"), ": ", text), soft_wrap=True)
    if document["half_cycles"]:
        out.print(_half_cycles(document))


def _conditions(document: Document, cell: Cell, remarks: Mapping[str, str]) -> Table:
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
    table.add_column(style="dim", no_wrap=True)
    table.add_column()
    for label, value in words.conditions(document, cell, remarks):
        table.add_row(label, Text(value))
    return table


def _print_events(document: Document, out: Console) -> None:
    if not document["events"]:
        out.print("No events.")
    for event in document["events"]:
        kind = words.name(event["kind"])
        out.print(Text.assemble((kind, "bold"), " ", words.event_line(event)), soft_wrap=True)
        text = ", ".join(f"{name} {value}" for name, value in words.evidence(event))
        out.print(Padding(Text(text, style="dim"), (0, 0, 0, 2)))


def _half_cycles(document: Document) -> Table:
    columns = [c for c in words.half_cycle_columns(document) if c[1] not in ONLY_IN_THE_REPORT]
    rows = words.half_cycle_rows(document, columns)
    table = Table(box=None, padding=(0, 1), header_style="dim", title_justify="left", title_style="")
    for heading, _, _ in columns:
        table.add_column(heading.replace(" / ", "\n"), justify="right", no_wrap=True)
    for row in rows[-SHOWN_HALF_CYCLES:]:
        table.add_row(*row)
    hidden = len(rows) - SHOWN_HALF_CYCLES
    table.title = (
        f"Half-cycles (the last {SHOWN_HALF_CYCLES} of {len(rows)})" if hidden > 0 else "Half-cycles"
    )
    return table
