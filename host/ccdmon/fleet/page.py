"""The page of all rigs, made on the server: a table, which a few lines of script (`data/fleet.js`) bring up to date.

Where no script runs, the browser loads it again. Everything that comes from messages is escaped here.
"""

import time
from collections import Counter
from collections.abc import Sequence
from html import escape
from importlib.resources import files
from typing import Any

from ccdmon.fleet.overview import AMBER, GREEN, GREY, RED, Row
from ccdmon.report.words import count
from ccdmon.run.state_line import clock, engineering

RELOAD_S = 5
COLOURS = {RED: "#d1242f", AMBER: "#9a6700", GREEN: "#1a7f37", GREY: "#57606a"}
CALM = {AMBER: "gate open", GREEN: "gate closed", GREY: "ended"}
STYLE = """
:root{--ink:#1f2933;--paper:#fff;--line:#d0d7de;--needy:#ffebe9}
body{font:14px/1.4 system-ui,"Segoe UI","Liberation Sans","DejaVu Sans",sans-serif;margin:1em 1.5em;color:var(--ink);
background:var(--paper)}
h1{font-size:20px;margin:0 0 .6em} table{border-collapse:collapse;width:100%}
th{text-align:left;font-weight:600;border-bottom:2px solid var(--line)} th,td{padding:4px 10px 4px 6px}
td{border-bottom:1px solid var(--line)}
td.n,th.n{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}
tr.red td{background:var(--needy)}
b{color:#fff;border-radius:10px;padding:1px 9px;font-size:12px;
box-decoration-break:clone;-webkit-box-decoration-break:clone}
.away:not(:empty){background:#d1242f;color:#fff;padding:8px 16px;border-radius:6px;font-weight:600;margin:0 0 .6em}
@media screen and (prefers-color-scheme:dark){:root{--ink:#e6edf3;--paper:#0d1117;--line:#30363d;--needy:#4a1518;
color-scheme:dark}}
@media screen and (max-width:700px){body{margin:.6em} thead{position:absolute;left:-9999px}
table,tbody{display:block} tr{display:grid;grid-template-columns:1fr 1fr;border:1px solid var(--line);border-radius:8px;
margin:0 0 .6em;padding:.4em} td,td.n{border:0;text-align:left}
td::before{content:attr(data-name) " ";opacity:.75;font-size:12px} td:nth-child(-n+3){grid-column:1/-1}
tr.red{background:var(--needy)}}
@media print{@page{size:landscape;margin:12mm} body{font-size:11px;margin:0} td,th,td.n,th.n{padding:2px 5px;
white-space:normal} tr{break-inside:avoid} b,tr.red td{print-color-adjust:exact}}
"""
SCRIPT = files("ccdmon").joinpath("data/fleet.js").read_text(encoding="utf-8")
COLUMNS = (("State", ""), ("Rig", ""), ("Cell", ""), ("Voltage", "n"), ("Current", "n"), ("Pressure", "n"),
           ("Temperature", "n"), ("Test time", "n"), ("Missing", "n"), ("Heard", "n"))  # fmt: skip


def page(rows: Sequence[Row], source: str, away: str | None) -> str:
    """The document; `source` says where it is from, `away` why nothing comes from there, None: it does."""
    counts = Counter(row.colour for row in rows)
    needy = "needs somebody" if counts[RED] == 1 else "need somebody"
    told = ", ".join(
        f"{counts[colour]} {word}"
        for colour, word in ((RED, needy), (AMBER, "with an open gate"), (GREEN, "well"), (GREY, "ended"))
        if counts[colour]
    )  # fmt: skip
    rigs = count(len(rows), "rig")
    title = f"{counts[RED]} of {rigs} need somebody" if counts[RED] else rigs
    head = "".join(f'<th scope="col" class="{kind}">{name}</th>' for name, kind in COLUMNS)
    banner = f'<p class="away" role="alert">{escape(away)}: what is shown is old</p>' if away else ""
    table = f"<table><thead><tr>{head}</tr></thead><tbody>{''.join(map(_row, rows))}</tbody></table>"
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{title}</title>'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<meta name="color-scheme" content="light dark">'
        f'<noscript><meta http-equiv="refresh" content="{RELOAD_S}"></noscript><style>{STYLE}</style></head>'
        f'<body data-every-ms="{RELOAD_S * 1000}"><main><div id="silent" class="away" role="alert"></div>'
        f'<div id="rigs"><h1>{rigs}{": " + told if told else ""}</h1>{banner}{table if rows else ""}'
        f"<p>{escape(source)}, {time.strftime('%Y-%m-%d %H:%M:%S')}</p></div></main>"
        f"<script>{SCRIPT}</script></body></html>"
    )


def _row(row: Row) -> str:
    values, cell = row.values, row.state.get("cell")
    word = "; ".join(row.why) or CALM[row.colour]
    named = cell if isinstance(cell, dict) else {}
    known = " · ".join(str(named[key]) for key in ("name", "electrolyte", "configuration") if named.get(key))
    cells = [
        (f'<b style="background:{COLOURS[row.colour]}">{escape(word)}</b>', ""),
        (escape(f"{row.gateway} / {row.rig}"), ""),
        (escape(known), ""),
        *(
            (_value(_number(values.get(key)), unit), "n")
            for key, unit in (("voltage_V", "V"), ("current_A", "A"), ("pressure_Pa", "Pa"))
        ),
        (_temperature(_number(values.get("temperature_degC"))), "n"),
        (clock(_number(values.get("test_time_s"))), "n"),
        (escape(str(values.get("missing_samples", "–"))), "n"),
        ("never" if row.silent_s is None else f"{row.silent_s:.0f} s ago", "n"),
    ]
    inner = "".join(
        f'<td class="{kind}" data-name="{name}">{text}</td>'
        for (text, kind), (name, _) in zip(cells, COLUMNS, strict=True)
    )
    return f'<tr class="{row.colour}">{inner}</tr>'


def _number(value: Any) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def _value(value: float | None, unit: str) -> str:
    return "–" if value is None else engineering(value, unit).replace("-", "−")


def _temperature(value_degC: float | None) -> str:
    return "–" if value_degC is None else f"{value_degC:.1f} °C".replace("-", "−")
