"""When samples were taken, on the host's clock, with a stated error: notes of a recording, and what they add up to.

A round trip of `get_clock` (`clock.DeviceClock`) tells the host's time of the device's newest sample. It is written
down as an `Anchor` at the first row that comes after the answer, in the same segment: a new arming counts from zero.
The host's clock is the one that neither steps nor stands still in sleep; the wall clock's offset is that of the moment.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from ccdmon.link.board_clock import DeviceClock
from ccdmon.run.rows import COUNTER, Rows
from ccdmon.run.time_axis import CRYSTAL, Anchor

LATEST_S = 5.0  # a newest sample farther from the rows is of another arming
LAST_S = 60.0  # the rows behind the last note of a segment are no more


class SampleClock:
    """Round trips in, anchors out; all times `elapsed_s` of the recording."""

    def __init__(self) -> None:
        self._device = DeviceClock()
        self._asked_s: float | None = None
        self._reading: Anchor | None = None  # its Unix time is not known yet

    def asked(self, elapsed_s: float) -> None:
        """The device is asked for its clock now."""
        self._asked_s = elapsed_s

    def answered(
        self, fields: Mapping[str, int], elapsed_s: float, segment: int, last_sample: int, period_s: float
    ) -> None:
        """Its answer has come; `last_sample` is the newest row's of the segment that runs."""
        if self._asked_s is None or segment < 0 or elapsed_s < self._asked_s:
            return
        self._device.add(self._asked_s, elapsed_s, fields)
        self._asked_s = None
        ahead = (fields["sample"] - last_sample + COUNTER // 2) % COUNTER - COUNTER // 2
        if abs(ahead) * period_s <= LATEST_S:
            taken_s, error_s = self._device.host_time_s(fields["sample_time_us"])
            self._reading = Anchor(segment, last_sample + ahead, taken_s, float("nan"), error_s)

    def anchor(self, rows: Rows, period_s: float, unix_offset_s: float) -> Anchor | None:
        """What the last answer says of the first of these rows, which have just come; once.

        `unix_offset_s`: Unix time less elapsed time, now.
        """
        reading, self._reading = self._reading, None
        if reading is None or reading.segment != rows.segment:
            return None
        if int(rows.samples[-1]) < reading.sample:  # not there yet
            self._reading = reading
            return None
        return reading.moved(int(rows.samples[0]), period_s, unix_offset_s)


@dataclass(frozen=True)
class ClockAccount:
    """What a recording knows of its clocks. `drift_ppm`: how much faster than the host's the device's clock ran."""

    readings: int
    error_s: float  # bound of the error of any row's Unix time, but for stretches where it is not known
    unknown: int  # stretches without a bound: the device was not asked before the next arming, or long ago
    usual_error_s: float  # of the median reading
    drift_ppm: float | None  # None: too short to tell
    drift_error_ppm: float | None

    @property
    def trusted(self) -> bool:
        """Whether the device's clock runs as a crystal does, which the bounds rest on; an emulated one does not."""
        drift, error = self.drift_ppm, self.drift_error_ppm
        return drift is None or error is None or abs(drift) - error <= CRYSTAL * 1e6


def clock_account(anchors: Iterable[Anchor], seconds_per_sample: float) -> ClockAccount | None:
    """The account of a recording's anchors; None where the device was never asked for its clock."""
    segments: dict[int, list[Anchor]] = {}
    for anchor in anchors:
        segments.setdefault(anchor.segment, []).append(anchor)
    bounds = [bound for known in segments.values() for bound in _bounds(known, seconds_per_sample)]
    errors = sorted(a.error_s for known in segments.values() for a in known if a.error_s is not None)
    if not errors:
        return None
    longest = max(segments.values(), key=lambda known: known[-1].sample - known[0].sample)
    drift, drift_error = _drift([a for a in longest if a.error_s is not None], seconds_per_sample)
    known = [bound for bound in bounds if bound is not None]
    unknown = len(bounds) - len(known)
    return ClockAccount(len(errors), max(known), unknown, errors[len(errors) // 2], drift, drift_error)


def _bounds(anchors: Sequence[Anchor], period_s: float) -> list[float | None]:
    """The largest error of the rows from each anchor to the next; of an arrival, by how much it was late."""
    bounds: list[float | None] = []
    for anchor, following in pairwise([*anchors, None]):
        assert anchor is not None
        away_s = LAST_S if following is None else (following.sample - anchor.sample) * period_s
        if anchor.error_s is not None:
            bounds.append(anchor.error_s + away_s * CRYSTAL)
        elif following is not None and following.error_s is not None:
            late_s = anchor.elapsed_s + away_s - following.elapsed_s
            bounds.append(abs(late_s) + following.error_s + away_s * CRYSTAL)
        else:
            bounds.append(None)
    return bounds


def _drift(anchors: Sequence[Anchor], period_s: float) -> tuple[float | None, float | None]:
    """Parts per million and their bound, from the first and the last reading."""
    if len(anchors) < 2:
        return None, None
    first, last = anchors[0], anchors[-1]
    device_s, host_s = (last.sample - first.sample) * period_s, last.elapsed_s - first.elapsed_s
    assert first.error_s is not None
    assert last.error_s is not None
    return (device_s / host_s - 1) * 1e6, (first.error_s + last.error_s) / host_s * 1e6
