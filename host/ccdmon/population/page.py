"""The page of a population: one self-contained file with the table, the figures and what they stand beside."""

from collections.abc import Mapping, Sequence
from html import escape
from importlib.resources import files
from itertools import groupby
from pathlib import Path
from typing import Any

from ccdmon.errors import InputError
from ccdmon.model.electrolytes import kind_of_electrolyte
from ccdmon.population.figures import causes, curves, medians
from ccdmon.population.summary import FEWEST_CELLS
from ccdmon.population.words import DASH, METHODS, comparison_rows, group_rows, left_out
from ccdmon.report.drawing import Drawing
from ccdmon.report.literature import peers_of, standards
from ccdmon.version import __version__

PAGE = "population.html"
REFERENCES = "<p>From Lu et al., Adv. Funct. Mater. 2021, 31, 2009925, whose references are numbered.</p>"
Document = Mapping[str, Any]


def write_page(document: Document, path: Path) -> None:
    """Write it; raises `InputError` where that cannot be."""
    try:
        path.write_text(html(document), encoding="utf-8")
    except OSError as error:
        raise InputError(f"{path}: cannot write ({error.strerror}); name another with --out") from error


def html(document: Document) -> str:
    """The whole page as text."""
    style = files("ccdmon").joinpath("data/report.css.html").read_text(encoding="utf-8")
    title = f"{document['cells']} cells of {Path(document['catalogue']).name}"
    head = f'<header><p class="kicker">Population report</p><h1>{escape(title)}</h1>'
    body = [
        f"{head}<p>{escape(left_out(document))}</p></header>",
        _section("Critical current density", _grid("Critical current density", group_rows(document))),
        *(drawing.figure() for drawing in drawings(document)),
        _section("Differences", _grid("Differences", comparison_rows(document)))
        if document["comparisons"]
        else "",
        _section("Published cells of this kind", _grid("Published cells", _published(document)), REFERENCES),
        _section("Standards for vehicle cells", _grid("Standards", _standards()), REFERENCES),
        _section("Methods", f"<p>{escape(METHODS)}</p>"),
        f"<footer><p>Made by ccdmon {__version__}.</p></footer>",
    ]
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(title)} · ccdmon population</title>\n{style}</head>\n<body><main>\n"
        + "\n".join(filter(None, body))
        + "\n</main></body></html>\n"
    )


def drawings(document: Document) -> list[Drawing]:
    """Curves and causes of each protocol with some cells, and the medians."""
    made = []
    known = [group for group in document["groups"] if group["median_mA_cm2"] is not None]
    if known:
        made.append(medians(known))
    for _, some in groupby(document["groups"], key=lambda group: group["protocol"]):
        groups = list(some)
        if sum(group["cells"] for group in groups) < FEWEST_CELLS:
            continue  # a thousand cells may have a hundred protocols
        made.append(curves(groups))
        if any(group["incidence"] for group in groups):
            made.append(causes(groups))
    return made


def _section(title: str, *content: str) -> str:
    return f"<section><h2>{escape(title)}</h2>{''.join(content)}</section>"


def _grid(name: str, rows: Sequence[Sequence[str]]) -> str:
    """The first row is the heading. What can scroll can be reached by the keyboard, and has a `name`."""
    head, *body = rows
    kinds = ["" if all(map(_is_number, cells)) else ' class="word"' for cells in zip(*body, strict=True)] or [
        ""
    ] * len(head)
    lines = [
        "".join(f"<td{kind}>{escape(cell)}</td>" for kind, cell in zip(kinds, row, strict=True))
        for row in body
    ]
    cells = "".join(
        f'<th scope="col"{kind}>{escape(cell)}</th>' for kind, cell in zip(kinds, head, strict=True)
    )
    body_rows = "</tr><tr>".join(lines)
    table = f'<table class="grid"><thead><tr>{cells}</tr></thead><tbody><tr>{body_rows}</tr></tbody></table>'
    return f'<div class="wide" tabindex="0" role="region" aria-label="{escape(name)}">{table}</div>'


def _is_number(text: str) -> bool:
    return text == DASH or text.replace(".", "", 1).isdecimal()


def _published(document: Document) -> list[tuple[str, ...]]:
    """Rows of table 2 of the review like the groups' cells."""
    found = {
        (name, cell)
        for group in document["groups"]
        for name in {kind_of_electrolyte(electrolyte) for electrolyte in group["electrolytes"]} - {None}
        for cell in peers_of(name, group["temperature_degC"])
    }
    rows = sorted(found, key=lambda pair: (str(pair[0]), pair[1].ccd_mA_cm2))
    head = (
        "kind", "system", "CCD / mA cm⁻²", "per half-cycle / mAh cm⁻²", "time per cycle", "temperature / °C",
        "reference",
    )  # fmt: skip
    table: list[tuple[str, ...]] = [head]
    for kind, c in rows:
        capacity, temperature = _plain(c.capacity_mAh_cm2), _plain(c.temperature_degC)
        table.append(
            (str(kind), c.system, f"{c.ccd_mA_cm2:g}", capacity, c.time_per_cycle, temperature, c.reference)
        )
    return table


def _standards() -> list[tuple[str, ...]]:
    head = ("standard", "country", "condition", "current density / mA cm⁻²")
    return [
        head,
        *((s.standard, s.country, s.condition, f"{s.current_density_mA_cm2:g}") for s in standards()),
    ]


def _plain(value: float | None) -> str:
    return DASH if value is None else f"{value:g}"
