"""Host time of what the device stamped, with a stated error: a line through the round trips of `get_clock`.

    clock = DeviceClock()                        # a recording's: `sample_clock`
    clock.add(sent_s, received_s, fields)       # host times around the command, fields of the `clock` message
    clock.host_time_s(time_us)                  # -> (host time, error bound), both in s

A round trip says that the device read its clock between `sent_s` and `received_s`, no more: its middle is wrong by half
of it at most. The line is a weighted least-squares fit of these middles, so its value at any instant is a sum of them
with known weights, and the sum of |weight| x (half round trip + resolution) bounds its error, whatever the delays were
and however lopsided, as long as the device's rate is steady. On top come the resolution of the stamp and `WANDER` for a
rate that drifts with temperature. `time_us` wraps at 2**30; `uptime_ms`, which does not for 49 days, tells how often it
did. An uptime that runs backwards is a reset: everything before it is forgotten.
"""

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass

WRAP_US = 1 << 30
ROUND_TRIPS = 64  # the newest
RESOLUTION_S = (
    2e-6  # the device counts whole microseconds, and the sample is some instructions away from its stamp
)
WANDER = (
    2e-6  # change of rate of a crystal over a test's room temperature, per second away from the round trips
)
_LEAST_SPAN_S = 1e-3  # round trips closer than this tell no rate: what they differ by is their rounding


@dataclass(frozen=True)
class _RoundTrip:
    device_s: float  # unwrapped
    middle_s: float
    half_s: float  # half of the round trip


class DeviceClock:
    """The device's clock in the host's time; see the top of this file."""

    def __init__(self) -> None:
        self._trips: deque[_RoundTrip] = deque(maxlen=ROUND_TRIPS)
        self._turns = 0  # of time_us, of the newest round trip
        self._last_us = 0
        self._uptime_ms = 0
        self.resets = 0

    def add(self, sent_s: float, received_s: float, fields: Mapping[str, int]) -> None:
        """One round trip. Raises ValueError where it was answered before it was sent."""
        if received_s < sent_s:
            raise ValueError(f"round trip from {sent_s} to {received_s} s: answered before it was sent")
        time_us, uptime_ms = fields["time_us"], fields["uptime_ms"]
        if self._trips and uptime_ms < self._uptime_ms:
            self._trips.clear()
            self.resets += 1
        if self._trips:
            expected_us = self._last_us + (uptime_ms - self._uptime_ms) * 1000
            self._turns += round((expected_us - time_us) / WRAP_US)
        else:
            self._turns = 0
        self._last_us, self._uptime_ms = time_us, uptime_ms
        device_s = (self._turns * WRAP_US + time_us) * 1e-6
        self._trips.append(_RoundTrip(device_s, (sent_s + received_s) / 2, (received_s - sent_s) / 2))

    def host_time_s(self, time_us: int) -> tuple[float, float]:
        """Host time of a stamp within 9 min of the newest round trip and the bound of its error, s.

        Raises ValueError before the first round trip.
        """
        if not self._trips:
            raise ValueError("no round trip yet: ask the device for its clock first")
        turns = self._turns + round((self._last_us - time_us) / WRAP_US)
        return self._estimate((turns * WRAP_US + time_us) * 1e-6)

    @property
    def drift_ppm(self) -> float:
        """How much faster the device's clock runs than the host's, parts per million; 0 with one round trip."""
        (at, _), (later, _) = (
            self._estimate(self._trips[-1].device_s),
            self._estimate(self._trips[-1].device_s + 1),
        )
        return (1 / (later - at) - 1) * 1e6

    def _estimate(self, device_s: float) -> tuple[float, float]:
        """Value of the weighted line at `device_s`, and the bound of its error."""
        weights = [1 / (trip.half_s + RESOLUTION_S) ** 2 for trip in self._trips]
        total = sum(weights)
        centre = sum(w * trip.device_s for w, trip in zip(weights, self._trips, strict=True)) / total
        spread = sum(w * (trip.device_s - centre) ** 2 for w, trip in zip(weights, self._trips, strict=True))
        sloped = self._trips[-1].device_s - self._trips[0].device_s > _LEAST_SPAN_S
        newest = self._trips[-1]  # everything relative to it: small numbers keep their digits
        offset_s = error_s = 0.0
        for weight, trip in zip(weights, self._trips, strict=True):
            share = weight / total
            if sloped:
                share += weight * (trip.device_s - centre) * (device_s - centre) / spread
            offset_s += share * ((trip.middle_s - newest.middle_s) - (trip.device_s - newest.device_s))
            error_s += abs(share) * (
                trip.half_s + RESOLUTION_S
            )  # that of each reading grows as its share does
        away_s = max(self._trips[0].device_s - device_s, device_s - self._trips[-1].device_s, 0.0)
        host_s = newest.middle_s + offset_s + (device_s - newest.device_s)
        rate_error = (
            WANDER if sloped else 1e-4
        )  # one round trip says nothing of the rate: a crystal's 100 ppm
        return host_s, error_s + RESOLUTION_S + rate_error * away_s + WANDER * self._span_s()

    def _span_s(self) -> float:
        """Seconds over which the rate was taken for steady, at most the time constant of a room."""
        return min(self._trips[-1].device_s - self._trips[0].device_s, 60.0) * 0.1
