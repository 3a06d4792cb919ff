"""Builds the parts on a board and runs the main loop: telemetry and commands, all that is not the safety path."""

from ccdmon_fw import limits
from ccdmon_fw.alarms import Alarms
from ccdmon_fw.blackbox import BlackBox
from ccdmon_fw.commands import Commands
from ccdmon_fw.config import Config
from ccdmon_fw.detector import Detector
from ccdmon_fw.gate import Gate
from ccdmon_fw.ring import GAP_US, HEAD, OVERRUNS, Ring
from ccdmon_fw.sampler import Sampler
from ccdmon_fw.stuck import StuckWatch
from ccdmon_fw.telemetry import Telemetry

RING_SAMPLES = 1024
# In a window of that many samples, so many late ones trip: the watch is no longer what it says.
OVERRUN_WINDOW = 1024
OVERRUN_LIMIT = 256
LEAVE_MS = 500  # as long as a host that does not read may hold it up


class App:
    """The firmware on one board; `board` is a module or object as `ccdmon_fw.board` describes."""

    def __init__(self, board):
        self.board = board
        self.gate = Gate(board.gate)
        folder = getattr(board, "STORE", None)
        self.config = Config(folder)
        self.detector = Detector(self.config.load())
        self.ring = Ring(RING_SAMPLES)
        self.sampler = Sampler(board.read, self.detector, self.gate, self.ring)
        self.box = BlackBox(self.ring, self.sampler.note, folder)
        self.gate.reason = self.box.reason  # a trip survives a power cycle
        self.telemetry = Telemetry(self.ring, self.gate, self.sampler, board, self.box)
        self.alarms = Alarms(self.detector, board, self.telemetry)
        self.stuck = StuckWatch(self.detector, self.gate, self.telemetry)
        self.commands = Commands(
            board, self.detector, self.gate, self.ring, self.telemetry, self.box, self.config, self.stuck
        )
        self._fed_head = 0
        self._window = (0, 0)  # samples and overruns where it began

    def start(self):
        """Start sampling. A reset by the watchdog while armed is latched as a trip of its own."""
        if getattr(self.board, "watchdog_bit", None) and self.board.watchdog_bit():
            self.gate.trip(limits.WATCHDOG)
        if hasattr(self.board, "on_external_trip"):
            self.board.on_external_trip(self._external)
        period_us = max(limits.SAMPLE_PERIOD_US, getattr(self.board, "SAMPLE_PERIOD_FLOOR_US", 0))
        self.ring.control[GAP_US] = period_us * 3 // 2
        self.board.start_timer(period_us, self.sampler.tick)

    def _external(self, _pin):
        if self.gate.armed:
            self.gate.trip(limits.EXTERNAL)

    def step(self):
        """One round of the main loop."""
        self.board.service()
        self._keep_trip()
        data = self.board.receive()
        if data:
            self.commands.feed(data)
        self.alarms.poll()
        self.telemetry.pump()
        self.stuck.poll(self.board.uptime_ms())
        self._count_overruns()
        self._feed()

    def _keep_trip(self):
        now_ms = self.board.uptime_ms()
        if self.gate.reason and self.box.trip_id == 0:
            self.box.latch(self.gate.reason, now_ms)
            self.telemetry.announce()
        self.box.poll(now_ms, self.config.crc)

    def _count_overruns(self):
        head, overruns = self.ring.control[HEAD], self.ring.control[OVERRUNS]
        late = overruns - self._window[1]
        if late > OVERRUN_LIMIT and self.gate.armed:
            self.gate.trip(limits.OVERRUN)
        if late < 0 or ((head - self._window[0]) & 0x3FFFFFFF) >= OVERRUN_WINDOW:
            self._window = (head, overruns)

    def _feed(self):
        """Only progress of the samples feeds the watchdog, which starts with the first arming."""
        head = self.ring.control[HEAD]
        if head != self._fed_head and hasattr(self.board, "feed_watchdog"):
            self._fed_head = head
            self.board.feed_watchdog(self.gate.armed)


def run(board):
    """Start, and return only when the host asks for it. An error of the main loop opens the gate first."""
    app = App(board)
    try:
        app.start()
        while not app.commands.exit:
            app.step()
        until_ms = board.uptime_ms() + LEAVE_MS
        while app.telemetry.pump() and board.uptime_ms() - until_ms < 0:
            pass  # the answer to `exit` is still on its way
    except BaseException:
        app.gate.trip(limits.EXCEPTION)
        raise
    finally:
        app.gate.open()
    if hasattr(board, "leave"):
        board.leave()
