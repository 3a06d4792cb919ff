"""TI ADS131M02/M03/M04/M06/M08: 24-bit converters that sample all channels at once, on SPI (mode 1, CS active low).

In brackets: headings of its data sheet (ADS131M04: SBAS890), whose numbers differ between the members of the family.
One frame [SPI Communication Frames] carries a command one way and, the other way, the answer to the frame before
(STATUS after a NULL), a word for each channel, and a CRC. Words are 24 bits: 16-bit contents stand in the upper bits.
Two samples wait in a FIFO [Collecting Data for the First Time or After a Pause]: let it convert twice as fast as it is
read, or faster, and a reading is at most two conversions old.

The SPI bus, the chip select (`select(0)` begins a frame) and `sleep_ms` are injected.
"""

from array import array

try:
    import micropython
    from micropython import const
except ImportError:
    from ccdmon_fw.cpython import const, micropython, ptr8, ptr16, ptr32

# Commands [Command Definitions]
_NULL = const(0x0000)
_RESET = const(0x0011)
_RREG = const(0xA000)  # 101a aaaa annn nnnn
_WREG = const(0x6000)  # 011a aaaa annn nnnn
# Registers [Register Map]
ID = const(0x00)
STATUS = const(0x01)
MODE = const(0x02)
CLOCK = const(0x03)
GAIN1 = const(0x04)
GAIN2 = const(0x05)

_MODE_VALUE = const(
    0x0110
)  # 24-bit words, CCITT CRC, SPI timeout, and the RESET flag cleared [MODE Register]
_HIGH_RESOLUTION = const(0x02)  # CLOCK.PWR [CLOCK Register]
OVERSAMPLING = (128, 256, 512, 1024, 2048, 4096, 8192, 16256)  # CLOCK.OSR; rate = CLKIN / 2 / OVERSAMPLING
GAINS = (1, 2, 4, 8, 16, 32, 64, 128)  # full scale +-1.2 V / gain [PGA Gain Settings]
FULL_SCALE_V = 1.2
# STATUS of a converter as configured here [STATUS Register]: 24-bit words, and no lock, resynchronisation, register
# change, CRC error or reset.
STATUS_GOOD = const(0x0100)
_RESET_MS = const(
    5
)  # far above the 5 us until registers can be read [Timing Requirements], and the crystal's start

OK, BAD_CRC, BAD_STATUS, STALE = const(0), const(1), const(2), const(3)


def _crc_table():
    """CRC-16 CCITT, polynomial 0x1021 [CRC]."""
    table = array("H")
    for value in range(256):
        crc = value << 8
        for _ in range(8):
            crc = (crc << 1 ^ 0x1021 if crc & 0x8000 else crc << 1) & 0xFFFF
        table.append(crc)
    return table


@micropython.viper
def _crc(table: ptr16, data: ptr8, size: int) -> int:
    crc = 0xFFFF  # seed [CRC]
    at = 0
    while at < size:
        crc = (crc << 8 & 0xFFFF) ^ table[(crc >> 8) ^ data[at]]
        at += 1
    return crc


@micropython.viper
def _take(table: ptr16, frame: ptr8, memory: ptr32, plan: ptr32) -> int:
    """Judge a frame; codes into detector memory, the rail where it must not be believed. Returns the trouble.

    plan: 0 trouble found | 1 where the CRC stands | 2 DRDY flags that must be set | 3.. for each of the two: where it
    stands, shift, newest reading. One function, for each call costs as much as a third of it.
    """
    crc = 0xFFFF  # seed [CRC]
    at = 0
    while at < plan[1]:
        crc = (crc << 8 & 0xFFFF) ^ table[(crc >> 8) ^ frame[at]]
        at += 1
    trouble = 0
    if crc != (frame[at] << 8 | frame[at + 1]):
        trouble = 1  # BAD_CRC
    elif frame[0] != 0x01:  # the upper half of STATUS_GOOD
        trouble = 2  # BAD_STATUS
    elif frame[1] & plan[2] != plan[2]:
        trouble = 3  # STALE
    plan[0] = trouble
    k = 0
    p = 3
    while k < 2:
        code = 65535  # DEAD
        if trouble == 0:
            at = plan[p]
            value = frame[at] << 16 | frame[at + 1] << 8 | frame[at + 2]
            if value & 0x800000:
                value -= 0x1000000
            plan[p + 2] = value
            code = (value >> plan[p + 1]) + 32768
            if code < 0:
                code = 0
            elif code > 65535:
                code = 65535
        memory[k] = code
        k += 1
        p += 3
    return trouble


