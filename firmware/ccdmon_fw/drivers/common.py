"""What the drivers of external converters share: codes, and a slow converter beside a fast one.

The detector sees 16-bit codes. A converter with more bits gives `(raw - zero) >> shift`, moved to mid-range for voltage
and current: `shift` is how many of its lowest bits are left out. What lies beyond the codes stays at the rail, which
the detector takes for a broken sensor; and DEAD, the upper rail, stands for every sample that did not come.
"""

from array import array

try:
    import micropython
    from micropython import const
except ImportError:
    from ccdmon_fw.cpython import const, micropython, ptr32

DEAD = const(65535)
TIME_MASK = const(0x3FFFFFFF)  # times are microseconds modulo 2**30


@micropython.viper
def bipolar(raw: int, zero: int, shift: int) -> int:
    """Code of a signed reading below 2**24, zero at 32768."""
    code = ((raw - zero) >> shift) + 32768
    if code < 0:
        return 0
    if code > 65535:
        return 65535
    return code


@micropython.viper
def unipolar(raw: int, zero: int, shift: int) -> int:
    """Code of a reading below 2**24 that only grows, zero at 0; below zero it stays at 0."""
    code = (raw - zero) >> shift
    if code < 0:
        return 0
    if code > 65535:
        return 65535
    return code


@micropython.viper
def _fresh(state: ptr32, now_us: int) -> int:
    if state[1] == 0 or (now_us - state[2]) & 0x3FFFFFFF > state[3]:
        return 65535
    return state[0]


class SlowChannel:
    """A converter slower than the tick: the main loop polls it, the tick takes the newest code, or DEAD once it is old.

    `reading()` gives a signed reading, None while there is no new one, or raises OSError. All times in microseconds.
    """

    def __init__(self, reading, zero, shift, poll_us, stale_us):
        self._reading = reading
        self._zero = zero
        self._shift = shift
        self._poll_us = poll_us
        self._polled_us = 0
        self._state = array(
            "i", [0, 0, 0, stale_us]
        )  # code, whether there ever was one, when it came, stale after
        self.errors = 0

    def poll(self, now_us):
        """To be called in every round of the main loop; asks the converter every `poll_us`."""
        if (now_us - self._polled_us) & TIME_MASK < self._poll_us:
            return
        self._polled_us = now_us
        try:
            raw = self._reading()
        except OSError:  # what was read before grows old, and DEAD with it
            self.errors += 1
            return
        if raw is not None:
            state = self._state
            state[0] = unipolar(raw, self._zero, self._shift)
            state[2] = now_us & TIME_MASK
            state[1] = 1

    @micropython.native
    def code(self, now_us):
        """The newest code, DEAD without one younger than `stale_us`. Safe in an interrupt, allocates nothing."""
        return _fresh(self._state, now_us)


def first_fault(*starts):
    """Start converters; None, or what the first that failed says. A board without its converter still answers."""
    for start in starts:
        try:
            start()
        except OSError as error:
            return str(error)
    return None
