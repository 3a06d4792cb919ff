"""The first half-cycle, before there is a shape to compare with."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from ccdmon.analysis import thresholds as th
from ccdmon.analysis.events import Event
from ccdmon.analysis.level.excursions import Excursion
from ccdmon.analysis.level.line import Line, block_at, level_event


def first_half_cycle(
    line: Line, steps: Sequence[dict[str, float]], up: Sequence[Excursion], known: Sequence[Event]
) -> list[Event]:
    """Before the second half-cycle there is no shape: the core's sure steps down, unless V had jumped up before."""
    here = np.flatnonzero(line.number == 0)
    if here.size < th.LEAST_ROWS or any(
        e.kind in ("hard_short",) and line.number[block_at(line, e.row)] == 0 and e.row < line.row[here[4]]
        for e in known
    ):
        return []
    end = min(
        [
            line.row[here[-1]] + line.rows[here[-1]],
            *(e.row - th.LEAST_ROWS for e in known if e.kind == "hard_short"),
        ]
    )
    fallen: list[tuple[dict[str, float], bool]] = []
    for s in steps:
        drop = s["before_V"] - s["after_V"]
        sure = (
            min(drop, -s["step_V"]) > max(th.FALL * s["before_V"], th.SURE * s["step_error_V"])
            and th.SUDDEN < s["abruptness"] < 1 / th.SUDDEN
        )
        if not (
            s["row"] < end
            and s["row"] >= line.row[here[2]]
            and sure
            and s["before_V"] > 0
            and s["position"] >= 2 * th.LEAST_ROWS
        ):
            continue
        k = block_at(line, s["row"])
        behind = [j for j in here if j > k and line.row[j] < end]
        scale = drop / abs(s["current_A"])
        back = len(behind) >= 1 and any(
            line.ohm[j] - line.ohm[j - 1] > 0.5 * scale for j in behind if j > k + 1
        )
        fallen.append((s, back or len(behind) < 2))
    jolted = [
        u.row for u in up if u.number == 0 and u.depth > th.UNKNOWN and u.state == "back" and _sudden(line, u)
    ]
    jolted += [int(line.row[j]) for j in here[3:] if line.ohm[j] > th.GROWN * line.ohm[j - 1] > 0]
    fallen = [
        (s, back)
        for s, back in fallen
        if not any(j < s["row"] and not any(f["row"] < j for f, _ in fallen) for j in jolted)
    ]
    if not fallen:
        return []
    first = fallen[0][0]
    healed = sum(back for _, back in fallen)
    k = block_at(line, first["row"])
    ohm = 1 / abs(first["current_A"])
    shown = Excursion(
        int(first["row"]),
        first["time_s"],
        first["before_V"] * ohm,
        0.0,
        0,
        0,
        None,
        level=first["after_V"] * ohm,
    )
    if healed:
        last = [s for s, back in fallen if back][-1]
        return [
            level_event(
                "soft_short",
                line,
                k,
                int(first["row"]),
                replace(shown, end_s=last["time_s"]),
                "V falls and comes back",
                recovered=True,
                dips=healed,
            )
        ]
    return [
        level_event(
            "partial_short", line, block_at(line, s["row"]), int(s["row"]), shown, "V falls at once and stays"
        )
        for s, _ in fallen[:3]
    ]


def _sudden(line: Line, up: Excursion) -> bool:
    """Did it rise at once? V of a cell climbs by itself, and a short takes that back."""
    first, end = block_at(line, up.row), block_at(line, up.end_row or up.row)
    rises = np.diff(line.level[max(first - 1, 0) : end + 1])
    return bool(rises.size and rises.max() > th.HALF * up.depth * up.kept)
