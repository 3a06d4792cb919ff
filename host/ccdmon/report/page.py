"""The report of one test: `report.html`, one self-contained page, and `report.json`, the analysis document.

The page needs no network and no script; figures are inline SVG. What it says comes from `words`,
what it draws from `report_plot`.
"""

import json
import re
from collections.abc import Mapping, Sequence
from html import escape
from importlib.resources import files
from pathlib import Path
from typing import Any

from ccdmon.errors import InputError
from ccdmon.model.trace import Trace
from ccdmon.report import words
from ccdmon.report.context import Context, comparison_of, configuration, declared_protocol, impedance, methods
from ccdmon.report.drawing import Drawing
from ccdmon.report.figures import drawings_of
from ccdmon.report.literature import sentence
from ccdmon.report.tables import write_tables
from ccdmon.run.monitoring import Monitoring
from ccdmon.version import __version__

Document = Mapping[str, Any]
_MINUS = re.compile(r"(?<![\w.-])-(?=\d)")
FOLDED_ABOVE_ROWS = 24  # longer half-cycle tables start folded


def write_reports(
    document: Document,
    trace: Trace,
    folder: Path,
    monitoring: Monitoring | None = None,
    context: Context | None = None,
) -> None:
    """Write `report.json`, `report.html` and the tables into `folder`, which is made where it is missing."""
    write_json(document, folder / "report.json")
    write_tables(document, folder)
    write_html(document, trace, folder / "report.html", monitoring, context=context)


def write_json(document: Document, path: Path) -> None:
    """The analysis document as it is; raises `InputError` where the path cannot be written."""
    _write(path, json.dumps(document, indent=1, allow_nan=False) + "\n")


def write_html(
    document: Document,
    trace: Trace,
    path: Path,
    monitoring: Monitoring | None = None,
    title: str | None = None,
    context: Context | None = None,
) -> None:
    """The page; `title` names the test, else the trace's file does. Raises `InputError` as `write_json`."""
    _write(path, html(document, trace, monitoring, title or _name(trace), context))


def html(
    document: Document,
    trace: Trace,
    monitoring: Monitoring | None,
    title: str,
    context: Context | None = None,
) -> str:
    """The whole page as text."""
    context = context or Context()
    figures = {
        drawing.name: drawing
        for drawing in drawings_of(document, trace, monitoring.trip_row if monitoring else None, context)
    }
    style = files("ccdmon").joinpath("data/report.css.html").read_text(encoding="utf-8")
    body = [
        _header(document, trace, title),
        _cards(document, monitoring),
        *(figures[name].figure() for name in ("overview", "short") if name in figures),
        _section(
            "Conditions",
            _pairs(words.conditions(document, trace.cell, context.remarks) + declared_protocol(context)),
            _no_area(document),
            _notes(document),
        ),
        _section("Events", _events(document["events"])),
        _why(document),
        _section("Monitoring", _pairs(_monitoring_rows(monitoring))) if monitoring else "",
        _section("Half-cycles", _half_cycles(document)),
        _impedance(document, context, figures),
        _comparison(document, trace, figures),
        _section("Methods", f"<p>{escape(methods(document, trace, context))}</p>"),
        _configuration(context),
        _footer(),
    ]
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(title)} · ccdmon report</title>\n{style}</head>\n<body><main>\n"
        + "\n".join(filter(None, body))
        + "\n</main></body></html>\n"
    )


def _header(document: Document, trace: Trace, title: str) -> str:
    verdict = document["verdict"]
    span_s = float(trace.test_time_s[-1] - trace.test_time_s[0])
    return (
        f'<header><p class="kicker">Critical current density report</p><h1>{escape(title)}</h1>'
        f'<p><span class="badge {escape(verdict)}">{escape(words.name(verdict))}</span> '
        f"{escape(words.ccd_sentence(document))}</p>"
        f'<p class="muted">{trace.source_rows:,} samples over {words.duration(span_s)}'
        f"{escape(words.provenance(document))}</p></header>"
    )


def _cards(document: Document, monitoring: Monitoring | None) -> str:
    ccd = document["ccd"]
    shown = [
        (
            "Endured" + (" (lower bound)" if ccd["lower_bound"] else ""),
            words.current(document, "endured"),
        ),
        ("Failed at", words.current(document, "failed_at")),
        (
            "Cumulative capacity",
            words.number(ccd["cumulative_capacity_mAh_cm2"], "mAh cm⁻²", digits=3),
        ),
    ]
    if monitoring and monitoring.latency_samples is not None:
        shown.append(("Cut off after", words.count(monitoring.latency_samples, "sample")))
    shown.append(("Impedance check", ccd["eis"]))
    return '<div class="cards">' + "".join(_card(*card) for card in shown) + "</div>"


def _card(label: str, text: str) -> str:
    value, _, unit = text.partition(" ")
    word = " word" if value[:1].isalpha() else ""
    return (
        f'<div class="card"><span>{escape(label)}</span>'
        f'<b class="value{word}">{escape(value)}</b> <small>{escape(unit)}</small></div>'
    )


