"""The whole safety path: converters -> detector -> gate -> ring, in one call from the timer's interrupt.

No allocation, no float, no file system. Whatever goes wrong in here opens the gate and latches: an exception that
left a hard interrupt would stop the timer and leave the gate as it was.
"""

from array import array

from ccdmon_fw import detector, limits, ring

try:
    import micropython
    from micropython import const
    from uctypes import addressof as address_of  # viper takes a pointer from a number in half the time
except ImportError:
    from ccdmon_fw.cpython import address_of, const, micropython, ptr32

# Words of the detector's memory and bits of its verdict, as in layout.py
_V = const(0)
_I = const(1)
_P = const(2)
_T = const(3)
_VALUE = const(57)
_LIMIT = const(58)
_ACTION_MASK = const(0x1800)
_TRIPS = const(0x1800)
_REASON_MASK = const(0xFF)
# Words of the ring's control, as in ring.py
_RING_HEAD = const(0)
_RING_COUNTER = const(1)
_RING_GAP_US = const(3)
_RING_TIME_US = const(4)
_RING_CAPACITY = const(9)
_RING_RECORDS_AT = const(12)
_WRAP = const(0x3FFFFFFF)
# Places in the tick's parts
_PART_STEP = const(0)
_PART_PIN = const(1)
_PART_GATE = const(2)
_PART_NOTE = const(3)
_PART_CONTROL = const(4)
# Note of a trip: sample number, time_us, voltage, current, pressure code, value and limit that decided it,
# place behind it in the ring (0: no detector rule tripped)
NOTE_HEAD = 7


class Sampler:
    """`read(address)` fills voltage, current, pressure code and time into the detector's memory, which lies there.

    It returns whether an input that must be safe is not (a board without one: nothing), which opens the gate if the
    settings say so (`gate.external`): in the same tick, and before what was read is judged.

    `tick` is the timer's callback; `pumping_tick` also calls `pump` at the end of each tick that went well, for a drive
    that lets current flow only as long as this code lives (None: the board has no such pin).
    """

    def __init__(self, read, judge, gate, samples, pump=None):
        self.note = array("i", [0] * 8)
        parts = (detector.step, gate.pin, gate, self.note, samples.control)
        self.tick = _make_tick(read, address_of(judge.memory), address_of(samples.words), parts)
        self.pumping_tick = self.tick if pump is None else _make_pumping(self.tick, pump)


def _make_tick(read, at, words, parts):
    """The callback of the timer. `at`, `words`: addresses of the detector's memory and the ring's.

    Its time is the processor's share: a call costs 4 us, an unpacked tuple 3, so the sample goes into the ring here. In
    viper: a native function that catches exceptions takes 3.5 us more to enter, and compares by objects. A closure,
    for attributes cost more on the RP2040; over four names, for calling one over more allocates.
    """

    @micropython.viper
    def tick(_timer):
        try:
            if read(at) and parts[_PART_GATE].external:
                parts[_PART_PIN](0)
                if parts[_PART_GATE].closed:
                    parts[_PART_GATE].trip(limits.EXTERNAL)
            verdict = int(parts[_PART_STEP](at))
            if verdict >= _TRIPS:  # the action is in its highest bits: the other rules only warn
                parts[_PART_PIN](
                    0
                )  # by itself: reaching `trip` and its first line would take a fifth of a period
                if parts[_PART_GATE].closed:
                    parts[_PART_GATE].trip(verdict & _REASON_MASK)
                    _keep(parts[_PART_NOTE], words, at)
            # -- into the ring
            memory = ptr32(at)
            control = ptr32(words)
            head = control[_RING_HEAD]
            counter = control[_RING_COUNTER]
            record = _RING_RECORDS_AT + (head & (control[_RING_CAPACITY] - 1)) * 4
            time_us = memory[_T]
            gap_us = (time_us - control[_RING_TIME_US]) & _WRAP
            control[_RING_TIME_US] = time_us
            control[record] = counter
            control[record + 1] = time_us
            control[record + 2] = memory[_V] | (memory[_I] << 16)
            control[record + 3] = memory[_P] | (verdict << 16)
            control[_RING_COUNTER] = (counter + 1) & _WRAP
            control[_RING_HEAD] = (head + 1) & _WRAP
            # Sample 0 has no predecessor in its run: arming holds the timer off before the gate closes.
            if gap_us > control[_RING_GAP_US] and counter > 0:
                late = int(ring.late(words, gap_us))
                if late and parts[_PART_GATE].closed:
                    parts[_PART_GATE].trip(
                        limits.OVERRUN, parts[_PART_CONTROL][late], parts[_PART_CONTROL][late + 1]
                    )
        except Exception:  # noqa: BLE001 - any failure of the watch is a reason to cut off
            parts[_PART_GATE].trip(limits.EXCEPTION)

    return tick


def _make_pumping(tick, pump):
    @micropython.native
    def pumping(timer):
        tick(timer)
        pump()

    return pumping


@micropython.viper
def _keep(note: ptr32, control: ptr32, memory: ptr32):
    """Note what tripped, for the trip message and the black box; in viper, for HEAD + 1 may be 2**30."""
    note[0] = control[1]  # COUNTER
    note[1] = memory[_T]
    note[2] = memory[_V]
    note[3] = memory[_I]
    note[4] = memory[_P]
    note[5] = memory[_VALUE]
    note[6] = memory[_LIMIT]
    note[7] = control[0] + 1  # HEAD
