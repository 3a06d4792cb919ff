"""The smallest cell whose hard short is cut off: `python -m ccdmon_hil.smallest_cell`.

Half-cycles of a cell with a polarisation of some millivolts, sampled at 4 kHz by the front ends that the boards
describe, with their noise and the zero errors that remain after calibration; the golden model of the firmware judges
them. A cell is safe where every short was cut off within `LATEST` samples and no healthy half-cycle was. Exit code 1: a
front end needs more than it should.
"""

import argparse
import math
import sys
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ccdmon_fw import limits
from ccdmon_fw.detector import ACTION_MASK, TRIPS, Detector

PERIOD_S = 250e-6
HALF_CYCLE = 3_000  # samples
SHORT_AT = 3 * HALF_CYCLE + 1_900
LATEST = 60  # samples, 15 ms
LEFT = 0.03  # of the polarisation, in the short
OHMIC = 0.7  # of it at once; the rest with a time constant of 0.2 s
STEPS_mV = (0.5, 0.7, 1, 1.5, 2, 3, 4, 6, 8, 10, 12, 16, 20, 25, 40)


@dataclass(frozen=True)
class End:
    """A front end: full scale, converter's bits, noise of the voltage, zero errors left, what it should see."""

    name: str
    voltage_full_scale_V: float
    bits: int
    noise_V: float  # standard deviation of a sample
    voltage_zero_V: float  # that calibration left
    current_zero: float  # share of full scale; the board takes it
    wanted_mV: float


# Noise: one step of the Pico's converter is what others measured with its input shorted, half of one what a low-pass
# leaves; the ADS131M04 at OSR 256 and gain 1 has 10.7 uV (datasheet, table 7-1), times the divider. The preamplifier:
# ten times, no divider, 1.2 V full scale.
PICO_STEP_V = 2 * 5.27 / 4096
ADS_NOISE_V = 10.7e-6
ENDS = (
    End("Pico, +-5 V, noise of half a step", 5.27, 12, PICO_STEP_V / 2, 0.5e-3, 0.004, 12.0),
    End("Pico, +-5 V, noise of a step", 5.27, 12, PICO_STEP_V, 0.5e-3, 0.004, 25.0),
    End("ADS131M04, +-6 V", 6.024, 24, ADS_NOISE_V * 5.02, 0.1e-3, 0.004, 2.0),
    End("ADS131M04, preamplifier x10", 0.12, 24, ADS_NOISE_V / 10, 0.02e-3, 0.004, 1.0),
)


def codes(end: End, polarisation_V: float, seed: int, shorted: bool) -> npt.NDArray[np.int64]:
    """Codes of voltage and current, shape (samples, 2): four half-cycles, in the last of them a short."""
    draw = np.random.default_rng(seed)
    count = 4 * HALF_CYCLE
    place = np.arange(count)
    sign = np.where(place // HALF_CYCLE % 2 == 0, 1.0, -1.0)
    into = place % HALF_CYCLE * PERIOD_S
    voltage = polarisation_V * sign * (1 - (1 - OHMIC) * np.exp(-into / 0.2))
    if shorted:
        voltage[SHORT_AT:] *= LEFT
    voltage = voltage + end.voltage_zero_V + draw.normal(0.0, end.noise_V, count)
    current = 0.3 * sign + end.current_zero + draw.normal(0.0, 3e-4, count)
    return np.column_stack([_code(voltage / end.voltage_full_scale_V, end.bits), _code(current, end.bits)])


def _code(share: npt.NDArray[np.float64], bits: int) -> npt.NDArray[np.int64]:
    """16-bit codes of a converter that may have fewer or more bits."""
    steps = 1 << (min(bits, 16) - 1)
    reading = np.clip(np.rint(share * steps), -steps, steps - 1) + steps
    return reading.astype(np.int64) << (16 - min(bits, 16))


def is_safe(end: End, polarisation_V: float, seeds: int) -> bool:
    """Whether every short of such a cell is cut off in time, and nothing else."""
    return all(
        _trip(end, polarisation_V, seed, False) is None and _in_time(_trip(end, polarisation_V, seed, True))
        for seed in range(seeds)
    )


def _in_time(row: int | None) -> bool:
    return row is not None and SHORT_AT <= row < SHORT_AT + LATEST


def _trip(end: End, polarisation_V: float, seed: int, shorted: bool) -> int | None:
    """The sample that opens the gate."""
    detector = Detector(
        limits.detector_settings(end.voltage_full_scale_V, 1.0, PERIOD_S, converter_bits=end.bits)
    )
    noise = 2 * end.noise_V / end.voltage_full_scale_V * limits.UNITS_FULL_SCALE  # 1.95 deviations
    detector.take_zero(round(limits.CODE_ZERO * (1 + end.current_zero)), voltage_noise=math.ceil(noise))
    detector.reset()
    for row, (voltage, current) in enumerate(codes(end, polarisation_V, seed, shorted).tolist()):
        if detector.step(voltage, current, limits.CODE_ZERO) & ACTION_MASK == TRIPS:
            return row
    return None


def smallest_mV(end: End, seeds: int) -> float | None:
    """The smallest polarisation of `STEPS_mV` from which on all are safe."""
    found = None
    for step_mV in reversed(STEPS_mV):
        if not is_safe(end, step_mV * 1e-3, seeds):
            break
        found = step_mV
    return found


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the table."""
    assert __doc__ is not None
    parser = argparse.ArgumentParser(
        prog="python -m ccdmon_hil.smallest_cell", description=__doc__.split("\n\n")[0]
    )
    parser.add_argument(
        "--seeds", type=int, default=3, metavar="N", help="cells of each (default %(default)s)"
    )
    options = parser.parse_args(arguments)
    print("| front end | noise | zero error left | smallest cell | wanted |\n|---|--:|--:|--:|--:|")
    worse = False
    for end in ENDS:
        found = smallest_mV(end, options.seeds)
        worse |= found is None or found > end.wanted_mV
        told = "none" if found is None else f"{found:g} mV"
        print(
            f"| {end.name} | {end.noise_V * 1e6:.3g} uV | {end.voltage_zero_V * 1e3:g} mV, {end.current_zero:.1%} "
            f"| {told} | {end.wanted_mV:g} mV |"
        )
    return int(worse)


if __name__ == "__main__":
    sys.exit(main())
