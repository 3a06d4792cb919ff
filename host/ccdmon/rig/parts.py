"""What has to be bought for a wiring; SHUNT and GAIN stand for the rig's values."""

from typing import NamedTuple


class Part(NamedTuple):
    """One line of the parts list."""

    pieces: int
    what: str
    where: str


COMMON = (
    Part(1, "Raspberry Pi Pico with headers", "the board"),
    Part(2, "socket strip, 20 pins", "the board"),
    Part(1, "push button", "GP11, to acknowledge; if you want one"),
    Part(1, "resistor 10 k", "pressure"),
)
RELAY = (
    *COMMON,
    Part(2, "capacitor 10 nF", "inputs of current and pressure"),
    Part(1, "resistor 10 k", "input of the current"),
    Part(1, "capacitor 220 pF", "voltage divider"),
    Part(1, "dual op amp MCP6002, or another for 3.3 V, rail to rail", "followers of divider and 1.65 V"),
    Part(1, "shunt SHUNT, 0.1 %, four terminals", "cell's return"),
    Part(1, "difference amplifier for 3.3 V, reference pin, offset below 100 uV, GAIN", "current"),
    Part(2, "resistor 10 k, 0.1 %", "1.65 V for the amplifier's reference pin"),
    Part(1, "capacitor 100 nF", "1.65 V"),
    Part(1, "relay such as G5V-1, 5 V coil, normally open, for the test's current", "cell's path"),
    Part(1, "MOSFET such as IRLML6344, logic level, for the coil's current", "gate"),
    Part(1, "diode 1N4148", "across the coil"),
    Part(1, "resistor 10 k (Pico 2: 4.7 k)", "gate's pull-down"),
)


def divider(ohms: tuple[str, str, str | None]) -> tuple[Part, ...]:
    """Of the cell's voltage."""
    values = [value for value in ohms if value]
    return tuple(
        Part(values.count(value), f"resistor {value}, 0.1 %", "voltage divider")
        for value in dict.fromkeys(values)
    )


def potentiostat(i_ohm: str) -> tuple[Part, ...]:
    """For a potentiostat's connectors; `i_ohm`: from the I monitor, as it is to be read."""
    return (
        *COMMON,
        Part(3, "capacitor 10 nF", "inputs"),
        Part(1, "resistor 16 k, 0.1 %", "E monitor"),
        Part(2, "resistor 10 k, 0.1 %", "E and I monitor, to 3.3 V"),
        Part(1, "resistor 27 k, 0.1 %", "E monitor"),
        Part(1, f"resistor {i_ohm}, 0.1 %", "I monitor"),
        Part(1, "buffer 74AHCT1G125", "stop"),
        Part(1, "resistor 10 k (Pico 2: 4.7 k)", "buffer's input to ground"),
        Part(1, "resistor 680 ohm", "stop to ground, inside the potentiostat's plug"),
    )
