"""What a latency measurement comes to: one table, a page with the distributions, a document, and a budget to hold.

Three clocks that are never mixed: `samples` counts from the first that sees the fault to the one that moves the pin (0:
the same), `virtual_us` is an emulator's time, `real_us` a board's. A column that a rig cannot fill stays empty.
"""

import argparse
import html
import json
from collections.abc import Collection, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from ccdmon.errors import InputError
from ccdmon.link.firmware import firmware_hash
from ccdmon.report.colours import EVENT_COLOURS, INK
from ccdmon_hil.campaign.page import STYLE
from ccdmon_hil.campaign.summary import CLOCKS
from ccdmon_hil.outputs import write_output

SCHEMA = "ccdmon.latency/1"
QUANTILES = (("median", 50), ("95 %", 95), ("max", 100))
EMPTY = "–"
PER_ROW_IN, WIDTH_IN = 2.4, 11.0
POINT_COLOUR, LIMIT_COLOUR = "#0072b2", EVENT_COLOURS["hard_short"]


class Latency(NamedTuple):
    """One fault: `phase_us` after the sample before it, on the rig's clock; None: not known."""

    phase_us: float | None
    samples: int | None
    virtual_us: float | None
    real_us: float | None


Measured = Mapping[str, Sequence[Latency]]  # by the fault's name
Budgets = Mapping[str, float]  # us, by the fault's name; a fault that is not there has none


def quantiles(latencies: Sequence[Latency], clock: str) -> list[float] | None:
    """Median, 95 % and maximum (values that occurred, not between them); None: not measured on this clock."""
    values = [value for latency in latencies if (value := getattr(latency, clock)) is not None]
    if not values:
        return None
    return [float(np.percentile(values, percent, method="higher")) for _, percent in QUANTILES]


def over_budget(measured: Measured, budgets: Budgets) -> list[str]:
    """One line for each fault whose slowest cutoff took longer than its budget, or that no clock timed."""
    lines = []
    for fault, budget_us in budgets.items():
        timed = {clock: quantiles(measured.get(fault, ()), clock) for clock in CLOCKS[1:]}
        for clock, found in timed.items():
            if found and found[-1] > budget_us:
                lines.append(f"{fault}: {found[-1]:.1f} {clock} is over the budget of {budget_us:g}")
        if not any(timed.values()):
            lines.append(
                f"{fault}: no clock timed it on this rig, so its budget of {budget_us:g} us is not checked"
            )
    return lines


def parse_budget(text: str) -> tuple[str, float]:
    """`US` for all faults ("" is their name) or `FAULT=US`; a type of argparse."""
    name, _, value = text.rpartition("=")
    try:
        budget_us = float(value)
    except ValueError:
        budget_us = -1.0
    if not budget_us > 0:
        raise argparse.ArgumentTypeError(f"{text!r} is no budget: give microseconds, or FAULT=microseconds")
    return name, budget_us


def budgets_of(
    given: Sequence[tuple[str, float]], known: Collection[str], timed: Collection[str]
) -> dict[str, float]:
    """By fault, of what `parse_budget` gave; one for all holds for those `timed`. `InputError`: no such fault."""
    unknown = [name for name, _ in given if name and name not in known]
    if unknown:
        raise InputError(f"--budget-us {unknown[0]}: no such fault; one of {', '.join(known)}")
    everywhere = {fault: budget_us for name, budget_us in given if not name for fault in timed}
    return everywhere | {name: budget_us for name, budget_us in given if name}


def table_head() -> str:
    """The first two lines of the table."""
    clocks = "".join(f"{clock.replace('_', ' '):>{8 * len(QUANTILES)}}" for clock in CLOCKS)
    names = "".join(f"{name:>8}" for name, _ in QUANTILES) * len(CLOCKS)
    return f"{'':<17}{clocks}\n{'fault':<10}{'phases':>7}{names}{'budget us':>11}"


def table_row(fault: str, latencies: Sequence[Latency], budgets: Budgets) -> str:
    """One fault as a line of the table."""
    cells = "".join(f"{cell:>8}" for clock in CLOCKS for cell in _cells(latencies, clock))
    return f"{fault:<10}{len(latencies):>7}{cells}{_budget(fault, budgets):>11}"


def write(folder: Path, rig: str, measured: Measured, budgets: Budgets) -> None:
    """`latency.html` (self-contained) and `latency.json` with every single latency, in a folder that is there."""
    document = {
        "schema": SCHEMA,
        "rig": rig,
        "firmware_hash": firmware_hash(),
        "budget_us": dict(budgets),
        "over_budget": over_budget(measured, budgets),
        "latencies": {
            fault: [latency._asdict() for latency in latencies] for fault, latencies in measured.items()
        },
    }
    write_output(folder / "latency.json", json.dumps(document, indent=1) + "\n")
    write_output(folder / "latency.html", page(rig, measured, budgets))


