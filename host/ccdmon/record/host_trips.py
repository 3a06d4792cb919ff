"""What only the host can see, and may ask the board to trip on: events that take whole half-cycles to tell.

Off unless the rig file's `[host_trips]` says otherwise. The board decides on the request as on any trip: the gate
opens, latched, with the host named as the reason. If the host dies nothing on the board's own path changes.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

KINDS = ("soft_short", "fake_stable", "contact_loss")


@dataclass(frozen=True)
class Demand:
    """A trip the host asks for: which event, since when it stands, how long it had to."""

    kind: str
    row: int
    start_s: float
    stood_s: float
    persist_s: float
    evidence: Mapping[str, Any]


class HostTrips:
    """`table` is `[host_trips]`: kinds with true or false, and `persist_s`. One demand in a recording's segment."""

    def __init__(self, table: Mapping[str, Any]) -> None:
        self._kinds = tuple(kind for kind in KINDS if table.get(kind))
        self._persist_s = float(table.get("persist_s", 60.0))
        self._segment = -1

    @property
    def armed(self) -> bool:
        """Whether anything may be asked at all."""
        return bool(self._kinds)

    def judge(self, report: Mapping[str, Any], now_s: float, segment: int, since_s: float) -> Demand | None:
        """The demand that `report` at test time `now_s` gives rise to, once per segment.

        Events before `since_s` (test time at which this segment began) are of the past: the user armed again.
        """
        if segment == self._segment:
            return None
        for event in report["events"]:
            stood_s = now_s - event["start_s"]
            wanted = event["kind"] in self._kinds and not event["recovered"] and event["start_s"] >= since_s
            if wanted and not _undecided(event) and stood_s >= self._persist_s:
                self._segment = segment
                return Demand(event["kind"], event["row"], event["start_s"], stood_s, self._persist_s,
                              event["evidence"])  # fmt: skip
        return None


def _undecided(event: Mapping[str, Any]) -> bool:
    """A growth of the polarisation can precede a short: provisional until the cell reaches its limit."""
    return bool(event["provisional"])
