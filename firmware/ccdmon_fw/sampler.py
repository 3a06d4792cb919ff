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
# Note of a trip: sample number, time_us, voltage, current, pressure code, value and limit that decided it,
# place behind it in the ring (0: no detector rule tripped)
NOTE_HEAD = 7


class Sampler:
    """`read(memory)` fills voltage, current, pressure code and time into the detector's memory.

    It returns whether an input that must be safe is not (a board without one: nothing), which opens the gate if the
    settings say so (`gate.external`): in the same tick, and before what was read is judged.

    `tick` is the timer's callback; `pumping_tick` also calls `pump` at the end of each tick that went well, for a drive
    that lets current flow only as long as this code lives (None: the board has no such pin).
    """

    def __init__(self, read, judge, gate, samples, pump=None):
        self.note = array("i", [0] * 8)
        self.tick = _make_tick(
            (
                read,
                judge.memory,
                address_of(judge.memory),
                detector.step,
                ring.put,
                address_of(samples.words),
            ),
            gate.pin,
            (gate, self.note, samples.control),
        )
        self.pumping_tick = self.tick if pump is None else _make_pumping(self.tick, pump)


def _make_tick(parts, pin, seldom):
    """The callback of the timer; `parts` of every tick, `seldom` of those that trip.

    A closure, for its variables cost less than attributes on the RP2040; over three names only, for calling a
    closure over more than four allocates.
    """

    @micropython.native
    def tick(_timer):
        try:
            read, memory, at, step, put, words = parts
            if read(memory) and seldom[0].external:
                pin(0)
                if seldom[0].closed:
                    seldom[0].trip(limits.EXTERNAL)
            verdict = step(at)
            if verdict >= _TRIPS:  # the action is in its highest bits: the other rules only warn
                pin(0)  # by itself: reaching `trip` and its first line would take a fifth of a period
                gate, note, _ = seldom
                if gate.closed:
                    gate.trip(verdict & _REASON_MASK)
                    _keep(note, words, at)
            late = put(words, at, verdict)
            if late and seldom[0].closed:
                gate, _, control = seldom
                gate.trip(limits.OVERRUN, control[late], control[late + 1])
        except Exception:  # noqa: BLE001 - any failure of the watch is a reason to cut off
            seldom[0].trip(limits.EXCEPTION)

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
