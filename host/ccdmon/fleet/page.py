"""The page of all rigs, made on the server: a table without a script, which the browser loads again by itself.

Everything that comes from messages is escaped here.
"""

import time
from collections import Counter
from collections.abc import Sequence
from html import escape
from typing import Any

from ccdmon.fleet.overview import AMBER, GREEN, GREY, RED, Row
from ccdmon.report.words import count
from ccdmon.run.state_line import clock, engineering

RELOAD_S = 5
COLOURS = {RED: "#d1242f", AMBER: "#9a6700", GREEN: "#1a7f37", GREY: "#57606a"}
CALM = {AMBER: "gate open", GREEN: "gate closed", GREY: "ended"}
STYLE = """
body{font:14px/1.4 system-ui,sans-serif;margin:1em 1.5em;color:#1f2933;background:#fff}
h1{font-size:17px;margin:0 0 .6em} table{border-collapse:collapse;width:100%}
th{text-align:left;font-weight:600;border-bottom:2px solid #d0d7de} th,td{padding:3px 10px 3px 0}
td.n,th.n{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}
tr.red td{background:#ffebe9} b{color:#fff;border-radius:10px;padding:1px 9px;font-size:12px}
p.away{background:#d1242f;color:#fff;padding:8px 16px;border-radius:6px;font-weight:600}
@media(prefers-color-scheme:dark){body{background:#0d1117;color:#e6edf3}tr.red td{background:#4a1518}}
"""
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
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{title}</title>'
        f'<meta http-equiv="refresh" content="{RELOAD_S}"><style>{STYLE}</style></head><body>'
        f"<h1>{rigs}{': ' + told if told else ''}</h1>{banner}"
        f"<table><thead><tr>{head}</tr></thead><tbody>{''.join(map(_row, rows))}</tbody></table>"
        f"<p>{escape(source)}, {time.strftime('%Y-%m-%d %H:%M:%S')}</p></body></html>"
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
            (escape(engineering(_number(values.get(key)), unit)), "n")
            for key, unit in (("voltage_V", "V"), ("current_A", "A"), ("pressure_Pa", "Pa"))
        ),
        (_temperature(_number(values.get("temperature_degC"))), "n"),
        (clock(_number(values.get("test_time_s"))), "n"),
        (escape(str(values.get("missing_samples", "–"))), "n"),
        ("never" if row.silent_s is None else f"{row.silent_s:.0f} s ago", "n"),
    ]
    inner = "".join(f'<td class="{kind}">{text}</td>' for text, kind in cells)
    return f'<tr class="{row.colour}">{inner}</tr>'


def _number(value: Any) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def _temperature(value_degC: float | None) -> str:
    return "–" if value_degC is None else f"{value_degC:.1f} °C"
