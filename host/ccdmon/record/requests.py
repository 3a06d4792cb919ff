"""What other processes ask of a running recording: its state, and commands for the board that it owns."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from ccdmon.link.command_queue import OnAnswer
from ccdmon.link.control_socket import ControlServer, Request
from ccdmon.link.device import mismatch, why_refused
from ccdmon.record.board_talk import DeviceSide
from ccdmon.record.recorder import Recorder
from ccdmon_fw import wire


class Requests:
    """Answers on the folder's socket. `settings()` are the integers to arm with, None: those in force."""

    def __init__(
        self,
        folder: Path,
        recorder: Recorder,
        device: DeviceSide,
        *,
        state: Callable[[], Mapping[str, Any]],
        settings: Callable[[], list[int] | None],
        say: Callable[[str], object],
    ) -> None:
        self._recorder, self._device = recorder, device
        self._state, self._settings, self._say = state, settings, say
        self.armed = False  # the board has said once that it closed its gate
        self._server: ControlServer | None = None
        try:
            self._server = ControlServer(folder)
        except OSError as error:
            say(
                f"{folder}: no control socket ({error.strerror}): neither the live page nor `ccdmon arm` can ask"
            )

    def answer(self) -> None:
        """Take what was asked meanwhile."""
        for request in self._server.poll() if self._server else ():
            self._carry_out(request)

    def arm(self, request: Request | None = None) -> None:
        """Close the gate, where the firmware is this package's; a refusal is told to who asks, else to all."""
        if wrong := mismatch(self._device.identity):
            self._recorder.log(action="not_armed", cause=wrong)
            self._say(f"not armed: {wrong}")
            if request is not None:
                request.refuse(wrong)
            return
        tell = self._device.told("arm") if request is None else self._answering(request)

        def answered(result: str | None, detail: int) -> None:
            self.armed = self.armed or result == "ok"
            tell(result, detail)

        self._device.arm(self._settings(), answered)

    def close(self) -> None:
        """Take the socket away."""
        if self._server is not None:
            self._server.close()

    def _carry_out(self, request: Request) -> None:
        wanted, trip_id = request.document.get("do"), request.document.get("trip_id")
        if wanted == "state":
            request.answer(state=self._state())
            return
        self._recorder.log(action="command", command=str(wanted)[:80])
        if wanted == "trip":
            self._device.queue.add_urgent(wire.FORCE_TRIP, on_answer=self._answering(request))
        elif wanted == "disarm":
            self._device.queue.add(wire.DISARM, on_answer=self._answering(request))
        elif wanted == "arm":
            self.arm(request)
        elif wanted == "reset_trip" and type(trip_id) is int and 0 <= trip_id < 1 << 32:
            self._device.queue.add(wire.RESET_TRIP, trip_id, on_answer=self._answering(request))
        else:
            request.refuse(f"unknown request {str(wanted)[:80]!r}")

    def _answering(self, request: Request) -> OnAnswer:
        def answered(result: str | None, detail: int) -> None:
            if result == "ok":  # answered when the state that is asked for next shows it
                self._device.queue.add(wire.GET_STATUS, on_answer=lambda *_: request.answer())
            elif result is None:
                request.refuse("the board does not answer")
            else:
                request.refuse(f"the board refuses: {why_refused(result, detail)}")

        return answered
