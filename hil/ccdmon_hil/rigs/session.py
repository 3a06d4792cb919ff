"""A rig with the firmware running on it: the conversation (`ccdmon.link.device`), and the samples and trip of a run."""

import struct
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from ccdmon.link.decoder import Decoder, Event, Message, Samples
from ccdmon.link.device import ANSWER_LIMIT_S, Device
from ccdmon_fw import wire
from ccdmon_hil.rigs.target import Target

# An emulated board behind a port, on a busy machine, takes that much longer.
EMULATOR_PATIENCE = 5
# A rig speaks to nobody before; the numbers below are those of faults that send frames past the session.
FIRST_COMMAND = 0x100


class Session:
    """One rig with the firmware running on it. `on_bytes` gets the telemetry as it comes, for a recorder.

    Waiting is measured on the rig's own clock where it has one (`target.now_s`), else on the machine's.
    """

    def __init__(
        self,
        target: Target,
        on_bytes: Callable[[bytes], object] | None = None,
        answer_limit_s: float = ANSWER_LIMIT_S,
    ) -> None:
        self.target = target
        own_now_s: Callable[[], float] | None = getattr(target, "now_s", None)
        waits_by_machine = target.clock == "virtual" and own_now_s is None
        self.patience = EMULATOR_PATIENCE if waits_by_machine else 1  # times the limits of a real board
        self.now_s = own_now_s or time.monotonic
        self.device = Device(
            target.send,
            target.receive,
            f"rig {target.name}",
            on_event=self.take,
            on_bytes=on_bytes,
            answer_limit_s=answer_limit_s * self.patience,
            now_s=self.now_s,
            first_command=FIRST_COMMAND if own_now_s or target.name != "board" else None,
        )
        self.trip: dict[str, int] | None = None  # the first TRIP message of this run
        self.samples: list[Samples] = []  # of this run
        self.samples_seen = (
            0  # rows of this run: its highest sample counter, plus one, less those before row 0
        )
        self.box_pieces: list[Message] = []  # heads and samples of black boxes, as they came
        self._run: int | None = None
        self.lead: int = getattr(target, "lead_samples", 0)
        self.command = self.device.command
        self.status = self.device.status
        self.pump = self.device.pump

    @property
    def decoder(self) -> Decoder:
        """What reads the telemetry, with its counts."""
        return self.device.decoder

    @property
    def identity(self) -> dict[str, Any]:
        """Who answered at the start."""
        return self.device.identity

    def start(self) -> None:
        """Bring the rig up and learn who answers; `DeviceError` where that is not this package's firmware."""
        self.target.start()
        self.device.identify()
        self.device.require_match()

    def close(self) -> None:
        """End the rig."""
        self.target.close()

    def configure(self, settings: list[int]) -> None:
        """Disarm, put these settings in force, clear a latched trip, and let the self-test pass.

        In this order: a trip can be cleared once the samples after it are kept, which takes 256 of the new periods.

        The gate moves in all this; what it does from the next `play` on belongs to the run.
        """
        status = self.status()
        if status["armed"]:
            self.command(wire.DISARM)
        self.device.configure(settings)
        if status["trip_id"]:
            self.device.reset_trip(status["trip_id"])
        if self.status()["self_test"] not in (wire.PASSED, wire.PASSED_DRY):
            self.device.self_test()

    def arm(self) -> None:
        """Close the gate: a new run. Samples and trip of the last one are forgotten."""
        self.samples = []
        self.samples_seen = 0
        self.trip = None
        self._run = None
        self._run = self.command(wire.ARM)
        for event in self.samples:
            self._count(event)

    def acknowledge_trip(self) -> None:
        """Tell the firmware that the host has the trip."""
        assert self.trip is not None
        self.command(wire.ACK_TRIP, struct.pack("<I", self.trip["trip_id"]))

    def wait_for_trip(self) -> None:
        """Until the TRIP message of a gate that opened has come."""
        self.device.wait(lambda: self.trip is not None, "why it opened the gate")

    def codes(self, rows: int) -> tuple[npt.NDArray[np.uint16], npt.NDArray[np.bool_]]:
        """Samples of this run's rows below `rows`, shape (rows, 4), and which of them came, shape (rows,)."""
        table = np.zeros((rows, 4), dtype=np.uint16)
        came = np.zeros(rows, dtype=np.bool_)
        for event in self.samples:
            at = event.first_sample - self.lead
            first, stop = max(at, 0), min(at + len(event.codes), rows)
            if event.run == self._run and first < stop:
                table[first:stop] = event.codes[first - at : stop - at]
                came[first:stop] = True
        return table, came

    def take(self, event: Event) -> None:
        """What the device tells beside its answers."""
        if isinstance(event, Samples):
            self.samples.append(event)
            self._count(event)
        elif isinstance(event, Message) and event.name == "trip" and self.trip is None:
            self.trip = event.fields
        elif isinstance(event, Message) and event.name in ("box", "blackbox"):
            self.box_pieces.append(event)

    def _count(self, event: Samples) -> None:
        if event.run == self._run:
            self.samples_seen = max(self.samples_seen, event.first_sample + len(event.codes) - self.lead)
