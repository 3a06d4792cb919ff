"""External converters as they answer on their bus, byte for byte: for the drivers' tests and the emulated Pico.

An I2C chip takes `connect(address, reading)`, `write(byte)`, `read()` and `stop()`, an SPI chip `select(level)`
and `exchange(byte)`: what happens on the wires, nothing of any driver. `buses.py` leads these wires to
`machine`'s calls and to the emulator. `heard` keeps what was written, so that a test can quote the data sheet.
Each has its faults: `dead` does not answer, others say what they break. A register that the chip does not have or
a value it reserves is an AssertionError: a wrong byte must not pass.
"""

import binascii
import struct
from collections.abc import Sequence
from typing import ClassVar


class Ads131m04:
    """TI ADS131M04, SBAS890: SPI mode 1, 24-bit words, frames of status, four channels and CRC."""

    CHANNELS = 4
    FRAME_BYTES = 3 * (CHANNELS + 2)

    def __init__(self) -> None:
        self.readings: Sequence[int] = [0] * self.CHANNELS  # -2**23 to 2**23 - 1
        self.converting = True  # there is always a new conversion
        self.damaged = self.dead = False  # a bit flips on the way; the data line stays low
        self.heard: list[bytes] = []  # frames from the host
        self.registers: dict[int, int] = {}
        self._answer: int | None = None  # to the frame before; None: STATUS
        self._in, self._out = bytearray(), b""
        self.power_up()

    def power_up(self) -> None:
        """Reset values of the register map; the RESET flag stands."""
        self.registers = {0x00: 0x2401, 0x02: 0x0510, 0x03: 0x0F0E, 0x04: 0x0000, 0x06: 0x0600}
        self._answer = None

    def select(self, level: int) -> None:
        """Chip select moved."""
        if level == 0:
            self._in, self._out = bytearray(), self._frame()
        elif self._in:
            self.heard.append(bytes(self._in))
            self._obey()

    def exchange(self, byte: int) -> int:
        """One byte each way."""
        self._in.append(byte)
        at = len(self._in) - 1
        return 0 if self.dead or at >= len(self._out) else self._out[at]

    def _status(self) -> int:
        reset_and_length = self.registers[0x02] & 0x0700
        return reset_and_length | (0x0F if self.converting else 0)

    def _frame(self) -> bytes:
        answer = self._status() if self._answer is None else self._answer
        words = [answer << 8, *(reading & 0xFFFFFF for reading in self.readings)]
        data = b"".join(word.to_bytes(3, "big") for word in words)
        data += struct.pack(">HB", binascii.crc_hqx(data, 0xFFFF), 0)
        return bytes([data[0], data[1], data[2] ^ 0x01, *data[3:]]) if self.damaged else data

    def _obey(self) -> None:
        assert len(self._in) == self.FRAME_BYTES, f"a frame of {len(self._in)} bytes"
        command, value = int.from_bytes(self._in[:2], "big"), int.from_bytes(self._in[3:5], "big")
        register = command >> 7 & 0x1F
        self._answer = None
        if command == 0x0011:
            self.power_up()
            self._answer = 0xFF20 | self.CHANNELS
        elif command >> 13 == 0b101:
            assert command & 0x7F == 0, "one register at a time"
            self._answer = self._status() if register == 0x01 else self.registers[register]
        elif command >> 13 == 0b011:
            assert register in (0x02, 0x03, 0x04, 0x06), f"register {register:02x} cannot be written"
            self.registers[register] = value
            self._answer = 0x4000 | command & 0x1FFF
        else:
            assert command == 0, f"no such command: {command:04x}"


class I2cChip:
    """A chip with a register pointer: the first byte written sets it, the others go to `put`."""

    ADDRESS = 0

    def __init__(self) -> None:
        self.dead = False
        self.heard: list[bytes] = []  # writes of more than the pointer
        self._written = bytearray()
        self._pointer = 0

    def connect(self, address: int, reading: bool) -> bool:
        """Start and address; True: acknowledged."""
        self._finish()
        if reading:
            self.begin_read(self._pointer)
        return address == self.ADDRESS and not self.dead

    def write(self, byte: int) -> bool:
        """A byte from the host; True: acknowledged."""
        self._written.append(byte)
        return not self.dead

    def stop(self) -> None:
        """The end of the transfer."""
        self._finish()

    def _finish(self) -> None:
        if self._written:
            self._pointer = self._written[0]
            if len(self._written) > 1:
                self.heard.append(bytes(self._written))
                self.put(self._pointer, bytes(self._written[1:]))
        self._written = bytearray()

    def begin_read(self, pointer: int) -> None:
        """The host is about to read from `pointer` on."""
        raise NotImplementedError

    def read(self) -> int:
        """The next byte to the host."""
        raise NotImplementedError

    def put(self, pointer: int, data: bytes) -> None:
        """The host wrote `data` to `pointer`."""
        raise NotImplementedError


