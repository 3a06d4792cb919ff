"""Shunt, gain and full scales for a test, what they resolve, and the smallest short that will be cut off.

The amplifier turns the shunt's drop into +-1.65 V round the middle of the converter's 3.3 V, as `firmware/README.md`
wires it; a board with a converter of its own has its gain in its description.
"""

import math
from dataclasses import dataclass

import numpy as np

from ccdmon.errors import InputError
from ccdmon.model.front_end import range_step

BURDEN_V = 0.025  # the shunt's drop at full scale: what a short leaves of the voltage, which is measured over it, too
AMPLIFIER_V = 1.65
# +-V onto 0 to 3.3 V: resistors from the cell's +, from 3.3 V, to ground. The wide one leaves room beyond 5 V.
# Large, for the one from 3.3 V drives its microampere through the cell whatever the gate does; a follower comes behind.
DIVIDERS = {3.3: ("1 M", "1 M", None), 5.27: ("1.6 M", "1 M", "2.7 M")}
DIVIDER_A = {3.3: 1.65e-6, 5.27: 1.03e-6}  # 1.65 V over the first, at 0 V
FINE_V, OPEN_ENDED_V = DIVIDERS
# Below it the finer divider's cell never stands where the board takes a wire of the wide one to be off (1.51 V).
FINE_UP_TO_V = 1.3
VOLTAGE_LIMIT_V = 5.0
LIMIT_SHARE = 0.95  # of full scale: above, a converter's rail trips first, as a sensor fault
PICO_BITS = 12
CODE_BITS = 16  # a finer converter is limited by the codes
# `python -m ccdmon_hil.smallest_cell`: 25 mV behind +-5.27 V, 12 bits (9.7 steps) and a step of noise, 2 mV behind
# +-6.02 V and 16 bits (10.9); below a millivolt nothing was tried.
STEPS_OF_A_SHORT = 11
SMALLEST_TRIED_V = 1e-3
COLLAPSED = 24 / 64  # of what was there: `firmware/ccdmon_fw/limits.py`, COLLAPSE_64THS
COARSEST_LEVEL = 30  # full scale over the first current level, at most: `firmware/README.md`


@dataclass(frozen=True)
class Sizing:
    """A front end for a test. All per sample; `shunt_ohm`, `gain`: the plain Pico's."""

    current_A: float
    voltage_V: float | None
    current_full_scale_A: float
    voltage_full_scale_V: float
    pressure_full_scale_Pa: float | None
    shunt_ohm: float
    gain: float
    shunt_W: float
    current_step_A: float
    voltage_step_V: float
    pressure_step_Pa: float | None
    smallest_level_A: float
    smallest_short_V: float
    smallest_cell_ohm: float  # whose short still leaves less than COLLAPSED of cell and shunt

    def shunt_and_gain(self) -> tuple[str, str]:
        """For a figure."""
        return si(self.shunt_ohm, "ohm"), f"x{self.gain:.4g}"

    def lines(self) -> list[str]:
        """For a person: a rig file's comments, the terminal."""
        shunt, gain = self.shunt_and_gain()
        return [
            f"shunt {shunt} in the cell's return ({si(self.shunt_W, 'W')} at full scale), "
            f"amplifier {gain}, its zero the {AMPLIFIER_V} V of a buffered divider",
            self._why_this_current(),
            *self._why_this_voltage(),
            f"a step of the converter: {si(self.current_step_A, 'A')}, {si(self.voltage_step_V, 'V')}"
            + ("" if self.pressure_step_Pa is None else f", {si(self.pressure_step_Pa, 'Pa')}"),
            f"first current level: at least {si(self.smallest_level_A, 'A')}",
            f"smallest polarisation whose hard short is cut off: {si(self.smallest_short_V, 'V')}, "
            "with the voltage's zero calibrated",
            f"smallest cell whose hard short is cut off: {si(self.smallest_cell_ohm, 'ohm')}; the voltage is measured "
            "over cell and shunt, and a short leaves the shunt's",
        ]

    def _why_this_current(self) -> str:
        full, most = si(self.current_full_scale_A, "A"), si(self.current_A, "A")
        if self.current_full_scale_A != range_step(np.array([self.current_A])):
            return f"full scale {full}, as it was said, for {most} at most"
        return (
            f"full scale {full}: the next of 1, 2, 5 above {most} and a tenth for overshoot; what is beyond trips as a "
            "sensor fault. --current-full-scale says another"
        )

    def _why_this_voltage(self) -> list[str]:
        full_V, voltage_V = self.voltage_full_scale_V, self.voltage_V
        if full_V not in DIVIDERS:
            return [f"voltage +-{full_V:g} V, as it was said: a front end of your own"]
        r_in, r_up, r_down = divider(full_V)
        said = [
            f"voltage +-{full_V:g} V: {r_in} from the cell's +, {r_up} from 3.3 V, {r_down or 'nothing'} to ground, a "
            f"follower to GP26; it drives {si(DIVIDER_A[full_V], 'A')} through the cell"
        ]
        if full_V == OPEN_ENDED_V:
            said[0] += "; wide enough for a limit of 5 V, into which a cell that loses contact runs"
        if full_V == OPEN_ENDED_V and voltage_V is not None and voltage_V <= FINE_UP_TO_V:
            finer = FINE_V / OPEN_ENDED_V
            said.append(
                f"for {voltage_V:g} V a finer one will do, --voltage-full-scale {FINE_V}: a step of "
                f"{si(self.voltage_step_V * finer, 'V')}, shorts from {si(self.smallest_short_V * finer, 'V')} on; "
                "microvolts: the ADS131M04 (firmware/README.md, External converters)"
            )
        return said


