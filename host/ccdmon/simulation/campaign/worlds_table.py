"""Tables of the other worlds: one with a row for each kind of test, and one that sets the worlds side by side."""

from collections import Counter
from collections.abc import Mapping, Sequence

from ccdmon.model.kinds import EVENT_KINDS
from ccdmon.simulation.campaign.score import Score
from ccdmon.simulation.campaign.table import false_per_million, recall, share


def kinds_text(world: str, scores: Sequence[Score]) -> str:
    """A row for each kind of test of one world: found, told falsely, told beside."""
    lines = [
        "",
        f"| {world} | traces | excluded | found | false events | false kinds | also reported | CCD exact | errors |",
        "|---|--:|--:|--:|--:|---|---|--:|--:|",
    ]
    for kind in dict.fromkeys(s.scenario for s in scores):
        lines.append(_kind_line(kind, [s for s in scores if s.scenario == kind]))
    return "\n".join(lines)


def _kind_line(kind: str, scores: Sequence[Score]) -> str:
    judged = [s for s in scores if s.expected and not s.excluded]
    false = Counter(k for s in scores for k in s.false_kinds)
    other = Counter(k for s in scores for k in set(s.other_kinds))
    ccd = share([s.ccd_right for s in scores if s.ccd_right is not None])
    cells = (
        kind,
        len(scores),
        sum(bool(s.excluded) for s in scores),
        f"{sum(s.found for s in judged)} of {len(judged)}" if judged else "-",
        sum(false.values()),
        _listed(false),
        _listed(other),
        percent(ccd),
        sum(s.error is not None for s in scores),
    )
    return "| " + " | ".join(map(str, cells)) + " |"


def _listed(counts: Counter[str]) -> str:
    return ", ".join(f"{kind} {count}" for kind, count in sorted(counts.items())) or "-"


def percent(value: float | None) -> str:
    """A share in percent, `-` for none."""
    return "-" if value is None else f"{100 * value:.1f} %"


def worlds_text(by_world: Mapping[str, Sequence[Score]]) -> str:
    """The worlds side by side: recall and delay of each kind, false events, critical current density."""
    head = ["", "| | " + " | ".join(by_world) + " |", "|---|" + "--:|" * len(by_world)]
    rows: list[tuple[str, list[str]]] = [
        (kind, [_recall_text(scores, kind) for scores in by_world.values()]) for kind in EVENT_KINDS
    ]
    rows += [
        ("false events per 10^6 healthy rows", [_false_text(scores) for scores in by_world.values()]),
        ("the same, full cells", [_false_text(_of(scores, "full")) for scores in by_world.values()]),
        ("the same, half cells", [_false_text(_of(scores, "half")) for scores in by_world.values()]),
        ("CCD exact", [_share_text([s.ccd_right for s in scores]) for scores in by_world.values()]),
        ("CCD within one level", [_share_text([s.ccd_near for s in scores]) for scores in by_world.values()]),
        ("protocol", [_share_text([s.protocol_right for s in scores]) for scores in by_world.values()]),
        (
            "traces that were not analysed",
            [str(sum(s.error is not None for s in scores)) for scores in by_world.values()],
        ),
    ]
    return "\n".join([*head, *(f"| {name} | " + " | ".join(cells) + " |" for name, cells in rows)])


def _of(scores: Sequence[Score], configuration: str) -> list[Score]:
    return [s for s in scores if s.configuration == configuration]


def _recall_text(scores: Sequence[Score], kind: str) -> str:
    """Recall, of how many, and the median delay in rows."""
    found = recall(scores, kind)
    count = sum(s.expected == kind and not s.excluded for s in scores)
    delays = sorted(s.delay_rows for s in scores if s.expected == kind and s.delay_rows is not None)
    if found is None:
        return "-"
    return f"{percent(found)} of {count}" + (f", {delays[(len(delays) - 1) // 2]} rows" if delays else "")


def _false_text(scores: Sequence[Score]) -> str:
    count, million = false_per_million(scores)
    return f"{count / million:.2f} ({count} in {million:.2f})" if million else "-"


def _share_text(values: Sequence[bool | None]) -> str:
    judged = [value for value in values if value is not None]
    return f"{percent(share(judged))} of {len(judged)}" if judged else "-"