class Ina228(I2cChip):
    """TI INA228, SLYS021A: 16-bit registers and 24-bit results, most significant byte first."""

    ADDRESS = 0x40
    _RESET_VALUES: ClassVar = {
        0x00: 0x0000, 0x01: 0xFB68, 0x02: 0x1000, 0x03: 0x0000, 0x0B: 0x0001, 0x0C: 0x7FFF, 0x0D: 0x8000,
        0x3E: 0x5449, 0x3F: 0x2281,
    }  # fmt: skip

    def __init__(self) -> None:
        super().__init__()
        self.shunt = self.bus = 0  # -2**19 to 2**19 - 1
        self.converting = True
        self.registers = dict(self._RESET_VALUES)
        self._to_host = b""

    def begin_read(self, pointer: int) -> None:
        results = {0x04: self.shunt, 0x05: self.bus}
        if pointer in results:
            self._to_host = ((results[pointer] & 0xFFFFF) << 4).to_bytes(3, "big")
        else:
            flags = 0x02 if pointer == 0x0B and self.converting else 0
            self._to_host = (self.registers[pointer] | flags).to_bytes(2, "big")

    def read(self) -> int:
        assert self._to_host, "read beyond the register"
        byte, self._to_host = self._to_host[0], self._to_host[1:]
        return byte

    def put(self, pointer: int, data: bytes) -> None:
        assert len(data) == 2, f"{len(data)} bytes to a 16-bit register"
        assert pointer in (0x00, 0x01, 0x02, 0x03, 0x0B, 0x0C, 0x0D), (
            f"register {pointer:02x} cannot be written"
        )
        value = int.from_bytes(data, "big")
        if pointer == 0x00 and value & 0x8000:
            self.registers = dict(self._RESET_VALUES)
        else:
            self.registers[pointer] = value | (0x0001 if pointer == 0x0B else 0)  # MEMSTAT is read-only


class Nau7802(I2cChip):
    """Nuvoton NAU7802, data sheet rev. 2.6: byte registers, the pointer goes on by itself."""

    ADDRESS = 0x2A

    def __init__(self) -> None:
        super().__init__()
        self.reading = 0  # -2**23 to 2**23 - 1
        self.converting = True
        self.calibrates = True
        self.registers = bytearray(0x20)
        self._reset()

    def _reset(self) -> None:
        self.registers[:] = bytes(0x20)
        self.registers[0x1F] = 0x0F

    def begin_read(self, pointer: int) -> None:
        self._pointer = pointer
        self.registers[0x12:0x15] = (self.reading & 0xFFFFFF).to_bytes(3, "big")
        cycling = self.registers[0x00] & 0x10 and self.converting
        self.registers[0x00] = self.registers[0x00] & ~0x20 | (0x20 if cycling else 0)

    def read(self) -> int:
        byte = self.registers[self._pointer]
        self._pointer += 1
        return byte

    def put(self, pointer: int, data: bytes) -> None:
        assert pointer < 0x1F, f"register {pointer:02x} cannot be written"
        assert not 0x12 <= pointer <= 0x14, "the result cannot be written"
        for offset, byte in enumerate(data):
            self._put_byte(pointer + offset, byte)

    def _put_byte(self, register: int, value: int) -> None:
        if register == 0x00 and value & 0x01:
            self._reset()
        if register == 0x00 and value & 0x02:
            value |= 0x08  # powered up
        if register == 0x02 and value & 0x04:
            assert self.registers[0x00] & 0x06 == 0x06, "calibration without power"
            value = value & ~0x04 | (0 if self.calibrates else 0x08)
        self.registers[register] = value
