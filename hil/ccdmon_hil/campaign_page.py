"""The page of a campaign: what was replayed, on which firmware, with which limits, and what came out; one file."""

import html
from typing import Any

import numpy as np

WIDTH, HEIGHT, MARGIN = 720, 150, 84
STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 62rem; padding: 0 1rem; color: #1c2330 }
table { border-collapse: collapse; width: 100% } th, td { text-align: left; padding: .3rem .6rem; vertical-align: top }
th { border-bottom: 2px solid #9aa4b5; white-space: nowrap } tr + tr td { border-top: 1px solid #e2e6ec }
td.n { text-align: right; font-variant-numeric: tabular-nums } .passed { color: #17703c } .skipped { color: #6b7280 }
.failed { color: #b3261e; font-weight: 600 } section { border-top: 1px solid #c9d0da; margin-top: 2rem }
svg { max-width: 100%; height: auto } code { font-size: .9em; overflow-wrap: anywhere } a { color: inherit }
"""


def page(records: list[dict[str, Any]], firmware_hash: str) -> str:
    """The page as text."""
    failed = sum(record["outcome"] == "failed" for record in records)
    skipped = sum(record["outcome"] == "skipped" for record in records)
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width"><title>ccdmon campaign</title>'
        f"<style>{STYLE}</style><h1>Campaign</h1>"
        f"<p>{len(records)} runs: {len(records) - failed - skipped} passed, {failed} failed, {skipped} skipped. "
        f"Firmware <code>{firmware_hash}</code>.</p>{_table(records)}{''.join(map(_section, records))}</html>\n"
    )


def _table(records: list[dict[str, Any]]) -> str:
    head = "".join(
        f"<th>{name}</th>"
        for name in (
            "rig",
            "scenario",
            "expected",
            "verdict",
            "gate",
            "row",
            "samples",
            "virtual µs",
            "real µs",
            "",
        )
    )
    return f"<table><thead><tr>{head}</tr></thead><tbody>{''.join(map(_line, records))}</tbody></table>"


def _line(record: dict[str, Any]) -> str:
    latency = record.get("latency", {})
    words = (
        record["rig"],
        record["scenario"],
        *(record.get(name, "–") for name in ("expected", "verdict", "gate")),
    )
    numbers = (record.get("trip_row"), *(latency.get(name) for name in ("samples", "virtual_us", "real_us")))
    cells = [html.escape(word.replace("_", " ").replace("no-trip", "no trip")) for word in words]
    cells[1] = f'<a href="#{_anchor(record)}">{cells[1]}</a>'
    outcome = record["outcome"]
    return (
        f"<tr>{''.join(f'<td>{cell}</td>' for cell in cells)}"
        f"{''.join(f'<td class=n>{_number(value)}</td>' for value in numbers)}"
        f'<td class="{outcome}">{outcome}</td></tr>'
    )


def _section(record: dict[str, Any]) -> str:
    problems = "".join(f"<p class=failed>{html.escape(problem)}</p>" for problem in record["problems"])
    head = f'<section id="{_anchor(record)}"><h2>{html.escape(_title(record))}</h2>'
    if "plot" not in record:
        return f"{head}<p class=skipped>skipped: {html.escape(record['problems'][0])}</p></section>"
    firmware = ", ".join(f"{name} {value}" for name, value in record["firmware"].items())
    settings = ", ".join(f"{name} {value}" for name, value in record["limits"].items())
    return (
        f"{head}<p>Rig {record['rig']}, {record['rows']} rows, {record['dropped']} dropped, "
        f"{record['crc_errors']} frames damaged; {html.escape(firmware)}.</p>{problems}{_plot(*record['plot'])}"
        f"<details><summary>limits in force</summary><p><code>{html.escape(settings)}</code></p></details></section>"
    )


def _plot(time_s: Any, voltage_V: Any, current_A: Any, trip_row: int | bool) -> str:
    """Voltage and current around the trip, as inline SVG."""
    panels = [("voltage / V", voltage_V, "#1f4e9c"), ("current / A", current_A, "#a15c07")]
    inner = "".join(
        _panel(name, np.asarray(time_s), np.asarray(values), colour, index * HEIGHT, trip_row)
        for index, (name, values, colour) in enumerate(panels)
    )
    inner += (
        f'<text x="{MARGIN}" y="{2 * HEIGHT + 16}">{time_s[0]:g} s</text>'
        f'<text x="{WIDTH - 8}" y="{2 * HEIGHT + 16}" text-anchor="end">{time_s[-1]:g} s</text>'
    )
    return f'<svg viewBox="0 0 {WIDTH} {2 * HEIGHT + 24}" role="img" font-size="11" width="{WIDTH}">{inner}</svg>'


def _panel(name: str, time_s: Any, values: Any, colour: str, top: int, trip_row: int | bool) -> str:
    known = np.isfinite(values)
    if known.sum() < 2:
        return ""
    time_s, values = time_s[known], values[known]
    low, high = float(values.min()), float(values.max())
    span = (high - low) or abs(high) or 1.0
    x = MARGIN + (time_s - time_s[0]) / max(float(time_s[-1] - time_s[0]), 1e-9) * (WIDTH - MARGIN - 8)
    y = top + HEIGHT - 14 - (values - low) / span * (HEIGHT - 40)
    points = " ".join(f"{a:.1f},{b:.1f}" for a, b in zip(x, y, strict=True))
    mark = ""
    if trip_row is not False:
        at = x[min(len(x) - 1, 60 if trip_row >= 60 else int(trip_row))]
        mark = (
            f'<line x1="{at:.1f}" x2="{at:.1f}" y1="{top + 18}" y2="{top + HEIGHT - 8}" stroke="#b3261e" '
            f'stroke-dasharray="3 3"/>'
            f'<text x="{at - 4:.1f}" y="{top + 14}" fill="#b3261e" text-anchor="end">trip</text>'
        )
    return (
        f'<text x="{MARGIN}" y="{top + 14}" fill="{colour}">{name}</text>'
        f'<text x="{MARGIN - 6}" y="{top + 30}" text-anchor="end">{high:.4g}</text>'
        f'<text x="{MARGIN - 6}" y="{top + HEIGHT - 10}" text-anchor="end">{low:.4g}</text>'
        f'<polyline fill="none" stroke="{colour}" stroke-width="1.5" points="{points}"/>{mark}'
    )


def _title(record: dict[str, Any]) -> str:
    title = str(record["title"] or record["scenario"])
    return title[:1].upper() + title[1:]


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:g}"


def _anchor(record: dict[str, Any]) -> str:
    return f"{record['rig']}-{record['scenario']}"
