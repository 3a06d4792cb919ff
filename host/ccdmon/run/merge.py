"""Puts a cycler's own file and a rig's recording of the same test on one time axis.

The two clocks differ by an offset and drift apart; both saw the same current steps. Steps of equal current vote for an
offset, and a straight line through the steps that agree gives offset and drift: time on the rig's clock =
`offset_s` + (1 + `drift_ppm` / 1e6) * time on the cycler's clock. What is left over is stated. `merge_rows` then
puts the rows together.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ccd_fastcore import MODES, Stream
from ccdmon.analysis.segments import half_cycles_of
from ccdmon.errors import InputError
from ccdmon.model.trace import FloatArray, Trace
from ccdmon.run.merge_rows import usual_interval_s

SAME_CURRENT = 0.15  # relative: shunts and cyclers disagree by percents, levels of a ramp by more
LARGEST_DRIFT = 2e-3  # a quartz is off by 1e-4 at most; a timer in software by more
FEWEST_STEPS = 3
SHARE = 0.6  # of the steps that both could have seen must agree
MOST_VOTERS = 600  # steps of each that vote for the offset: enough, and quick
RIVAL = 0.95  # another offset with so many of the best one's votes makes the match ambiguous


@dataclass(frozen=True)
class Steps:
    """Where the current changed: times in s and the signed currents that began there, both shape (steps,)."""

    start_s: FloatArray
    current_A: FloatArray
    resolution_s: float  # usual time between rows

    def __len__(self) -> int:
        return len(self.start_s)


@dataclass(frozen=True)
class Alignment:
    """How the cycler's clock maps onto the rig's; see the top of this file."""

    offset_s: float
    drift_ppm: float
    residual_s: float  # standard deviation of the matched steps
    matched: int
    steps: int  # of the cycler, within what the rig recorded
    opposite_signs: bool

    def rig_time_s(self, cycler_time_s: FloatArray) -> FloatArray:
        """The rig's clock at times of the cycler's."""
        return self.offset_s + (1 + self.drift_ppm * 1e-6) * cycler_time_s

    def document(self) -> dict[str, Any]:
        """For the sidecar and `--json`."""
        return {
            "offset_s": self.offset_s,
            "drift_ppm": self.drift_ppm,
            "residual_s": self.residual_s,
            "matched_steps": self.matched,
            "steps": self.steps,
            "opposite_signs": self.opposite_signs,
        }


def current_steps(pieces: Iterable[Trace]) -> Steps:
    """The starts of the half-cycles, as the analysis finds them, of rows that come in pieces, at least one."""
    stream, closed, resolution_s = None, list[Sequence[float]](), 0.0
    for piece in pieces:
        if stream is None:
            configuration = piece.cell.configuration
            stream = Stream(MODES.index(configuration) if configuration in MODES else 0)
        closed += stream.feed(piece.test_time_s, piece.voltage_V, piece.current_A, piece.pressure_Pa)[0]
        resolution_s = resolution_s or usual_interval_s(piece.test_time_s)
    assert stream is not None
    half_cycles = half_cycles_of([*closed, *stream.finish()[0]])
    starts_s, currents_A = ([getattr(h, name) for h in half_cycles] for name in ("start_s", "current_A"))
    return Steps(np.array(starts_s), np.array(currents_A), resolution_s)


def align(cycler: Steps, rig: Steps, *, near_s: float | None = None) -> Alignment:
    """The best map of the clocks. `near_s`: an offset known roughly, where the steps alone fit at several.

    Raises `InputError` where too few steps agree or several offsets fit alike.
    """
    if min(len(cycler), len(rig)) < FEWEST_STEPS:
        raise InputError(
            f"merge: {len(cycler)} and {len(rig)} current steps found, at least {FEWEST_STEPS} are needed in both; "
            "give the files of one and the same test"
        )
    width_s = max(
        _tolerance_s(cycler, rig), LARGEST_DRIFT * float(max(np.ptp(cycler.start_s), np.ptp(rig.start_s)))
    )
    same, turned = (_vote(cycler, rig, sign, near_s, width_s) for sign in (1, -1))
    sign, vote = (1, same) if same.votes >= RIVAL * turned.votes else (-1, turned)
    if vote.rival_s is not None and near_s is None:
        raise InputError(
            f"merge: the current steps fit at an offset of {vote.offset_s:.6g} s and at {vote.rival_s:.6g} s alike; "
            "say which with --near-s"
        )
    best = _refined(cycler, rig, sign, vote.offset_s, width_s)
    if best.matched < FEWEST_STEPS or best.matched < SHARE * best.steps:
        raise InputError(
            f"merge: only {best.matched} of {best.steps} current steps agree; are these files of one and the same test?"
        )
    return best


def _tolerance_s(cycler: Steps, rig: Steps) -> float:
    """How far apart the same step may seem: a row late on either clock."""
    return 2 * max(cycler.resolution_s, rig.resolution_s)


def _refined(cycler: Steps, rig: Steps, sign: int, offset_s: float, width_s: float) -> Alignment:
    """From coarse to fine: the drift of a week is longer than a step can be told apart at once."""
    tolerance_s, slope = _tolerance_s(cycler, rig), 1.0
    while True:
        ours, theirs = _pairs(cycler, rig, sign, offset_s, slope, width_s)
        if len(ours) >= FEWEST_STEPS and np.ptp(cycler.start_s[ours]) > 0:
            slope, offset_s = (float(x) for x in np.polyfit(cycler.start_s[ours], rig.start_s[theirs], 1))
        if width_s <= tolerance_s:
            break
        width_s = max(width_s / 2, tolerance_s)
    residuals = rig.start_s[theirs] - (offset_s + slope * cycler.start_s[ours])
    seen = offset_s + slope * cycler.start_s
    common = (seen > rig.start_s[0] - width_s) & (seen < rig.start_s[-1] + width_s)
    spread_s = float(residuals.std()) if len(ours) else float("inf")
    return Alignment(offset_s, (slope - 1) * 1e6, spread_s, len(ours), int(common.sum()), sign < 0)


@dataclass(frozen=True)
class _Vote:
    """An offset, how many pairs of equal current agree on it, and another with about as many."""

    offset_s: float
    votes: int
    rival_s: float | None


def _vote(cycler: Steps, rig: Steps, sign: int, near_s: float | None, width_s: float) -> _Vote:
    """The offset on which most pairs agree, within `width_s`."""
    ours, theirs = slice(0, MOST_VOTERS), slice(0, MOST_VOTERS)  # drift matters least at the beginning
    alike = _same(sign * cycler.current_A[ours, None], rig.current_A[None, theirs])
    offsets = np.sort((rig.start_s[None, theirs] - cycler.start_s[ours, None])[alike])
    if near_s is not None:
        offsets = offsets[np.abs(offsets - near_s) <= 2 * width_s]
    if not offsets.size:
        return _Vote(near_s or 0.0, 0, None)
    votes = np.searchsorted(offsets, offsets + width_s, side="right") - np.arange(len(offsets))
    best = int(votes.argmax())
    centre = float(np.median(offsets[best : best + votes[best]]))
    elsewhere = np.abs(offsets - centre) > 2 * width_s
    rival = int(np.where(elsewhere, votes, 0).argmax())
    alike_elsewhere = bool(elsewhere[rival]) and votes[rival] >= RIVAL * votes[best]
    return _Vote(centre, int(votes[best]), float(offsets[rival]) if alike_elsewhere else None)


def _same(a: FloatArray, b: FloatArray) -> npt.NDArray[np.bool_]:
    return np.abs(a - b) <= SAME_CURRENT * np.minimum(np.abs(a), np.abs(b))


def _pairs(
    cycler: Steps, rig: Steps, sign: int, offset_s: float, slope: float, width_s: float
) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
    """Indices of steps of the cycler and the nearest of the rig, where time and current agree."""
    seen = offset_s + slope * cycler.start_s
    right = np.clip(np.searchsorted(rig.start_s, seen), 1, len(rig) - 1)
    nearest = np.where(seen - rig.start_s[right - 1] < rig.start_s[right] - seen, right - 1, right)
    good = (np.abs(rig.start_s[nearest] - seen) <= width_s) & _same(
        sign * cycler.current_A, rig.current_A[nearest]
    )
    return np.flatnonzero(good), nearest[good]