def _impedance(document: Document, context: Context, figures: Mapping[str, Drawing]) -> str:
    if "nyquist" not in figures:
        return ""
    rows = impedance(context, document["ccd"]["area_cm2"])
    return _section("Impedance", figures["nyquist"].figure(), _pairs(rows))


def _comparison(document: Document, trace: Trace, figures: Mapping[str, Drawing]) -> str:
    found = comparison_of(document, trace.cell)
    if found is None:
        return ""
    text = f"<p>{escape(sentence(found))}</p>"
    return _section("Comparison", text, figures["literature"].figure())


def _configuration(context: Context) -> str:
    rows = configuration(context)
    if not rows:
        return ""
    table = f"<details><summary>{len(rows)} settings</summary>{_pairs(rows)}</details>"
    return _section("Configuration", _pairs([("Firmware", context.firmware or words.DASH)]), table)


def _section(title: str, *content: str) -> str:
    return f"<section><h2>{escape(title)}</h2>{''.join(content)}</section>"


def _pairs(rows: Sequence[tuple[str, str]]) -> str:
    lines = (f'<tr><th scope="row">{escape(label)}</th><td>{_set(value)}</td></tr>' for label, value in rows)
    return f'<table class="pairs">{"".join(lines)}</table>'


def _no_area(document: Document) -> str:
    known = document["ccd"]["area_cm2"] is not None
    return "" if known else f'<p class="note">{escape(words.NO_AREA)}</p>'


def _set(text: str) -> str:
    """Escaped, with minus signs where a number is negative, as a printer sets them."""
    return escape(_MINUS.sub("−", text))


def _notes(document: Document) -> str:
    return "".join(f'<p class="note">{escape(note)}</p>' for note in document.get("notes", ()))


def _events(events: Sequence[Document]) -> str:
    if not events:
        return "<p>None found.</p>"
    return "".join(
        f'<div class="event {escape(event["kind"])}"><h3>{escape(words.name(event["kind"]))}</h3>'
        f"<p>{_set(words.event_line(event))}</p>"
        f"<details open><summary>evidence</summary>{_pairs(words.evidence(event))}</details></div>"
        for event in events
    )


def _why(document: Document) -> str:
    rows = words.reasons(document)
    note = "<p>In brackets: section of Lu et al., Adv. Funct. Mater. 2021, 31, 2009925.</p>"
    return _section("Why", _pairs(rows), note) if rows else ""


def _monitoring_rows(monitoring: Monitoring) -> list[tuple[str, str]]:
    row = "a row that did not arrive" if monitoring.trip_row is None else f"row {monitoring.trip_row}"
    return [
        ("Rig", monitoring.rig),
        ("Firmware", monitoring.firmware),
        (
            "Cutoff",
            "none" if monitoring.trip_reason is None else f"{_cut_off(monitoring)}, {row}",
        ),
        (
            "From first shorted sample to the open gate",
            words.count(monitoring.latency_samples, "sample"),
        ),
        ("Gate at the end", monitoring.gate or words.DASH),
        ("Samples received", words.count(monitoring.samples)),
        ("Samples lost", words.count(monitoring.lost_samples)),
        ("Recorded in", words.segments(monitoring.segments)),
        ("Damaged frames", words.count(monitoring.crc_errors)),
        ("Host time of the samples", words.clock_line(monitoring.clock)),
    ]


def _cut_off(monitoring: Monitoring) -> str:
    return monitoring.trip_what or words.name(monitoring.trip_reason or "")


def _half_cycles(document: Document) -> str:
    columns = words.half_cycle_columns(document)
    rows = words.half_cycle_rows(document, columns)
    if not rows:
        return "<p>None: no current flowed long enough.</p>"
    head = "".join(f'<th scope="col">{escape(heading)}</th>' for heading, _, _ in columns)
    body = "".join("<tr>" + "".join(f"<td>{_set(cell)}</td>" for cell in row) + "</tr>" for row in rows)
    table = f'<table class="grid"><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>'
    unfolded = " open" if len(rows) <= FOLDED_ABOVE_ROWS else ""
    summary = f"<summary>{words.count(len(rows), 'half-cycle')}</summary>"
    wide = f'<div class="wide" tabindex="0" role="region" aria-label="Half-cycles">{table}</div>'
    return f"<details{unfolded}>{summary}{wide}</details>"


def _footer() -> str:
    return (
        f"<footer><p>Made by ccdmon {__version__}. A critical current density belongs to a whole test, not "
        "to a material: quote it with the conditions above (Lu et al., Adv. Funct. Mater. 2021, 31, 2009925, "
        "sections 3.7 and 5). Without an impedance pair it is not validated against a fake-stable cell. "
        "ccdmon is not a certified safety device.</p></footer>"
    )


def _name(trace: Trace) -> str:
    return "standard input" if trace.source is None else trace.source.name


def _write(path: Path, text: str) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise InputError(
            f"{path}: cannot write ({error.strerror}); choose another folder with --out"
        ) from error
