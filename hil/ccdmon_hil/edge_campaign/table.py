"""The tables of the edge campaign."""

from collections import Counter
from collections.abc import Iterable, Sequence

from ccdmon.model.kinds import EDGE_KINDS
from ccdmon_hil.edge_campaign.score import OWN_REASONS, EdgeScore


def table_text(scores: Sequence[EdgeScore]) -> str:
    """Trips per scenario, then warnings per reason; rates per million healthy rows."""
    lines = [
        "| scenario | traces | healthy rows / 10^6 | false trips | tripped hard_short | tripped limit | told | "
        "delay median, 95 %, max |",
        "|---|--:|--:|--:|--:|--:|--:|---|",
    ]
    names = dict.fromkeys(one.scenario for one in scores)
    lines += [_scenario_line([one for one in scores if one.scenario == name], name) for name in names]
    lines += [
        "",
        "| reason | told in traces of its class | false warnings | per 10^6 healthy rows |",
        "|---|--:|--:|--:|",
    ]
    lines += [_reason_line(scores, reason) for reason in EDGE_KINDS]
    million = _million(scores)
    false = sum(one.false_trip for one in scores)
    played = sum(one.rows for one in scores) / 1e6
    lines += ["", f"false trips: {false} in {million:.2f} million healthy rows ({played:.2f} million played)"]
    return "\n".join(lines)


def _million(scores: Iterable[EdgeScore]) -> float:
    return sum(one.healthy_rows for one in scores) / 1e6


def _scenario_line(scores: Sequence[EdgeScore], name: str) -> str:
    trips = Counter(one.trip for one in scores if one.trip and not one.false_trip)
    own = OWN_REASONS.get(name)
    told = _percent([own in one.told for one in scores]) if own else "-"
    delays = sorted(one.delay_rows for one in scores if one.delay_rows is not None)
    shown = ", ".join(str(delays[int(q * (len(delays) - 1))]) for q in (0.5, 0.95, 1)) if delays else "-"
    return (
        f"| {name} | {len(scores)} | {_million(scores):.3f} | {sum(one.false_trip for one in scores)} | "
        f"{trips['hard_short']} | {trips['limit']} | {told} | {shown} |"
    )


def _reason_line(scores: Sequence[EdgeScore], reason: str) -> str:
    classes = {name for name, own in OWN_REASONS.items() if own == reason}
    told = _percent([reason in one.told for one in scores if one.scenario in classes])
    false = sum(one.false_warnings.get(reason, 0) for one in scores)
    million = _million(scores)
    return f"| {reason} | {told} | {false} | {f'{false / million:.2f}' if million else '-'} |"


def _percent(found: Sequence[bool]) -> str:
    return f"{100 * sum(found) / len(found):.1f} %" if found else "-"