def page(rig: str, measured: Measured, budgets: Budgets) -> str:
    """Table and plot, self-contained."""
    problems = over_budget(measured, budgets)
    verdict = "".join(f"<p class=failed>{html.escape(line)}</p>" for line in problems)
    if budgets and not problems:
        verdict = "<p class=passed>Every cutoff is within its budget.</p>"
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width"><title>ccdmon latency</title>'
        f"<style>{STYLE}</style><h1>From the fault to the gate pin's edge</h1>"
        f"<p>Rig {rig}, firmware <code>{firmware_hash()}</code>.</p>{verdict}{_table(measured, budgets)}"
        f"<p>{' '.join(_notes(measured))}</p>{_plot(measured, budgets)}</html>\n"
    )


def _notes(measured: Measured) -> list[str]:
    every = [latency for latencies in measured.values() for latency in latencies]
    notes = ["Samples are counted from the first that sees the fault to the one that moves the pin."]
    missing = [clock for clock in CLOCKS[1:] if quantiles(every, clock) is None]
    if "virtual_us" in missing:
        notes.append("Virtual µs is empty: this rig has no emulator's clock.")
    if "real_us" in missing:
        notes.append("Real µs is empty: only a board has a real clock, and none was measured here.")
    return notes


def _table(measured: Measured, budgets: Budgets) -> str:
    top = "".join(
        f"<th class=n colspan={len(QUANTILES)}>{clock.replace('_us', ' µs')}</th>" for clock in CLOCKS
    )
    names = "".join(f"<th class=n>{name}</th>" for name, _ in QUANTILES) * len(CLOCKS)
    lines = []
    for fault, latencies in measured.items():
        cells = [str(len(latencies)), *(cell for clock in CLOCKS for cell in _cells(latencies, clock))]
        numbers = "".join(f"<td class=n>{cell}</td>" for cell in [*cells, _budget(fault, budgets)])
        lines.append(f"<tr><td>{html.escape(fault)}</td>{numbers}</tr>")
    return (
        f"<div class=scroll><table><thead><tr><th></th><th></th>{top}<th></th></tr>"
        f"<tr><th>fault</th><th class=n>phases</th>{names}<th class=n>budget µs</th></tr></thead>"
        f"<tbody>{''.join(lines)}</tbody></table></div>"
    )


def _cells(latencies: Sequence[Latency], clock: str) -> list[str]:
    found = quantiles(latencies, clock)
    if found is None:
        return [EMPTY] * len(QUANTILES)
    return [f"{value:g}" if clock == "samples" else f"{value:.1f}" for value in found]


def _budget(fault: str, budgets: Budgets) -> str:
    return f"{budgets[fault]:g}" if fault in budgets else "none"


def _plot(measured: Measured, budgets: Budgets) -> str:
    """A row for each fault and clock that timed it: latency over the fault's phase, and its distribution."""
    from ccdmon.report.drawing import Drawing

    rows = [
        (fault, clock, latencies)
        for fault, latencies in measured.items()
        for clock in CLOCKS[1:]
        if quantiles(latencies, clock) is not None
    ]
    if not rows:
        return ""
    size_in = (WIDTH_IN, PER_ROW_IN * len(rows) + 0.3)
    return Drawing("latency", "", partial(_draw, rows, budgets), size_in).svg()


def _draw(rows: Sequence[tuple[str, str, Sequence[Latency]]], budgets: Budgets, figure: Any) -> None:
    panels = figure.subplots(len(rows), 2, sharey="row", squeeze=False, width_ratios=(2.4, 1))
    for (over, beside), (fault, clock, latencies) in zip(panels, rows, strict=True):
        values = np.array([getattr(latency, clock) for latency in latencies])
        known = [latency.phase_us is not None for latency in latencies]
        phases = [latency.phase_us for latency in latencies if latency.phase_us is not None]
        over.plot(phases, values[known], ".", ms=4, color=POINT_COLOUR)
        over.set_xlim(0, max([100.0, *phases]))
        beside.hist(values, bins=24, orientation="horizontal", color=POINT_COLOUR, zorder=2)
        over.set_ylabel(f"{fault}\n{clock.replace('_us', ' µs')}")
        over.set_ylim(0, max(values.max(), budgets.get(fault, 0.0)) * 1.12)
        if fault in budgets:
            for axes in (over, beside):
                axes.axhline(budgets[fault], color=LIMIT_COLOUR, lw=1.2, ls=(0, (4, 2)))
            over.annotate(
                "budget", (0, budgets[fault]), xycoords=("axes fraction", "data"), xytext=(4, 3),
                textcoords="offset points", color=LIMIT_COLOUR, fontweight="bold",
            )  # fmt: skip
        over.set_title(f"slowest {values.max():.1f}", loc="right", color=INK, fontsize="small", pad=2)
        over.axhline(values.max(), color=INK, lw=0.8, ls=":")
    panels[-1][0].set_xlabel("fault begins so many µs after a sample")
    panels[-1][1].set_xlabel("cutoffs")
    figure.align_ylabels()
