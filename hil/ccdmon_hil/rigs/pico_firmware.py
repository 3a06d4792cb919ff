"""How the firmware's boards are wired, as a rig must know it."""

from typing import NamedTuple


class Pins(NamedTuple):
    """Converter channels of a board, and the GPIOs of its gate and what belongs to it."""

    voltage_channel: int
    current_channel: int
    pressure_channel: int
    gate: int
    feedback: int
    pump: int
    external_trip: int

    @property
    def channels(self) -> tuple[int, int, int]:
        """Converter channels in the order of the codes."""
        return self[:3]


# As wired in firmware/ccdmon_fw/board.py and pico.py.
PICO_PINS = Pins(
    voltage_channel=0, current_channel=1, pressure_channel=2, gate=22, feedback=12, pump=13, external_trip=14
)
