"""The wires between `converters.py` and what a driver calls: `machine`'s buses in memory, or an emulated peripheral."""

from collections.abc import Callable
from typing import Any

from ccdmon_hil.rigs.chips.converters import Ads131m04, I2cChip


class I2cBus:
    """`machine.I2C` as the drivers use it, with chips on it. No acknowledge is OSError(5), as on the RP2040."""

    def __init__(self, *chips: I2cChip) -> None:
        self._chips = {chip.ADDRESS: chip for chip in chips}

    def writeto_mem(self, address: int, register: int, data: bytes) -> None:
        """Start, address, register, data, stop."""
        chip = self._start(address, reading=False)
        for byte in (register, *data):
            if not chip.write(byte):
                raise OSError(5)
        chip.stop()

    def readfrom_mem_into(self, address: int, register: int, buffer: bytearray) -> None:
        """Start, address, register, start again, address, bytes, stop."""
        chip = self._start(address, reading=False)
        chip.write(register)
        self._start(address, reading=True)
        for at in range(len(buffer)):
            buffer[at] = chip.read()
        chip.stop()

    def _start(self, address: int, reading: bool) -> I2cChip:
        chip = self._chips.get(address)
        if chip is None or not chip.connect(address, reading):
            raise OSError(5)
        return chip


class SpiBus:
    """`machine.SPI` as the drivers use it, with one chip on it."""

    def __init__(self, chip: Ads131m04) -> None:
        self._chip = chip

    def write_readinto(self, data: bytes, buffer: bytearray) -> None:
        """Full duplex."""
        for at, byte in enumerate(data):
            buffer[at] = self._chip.exchange(byte)


def _at_once(then: Callable[[], None]) -> None:
    then()


def attach_i2c(
    peripheral: Any, *chips: I2cChip, after_a_byte: Callable[[Callable[[], None]], None] = _at_once
) -> None:
    """Put chips on an I2C block of the emulated Pico (`mcu.i2c[n]`); `after_a_byte` calls when it has passed."""
    by_address = {chip.ADDRESS: chip for chip in chips}
    spoken_to: list[I2cChip] = []

    def connect(address: int, mode: int) -> None:
        chip = by_address.get(address)
        spoken_to[:] = [chip] if chip else []
        acknowledged = chip is not None and chip.connect(address, mode == 1)
        after_a_byte(lambda: peripheral.complete_connect(acknowledged))

    def write(byte: int) -> None:
        after_a_byte(lambda: peripheral.complete_write(spoken_to[0].write(byte)))

    def read(_ack: bool) -> None:
        after_a_byte(lambda: peripheral.complete_read(spoken_to[0].read()))

    def stop() -> None:
        for chip in spoken_to:
            chip.stop()
        peripheral.complete_stop()

    peripheral.on_connect = connect
    peripheral.on_write_byte = write
    peripheral.on_read_byte = read
    peripheral.on_stop = stop


def attach_spi(peripheral: Any, select_pin: Any, chip: Ads131m04) -> None:
    """Put a chip on an SPI block of the emulated Pico (`mcu.spi[n]`) and its select on a pin (`mcu.gpio[n]`)."""
    selected = [1]

    def moved(state: Any, _before: Any) -> None:
        level = 1 if state.name == "HIGH" else 0
        if level != selected[0]:
            selected[0] = level
            chip.select(level)

    select_pin.add_listener(moved)
    peripheral.on_transmit = lambda byte: peripheral.complete_transmit(
        chip.exchange(byte) if selected[0] == 0 else 0xFF
    )
