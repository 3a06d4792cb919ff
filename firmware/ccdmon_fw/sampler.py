"""The whole safety path: converters -> detector -> gate -> ring, in one call from the timer's interrupt.

No allocation, no float, no file system. Whatever goes wrong in here opens the gate and latches: an exception that
left a hard interrupt would stop the timer and leave the gate as it was.
"""

from array import array

from ccdmon_fw import detector, limits, ring

try:
    import micropython
except ImportError:
    from ccdmon_fw.cpython import micropython


class Sampler:
    """`read(memory)` fills voltage, current, pressure code and time into the detector's memory."""

    def __init__(self, read, judge, gate, samples):
        self._read = read
        self._memory = judge.memory
        self._gate = gate
        self._step = detector.step
        self._put = ring.put
        self._control = samples.control
        self._records = samples.records
        self._capacity = samples.capacity
        self.timer_callback = self.tick  # bound once: binding allocates
        self.note = array("i", [0] * 5)  # of the trip: sample number, time_us, voltage, current, pressure code

    @micropython.native
    def tick(self, _timer):
        """Take, judge and keep one sample."""
        try:
            memory = self._memory
            self._read(memory)
            verdict = self._step(memory)
            if verdict & 0xFF and self._gate.armed:
                self._gate.trip(verdict & 0xFF)
                self._keep(memory)
            self._put(self._control, self._records, self._capacity, memory, verdict)
        except Exception:  # noqa: BLE001 - any failure of the watch is a reason to cut off
            self._gate.trip(limits.EXCEPTION)

    def _keep(self, memory):
        """Note what tripped, for the trip message."""
        note = self.note
        note[0] = self._control[ring.COUNTER]
        note[1] = memory[detector.T]
        note[2] = memory[detector.V]
        note[3] = memory[detector.I]
        note[4] = memory[detector.P]
