"""Builds the parts on a board and runs the main loop: telemetry and commands, all that is not the safety path."""

import gc

from ccdmon_fw import limits
from ccdmon_fw.alarms import Alarms
from ccdmon_fw.blackbox import BlackBox
from ccdmon_fw.commands import Commands
from ccdmon_fw.config import Config
from ccdmon_fw.detector import Detector
from ccdmon_fw.drivers.panel import Panel
from ccdmon_fw.gate import Gate
from ccdmon_fw.ring import GAP_US, STALL_US, Ring
from ccdmon_fw.sampler import Sampler
from ccdmon_fw.selftest import SelfTest
from ccdmon_fw.stuck import StuckWatch
from ccdmon_fw.telemetry import Telemetry
from ccdmon_fw.watch import FLASH, Watch, stall_ms

RING_SAMPLES = 1024
RESERVE_BYTES = 4096  # with the 12 kB of the identity: for keeping a trip and its box when the heap is full
LEAVE_MS = 500  # as long as a host that does not read may hold it up


class App:
    """The firmware on one board; `board` is a module or object as `ccdmon_fw.board` describes."""

    def __init__(self, board):
        self.board = board
        gc.collect()
        self.ring = Ring(RING_SAMPLES)  # first: nothing else wants 16 kB in one place
        self.gate = Gate(board.gate)
        folder = getattr(board, "STORE", None)
        self.config = Config(folder)
        self.settings = self.config.load() or limits.default_settings()
        self.detector = Detector(self.settings)
        self.detector.take_open(getattr(board, "OPEN_VOLTAGE_CODE", 0))
        self.sampler = Sampler(board.read, self.detector, self.gate, self.ring, getattr(board, "pump", None))
        self.box = BlackBox(self.ring, self.sampler.note, folder)
        self.gate.reason = self.box.trip.reason  # a trip survives a power cycle
        self.telemetry = Telemetry(self.ring, board, self.box)
        self.telemetry.tell_zero_of(self.detector)
        self.selftest = SelfTest(board, self.detector, self.gate, self.ring)
        self.alarms = Alarms(self.detector, board, self.telemetry)
        self.panel = Panel(board, self.gate, self.box, self.selftest)
        self.stuck = StuckWatch(self.detector, self.gate, self.telemetry, self.selftest)
        self.watch = Watch(board, self.gate, self.detector, self.ring)
        self.gate.guard = self.watch.guard
        self.commands = Commands(self)
        self._told = False  # that flash fails
        self._reserve = bytes(RESERVE_BYTES)

    def start(self):
        """Start sampling. A reset by the watchdog while armed is latched as a trip of its own."""
        if getattr(self.board, "watchdog_bit", None) and self.board.watchdog_bit():
            self.gate.trip(limits.WATCHDOG)
        if hasattr(self.board, "on_external_trip"):
            self.board.on_external_trip(self._external)
        self._configure(True)

    def apply(self, settings):
        """Put checked settings in force, with the gate open; a self-test passed with others counts no more."""
        if list(settings) == list(self.settings):
            return
        before, self.settings = limits.edge(self.settings), settings
        held = self.board.lock()
        self.detector.load(settings)
        self.board.unlock(held)
        after = limits.edge(settings)
        self._configure(any(before[name] != after[name] for name in ("sample_period_us", "gate_drive")))

    def _configure(self, restart):
        edge = limits.edge(self.settings)
        if restart:
            period_us = max(edge["sample_period_us"], getattr(self.board, "SAMPLE_PERIOD_FLOOR_US", 0))
            self.ring.control[GAP_US] = period_us * 3 // 2
            self.ring.control[STALL_US] = 1000 * stall_ms(period_us)
            tick = self.sampler.pumping_tick if edge["gate_drive"] else self.sampler.tick
            self.board.start_timer(period_us, tick)
        self.gate.external = bool(edge["external_trip"])
        self.selftest.configure(edge)
        self.watch.configure(edge, self.board.sample_period_us())

    def _external(self, _pin):
        if self.gate.closed and self.gate.external:
            self.gate.trip(limits.EXTERNAL)

    def step(self):
        """One round of the main loop."""
        self.board.service()
        now_ms = self.board.uptime_ms()
        self.watch.poll(now_ms)
        self.stuck.poll(now_ms)
        self._keep_trip(now_ms)
        self.panel.poll(now_ms)
        data = self.board.receive()
        if data:
            self.commands.feed(data, now_ms)
        if self.selftest.poll(now_ms, self.box.open):
            self.commands.tested()
        self.alarms.poll()
        self.telemetry.pump()

    def _keep_trip(self, now_ms):
        if self.gate.reason and self.box.trip.trip_id == 0:
            self.selftest.expire()
            self.watch.feed()  # the gate is open: now there is time to write
            self.box.latch(self.gate, self.telemetry.run, now_ms, self.config.crc)
            self.telemetry.announce()
        self.box.poll(now_ms)
        if self.box.write_failed and not self._told:
            self._told = True
            self.telemetry.event(limits.SELF_CHECK, limits.ACTION_WARN, FLASH, 0)

    def fail(self):
        """The main loop failed: the gate opens, and the reason is kept if that is still possible."""
        self.gate.trip(limits.EXCEPTION)
        self._reserve = b""
        self.telemetry.forget_identity()
        gc.collect()
        self._keep_trip(self.board.uptime_ms())
        while self.box.open:  # for blackbox.WAIT_MS at most
            self.board.service()
            self.box.poll(self.board.uptime_ms())


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
        app.fail()
        raise
    finally:
        app.gate.open()
    if hasattr(board, "leave"):
        board.leave()
