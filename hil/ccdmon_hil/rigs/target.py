"""What a rig must do: run the firmware, play the cell to it, carry the wire, watch the gate pin."""

from collections.abc import Callable, Sequence
from typing import NamedTuple, Protocol

Codes = tuple[int, int, int]  # voltage, current, pressure: 16 bits each, see ccdmon.model.front_end
IDLE: Codes = (32768, 32768, 32768)  # zero volts, zero amperes
# The voltage with its wire off: of the divider in `firmware/README.md`, 27 k to ground and 10 k to 3.3 V are left.
OPEN_VOLTAGE_CODE = 65536 * 27 // 37
# (row, is the gate closed?) -> what the converters read; None after the last row
Source = Callable[[int, bool], Codes | None]


class Edge(NamedTuple):
    """The gate pin moved: to where, after how many rows, when on the rig's clock (us; None: it has none)."""

    closed: bool
    rows_converted: int
    at_us: float | None


class Target(Protocol):
    """One rig, called from one thread; `DeviceError` says that it failed.

    It may offer `edge_settings(closed_loop)`, {name: value} that it needs, `tolerance_codes` of its converters, how
    many `channels` of voltage, current, pressure they have (without it 3), `lead_samples`, how many of a run it needs
    before row 0 stands at them (0), `now_s()`, the time that its host waits by, where that is the rig's own and not the
    machine's (or None), and `await_pins()`, where news of the pin come behind the samples: returns when they came."""

    name: str
    clock: str  # "virtual": an emulator's, "real": a board's, "none"
    edges: list[Edge]  # since `play`

    def start(self) -> None:
        """Bring the firmware up, with zero volts and amperes at the converters."""

    def play(self, source: Source, closed_loop: bool = False) -> None:
        """From the gate's next closing on, each sample takes a row; idle again after the last.

        Only a closed loop promises to ask for a row when the pin's answer to the one before is known."""

    def stand_idle(self, codes: Sequence[Codes]) -> None:
        """What the converters read while no row plays, one sample after the other and over again; from now on."""

    def sampled_us(self, row: int) -> float | None: ...  # instant of its sample, where there is a clock
    def send(self, data: bytes) -> None: ...  # wire bytes to the firmware
    def receive(self) -> bytes: ...  # let the rig run for a moment; the wire bytes that came
    def close(self) -> None: ...
