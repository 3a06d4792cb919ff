"""Notices when the host's clocks part: it slept (the monotonic clock stood still), or somebody set the wall clock."""

from ccdmon.run.time_axis import HostTime

NOTICED_S = 1.0  # a slewing time service stays far below between two rounds


class ClockWatch:
    """Call `changes` often with the host's clocks."""

    def __init__(self, now: HostTime) -> None:
        self._last = now

    def changes(self, now: HostTime) -> list[tuple[str, float]]:
        """(`host_slept` or `clock_stepped`, by how many seconds) since the last call."""
        last, self._last = self._last, now
        passed_s = now.boot_s - last.boot_s
        slept_s = passed_s - (now.monotonic_s - last.monotonic_s)
        stepped_s = (now.unix_s - last.unix_s) - passed_s
        found = [("host_slept", slept_s), ("clock_stepped", stepped_s)]
        return [(action, seconds) for action, seconds in found if abs(seconds) >= NOTICED_S]
