"""What `test_tick_on_pico.py` lets the emulated Pico do, in parts that follow each other on one board.

Ticks run with the heap locked: whatever allocates raises, the tick's own guard takes that for a failure of the watch,
and `failures` counts how often it did, also behind a trip that came first.
"""

SCRIPT = """
import gc, json, micropython, time
gc.threshold(16_384)  # as main.py does while modules load
from array import array
row = array("H", bytes(6 * MOST_ROWS))  # while there is a place for it
from ccdmon_fw import app, board, detector, gate, limits, pico, ring, sampler, wire
failures = [0]
latch = gate.Gate.trip
def trip(self, reason, value=0, limit=0):
    if reason == limits.EXCEPTION:
        failures[0] += 1
    latch(self, reason, value, limit)
gate.Gate.trip = trip
opened = array("i", [0])
open_or_close = board.gate
@micropython.viper
def pin(level: int):
    now_us = ptr32(0x10015000 << 2)[10] & 0x3FFFFFFF  # TIMERAWL
    open_or_close(level)
    if level == 0 and ptr32(opened)[0] == 0:
        ptr32(opened)[0] = now_us
board.gate = pin
board.STORE = None
edge = app.App(board)
gc.threshold(-1)
the_gate, judge, samples = edge.gate, edge.detector, edge.ring
codes = [40000, 40000, 32768]
trouble = [None]
@micropython.viper
def put_codes(memory: ptr32, voltage: int, current: int, pressure: int):
    memory[0] = voltage
    memory[1] = current
    memory[2] = pressure
@micropython.native
def read(memory):
    board.read(memory)
    put_codes(memory, codes[0], codes[1], codes[2])
    if trouble[0]:
        trouble[0](memory)
the_sampler = sampler.Sampler(read, judge, the_gate, samples, board.pump)
tick = the_sampler.tick
def locked(count):
    failures[0] = 0
    micropython.heap_lock()
    try:
        while count:  # a range would allocate
            tick(None)
            count -= 1
        return failures[0] == 0
    except MemoryError:
        return False
    finally:
        micropython.heap_unlock()
def close():
    the_gate.clear()
    the_gate.close()
"""
BY_HAND = """
close()
say("current", locked(40), the_gate.reason)
codes[1] = 32768
say("rest", locked(10), the_gate.reason)
codes[1] = 25000
codes[0] = 25000
say("reversal", locked(40), the_gate.reason)
codes[0] = 32760
samples.control[ring.HEAD] = 0x3FFFFFFE  # so that the note of the trip holds 2**30
say("short", locked(4), the_gate.reason, the_gate.closed, the_sampler.note[sampler.NOTE_HEAD])
close()
codes[0] = 65520
say("rail", locked(1), the_gate.reason, the_gate.closed)
late = samples.control[ring.GAP_US]
tick = the_sampler.pumping_tick
judge.reset()
close()
codes[0] = 25000
samples.control[ring.GAP_US] = 0
samples.control[ring.LATE_LIMIT] = 8
samples.control[ring.LATE] = 0
say("pumping", locked(8), the_gate.reason, the_gate.closed)
say("late", locked(1), the_gate.reason, the_gate.closed)
samples.control[ring.GAP_US] = late
for reason in range(1, len(limits.REASONS)):  # latched from outside the tick, which goes on
    close()
    the_gate.trip(reason)
    say("latched", reason, locked(3), the_gate.reason, the_gate.closed)
tick = the_sampler.tick
def allocate(memory):
    [1, 2, 3]
def fail(memory):
    raise ValueError
codes[0] = 25000
for wrong in (allocate, fail):
    trouble[0] = wrong
    close()
    say("guarded", locked(1), the_gate.reason, the_gate.closed)
close()
the_gate.trip(limits.HARD_SHORT)
say("behind a trip", locked(1), the_gate.reason)
trouble[0] = None
"""
EACH_RULE = """
at = [0]
@micropython.native
def replay(memory):
    place = at[0]
    put_codes(memory, row[place], row[place + 1], row[place + 2])
    at[0] = place + 3
the_sampler = sampler.Sampler(replay, judge, the_gate, samples)
tick = the_sampler.tick
with open("causes.json") as file:
    causes = json.load(file)
with open("rows.bin", "rb") as file:
    for rule, settings, count in causes:
        file.readinto(memoryview(row)[: 3 * count])
        judge.load(settings)
        for action in (limits.ACTION_TRIP, limits.ACTION_WARN):
            judge.memory[detector.ACTIONS_AT + rule] = action
            judge.reset()
            samples.restart()
            close()
            at[0] = 0
            say(rule, action, locked(count), the_gate.reason, judge.event(rule)[0], the_sampler.note[0])
            the_sampler.note[0] = 0
"""
IN_THE_INTERRUPT = """
settings = limits.default_settings()
settings[limits.SETTINGS.index("gate_drive")] = 1
edge.settings = settings
edge.start()
def run(ms):
    head = edge.ring.control[ring.HEAD]
    until = time.ticks_add(time.ticks_ms(), ms)
    failures[0] = 0
    micropython.heap_lock()
    while time.ticks_diff(until, time.ticks_ms()) > 0:
        pass
    micropython.heap_unlock()
    return failures[0] == 0, edge.ring.control[ring.HEAD] - head >= 4 * (ms - 1)  # a millisecond may have begun
def arm():
    held = board.lock()
    edge.gate.clear()
    edge.telemetry.start_run()
    edge.detector.reset()
    edge.gate.close()
    board.unlock(held)
arm()
edge.telemetry.stream(wire.BLOCK_SUMMARY, 10)
say("blocks", *run(8), edge.gate.reason)
judge.memory[12] = 20000  # its highest voltage code
say("trips", *run(4), edge.gate.reason, edge.gate.closed)
judge.memory[12] = 65535
# Nothing that the main loop does with the timer's interrupt held off allocates: a collection there blinds the tick.
arm()
refused = [0]
held_off, let_in = board.lock, board.unlock
def lock_heap_too():
    held = held_off()
    micropython.heap_lock()
    return held
def unlock_heap_too(held):
    micropython.heap_unlock()
    let_in(held)
board.lock, board.unlock = lock_heap_too, unlock_heap_too
judge.memory[detector.EVENTS_AT] += 1
judge.memory[detector.FIRED] += 1
try:
    edge.alarms.poll()
    edge.selftest._enter(0, 0)
    edge.selftest._enter(1, 0)
    edge.selftest.abort()
    edge.watch.poll(board.uptime_ms())
    say("held off", "nothing allocated")
except MemoryError:
    say("held off", "allocates")
    micropython.heap_unlock()
board.lock, board.unlock = held_off, let_in
arm()
micropython.heap_lock()
edge._external(None)
micropython.heap_unlock()
say("external", edge.gate.reason, edge.gate.closed)
pico._timer.deinit()
"""
SPEED = """
judge.load(limits.default_settings())
the_sampler = edge.sampler
tick = the_sampler.tick
def timed(function, count=200):
    start_us = time.ticks_us()
    for _ in range(count):
        function(None)
    return time.ticks_diff(time.ticks_us(), start_us) / count
def nothing(_timer):
    pass
say("tick us", timed(tick) - timed(nothing))
judge.memory[12] = 20000
close()
opened[0] = 0
tick(None)
tick(None)
say("pin us", opened[0] - the_sampler.note[1])
judge.memory[12] = 65535
"""
