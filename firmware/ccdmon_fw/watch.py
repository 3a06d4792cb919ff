"""Watches the watcher, from the main loop: late and missing samples, a silent host, memory that is not what it was.

The hardware watchdog guards this loop in turn. It is fed only when samples have advanced and every self-check holds;
a failed check trips at once and is not fed again, so the chip starts afresh and comes up latched. Self-checks:

    settings   what the detector works with is what was kept: their CRC-32
    canary     the words behind the detector's memory and the ring are untouched
    pin        the gate's pin, read back, is where it was put
    rate       as many samples as periods, within a quarter, in stretches of RATE_MS. Clock and count are read as one: a
               collection of the heap between them takes as long as a hundred samples

and those of the board, one in each round: RAM, program, stack, clock, reference (`chips/selfchecks.py`).
"""

from binascii import crc32

from ccdmon_fw import detector, limits
from ccdmon_fw.ring import HEAD, LATE, LATE_LIMIT

_MASK = 0x3FFFFFFF
STALL_MS = 20  # and STALL_PERIODS: then the samples have stopped
STALL_PERIODS = 16
RATE_MS = 100
PAIR_SAMPLES = 4  # more between two readings: something else came between, they are no pair
RATE_STRETCHES = 10  # so long a pair is waited for; by then a collection is small beside the stretch
WATCHDOG_ARMED_MS = 500  # and WATCHDOG_PERIODS
WATCHDOG_PERIODS = 4
WATCHDOG_IDLE_MS = 8_000  # while open: writing a black box to flash takes its time
SETTINGS, CANARY, PIN, RATE = 1, 2, 3, 4  # value of a trip as `self_check`
FLASH = 5  # of an event: a trip could not be kept on flash. From 6 on: `chips/selfchecks.py`
_SETTINGS_END = detector.SETTINGS_AT + len(limits.DETECTOR_SETTINGS)


def stall_ms(period_us):
    """So long without a sample is a stall: here where the loop goes on, in `ring.late` where it stood still, too."""
    return max(STALL_MS, STALL_PERIODS * period_us // 1000)


class Watch:
    """`samples` is the Ring. A board without a watchdog has no timer that could fail either: a rig that plays rows."""

    def __init__(self, board, gate, judge, samples):
        self._board = board
        self._gate = gate
        self._memory = judge.memory
        self._control = samples.control
        self._records = samples.records
        self._hardware = hasattr(board, "feed_watchdog")
        # Bound once: binding allocates.
        self._checks = [(number, check.holds) for number, check in getattr(board, "SELF_CHECKS", ())]
        self._turn = 0
        self._settings_crc = 0
        self._period_us = limits.SAMPLE_PERIOD_US
        self._host_timeout_ms = 0
        self._window = 0  # samples where it began
        self._seen = (0, 0)  # newest head, and when it was new
        self._rate = (0, -1)  # head and time where the stretch began
        self.heard_ms = 0

    def configure(self, edge, period_us):
        """Take settings by their names; the detector has its own already."""
        self._settings_crc = self._crc_now()
        self._period_us = period_us
        self._host_timeout_ms = edge["host_timeout_ms"]
        self._control[LATE_LIMIT] = edge["overrun_limit"]
        self._rate = (0, -1)

    def heard(self, now_ms):
        """A command came from the host."""
        self.heard_ms = now_ms

    def poll(self, now_ms):
        """One round; trips what has to trip, feeds the watchdog if all is well."""
        gate = self._gate
        head = self._control[HEAD]
        advanced = head != self._seen[0]
        if advanced or not gate.closed:
            self._seen = (head, now_ms)
        if not gate.closed or ((head - self._window) & _MASK) >= limits.OVERRUN_WINDOW:
            self._window = head
            self._control[LATE] = 0  # the tick itself trips when there are too many
        silent_ms = now_ms - self.heard_ms
        if gate.armed and 0 < self._host_timeout_ms < silent_ms:
            gate.trip(limits.HOST_SILENT, silent_ms, self._host_timeout_ms)
        if not self._hardware:
            return
        stalled_ms = now_ms - self._seen[1]
        stall_limit_ms = stall_ms(self._period_us)
        if gate.closed and stalled_ms > stall_limit_ms:
            gate.trip(limits.OVERRUN, stalled_ms, stall_limit_ms)
        failed = self._failed_check()
        if failed:
            gate.trip(limits.SELF_CHECK, failed)
        elif advanced:
            self.feed()

    def feed(self):
        """Feed the watchdog, for the time that the state of the gate allows."""
        if self._gate.closed:
            self.guard()
        elif self._hardware:
            self._board.feed_watchdog(False, WATCHDOG_IDLE_MS)

    def guard(self):
        """The same for a gate that is closed, or is about to be."""
        if self._hardware:
            armed_ms = max(WATCHDOG_ARMED_MS, WATCHDOG_PERIODS * self._period_us // 1000)
            self._board.feed_watchdog(True, armed_ms)

    def _failed_check(self):
        """Which self-check does not hold; 0: all do."""
        if self._crc_now() != self._settings_crc:
            return SETTINGS
        for words in (self._memory, self._control, self._records):
            if words[len(words) - 1] != limits.CANARY:
                return CANARY
        if self._pin_differs():
            # A trip between the two readings looks like a fault: look again, undisturbed. Seldom, so no tick waits.
            held = self._board.lock()
            differs = self._pin_differs()
            self._board.unlock(held)
            if differs:
                return PIN
        if not self._rate_holds():
            return RATE
        return self._failed_board_check()

    def _failed_board_check(self):
        """The next one of the board's."""
        if not self._checks:
            return 0
        self._turn = (self._turn + 1) % len(self._checks)
        number, holds = self._checks[self._turn]
        return 0 if holds() else number

    def _pin_differs(self):
        return self._board.gate_level() != self._gate.closed

    def _crc_now(self):
        return crc32(memoryview(self._memory)[detector.SETTINGS_AT : _SETTINGS_END])

    def _rate_holds(self):
        """Writing flash holds the samples up, so only stretches with the gate closed count."""
        control, begun, begun_ms = self._control, self._rate[0], self._rate[1]
        head = control[HEAD]
        now_ms = self._board.uptime_ms()
        pair = ((control[HEAD] - head) & _MASK) <= PAIR_SAMPLES
        if not self._gate.closed or begun_ms < 0:
            self._rate = (head, now_ms) if pair and self._gate.closed else (0, -1)
            return True
        elapsed_ms = now_ms - begun_ms
        stretch_ms = max(RATE_MS, STALL_PERIODS * self._period_us // 1000)
        if elapsed_ms < (stretch_ms if pair else RATE_STRETCHES * stretch_ms):
            return True
        self._rate = (head, now_ms) if pair else (0, -1)
        expected = elapsed_ms * 1000 // self._period_us
        return abs(((head - begun) & _MASK) - expected) <= (expected >> 2) + 2
