"""What a campaign comes to, rig by rig: one table."""

from collections.abc import Sequence
from typing import Any

# kind ("scenario" or "fault"), rig, name, title, outcome ("passed", "failed", "skipped"), problems; the rest by kind:
# see `campaign.py`
Record = dict[str, Any]
CLOCKS = ("samples", "virtual_us", "real_us")
COLUMNS = (
    ("rig", "rig"),
    ("scenarios run", "scenarios_run"),
    ("passed", "scenarios_passed"),
    ("skipped", "scenarios_skipped"),
    ("fault kinds run", "faults_run"),
    ("as expected", "faults_as_expected"),
    ("samples unaccounted", "samples_unaccounted"),
    ("longest cutoff, samples", "longest_samples"),
    ("virtual us", "longest_virtual_us"),
    ("real us", "longest_real_us"),
)


def summaries(records: Sequence[Record]) -> list[Record]:
    """One record for each rig, in the order they ran; a latency no rig's clock measured is None."""
    rigs = dict.fromkeys(record["rig"] for record in records)
    return [_summary(rig, [record for record in records if record["rig"] == rig]) for rig in rigs]


def markdown(rows: Sequence[Record]) -> str:
    """The table of `summaries`, readable as text, too."""
    cells = [[title for title, _ in COLUMNS]] + [[shown(row[name]) for _, name in COLUMNS] for row in rows]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    lines = [" | ".join(map(str.ljust, line, widths)) for line in cells]
    ruler = " | ".join("-" * (width - 1) + (":" if at else "-") for at, width in enumerate(widths))
    return "".join(f"| {line} |\n" for line in (lines[0], ruler, *lines[1:]))


def shown(value: Any) -> str:
    """A cell; "-" for what was not measured."""
    return "-" if value is None else f"{value:g}" if isinstance(value, float) else str(value)


def _summary(rig: str, records: Sequence[Record]) -> Record:
    scenarios = [record for record in records if record["kind"] == "scenario"]
    faults = [record for record in records if record["kind"] == "fault"]
    skipped = _count(scenarios, "skipped")
    return {
        "rig": rig,
        "scenarios_run": len(scenarios) - skipped,
        "scenarios_passed": _count(scenarios, "passed"),
        "scenarios_skipped": skipped,
        "faults_run": len(faults),
        "faults_as_expected": _count(faults, "passed"),
        "samples_unaccounted": sum(record.get("uncounted", 0) for record in records),
        **{f"longest_{clock}": _longest(scenarios, clock) for clock in CLOCKS},
    }


def _count(records: Sequence[Record], outcome: str) -> int:
    return sum(record["outcome"] == outcome for record in records)


def _longest(scenarios: Sequence[Record], clock: str) -> float | None:
    measured = [record["latency"][clock] for record in scenarios if "latency" in record]
    return max((value for value in measured if value is not None), default=None)
