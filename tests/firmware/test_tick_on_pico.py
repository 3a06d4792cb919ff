"""The tick on the emulated Pico: it allocates nothing, it is fast enough, and a fault in it opens the gate."""

from pathlib import Path

import pytest

from tests.firmware.pico_script import run_on_pico

pytestmark = pytest.mark.pico

PREPARE = """
import micropython, time
from ccdmon_fw import board, detector, gate, limits, ring, sampler
the_gate = gate.Gate(board.gate)
judge = detector.Detector()
samples = ring.Ring(1024)
codes = [40000, 40000, 32768]
trouble = [None]
@micropython.native
def read(memory):
    board.read(memory)
    memory[0] = codes[0]
    memory[1] = codes[1]
    memory[2] = codes[2]
    if trouble[0]:
        trouble[0](memory)
tick = sampler.Sampler(read, judge, the_gate, samples).tick
def locked(count):
    micropython.heap_lock()
    try:
        while count:  # a range would allocate
            tick(None)
            count -= 1
        return True
    except MemoryError:
        return False
    finally:
        micropython.heap_unlock()
"""


def test_no_tick_path_allocates_and_an_allocation_would_be_caught(
    monkeypatch: pytest.MonkeyPatch, pico_image: Path
) -> None:
    lines = run_on_pico(
        monkeypatch, pico_image, PREPARE + """
the_gate.close()
say("current", locked(40), the_gate.reason)
codes[1] = 32768
say("rest", locked(10), the_gate.reason)
codes[1] = 25000
codes[0] = 25000
say("reversal", locked(40), the_gate.reason)
codes[0] = 32760
say("short", locked(4), the_gate.reason, the_gate.closed)
the_gate.clear()
the_gate.close()
codes[0] = 65520
say("rail", locked(1), the_gate.reason, the_gate.closed)
plain, late = tick, samples.control[ring.GAP_US]
tick = sampler.Sampler(read, judge, the_gate, samples, board.pump).pumping_tick
judge.reset()
the_gate.clear()
the_gate.close()
codes[0] = 25000
samples.control[ring.GAP_US] = 0
samples.control[ring.LATE_LIMIT] = 8
samples.control[ring.LATE] = 0
say("pumping", locked(8), the_gate.reason, the_gate.closed)
say("late", locked(1), the_gate.reason, the_gate.closed)
samples.control[ring.GAP_US] = late
tick = plain
def allocate(memory):
    [1, 2, 3]
the_gate.clear()
the_gate.close()
codes[0] = 25000
trouble[0] = allocate
say("allocates", locked(1), the_gate.reason, the_gate.closed)
micropython.heap_lock()
try:
    [1, 2, 3]
    say("control missed")
except MemoryError:
    micropython.heap_unlock()
    say("control caught")
""",
    )  # fmt: skip
    assert lines == [
        "current True 0",
        "rest True 0",
        "reversal True 0",
        "short True 1 False",
        "rail True 6 False",
        "pumping True 0 True",
        "late True 8 False",
        "allocates True 7 False",  # the tick's own guard: gate open, latched as `exception`
        "control caught",
    ]


def test_tick_takes_at_most_60_us(monkeypatch: pytest.MonkeyPatch, pico_image: Path) -> None:
    lines = run_on_pico(
        monkeypatch, pico_image, PREPARE + """
read = board.read
tick = sampler.Sampler(read, judge, the_gate, samples).tick
def timed(function, count=200):
    start_us = time.ticks_us()
    for _ in range(count):
        function(None)
    return time.ticks_diff(time.ticks_us(), start_us) / count
def nothing(_timer):
    pass
say(timed(tick) - timed(nothing))
""",
    )  # fmt: skip
    assert float(lines[0]) <= 60, lines
