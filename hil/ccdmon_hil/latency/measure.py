"""How fast and how steady the firmware is on the emulated Pico: `python -m ccdmon_hil.latency [--phases N] [--seed N]`.

Three tables, all in the emulator's virtual time, misses of the flash cache included: what a tick takes; which rates
hold and what share of the processor the sample timer's interrupt takes then; how long it takes from a fault at a random
instant between two samples (two samples confirm a short, one a rail) or from an external comparator's edge to the edge
at the gate pin.

`--out DIR` leaves the latencies as `latency.html`, with their distribution, and `latency.json`. `--budget-us` takes
budgets, for all faults (270) or one by one (short=270 rail=170); exit code 1 where one is passed. On `--rig unix` and
`board` a fault comes with a row: samples are counted there, and a board's own clock is real.

Longer than 250 lines: all tables are measured on one booted chip, with one stand-in for its converters.
"""

import argparse
import random
import sys
from pathlib import Path
from typing import NamedTuple

from ccdmon.errors import EXIT_FINE, EXIT_NEGATIVE, CcdmonError, DeviceError
from ccdmon.link.decoder import Message
from ccdmon.link.firmware import DESCRIPTION
from ccdmon_fw import wire
from ccdmon_hil.chip_boards import INVERTED, deployed
from ccdmon_hil.latency.on_rigs import print_all
from ccdmon_hil.latency.report import (
    Budgets,
    Latency,
    Measured,
    budgets_of,
    over_budget,
    parse_budget,
    table_head,
    table_row,
    write,
)  # fmt: skip
from ccdmon_hil.outputs import output_folder
from ccdmon_hil.play.potentiostat import shown
from ccdmon_hil.rigs.breakable.pico import MAIN, RUN, HookedTarget, hook, run_for, settings
from ccdmon_hil.rigs.emulator.fast import SETTING
from ccdmon_hil.rigs.image import find_image
from ccdmon_hil.rigs.open_rig import PORT_HELP, count
from ccdmon_hil.rigs.pico import CYCLE_NS, EMULATOR, MISS_CYCLES, TIMER_EXCEPTION
from ccdmon_hil.rigs.pico_firmware import PICO_PINS
from ccdmon_hil.rigs.session import Session
from ccdmon_hil.rigs.target import IDLE, Codes

PERIOD_US = 100
PHASES = 150
RATE_S = 1.0  # virtual, for each rate
ARMED_SAMPLES = 60  # samples of a healthy cell before the fault
HEALTHY: Codes = (40000, 40000, 32768)
FAULTS: dict[str, Codes] = {
    "short": (32780, 40000, 32768),
    "rail": (65520, 40000, 32768),
    "external": HEALTHY,
}
_IN_ROWS = {name: codes for name, codes in FAULTS.items() if codes != HEALTHY}
MONITORS = ("pico_biologic", "pico_gamry")
TICK_BOUND_US = 60.0
SHARE_BOUND = 0.55  # of the processor, at the shortest period
# An external comparator waits for the tick in progress; nothing is promised for it.
BOUND_US = {"short": 270.0, "rail": 170.0}
_RATES = (
    (10_000, wire.BLOCK_SUMMARY, 100, "blocks of 100"),
    (2_000, wire.EVERY_SAMPLE, 0, "every sample"),
)
# Times ticks one by one; an empty call is taken off. Sent as an event: mean in ns, largest in us.
_TIME_TICKS = """
def timed(function, count):
    ticks, diff = time.ticks_us, time.ticks_diff
    largest, begin = 0, ticks()
    while count:
        start = ticks()
        function(None)
        took = diff(ticks(), start)
        if took > largest:
            largest = took
        count -= 1
    return diff(ticks(), begin), largest
pico._timer.deinit()
whole, largest = timed(edge.sampler.tick, 400)
empty, least = timed(lambda _timer: None, 400)
edge.telemetry.event(0, 0, (whole - empty) * 10 // 4, largest - least + 1)
edge.watch._seen = (0, edge.board.uptime_ms())
board.start_timer(edge.board.sample_period_us(), edge.sampler.tick)
"""


class TimedTarget(HookedTarget):
    """Converters that follow the gate and the clock instead of a trace."""

    main = MAIN + b"board.STORE = None  # writing a black box after each trip would take minutes\n" + RUN
    fault_at_us = float("inf")
    fault: Codes = HEALTHY
    always: Codes | None = None

    def __init__(self, image: Path) -> None:
        super().__init__(image)
        self.converted_us: list[float] = []  # when the voltage was, since this was cleared

    def _on_conversion(self, channel: int) -> None:
        shown = self.fault if self.virtual_us() >= self.fault_at_us else HEALTHY
        if channel == PICO_PINS.voltage_channel:
            self.converted_us.append(self.virtual_us())
        self._sampling = True
        self.set_converters(self.always or (shown if self._closed else IDLE))
        self._convert(channel)

    def external_trip(self, tripped: bool) -> None:
        """Level of the comparator's output: it holds the pin low as long as all is well."""
        self.set_pin(PICO_PINS.external_trip, tripped)


