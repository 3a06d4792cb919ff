"""Which cells were tested alike. A critical current density belongs to its protocol: cells of two are never pooled.

Alike: the same kind, the same time or capacity per half-cycle within `ALIKE`, the same cycles per level. A cell that
failed in its first level shows no ramp; left out, it would make the others look better than they are. It is put with
the protocol that begins with the same level and half-cycles no shorter than its own, if there is only one.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ccdmon.report.words import duration

ALIKE = 0.05
_RAMPS = ("time_control", "capacity_control", "endurable_time")


@dataclass(frozen=True, order=True)
class Protocol:
    """What was held constant, as the median of the cells that were tested alike."""

    kind: str
    half_cycle_s: float | None
    half_cycle_mAh_cm2: float | None
    cycles_per_level: int

    @property
    def text(self) -> str:
        """For a person."""
        size = [duration(self.half_cycle_s)] if self.half_cycle_s is not None else []
        size += [f"{self.half_cycle_mAh_cm2:.3g} mAh cm⁻²"] if self.half_cycle_mAh_cm2 is not None else []
        each = f", {self.cycles_per_level} cycles per level" if self.cycles_per_level > 1 else ""
        return self.kind.replace("_", " ") + (f", {size[0]} per half-cycle" if size else "") + each


def protocols_of(rows: Sequence[Mapping[str, Any]]) -> list[Protocol]:
    """The protocol of each row of the catalogue."""
    alike: dict[tuple[str, int], list[int]] = {}
    for number, row in enumerate(rows):
        cycles = row["cycles_per_level"] or 0
        alike.setdefault(
            (row["protocol_kind"] or "unknown", _cycles(row["protocol_kind"], cycles)), []
        ).append(number)
    found: dict[int, Protocol] = {}
    for (kind, cycles), numbers in alike.items():
        for some in _apart(numbers, [_size(rows[n]) for n in numbers]):
            middle = sorted(some, key=lambda n: _size(rows[n]) or 0.0)[len(some) // 2]
            protocol = Protocol(kind, *_held(kind, rows[middle]), cycles)
            found.update(dict.fromkeys(some, protocol))
    for number in [n for n in found if _shows_no_ramp(rows[n])]:
        begun = {
            protocol
            for other, protocol in found.items()
            if protocol.kind in _RAMPS and _begins_alike(rows[number], rows[other])
        }
        if len(begun) == 1:
            found[number] = begun.pop()
    return [found[number] for number in range(len(rows))]


def _cycles(kind: str | None, cycles: int) -> int:
    """Of a long test the number of cycles is the result, not the protocol."""
    return cycles if kind == "endurable_time" else 1


def _held(kind: str, row: Mapping[str, Any]) -> tuple[float | None, float | None]:
    """(time, capacity) that the protocol holds constant."""
    if kind == "capacity_control":
        return None, row["protocol_half_cycle_mAh_cm2"]
    return row["protocol_half_cycle_s"], None


def _size(row: Mapping[str, Any]) -> float | None:
    return next((value for value in _held(row["protocol_kind"], row) if value is not None), None)


def _apart(numbers: Sequence[int], sizes: Sequence[float | None]) -> list[list[int]]:
    """Groups whose sizes lie within `ALIKE` of the next; those without a size are one."""
    unknown = [n for n, size in zip(numbers, sizes, strict=True) if size is None]
    groups, last = [unknown] if unknown else [], None
    known = sorted((size, n) for n, size in zip(numbers, sizes, strict=True) if size is not None)
    for size, number in known:
        if last is None or size > last * (1 + ALIKE):
            groups.append([])
        groups[-1].append(number)
        last = size
    return groups


def _shows_no_ramp(row: Mapping[str, Any]) -> bool:
    return (
        row["verdict"] == "failed"
        and row["protocol_kind"] not in _RAMPS
        and len(row["levels_mA_cm2"] or ()) <= 1
    )


def _begins_alike(lone: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """The same first level, and half-cycles that were not longer."""
    mine, theirs = lone["levels_mA_cm2"] or (lone["failed_at_mA_cm2"],), other["levels_mA_cm2"]
    if not theirs or other["protocol_kind"] not in _RAMPS or not mine[0]:
        return False
    if abs(mine[0] - theirs[0]) > ALIKE * theirs[0]:
        return False
    if other["protocol_kind"] == "capacity_control":
        most_s = 3600 * other["protocol_half_cycle_mAh_cm2"] / theirs[0]
    else:
        most_s = other["protocol_half_cycle_s"]
    return most_s is not None and (lone["half_cycle_s"] or 0.0) <= (1 + ALIKE) * most_s