class Ads131m0x:
    """One converter; `inputs` are its channels of voltage and current, `shift` as in `common.py` (8: full scale)."""

    def __init__(self, spi, select, sleep_ms, channels=4, inputs=(0, 1), shift=8):
        self._transfer = spi.write_readinto  # bound once: binding allocates
        self._select = select
        self._sleep_ms = sleep_ms
        self._channels = channels
        self._table = _crc_table()
        self._null = bytes(3 * channels + 6)
        self._frame = bytearray(3 * channels + 6)
        self._plan = array("i", [0, 3 * channels + 3, (1 << channels) - 1])
        for channel in inputs:
            self._plan.extend(array("i", [3 + 3 * channel, shift, 0]))

    def configure(self, gains, oversampling):
        """Reset, set gains (one per channel) and data rate, read all back. OSError if it does not keep them."""
        self._command(_RESET)
        self._sleep_ms(_RESET_MS)
        answer = self._command(_NULL)  # [RESET command]
        if answer != 0xFF20 | self._channels:
            raise OSError("no answer to its reset (%04x)" % answer)
        clock = ((1 << self._channels) - 1) << 8 | OVERSAMPLING.index(oversampling) << 2 | _HIGH_RESOLUTION
        self._set(MODE, _MODE_VALUE)
        self._set(CLOCK, clock)
        self._set(GAIN1, _gain_bits(gains[:4]))
        if self._channels > 4:
            self._set(GAIN2, _gain_bits(gains[4:]))
        self._command(_NULL)

    def read_register(self, register):
        """16-bit content of a register."""
        self._command(_RREG | register << 7)
        return self._command(_NULL)

    def write_register(self, register, value):
        """Write a register; OSError unless it acknowledges [WREG command]."""
        self._command(_WREG | register << 7, value)
        answer = self._command(_NULL)
        if answer != 0x4000 | register << 7:
            raise OSError("register %02x is not written (%04x)" % (register, answer))

    @property
    def trouble(self):
        """Why the newest frame was not believed; OK: it was."""
        return self._plan[0]

    @property
    def readings(self):
        """The newest believed readings of voltage and current, -2**23 to 2**23 - 1 for -+full scale."""
        return self._plan[5], self._plan[8]

    @micropython.native
    def read(self, memory):
        """Codes of the newest conversion into detector memory, DEAD where there is `trouble`. Allocates nothing.

        A frame with a wrong CRC is followed by the other of the FIFO: a single bad transfer ends no test.
        """
        select = self._select
        tries = 2
        while tries:
            tries -= 1
            select(0)
            self._transfer(self._null, self._frame)
            select(1)
            if _take(self._table, self._frame, memory, self._plan) != 1:  # BAD_CRC
                break

    def _set(self, register, value):
        self.write_register(register, value)
        kept = self.read_register(register)
        if kept != value:
            raise OSError("register %02x holds %04x, not %04x" % (register, kept, value))

    def _command(self, command, value=0):
        """One frame; the answer to the one before. OSError if the frame is damaged."""
        out = bytearray(len(self._frame))
        out[0], out[1] = command >> 8, command & 0xFF
        out[3], out[4] = value >> 8, value & 0xFF
        self._select(0)
        self._transfer(out, self._frame)
        self._select(1)
        at = self._plan[1]
        if _crc(self._table, self._frame, at) != self._frame[at] << 8 | self._frame[at + 1]:
            raise OSError("frame with a wrong CRC; check SPI wiring and clock")
        return self._frame[0] << 8 | self._frame[1]


def _gain_bits(gains):
    bits = 0
    for channel, gain in enumerate(gains):
        bits |= GAINS.index(gain) << 4 * channel
    return bits
