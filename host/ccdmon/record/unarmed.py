"""A board that sends no samples because it was not armed since its start: told, for only a person may arm it.

A recording then stands still, after a power loss of the board for ever: the gate is open, nothing is watched, and no
run has begun (`firmware/PROTOCOL.md`: samples are those of a run, which begins when the gate closes).
"""

import shlex
from collections.abc import Callable

from ccdmon.record.board_talk import DeviceSide
from ccdmon.record.recorder import Recorder


class Unarmed:
    """Call `look` once a round; `why` is what people must know, None while samples come."""

    def __init__(self, recorder: Recorder, device: DeviceSide, say: Callable[[str], object]) -> None:
        self._recorder, self._device, self._say = recorder, device, say
        self._restarts = 0
        self.why: str | None = None

    def look(self, no_samples: bool, *, arming: bool, ends: bool) -> None:
        """`no_samples`: none has come for a while; `arming`: the recorder is about to; `ends`: it gives up then."""
        device = self._device
        restarted = device.restarts > self._restarts
        self._restarts = device.restarts
        if restarted:
            self._recorder.log(action="board_restarted", uptime_ms=device.status.get("uptime_ms"))
        stands = device.status.get("run") == 0 and (no_samples or restarted)
        if device.status and not stands:
            self.why = None
        elif stands and (restarted or (self.why is None and not arming)):
            self.why = self._said(ends)
            self._recorder.log(action="not_recording", cause=self.why)
            self._say(self.why)

    def _said(self, ends: bool) -> str:
        device = self._device
        if ends:
            return "no sample comes until the board is armed: the recording ends here"
        what = "power was lost" if device.restarts else "the board is not armed"
        folder = shlex.quote(str(self._recorder.folder))
        trip_id = device.status.get("trip_id")
        first = f"`ccdmon reset-trip {trip_id} --run-folder {folder}`, then " if trip_id else ""
        return (
            f"{what}: the gate is open, no sample comes until it is armed: "
            f"{first}`ccdmon arm --run-folder {folder}`"
        )
