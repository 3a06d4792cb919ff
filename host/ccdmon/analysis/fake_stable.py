"""Fake stable: the cell looks healthy, but a weak electronic leak carries the current (Lu et al. 2021, 2.3.2).

Three ways to tell, in this order: impedance before against after; U/I against the impedance; the shape: the
resistance fell gradually to a fraction and the half-cycles became flat, which warming does not do.
"""

from collections.abc import Sequence
from statistics import median
from typing import Any

from ccdmon.analysis import thresholds as th
from ccdmon.analysis.events import Event, at_row
from ccdmon.analysis.half_cycles import HalfCycle
from ccdmon.analysis.impedance.comparison import Comparison
from ccdmon.analysis.shorts.kept_resistance import comes_back

LEAST_ROWS = 12
FIRST_OCTAVE = 2  # rows 4-7: the first may be means across the reversal
FULL_CELL = 2
ROOM_degC, NEAR_K = 25.0, 8.0


def find_fake_stable(
    half_cycles: Sequence[HalfCycle], eis: Comparison, mode: int, temperature_degC: float | None = None
) -> list[Event]:
    """At most one event."""
    usable = [h for h in half_cycles if h.rows >= LEAST_ROWS and h.end_V > 0]
    if not usable:
        return []
    start = _fall(usable)
    if eis.verdict == "shorted":
        return [_event(start or usable[0], {"criterion": "impedance", **eis.evidence()})]
    if mode == FULL_CELL:
        return []
    below = _below_impedance(usable, eis, temperature_degC)
    if below is not None:
        return [below]
    if eis.verdict == "consistent" or start is None:
        return []
    return [_event(start, {"criterion": "shape", **_shape(usable, start)})]


def without_formation(
    shorts: Sequence[Event], fake: Sequence[Event], half_cycles: Sequence[HalfCycle]
) -> list[Event]:
    """The leak's formation lowers V, too: no partial or soft short of its own beside a fake stable event."""
    if not fake:
        return list(shorts)
    first = at_row(half_cycles, fake[0].row)
    index = first.index if first is not None else 0
    kept: list[Event] = []
    for event in shorts:
        h = at_row(half_cycles, event.row)
        near = h is not None and index - 1 <= h.index <= index + 1
        if event.kind == "hard_short" or not near:
            kept.append(event)
    return kept


def _below_impedance(
    usable: Sequence[HalfCycle], eis: Comparison, temperature_degC: float | None
) -> Event | None:
    """U/I far below the impedance before the test; told only near the temperature spectra are taken at."""
    if eis.before is None or not eis.before.trustworthy:
        return None
    if temperature_degC is not None and abs(temperature_degC - ROOM_degC) > NEAR_K:
        return None
    impedance_ohm = eis.before.bulk_ohm + eis.before.interface_ohm
    low = next((h for h in usable if h.resistance_end_ohm < th.FAKE_DC_TO_EIS * impedance_ohm), None)
    if low is None or any(
        h.resistance_end_ohm >= th.FAKE_DC_TO_EIS * impedance_ohm for h in usable[low.index + 1 :]
    ):
        return None
    evidence = {"criterion": "U/I against impedance", "resistance_ohm": low.resistance_end_ohm}
    return _event(low, evidence | {"impedance_ohm": impedance_ohm})


def _fall(usable: Sequence[HalfCycle]) -> HalfCycle | None:
    """The half-cycle in which the resistance fell gradually to less than half, stayed there, and became flat."""
    for n in range(2, len(usable) - 1):
        before, h, later = usable[max(0, n - 4) : n], usable[n], usable[n + 1 : n + 5]
        past = median(x.resistance_end_ohm for x in before)
        # Of its own sign, too: a half cell strips and plates at different resistances.
        like = [x.resistance_end_ohm for x in before if x.current_A * h.current_A > 0]
        if h.resistance_end_ohm > th.FAKE_FALL * min(past, median(like or [past])):
            continue
        if comes_back(median(x.resistance_end_ohm for x in later), usable[:n], h.current_A):
            continue
        steady = all(
            _steady([x for x in later if (x.current_A > 0) == positive]) for positive in (True, False)
        )
        sudden = before[-1].resistance_end_ohm > (1 - th.FAKE_STEADY) * past or len(before) < 3
        rise_before, rise_after = median(_rise(x) for x in before), median(abs(_rise(x)) for x in later)
        doubt = median(x.noise_V / x.end_V for x in later) / 2  # about two errors of such a rise
        flatter = rise_before > doubt and rise_after < max(th.FAKE_FLATTER * rise_before, doubt)
        deep = median(x.resistance_mean_ohm for x in later) < th.FAKE_DEEP * past
        return h if steady and sudden and (flatter or deep) else None
    return None


def _steady(like: Sequence[HalfCycle]) -> bool:
    """Of one sign: the voltmeter's offset, small beside the cell before, parts the signs now."""
    ohms = [h.resistance_mean_ohm for h in like]
    return not ohms or max(ohms) < (1 + th.FAKE_STEADY) * min(ohms)


def _rise(h: HalfCycle) -> float:
    """Of V within the half-cycle, relative: its later positions (octaves of rows) over its earlier ones."""
    octaves = [v for v in h.profile_V[FIRST_OCTAVE:] if v]
    if len(octaves) < 3:
        return h.rise
    late, early = sum(octaves[-2:]) / 2, sum(octaves[:-2]) / (len(octaves) - 2)
    return (late - early) / late if late > 0 else 0.0


def _shape(usable: Sequence[HalfCycle], start: HalfCycle) -> dict[str, Any]:
    before = [h for h in usable if h.index < start.index][-4:]
    after = [h for h in usable if h.index > start.index][:4] or [start]
    return {
        "resistance_before_ohm": median(h.resistance_end_ohm for h in before),
        "resistance_after_ohm": median(h.resistance_end_ohm for h in after),
        "rise_before": median(_rise(h) for h in before),
        "rise_after": median(_rise(h) for h in after),
    }


def _event(h: HalfCycle, evidence: dict[str, Any]) -> Event:
    return Event("fake_stable", h.start_s, h.first_row, h.cycle, h.current_A, evidence=evidence)