def size(
    current_A: float,
    voltage_V: float | None = None,
    pressure_Pa: float | None = None,
    bits: int = 12,
    *,
    current_full_scale_A: float | None = None,
    voltage_full_scale_V: float | None = None,
) -> Sizing:
    """From the largest values of the test, each with a tenth of headroom. InputError for what no shunt carries.

    `voltage_V` None: the divider of `firmware/README.md`. `bits`: of the converter, 8 to 32. A full scale that is
    given counts.
    """
    if not 1e-7 <= current_A <= 10:
        raise InputError(f"--current {current_A:g}: this front end measures 100 nA to 10 A; give it in A")
    full_A = current_full_scale_A or range_step(np.array([current_A]))
    wide = voltage_V is None or voltage_V <= OPEN_ENDED_V
    full_V = voltage_full_scale_V or (OPEN_ENDED_V if wide else range_step(np.array([voltage_V])))
    if bits <= PICO_BITS and voltage_full_scale_V is None and not wide:
        raise InputError(
            f"--voltage {voltage_V:g}: the divider shows {OPEN_ENDED_V} V at most; say the --voltage-full-scale of a "
            "front end of your own"
        )
    for name, full, most in (("current", full_A, current_A), ("voltage", full_V, voltage_V or 0.0)):
        if most > full:
            raise InputError(f"--{name}-full-scale {full:g}: less than --{name} {most:g}")
    full_Pa = None if pressure_Pa is None else range_step(np.array([pressure_Pa]))
    shunt_ohm = _step_below(BURDEN_V / full_A)
    steps = 1 << min(bits, CODE_BITS)
    step_V = 2 * full_V / steps
    return Sizing(
        current_A=current_A,
        voltage_V=voltage_V,
        current_full_scale_A=full_A,
        voltage_full_scale_V=full_V,
        pressure_full_scale_Pa=full_Pa,
        shunt_ohm=shunt_ohm,
        gain=AMPLIFIER_V / (shunt_ohm * full_A),
        shunt_W=full_A**2 * shunt_ohm,
        current_step_A=2 * full_A / steps,
        voltage_step_V=step_V,
        pressure_step_Pa=None if full_Pa is None else full_Pa / steps,
        smallest_level_A=full_A / COARSEST_LEVEL,
        smallest_short_V=max(SMALLEST_TRIED_V, STEPS_OF_A_SHORT * step_V),
        smallest_cell_ohm=shunt_ohm * (1 - COLLAPSED) / COLLAPSED,
    )


def divider(full_scale_V: float) -> tuple[str, str, str | None]:
    """Resistors from the cell's +, from 3.3 V, to ground (None: nothing there); of another range the wide one's."""
    return DIVIDERS.get(full_scale_V, DIVIDERS[OPEN_ENDED_V])


def voltage_limit_V(full_scale_V: float) -> float:
    """A limit on |V| where nobody said one: what the converter can still see."""
    return min(VOLTAGE_LIMIT_V, float(f"{LIMIT_SHARE * full_scale_V:.2g}"))


def _step_below(value: float) -> float:
    """Largest of 1, 2, 5 x 10^n that does not exceed it."""
    decade = 10.0 ** math.floor(math.log10(value) + 1e-9)
    return next(float(f"{s * decade:.6g}") for s in (5, 2, 1) if s * decade <= value * (1 + 1e-9))


def si(value: float, unit: str) -> str:
    """Three digits and a prefix."""
    for factor, prefix in ((1e6, "M"), (1e3, "k"), (1.0, ""), (1e-3, "m"), (1e-6, "u"), (1e-9, "n")):
        if abs(value) >= factor * (1 - 1e-9):
            return f"{value / factor:.3g} {prefix}{unit}"
    return f"{value * 1e12:.3g} p{unit}"
