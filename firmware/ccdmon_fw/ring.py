"""Samples on their way from the timer interrupt (one producer, `sampler.py`) to the main loop (one consumer).

Nothing is allocated after construction. The producer never waits and always writes, so the newest samples are there
for the black box whatever the host does; a consumer that falls behind skips, and counts what it skipped.

    words, array 'I': control, then records; one, for the tick has no name to spare for a second

    control, 12 words:   HEAD (samples written) | COUNTER (sample number within the run), both modulo 2**30
                         | OVERRUNS (gaps between samples) | GAP_US (that count as one) | TIME_US of the newest
                         | LATE (overruns of late) | LATE_LIMIT | STALLED_US (a gap that trips) | STALL_US (any
                         longer does) | CAPACITY
    records:             capacity x 4 words:
                         sample number | time_us | voltage + current << 16 | pressure + verdict << 16
Behind each lies limits.CANARY, which nobody may touch.
"""

from array import array

from ccdmon_fw import limits

try:
    import micropython
    from micropython import const
except ImportError:
    from ccdmon_fw.cpython import const, micropython, ptr8, ptr16, ptr32

HEAD = const(0)
COUNTER = const(1)
OVERRUNS = const(2)
GAP_US = const(3)
TIME_US = const(4)
LATE = const(5)
LATE_LIMIT = const(6)
STALLED_US = const(7)
STALL_US = const(8)
_CAPACITY = const(9)
_RECORDS_AT = const(12)  # behind control and its canary
RECORD_BYTES = const(8)  # of one sample on the wire
_GUARD = const(64)  # places left to the producer while the consumer copies
_MASK = const(0x3FFFFFFF)


@micropython.viper
def late(control: ptr32, gap_us: int) -> int:
    """A sample came so long after the one before: the place in control of what is too much, its limit behind it; or 0.

    LATE: more than LATE_LIMIT came late of late; whoever looks after that sets LATE back. STALLED_US: nothing came for
    so long, and the main loop need not have seen it: a timer that was held up catches up with a burst.
    """
    found = 0
    control[2] += 1
    control[5] += 1
    if control[5] > control[6]:
        found = 5
    if gap_us > control[8]:
        control[7] = gap_us
        found = 7
    return found


@micropython.viper
def pack(records: ptr32, capacity: int, start: int, limit: int, out: ptr8) -> int:
    """Copy up to `limit` samples from place `start` on, as long as their numbers run on; returns how many."""
    first = records[(start & (capacity - 1)) * 4]
    n = 0
    while n < limit:
        at = ((start + n) & (capacity - 1)) * 4
        if records[at] != first + n:
            break
        word = 0
        while word < 2:
            value = records[at + 2 + word]
            to = n * 8 + word * 4
            out[to] = value & 0xFF
            out[to + 1] = (value >> 8) & 0xFF
            out[to + 2] = (value >> 16) & 0xFF
            out[to + 3] = (value >> 24) & 0xFF
            word += 1
        n += 1
    return n


@micropython.viper
def summarise(records: ptr32, capacity: int, start: int, count: int, out: ptr16) -> int:
    """Minimum, maximum and mean of `count` samples from place `start` on, as one item of wire.BLOCKS; 0: a gap in them.

    The verdict is all flags seen, with the first reason of the strongest action.
    """
    first = records[(start & (capacity - 1)) * 4]
    channel = 0
    while channel < 3:
        low = 0xFFFF
        high = 0
        total = count >> 1
        n = 0
        while n < count:
            at = ((start + n) & (capacity - 1)) * 4
            if records[at] != first + n:
                return 0
            value = records[at + 2 + (channel >> 1)]
            if channel == 1:
                value >>= 16
            value &= 0xFFFF
            if value < low:
                low = value
            if value > high:
                high = value
            total += value
            n += 1
        out[3 * channel] = low
        out[3 * channel + 1] = high
        out[3 * channel + 2] = total // count
        channel += 1
    flags = 0
    strongest = 0
    n = 0
    while n < count:
        verdict = records[((start + n) & (capacity - 1)) * 4 + 3] >> 16
        flags |= verdict & 0xE700
        if (verdict & 0x1800) > (strongest & 0x1800):
            strongest = verdict & 0x18FF
        n += 1
    out[9] = flags | strongest
    return 1