class MonitoredTarget(TimedTarget):
    """The same at a potentiostat's monitor outputs, as a board's description reads them."""

    main = TimedTarget.main.replace(
        b"from ccdmon_fw import board, pico", b"import board\nfrom ccdmon_fw import pico"
    )

    def __init__(self, image: Path, board: str) -> None:
        self._description, self._inverted = deployed(board), board in INVERTED
        super().__init__(image)

    def _boot(self, files: dict[str, bytes]) -> None:
        super()._boot(files | {DESCRIPTION: self._description})

    def set_converters(self, codes: Codes) -> None:
        """What stands at the converter for codes in true signs."""
        super().set_converters(shown(codes, self._inverted))


def measure(session: Session, target: TimedTarget, fault: str, phases: int, seed: int) -> list[Latency]:
    """Latencies, one for each phase. `DeviceError` where the gate stays closed."""
    draw = random.Random(seed)
    latencies = []
    target.fault = FAULTS[fault]
    for _ in range(phases):
        target.fault_at_us = float("inf")
        target.external_trip(False)
        status = session.status()
        while status["reason"] and not status["trip_id"]:  # it has yet to number it
            status = session.status()
        if status["trip_id"]:
            session.device.reset_trip(status["trip_id"])
        session.arm()
        latencies.append(_one(session, target, fault, draw))
    return latencies


def _one(session: Session, target: TimedTarget, fault: str, draw: random.Random) -> Latency:
    """From one fault's instant to the edge at the pin. A comparator's edge waits for no sample."""
    edges = len(target.edges)
    target.converted_us.clear()
    at_us = target.virtual_us() + (ARMED_SAMPLES + draw.random()) * PERIOD_US
    target.fault_at_us = at_us
    if fault == "external":
        target.at(at_us, lambda: target.external_trip(True))
    while len(target.edges) == edges and target.virtual_us() < at_us + 50 * PERIOD_US:
        session.pump()
    if len(target.edges) == edges:
        raise DeviceError(f"rig pico: the gate stays closed {50 * PERIOD_US} us after the {fault}")
    edge_us = target.edges[-1].at_us
    assert edge_us is not None
    phase_us = at_us - max(instant_us for instant_us in target.converted_us if instant_us <= at_us)
    saw = sum(at_us < instant_us < edge_us for instant_us in target.converted_us)
    return Latency(phase_us, None if fault == "external" else saw - 1, edge_us - at_us, None)


def tick_us(session: Session, target: TimedTarget, shown: Codes) -> tuple[float, float]:
    """(mean, largest) time of a tick that sees these codes, unarmed: judging and storing are the same."""
    told: list[dict[str, int]] = []
    target.always = shown
    run_for(session, 20 * PERIOD_US)
    session.device.on_event = lambda event: (
        told.append(event.fields) if isinstance(event, Message) and event.name == "event" else None
    )
    hook(session, _TIME_TICKS)
    session.device.wait(lambda: any(event["reason"] == 0 for event in told), "with its times")
    session.device.on_event = session.take
    target.always = None
    fields = next(event for event in told if event["reason"] == 0)
    return fields["value"] / 1000, float(fields["limit"])


class Sustained(NamedTuple):
    """A run at one rate; `share` of the processor and cache misses a sample: None, not modelled."""

    samples: int
    late: int
    lost: int
    share: float | None
    misses: float | None

    def holds(self) -> bool:
        """Nothing late or lost, and time left for the rest of the program."""
        return not (self.late or self.lost or (self.share or 0.0) > SHARE_BOUND)

    def row(self) -> str:
        """Of the table."""
        share, misses = (
            (f"{self.share:>8.1%}{SHARE_BOUND:>7.0%}", f"{self.misses:>8.1f}") if self.share else ("", "")
        )
        return f"{self.samples:>9}{self.late:>6}{self.lost:>6}{share}{misses}"


def sustained(
    session: Session, target: TimedTarget, rate_Hz: int, mode: int, per_block: int, virtual_s: float
) -> Sustained:
    """A run of that rate, armed, with current."""
    session.configure(settings(sample_period_us=round(1e6 / rate_Hz)))
    session.command(wire.STREAM, wire.pack(wire.STREAM, mode, per_block))
    counts = session.decoder.counts
    samples, missing = counts.samples, counts.missing_samples
    session.arm()
    began_us, spent_us, misses = target.virtual_us(), target.spent_us(TIMER_EXCEPTION), target.misses()
    run_for(session, virtual_s * 1e6)
    took_us, spent_after_us = target.virtual_us() - began_us, target.spent_us(TIMER_EXCEPTION)
    misses = target.misses() - misses
    status = session.status()
    session.command(wire.DISARM)
    lost = max(counts.missing_samples - missing, status["dropped"])
    session.command(wire.STREAM, wire.pack(wire.STREAM, wire.EVENTS_ONLY, 0))
    share = None if spent_us is None or spent_after_us is None else (spent_after_us - spent_us) / took_us
    return Sustained(
        counts.samples - samples, status["overruns"], lost, share,
        None if share is None else misses / (took_us * rate_Hz / 1e6),
    )  # fmt: skip


