"""What other processes ask of a running recording: its state, and commands for the board that it owns."""

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from ccdmon.link.command_queue import OnAnswer
from ccdmon.link.control_socket import ControlServer, Request
from ccdmon.link.device import is_trip, mismatch, why_refused
from ccdmon.link.retries import GIVE_UP_S
from ccdmon.record.board_talk import DeviceSide
from ccdmon.record.recorder import Recorder
from ccdmon.record.state import latched
from ccdmon.rig.watched import watched
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
        lost: Callable[[], str | None],
    ) -> None:
        """`lost`: why the link is, None while it is up."""
        self._recorder, self._device, self._lost = recorder, device, lost
        self._waiting: list[Request] = []  # for the board's answer
        self._state, self._settings, self._say = state, settings, say
        self.armed = False  # the board has said once that it closed its gate
        self.refused = False  # to arm, in the beginning of the recording
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
        if self._waiting and (why := self._lost()) is not None:
            self._refuse_all(why)

    def arm(self, request: Request | None = None) -> None:
        """Close the gate, where the firmware is this package's; a refusal is told to who asks, else to all."""
        if wrong := mismatch(self._device.identity):
            self._recorder.log(action="not_armed", cause=wrong)
            self._say(f"not armed: {wrong}")
            if request is None:
                self.refused = True
            else:
                request.refuse(wrong)
            return
        tell = self._device.told("arm") if request is None else self._answering(request)

        def answered(result: str | None, detail: int) -> None:
            self.armed = self.armed or result == "ok"
            self.refused = self.refused or (request is None and result != "ok")
            if result == "ok" and request is None:
                identity = self._device.identity
                rules = watched(identity.get("settings", {}), self._recorder.front_end)
                self._say(f"armed; the board opens its gate by itself outside of: {rules}")
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
        self._order(request, wanted, trip_id)

    def _order(self, request: Request, wanted: object, trip_id: object) -> None:
        if (why := self._lost()) is not None and wanted in ("arm", "reset_trip"):
            request.refuse(_not_heard(why, "nothing was sent"))
        elif wanted == "trip":
            self._device.queue.add_urgent(wire.FORCE_TRIP, on_answer=self._answering(request))
        elif wanted == "disarm":
            self._device.queue.add(wire.DISARM, on_answer=self._answering(request))
        elif wanted == "arm":
            self.arm(request)
        elif wanted == "reset_trip" and type(trip_id) is int and 0 <= trip_id < 1 << 32:
            self._device.queue.add(wire.RESET_TRIP, trip_id, on_answer=self._answering(request))
        else:
            request.refuse(f"unknown request {str(wanted)[:80]!r}")

    def _refuse_all(self, why: str) -> None:
        """Nobody is kept waiting for a board that is away; what is in the queue goes out if it comes back."""
        waiting, self._waiting = self._waiting, []
        for request in waiting:
            request.refuse(
                _not_heard(why, f"the order goes out if the board is back within {GIVE_UP_S:.0f} s")
            )

    def _answering(self, request: Request) -> OnAnswer:
        self._waiting.append(request)

        def answered(result: str | None, detail: int) -> None:
            if request not in self._waiting:
                return  # it was told that the link is lost
            if result == "ok":  # answered when the state that is asked for next shows it
                self._device.queue.add(wire.GET_STATUS, on_answer=lambda *_: told(request.answer))
            elif result is None:
                told(lambda: request.refuse("the board does not answer; look at its LED, cable and power"))
            elif is_trip(result, detail):  # which one it was comes with the status
                refuse = partial(self._refuse_tripped, request, result, detail)
                self._device.queue.add(wire.GET_STATUS, on_answer=lambda *_: told(refuse))
            else:
                told(lambda: request.refuse(f"the board refuses: {why_refused(result, detail)}"))

        def told(tell: Callable[[], object]) -> None:
            if request in self._waiting:
                self._waiting.remove(request)
                tell()

        return answered

    def _refuse_tripped(self, request: Request, result: str, detail: int) -> None:
        trip = latched(self._recorder, self._device.status, self._device.trip) or {}
        request.refuse(f"the board refuses: {why_refused(result, detail, trip.get('what', ''))}")


def _not_heard(why: str, sent: str) -> str:
    """What a person reads whose order meets no board."""
    return (
        f"the link to the board is lost ({why.partition('; ')[0]}): {sent}. Nobody knows its gate; stop the cell at "
        "the cycler, or cut the board's power, which opens it; plugged in again, the recording goes on by itself"
    )
