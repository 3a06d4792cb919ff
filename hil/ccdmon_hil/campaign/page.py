"""The page of a campaign: what was replayed, on which firmware, with which limits, and what came out; one file."""

import html
from collections.abc import Sequence
from functools import partial
from typing import Any

from matplotlib.figure import Figure

from ccdmon.model.trace import Trace
from ccdmon.report.colours import INK
from ccdmon.report.drawing import CURRENT_COLOUR, VOLTAGE_COLOUR, Drawing
from ccdmon.report.plot import voltage_unit
from ccdmon_hil.campaign.summary import CLOCKS, COLUMNS, Record, shown, summaries

STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 70rem; padding: 0 1rem; color: #1f2933 }
.scroll { overflow-x: auto } table { border-collapse: collapse; width: 100%; font-size: .92em }
th, td { text-align: left; padding: .25rem .6rem; vertical-align: top }
th { border-bottom: 2px solid #aab4c0; vertical-align: bottom } tr + tr td { border-top: 1px solid #e4e7eb }
.n { text-align: right; font-variant-numeric: tabular-nums } td { white-space: nowrap }
.passed { color: #17703c } .skipped { color: #616e7c } .failed { color: #b3261e; font-weight: 600 }
section { border-top: 1px solid #aab4c0; margin-top: 2rem } h2 { margin-top: 2.2rem } section h2 { margin-top: 1rem }
svg { max-width: 100%; height: auto } code { font-size: .9em; overflow-wrap: anywhere } a { color: inherit }
"""
SCENARIO_HEAD = ("rig", "scenario", "expected", "verdict", "gate")
SCENARIO_NUMBERS = ("rows", "trip at row", "latency: samples", "virtual µs", "real µs")
FAULT_HEAD = ("rig", "fault", "gate", "reason", "answer", "kept")
FAULT_NUMBERS = ("lost", "uncounted")


def page(records: Sequence[Record], firmware_hash: str) -> str:
    """The page as text."""
    scenarios = [record for record in records if record["kind"] == "scenario"]
    faults = [record for record in records if record["kind"] == "fault"]
    parts = [
        '<!doctype html><html lang="en"><meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width"><title>ccdmon campaign</title>',
        f"<style>{STYLE}</style><h1>Campaign</h1><p>{_told(records)} Firmware <code>{firmware_hash}</code>.</p>",
        _summary(records),
    ]
    if scenarios:
        head = _head(SCENARIO_HEAD, SCENARIO_NUMBERS)
        note = "<p>The rows go on after the gate opened: a trace knows nothing of it.</p>"
        parts += ["<h2>Scenarios</h2>", note, _table(head, map(_scenario_line, scenarios))]
    if faults:
        parts += ["<h2>Faults</h2>", _table(_head(FAULT_HEAD, FAULT_NUMBERS), map(_fault_line, faults))]
    return "".join([*parts, *map(_section, scenarios), "</html>\n"])


def _told(records: Sequence[Record]) -> str:
    counts = {
        word: sum(record["outcome"] == word for record in records) for word in ("passed", "failed", "skipped")
    }
    return f"{len(records)} runs: {', '.join(f'{count} {word}' for word, count in counts.items())}."


def _summary(records: Sequence[Record]) -> str:
    head = _head(("rig",), tuple(title.replace(" us", " µs") for title, _ in COLUMNS[1:]))
    lines = [
        _line([html.escape(row["rig"])], [shown(row[name]).replace("-", "–") for _, name in COLUMNS[1:]])
        for row in summaries(records)
    ]
    return _table(head, lines)


def _scenario_line(record: Record) -> str:
    latency = record.get("latency", {})
    words = [record["rig"], record["name"], *(record.get(name, "–") for name in SCENARIO_HEAD[2:])]
    cells = [html.escape(word.replace("_", " ").replace("no-trip", "no trip")) for word in words]
    cells[1] = f'<a href="#{_anchor(record)}">{cells[1]}</a>'
    numbers = [record.get("trip_row"), *(latency.get(name) for name in CLOCKS)]
    return _line(cells, [_rows(record), *map(_number, numbers)], record["outcome"])


def _rows(record: Record) -> str:
    """Rows played, and of how many where that was not all."""
    if "rows" not in record:
        return "–"
    whole = record["rows_in_trace"]
    return f"{record['rows']}" if whole == record["rows"] else f"{record['rows']} of {whole}"


def _fault_line(record: Record) -> str:
    words = [str(record.get(name) or "–").replace("_", " ") for name in FAULT_HEAD[2:]]
    cells = [record["rig"], record["name"], *words]
    numbers = [_number(record.get(name)) for name in FAULT_NUMBERS]
    return _line([html.escape(cell) for cell in cells], numbers, record["outcome"], record["problems"])


def _head(words: Sequence[str], numbers: Sequence[str]) -> str:
    left = "".join(f"<th>{name}</th>" for name in words)
    return f"<tr>{left}{''.join(f'<th class=n>{name}</th>' for name in numbers)}<th></th></tr>"


def _line(
    cells: Sequence[str], numbers: Sequence[str], outcome: str = "", problems: Sequence[str] = ()
) -> str:
    why = "".join(f": {html.escape(problem)}" for problem in problems)
    return (
        f"<tr>{''.join(f'<td>{cell}</td>' for cell in cells)}"
        f"{''.join(f'<td class=n>{value}</td>' for value in numbers)}"
        f'<td class="{outcome}">{outcome}{why}</td></tr>'
    )


def _table(head: str, lines: Any) -> str:
    return f"<div class=scroll><table><thead>{head}</thead><tbody>{''.join(lines)}</tbody></table></div>"


def _section(record: Record) -> str:
    problems = "".join(
        f"<p class={record['outcome']}>{html.escape(problem)}</p>" for problem in record["problems"]
    )
    head = f'<section id="{_anchor(record)}"><h2>{html.escape(_title(record))}</h2>'
    if "plot" not in record:
        return f"{head}{problems}</section>"
    firmware = ", ".join(f"{name} {value}" for name, value in record["firmware"].items())
    settings = ", ".join(f"{name} {value}" for name, value in record["limits"].items())
    first, stop = record["first_row"], record["first_row"] + record["rows"]
    return (
        f"{head}<p>Rig {record['rig']}, rows {first} to {stop - 1} of {record['rows_in_trace']}, "
        f"{record['dropped']} samples dropped, {record['crc_errors']} frames damaged; {html.escape(firmware)}.</p>"
        f"{problems}{_plot(_anchor(record), *record['plot'])}"
        f"<details><summary>limits in force</summary><p><code>{html.escape(settings)}</code></p></details></section>"
    )


def _plot(name: str, shown_rows: Trace, trip_at: int | None) -> str:
    """Voltage and current, each sample a dot; `trip_at`: the one that opened the gate."""
    return Drawing(name, "", partial(_draw, shown_rows, trip_at), (9.5, 3.2)).svg()


def _draw(rows: Trace, trip_at: int | None, figure: Figure) -> None:
    upper, lower = figure.subplots(2, 1, sharex=True)
    label, factor = voltage_unit(rows)
    for axes, values, name, colour in (
        (upper, rows.voltage_V * factor, label, VOLTAGE_COLOUR),
        (lower, rows.current_A * 1e3, "current / mA", CURRENT_COLOUR),
    ):
        axes.plot(rows.test_time_s, values, color=colour, lw=1.1, marker="o", ms=2.2)
        axes.set_ylabel(name)
        axes.ticklabel_format(useOffset=False)
        if trip_at is not None:
            axes.axvline(rows.test_time_s[trip_at], color=INK, lw=1.2, ls=(0, (4, 2)))
    if trip_at is not None:
        upper.annotate(
            "gate opened", (rows.test_time_s[trip_at], 1), xycoords=("data", "axes fraction"), xytext=(4, 3),
            textcoords="offset points", fontweight="bold",
        )  # fmt: skip
    lower.set_xlabel("test time / s")
    figure.align_ylabels()


def _title(record: Record) -> str:
    title = str(record["title"] or record["name"])
    return f"{title[:1].upper()}{title[1:]}, on rig {record['rig']}"


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:g}"


def _anchor(record: Record) -> str:
    return f"{record['rig']}-{record['name']}"
