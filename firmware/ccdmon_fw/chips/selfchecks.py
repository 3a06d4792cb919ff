"""Self-checks of a Pico while it runs, of the kind that IEC 60730-1 lists in its annex H, a slice in each call.

Each check is called in the main loop, one per round (`watch.py`), and says whether what it looks at still holds:

    RAM         each word of all RAM takes and keeps patterns, its content put back (march C- on 16 bytes with
                interrupts off: 4 us). Left out: 1 kB around the march's own code.
    PROGRAM     MicroPython's image in flash is what it was in the first pass after the start: CRC-32, past the cache
    STACK       the lowest words of the C stack are untouched: interrupts nested too deep would go on into the heap
    CLOCK       microseconds of the sample timer and cycles of the processor agree within an eighth: the one are divided
                from the crystal, the other multiplied by the PLL. Both stop with the crystal, and so does all else.
    REFERENCE   the chip's own temperature sensor, a voltage that does not depend on the converter's reference, shows a
                temperature that a chip may have, and no leap

`firmware/README.md` says what of this covers what.
"""

from array import array
from binascii import crc32

try:
    import micropython
    from micropython import const
except ImportError:
    from ccdmon_fw.cpython import const, micropython, ptr32

from ccdmon_fw.wire import NO_TEMPERATURE

RAM, PROGRAM, STACK, CLOCK, REFERENCE = 6, 7, 8, 9, 10  # value of a trip as `self_check`
_BLOCK_BYTES = const(16)
_BLOCKS = 8  # in a slice: 30 us
_WORDS = 64  # of flash in a slice
_CANARY = 0x2AFE5AFE
_CANARY_WORDS = 4
_PAIR_US = 2_000  # less is not compared
_PAIR_LIMIT_US = 60_000  # more is not either: SysTick has 24 bits, 112 ms at 150 MHz
_REFERENCE_MS = 1_000
_LEAP_dC = 200
_IN_A_ROW = 2


class Ram:
    """From `begin` to `end`; `march(address, blocks)` is that of `chips/march.py`: 0 where all of them hold."""

    def __init__(self, march, begin, end):
        self._march = march
        self.begin = self.at = begin
        self.end = end

    def holds(self):
        blocks = min(_BLOCKS, (self.end - self.at) // _BLOCK_BYTES)
        good = self._march(self.at, blocks) == 0
        self.at += blocks * _BLOCK_BYTES
        if self.at >= self.end:
            self.at = self.begin
        return good


@micropython.viper
def copy_words(source: ptr32, target: ptr32, words: int):
    """Word by word, for a byte read past the cache costs as much as a word."""
    k = 0
    while k < words:
        target[k] = source[k]
        k += 1


class Program:
    """`size` bytes of flash; `read(at, buffer)` fills 256 bytes from there on."""

    def __init__(self, read, size):
        self._read = read
        self.size = size
        self.at = 0
        # Of this pass and of the first one, in an array: an object of each would wander through the heap for ever.
        self._crcs = array("I", [0, 0])
        self._passes = 0
        self._buffer = bytearray(4 * _WORDS)

    def holds(self):
        self._read(self.at, self._buffer)
        crcs = self._crcs
        crcs[0] = crc32(self._buffer, crcs[0]) & 0xFFFFFFFF
        self.at += 4 * _WORDS
        if self.at < self.size:
            return True
        if self._passes == 0:
            self._passes = 1
            crcs[1] = crcs[0]
        same = crcs[0] == crcs[1]
        self.begin(self._passes)
        return same

    def begin(self, passes):
        """A pass begins; 0: it is the first."""
        self.at = self._crcs[0] = 0
        self._passes = passes


class Stack:
    """`memory` is machine.mem32, `bottom` the stack's lowest address."""

    def __init__(self, memory, bottom):
        self._memory = memory
        self.bottom = bottom
        for word in range(_CANARY_WORDS):
            memory[bottom + 4 * word] = _CANARY

    def holds(self):
        for word in range(_CANARY_WORDS):
            if self._memory[self.bottom + 4 * word] != _CANARY:
                return False
        return True


class Clock:
    """`pair()` is (us, cycles) at one instant, each on a counter of its own; `cycles_per_us` as they should be.

    us is modulo 2**30; cycles count upwards modulo 2**24.
    """

    def __init__(self, pair, cycles_per_us):
        self._pair = pair
        self._cycles_per_us = cycles_per_us
        self._us, self._cycles = pair()
        self._wrong = 0

    def holds(self):
        us, cycles = self._pair()
        passed_us = (us - self._us) & 0x3FFFFFFF
        passed = (cycles - self._cycles) & 0xFFFFFF
        if passed_us < _PAIR_US and passed < _PAIR_US * self._cycles_per_us:
            return True
        self._us, self._cycles = us, cycles
        if passed_us > _PAIR_LIMIT_US:
            return True
        expected = passed_us * self._cycles_per_us
        fits = abs(passed - expected) <= (expected >> 3) + self._cycles_per_us
        self._wrong = 0 if fits else self._wrong + 1
        return self._wrong < _IN_A_ROW


class Reference:
    """`temperature_dC()` of the chip, `wire.NO_TEMPERATURE` where it is none; `uptime_ms()` since power-up."""

    def __init__(self, temperature_dC, uptime_ms):
        self._temperature_dC = temperature_dC
        self._uptime_ms = uptime_ms
        self._due_ms = 0
        self._before_dC = NO_TEMPERATURE
        self._wrong = 0

    def holds(self):
        now_ms = self._uptime_ms()
        if now_ms - self._due_ms < 0:
            return True
        self._due_ms = now_ms + _REFERENCE_MS
        now_dC, before_dC = self._temperature_dC(), self._before_dC
        leapt = NO_TEMPERATURE not in (now_dC, before_dC) and abs(now_dC - before_dC) > _LEAP_dC
        if not leapt:
            self._before_dC = now_dC  # a leap is compared with what was before it, until it is believed
        self._wrong = self._wrong + 1 if leapt or now_dC == NO_TEMPERATURE else 0
        return self._wrong < _IN_A_ROW
