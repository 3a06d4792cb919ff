"""Builds the parts on a board and runs the main loop: telemetry and commands, all that is not the safety path."""

from ccdmon_fw import limits
from ccdmon_fw.commands import Commands
from ccdmon_fw.detector import Detector
from ccdmon_fw.gate import Gate
from ccdmon_fw.ring import Ring
from ccdmon_fw.sampler import Sampler
from ccdmon_fw.telemetry import Telemetry

RING_SAMPLES = 1024


class App:
    """The firmware on one board; `board` is a module or object as `ccdmon_fw.board` describes."""

    def __init__(self, board):
        self.board = board
        self.gate = Gate(board.gate)
        self.detector = Detector()
        self.ring = Ring(RING_SAMPLES)
        self.sampler = Sampler(board.read, self.detector, self.gate, self.ring)
        self.telemetry = Telemetry(self.ring, self.gate, self.sampler, board)
        self.commands = Commands(board, self.detector, self.gate, self.ring, self.sampler, self.telemetry)

    def start(self):
        """Start sampling."""
        self.board.start_timer(limits.SAMPLE_PERIOD_US, self.sampler.tick)

    def step(self):
        """One round of the main loop."""
        self.board.service()
        data = self.board.receive()
        if data:
            self.commands.feed(data)
        self.telemetry.pump()


def run(board):
    """Start, and return only when the host asks for it. An error of the main loop opens the gate first."""
    app = App(board)
    try:
        app.start()
        while not app.commands.exit:
            app.step()
    except BaseException:
        app.gate.trip(limits.EXCEPTION)
        raise
    finally:
        app.gate.open()
