"""How the firmware's boards are wired, as a rig must know it."""

from typing import NamedTuple


class Pins(NamedTuple):
    """Converter channels and the gate's GPIO of a board."""

    voltage_channel: int
    current_channel: int
    pressure_channel: int
    gate: int

    @property
    def channels(self) -> tuple[int, int, int]:
        """Converter channels in the order of the codes."""
        return self[:3]


# As wired in firmware/ccdmon_fw/board.py and pico.py.
PICO_PINS = Pins(voltage_channel=0, current_channel=1, pressure_channel=2, gate=15)
