"""The DAC of a stimulus board as it answers on its bus; see `converters.py`, whose I2C chips it is one of."""

from collections.abc import Callable

from ccdmon_hil.rigs.chips.converters import I2cChip

CHANNELS = 4


class Mcp4728(I2cChip):
    """Microchip MCP4728, DS22187E: 12 bits, references at the supply once 0x80 has said so; no EEPROM is written."""

    ADDRESS = 0x60

    def __init__(self, on_output: Callable[[tuple[int, ...]], object]) -> None:
        super().__init__()
        self._on_output = on_output  # called with all channels' codes when they change together
        self._inputs = [0] * CHANNELS
        self._from_supply = False  # as delivered: the internal reference, 2.048 V
        self._ldac = 1

    def ldac(self, level: int) -> None:
        """The pin moved: falling, it takes the input registers to the outputs."""
        if self._ldac and not level:
            self._update()
        self._ldac = level

    def _finish(self) -> None:
        data, self._written = bytes(self._written), bytearray()
        if not data:
            return
        self.heard.append(data)
        if data[0] >> 5 == 0b100:
            self._from_supply = data == b"\x80"
            return
        assert data[0] >> 6 == 0b00 and len(data) % 2 == 0 and len(data) <= 2 * CHANNELS, (
            f"no fast write: {data!r}"
        )
        for channel in range(len(data) // 2):
            high, low = data[2 * channel : 2 * channel + 2]
            assert high < 0x10, f"channel {channel} is powered down"
            self._inputs[channel] = high << 8 | low
        if not self._ldac:
            self._update()

    def _update(self) -> None:
        assert self._from_supply, "its outputs end at 2.048 V"
        self._on_output(tuple(self._inputs))
