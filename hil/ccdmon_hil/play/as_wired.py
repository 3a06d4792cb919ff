"""The wiring that `firmware/README.md` prescribes, as a bench has it: not exact, and not made for this cell.

    front_end, errors, settings = as_wired(trace, seed)   # for `replay_on(..., front_end=, imperfect=, **settings)`

The full scales are those of a stage that exists, the divider's 5.27 V or a preamplifier's of 10 or 100 before it, and
a shunt's amplifier in steps of three. Resistors of 1 % make gains of 1 %, and put zero up to 1 % of the full scale
beside the middle; `ccdmon calibrate` has measured the voltage's, but for half a millivolt at 5.27 V. Each sample has
the noise of a step of the Pico's converter (RP2040 datasheet 4.9.3: 8.7 effective bits, before the low-pass).
"""

import math
import random
from typing import Any

import numpy as np

from ccdmon.model.front_end import FrontEnd
from ccdmon.model.trace import FloatArray, Trace
from ccdmon_hil.play.imperfect import Imperfect

DIVIDER_V = 5.27
VOLTAGE_STAGES_V = (DIVIDER_V / 100, DIVIDER_V / 10, DIVIDER_V)
CURRENT_STAGES_A = tuple(scale * 10.0**power for power in range(-7, 2) for scale in (1.0, 3.0))
HEADROOM = 1.1
RESISTOR = 0.01  # relative
CALIBRATED = 0.5e-3 / DIVIDER_V  # of the full scale, what is left of the voltage's zero error
STEP = 2 / 4096  # of the full scale


def as_wired(
    trace: Trace, seed: int, front_end: FrontEnd | None = None, voltage_limit_V: float = math.inf
) -> tuple[FrontEnd, Imperfect, dict[str, Any]]:
    """(front end, its errors, what calibration told the settings); `front_end`: full scales that are given.

    A voltage's stage need hold no more than its limit.
    """
    ideal = FrontEnd.for_trace(trace)
    scales = front_end or FrontEnd(
        _stage(min(_largest(trace.voltage_V), voltage_limit_V), VOLTAGE_STAGES_V, ideal.voltage_full_scale_V),
        _stage(_largest(trace.current_A), CURRENT_STAGES_A, ideal.current_full_scale_A),
        ideal.pressure_full_scale_Pa,
    )
    draw = random.Random(seed)
    volts, amperes = scales.voltage_full_scale_V, scales.current_full_scale_A
    zero_V = draw.uniform(-RESISTOR, RESISTOR) * volts
    errors = Imperfect(
        voltage_zero_V=zero_V,
        current_zero_A=draw.uniform(-RESISTOR, RESISTOR) * amperes,
        voltage_gain=1 + draw.uniform(-RESISTOR, RESISTOR),
        current_gain=1 + draw.uniform(-RESISTOR, RESISTOR),
        noise_V=STEP * volts,
        noise_A=STEP * amperes,
    )
    return scales, errors, {"voltage_zero_V": zero_V + draw.uniform(-CALIBRATED, CALIBRATED) * volts}


def _largest(values: FloatArray) -> float:
    return float(np.nanmax(np.abs(values), initial=0.0))


def _stage(largest: float, stages: tuple[float, ...], otherwise: float) -> float:
    """The smallest that holds such a value; `otherwise` where none does."""
    return next((stage for stage in stages if stage >= largest * HEADROOM), otherwise)