class Ring:
    """`capacity` samples, a power of two of at least 256."""

    def __init__(self, capacity):
        if capacity & (capacity - 1) or capacity < 4 * _GUARD:
            raise ValueError("ring capacity must be a power of two, at least 256")
        self.capacity = capacity
        self.words = array("I", [0] * (_RECORDS_AT + 4 * capacity + 1))
        self.control = memoryview(self.words)[:_RECORDS_AT]
        self.records = memoryview(self.words)[_RECORDS_AT:]
        for place, value in ((GAP_US, _MASK), (LATE_LIMIT, _MASK), (STALL_US, _MASK), (_CAPACITY, capacity)):
            self.control[place] = value
        for words in (self.control, self.records):
            words[len(words) - 1] = limits.CANARY
        self._tail = 0
        self.dropped = 0

    def ready(self):
        """Samples waiting; skips and counts those that are about to be overwritten."""
        waiting = (self.control[HEAD] - self._tail) & _MASK
        excess = waiting - (self.capacity - _GUARD)
        if excess > 0:
            skip = min(waiting, excess + 2 * _GUARD)
            self._tail = (self._tail + skip) & _MASK
            self.dropped += skip
            waiting -= skip
        return waiting

    def take(self, out, limit):
        """(count, sample number, time_us) of up to `limit` of the waiting samples, their wire records in `out`."""
        at = (self._tail & (self.capacity - 1)) * 4
        number, time_us = self.records[at], self.records[at + 1]
        count = pack(self.records, self.capacity, self._tail, limit, out)
        if ((self.control[HEAD] - self._tail) & _MASK) > self.capacity:  # overwritten while copying
            self.dropped += count
            self._tail = (self._tail + count) & _MASK
            return 0, 0, 0
        self._tail = (self._tail + count) & _MASK
        return count, number, time_us

    def take_block(self, out, count):
        """(blocks: 1 or 0, sample number, time_us): the summary of the next `count` waiting samples in `out`.

        A block that would span a gap begins behind the gap instead; what it leaves out counts as dropped.
        """
        at = (self._tail & (self.capacity - 1)) * 4
        number, time_us = self.records[at], self.records[at + 1]
        whole = summarise(self.records, self.capacity, self._tail, count, out)
        overwritten = ((self.control[HEAD] - self._tail) & _MASK) > self.capacity
        step = count if whole and not overwritten else 1
        self._tail = (self._tail + step) & _MASK
        if step == count and whole:
            return 1, number, time_us
        self.dropped += 1
        return 0, 0, 0

    def newest(self):
        """(sample number, time_us) of the newest sample."""
        return self.before(self.control[HEAD])

    def before(self, head):
        """(sample number, time_us) of the sample right before place `head`."""
        at = ((head - 1) & (self.capacity - 1)) * 4
        return self.records[at], self.records[at + 1]

    def place(self):
        """(HEAD, COUNTER) that belong together: a tick may come between the two readings."""
        control = self.control
        while True:
            head, counter = control[HEAD], control[COUNTER]
            if control[HEAD] == head:
                return head, counter

    def around(self, head, before, after, out):
        """(samples before `head`, samples): up to `before` of them before place `head` and `after` behind it.

        Their wire records go to `out`. What lies in the ring, whatever run it belongs to; less just after power-up.
        """
        before = min(before, self.capacity - _GUARD - after, head)
        start = (head - before) & _MASK
        n = 0
        while n < before + after:  # `pack` ends where a run begins
            n += pack(self.records, self.capacity, start + n, before + after - n, out[n * RECORD_BYTES :])
        return before, n

    def restart(self):
        """A new run: count samples from 0, forget what waits. Call with the timer's interrupt held off."""
        self.control[COUNTER] = 0
        self.control[OVERRUNS] = 0
        self._tail = self.control[HEAD]
        self.dropped = 0
