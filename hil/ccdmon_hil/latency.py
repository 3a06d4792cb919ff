"""How fast the firmware opens the gate on the emulated Pico: `python -m ccdmon_hil.latency [--image F] [--phases N]`.

The cell shorts (or its voltage leaves the converter's range) at a random instant between two samples; the time to the
edge at the gate pin is the emulator's virtual time. Sampling at 10 kHz, two samples confirm a short, one a rail.
"""

import argparse
import random
import statistics
import sys
from pathlib import Path

from ccdmon.errors import CcdmonError, DeviceError
from ccdmon_fw import limits, wire
from ccdmon_hil.firmware import PICO_PINS
from ccdmon_hil.image import find_image
from ccdmon_hil.pico import IDLE_CODES, PicoTarget
from ccdmon_hil.session import Session
from ccdmon_hil.target import Codes

PERIOD_US = 100
PHASES = 150
ARMED_SAMPLES = 60  # samples of a healthy cell before the fault
HEALTHY: Codes = (40000, 40000, 32768)
FAULTS: dict[str, Codes] = {"short": (32780, 40000, 32768), "rail": (65520, 40000, 32768)}
BOUND_US = {"short": 270.0, "rail": 170.0}
_MAIN = b"""
from ccdmon_fw import app, board
board.STORE = None  # a black box on flash after each of the trips would take minutes
app.run(board)
"""


class TimedTarget(PicoTarget):
    """The Pico at 10 kHz, with converters that follow the clock instead of a trace."""

    fault_at_us = float("inf")
    fault: Codes = HEALTHY

    def _boot(self, files: dict[str, bytes]) -> None:
        super()._boot(files | {"main.py": _MAIN})

    def _on_conversion(self, channel: int) -> None:
        shown = self.fault if self.virtual_us() >= self.fault_at_us else HEALTHY
        if not self._closed:
            shown = IDLE_CODES
        self._sampling = True
        self.set_converters(shown)
        self._convert(channel)


def measure(session: Session, target: TimedTarget, fault: str, phases: int, seed: int = 1) -> list[float]:
    """Latencies in virtual us, one for each phase. `DeviceError` where the gate stays closed."""
    draw = random.Random(seed)
    latencies = []
    target.fault = FAULTS[fault]
    for _ in range(phases):
        target.fault_at_us = float("inf")
        status = session.status()
        while status["reason"] and not status["trip_id"]:  # it has yet to number it
            status = session.status()
        if status["trip_id"]:
            session.device.reset_trip(status["trip_id"])
        session.command(wire.ARM)
        edges = len(target.edges)
        at_us = target.virtual_us() + (ARMED_SAMPLES + draw.random()) * PERIOD_US
        target.fault_at_us = at_us
        while len(target.edges) == edges and target.virtual_us() < at_us + 50 * PERIOD_US:
            session.pump()
        if len(target.edges) == edges:
            raise DeviceError(f"rig pico: the gate stays closed {50 * PERIOD_US} us after the {fault}")
        edge_us = target.edges[-1].virtual_us
        assert edge_us is not None
        latencies.append(edge_us - at_us)
    return latencies


def table_row(fault: str, latencies: list[float]) -> str:
    """One line: fault, phases, median, 95 %, maximum, bound."""
    ordered = sorted(latencies)
    percentile_95 = ordered[min(len(ordered) - 1, int(0.95 * len(ordered)))]
    return (
        f"{fault:<8}{len(ordered):>7}{statistics.median(ordered):>10.1f}{percentile_95:>10.1f}"
        f"{ordered[-1]:>10.1f}{BOUND_US[fault]:>10.0f}"
    )


def main(arguments: list[str] | None = None) -> int:
    """Print the table; exit code 1 if a bound is broken."""
    parser = argparse.ArgumentParser(prog="python -m ccdmon_hil.latency", description=__doc__.split("\n")[0])
    parser.add_argument("--image", type=Path)
    parser.add_argument("--phases", type=int, default=PHASES)
    options = parser.parse_args(arguments)
    try:
        target = TimedTarget(find_image(options.image))
        session = Session(target)
        session.start()
        settings = limits.default_settings()
        settings[limits.SETTINGS.index("sample_period_us")] = PERIOD_US
        session.configure(settings)
        session.command(wire.STREAM, wire.pack(wire.STREAM, wire.EVENTS_ONLY, 0))
        print(f"virtual us at {1e6 / PERIOD_US:.0f} Hz, GPIO {PICO_PINS.gate}")
        print(f"{'fault':<8}{'phases':>7}{'median':>10}{'95 %':>10}{'max':>10}{'bound':>10}")
        broken = False
        for fault in FAULTS:
            latencies = measure(session, target, fault, options.phases)
            print(table_row(fault, latencies), flush=True)
            broken |= max(latencies) > BOUND_US[fault]
    except CcdmonError as error:
        print(f"latency: {error}", file=sys.stderr)
        return error.exit_code
    print(
        "not modelled by the emulator: flash cache misses, some us for each call into MicroPython's own code"
    )
    return int(broken)


if __name__ == "__main__":
    sys.exit(main())