def _steadiness(session: Session, target: TimedTarget, rate_s: float) -> bool:
    """Print what a tick takes and which rates hold; whether a bound is broken."""
    session.configure(settings(sample_period_us=10 * PERIOD_US))
    print(f"{'tick, us':<22}{'mean':>8}{'max':>8}{'bound':>8}")
    broken = False
    for name, codes in (("at rest", IDLE), ("with current", HEALTHY)):
        mean_us, largest_us = tick_us(session, target, codes)
        print(f"{name:<22}{mean_us:>8.1f}{largest_us:>8.0f}{TICK_BOUND_US:>8.0f}", flush=True)
        broken |= mean_us > TICK_BOUND_US
    columns = f"{'samples':>9}{'late':>6}{'lost':>6}{'timer':>8}{'bound':>7}{'misses':>8}"
    print(f"\n{'sustained for ' + format(rate_s, '.1f') + ' s':<32}{columns}")
    for rate_Hz, mode, per_block, name in _RATES:
        found = sustained(session, target, rate_Hz, mode, per_block, rate_s)
        print(f"{rate_Hz:>6} Hz, {name:<21}{found.row()}", flush=True)
        broken |= not found.holds()
    print(_cache_line(target))
    return broken


def _cache_line(target: TimedTarget) -> str:
    if not target.models_cache:
        return f"flash cache and interrupt entry are not modelled: {EMULATOR} ({SETTING})"
    return (
        f"timer: share of the processor in the sample timer's interrupt; misses of the flash cache a sample, "
        f"{MISS_CYCLES * CYCLE_NS / 1000:.2f} us each"
    )


def _on_pico(options: argparse.Namespace, budgets: Budgets) -> tuple[Measured, bool]:
    """(latencies, is a bound broken), with all tables."""
    image = find_image(options.image)
    target = MonitoredTarget(image, options.board) if options.board else TimedTarget(image)
    session = Session(target)
    session.start()
    session.command(wire.STREAM, wire.pack(wire.STREAM, wire.EVENTS_ONLY, 0))
    broken = _steadiness(session, target, options.seconds)
    session.configure(settings(sample_period_us=PERIOD_US))
    print(f"\nto the edge at GPIO {PICO_PINS.gate} at {1e6 / PERIOD_US:.0f} Hz\n{table_head()}")
    measured = {}
    for fault in FAULTS:
        measured[fault] = measure(session, target, fault, options.phases, options.seed)
        print(table_row(fault, measured[fault], budgets), flush=True)
    return measured, broken


def main(arguments: list[str] | None = None) -> int:
    """Print the tables; exit code 1 if a bound or a budget is broken."""
    options = _parser().parse_args(arguments)
    try:
        if options.out:
            output_folder(options.out)
        promised = BOUND_US if options.rig == "pico" else {}
        budgets = promised if options.budget_us is None else budgets_of(options.budget_us, FAULTS, BOUND_US)
        if options.rig == "pico":
            measured, broken = _on_pico(options, budgets)
        else:
            measured, broken = print_all(options, HEALTHY, _IN_ROWS, budgets), False
        if options.out:
            write(options.out, options.rig, measured, budgets)
    except CcdmonError as error:
        print(f"latency: {error}", file=sys.stderr)
        return error.exit_code
    problems = over_budget(measured, budgets)
    for problem in problems:
        print(f"latency: {problem}", file=sys.stderr)
    return EXIT_NEGATIVE if broken or problems else EXIT_FINE


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m ccdmon_hil.latency", description=__doc__.split("\n")[0])
    add = parser.add_argument
    add("--rig", choices=("unix", "pico", "board"), default="pico", help="where (default: %(default)s)")
    add("--port", help=PORT_HELP)
    add("--image", type=Path, help="MicroPython image of the emulated Pico")
    add("--board", choices=MONITORS, help="of rig pico: on a potentiostat's monitor outputs")
    add("--phases", type=count, default=PHASES, help="faults of each kind (default: %(default)s)")
    add("--seed", type=int, default=1, help="of the phases (default %(default)s)")
    add("--seconds", type=float, default=RATE_S, help="virtual time for each rate (default %(default)s)")
    add("--budget-us", nargs="+", type=parse_budget, metavar="[FAULT=]US", help="longest cutoff allowed")
    add("--out", type=Path, metavar="DIR", help="leave page and document there")
    return parser
