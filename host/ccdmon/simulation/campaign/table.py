"""Tables and the detection/false-alarm curve of a campaign."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from ccdmon.model.kinds import CELL_FAULTS
from ccdmon.simulation.campaign.score import Score

FIRST_WAY = "impedance pair"


def share(values: Sequence[bool]) -> float | None:
    """Share of true ones; None of nothing."""
    return sum(values) / len(values) if values else None


def recall(scores: Iterable[Score], kind: str) -> float | None:
    """Share of the traces with an event of `kind` that can be told in which it was reported."""
    return share([s.found for s in scores if s.expected == kind and not s.excluded])


def false_per_million(scores: Iterable[Score]) -> tuple[int, float]:
    """False events in healthy rows (of healthy traces, and before a fault), and those rows in millions."""
    listed = [s for s in scores if s.way in ("", FIRST_WAY)]  # each trace once
    return sum(len(s.false_kinds) for s in listed), sum(s.healthy_rows for s in listed) / 1e6


def table_text(scores: Sequence[Score]) -> str:
    """The README's tables: detection per class, then false events per scenario, then CCD and protocol."""
    lines = [
        "| class | traces | excluded | recall | delay median | delay 95 % | also reported |",
        "|---|--:|--:|--:|--:|--:|---|",
    ]
    for kind in CELL_FAULTS:
        of_kind = [s for s in scores if s.expected == kind]
        ways = list(dict.fromkeys(s.way for s in of_kind)) or [""]
        lines += [_class_line([s for s in of_kind if s.way == way], kind, way) for way in ways]
    lines += [
        "",
        "| scenario | traces | healthy rows / 10^6 | false events | CCD exact | protocol right | errors |",
        "|---|--:|--:|--:|--:|--:|--:|",
    ]
    lines += [
        _scenario_line([s for s in scores if s.scenario == name], name)
        for name in dict.fromkeys(s.scenario for s in scores)
    ]
    count, million = false_per_million(scores)
    ccd, protocol = (
        share([v for v in (getattr(s, name) for s in scores) if v is not None])
        for name in ("ccd_right", "protocol_right")
    )
    rate = f"{count / million:.2f}" if million else "-"
    lines += [
        "",
        f"false events: {count} in {million:.2f} million healthy rows, {rate} per million; "
        f"CCD exact {_percent(ccd)}, protocol right {_percent(protocol)}",
        f"CCD with impedance unvalidated: {sum(s.eis == 'unvalidated' for s in scores)} of {len(scores)}",
    ]
    return "\n".join(lines)


def _class_line(every: Sequence[Score], kind: str, way: str) -> str:
    scores = [s for s in every if not s.excluded]
    name = f"{kind}, {way}" if way else kind
    delays = sorted(s.delay_rows for s in scores if s.delay_rows is not None)
    others: dict[str, int] = {}
    for other in (k for s in scores for k in set(s.other_kinds)):
        others[other] = others.get(other, 0) + 1
    beside = ", ".join(f"{k} {n}" for k, n in sorted(others.items())) or "-"
    middle, late = ((delays[int(q * (len(delays) - 1))] if delays else "-") for q in (0.5, 0.95))
    found = share([s.found for s in scores])
    excluded = len(every) - len(scores)
    return f"| {name} | {len(scores)} | {excluded} | {_percent(found)} | {middle} | {late} | {beside} |"


def _scenario_line(every: Sequence[Score], name: str) -> str:
    scores = [s for s in every if s.way in ("", FIRST_WAY)]
    count, million = false_per_million(scores)
    ccd = share([s.ccd_right for s in scores if s.ccd_right is not None])
    protocol = share([s.protocol_right for s in scores if s.protocol_right is not None])
    errors = sum(s.error is not None for s in scores)
    return (
        f"| {name} | {len(scores)} | {million:.3f} | {count} | {_percent(ccd)} | {_percent(protocol)} | "
        f"{errors} |"
    )


def _percent(value: float | None) -> str:
    return "-" if value is None else f"{100 * value:.1f} %"


def curve_text(curve: Mapping[float, Sequence[Score]]) -> str:
    """Recall per class and false events per million rows over the least probability that is told."""
    lines = [
        "",
        "| told from | " + " | ".join(CELL_FAULTS) + " | false per 10^6 rows |",
        "|--:|" + "--:|" * (len(CELL_FAULTS) + 1),
    ]
    for least, scores in curve.items():
        count, million = false_per_million(scores)
        cells = [_percent(recall(scores, kind)) for kind in CELL_FAULTS]
        lines.append(f"| {least:g} | " + " | ".join(cells) + f" | {count / million if million else 0:.2f} |")
    return "\n".join(lines)


def write_curve_plot(curve: Mapping[float, Sequence[Score]], path: Path) -> None:
    """Recall of each class against false events per million healthy rows; the ending chooses the format."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7, 4.5), layout="constrained")
    axes = figure.add_subplot()
    rates = [count / max(million, 1e-9) for count, million in map(false_per_million, curve.values())]
    for kind in CELL_FAULTS:
        recalls = [r for scores in curve.values() if (r := recall(scores, kind)) is not None]
        if len(recalls) == len(rates):
            axes.plot(rates, recalls, marker="o", label=kind.replace("_", " "))
    axes.set_xscale("symlog", linthresh=0.1)
    axes.set(xlabel="false events per million healthy rows", ylabel="recall", ylim=(0, 1.03))
    axes.legend()
    figure.savefig(path)
