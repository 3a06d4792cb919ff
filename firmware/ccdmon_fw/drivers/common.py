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
def unipolar(raw: int, zero: int, shift: int) -> int:
    """Code of a reading below 2**24 that only grows, zero at 0; below zero it stays at 0."""
    code = (raw - zero) >> shift
    if code < 0:
        return 0
    if code > 65535:
        return 65535
    return code


@micropython.viper
def put_pressure(memory: ptr32, state: ptr32):
    """Into detector memory: the code of a `SlowChannel.state`, DEAD if it is older than it may be. For the tick."""
    code = 65535
    if state[1] and (memory[3] - state[2]) & 0x3FFFFFFF <= state[3]:
        code = state[0]
    memory[2] = code


@micropython.viper
def dead(memory: ptr32):
    """Codes of voltage and current that did not come; in place of a converter that did not start."""
    memory[0] = 65535
    memory[1] = 65535


class SlowChannel:
    """A converter slower than the tick: the main loop polls it, the tick takes the newest code with
    `put_pressure`, DEAD once it is older than `stale_us`.

    `reading()` gives a signed reading, None while there is no new one, or raises OSError. All times in microseconds.
    """

    def __init__(self, reading, zero, shift, poll_us, stale_us):
        self._reading = reading
        self._zero = zero
        self._shift = shift
        self._poll_us = poll_us
        self._polled_us = 0
        self.state = array(
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
            state = self.state
            state[0] = unipolar(raw, self._zero, self._shift)
            state[2] = now_us & TIME_MASK
            state[1] = 1


def first_fault(*starts):
    """Start converters, each a name and what to call; None, or what the first that failed says.

    So a board without its converters still answers, and trips as soon as it is armed.
    """
    for name, start in starts:
        try:
            start()
        except OSError as error:
            return "%s: %s" % (name, error)
    return None
