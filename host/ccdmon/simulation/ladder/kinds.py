"""What a seed can stand for in this world: each kind draws a test and says what befalls it."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ccdmon.simulation.ladder import befalls, ordinary
from ccdmon.simulation.ladder.draws import Test

Draw = Callable[[np.random.Generator], Test]


@dataclass(frozen=True)
class Kind:
    """One kind: its draw and a line of help; `reads` is what a reader should report, "healthy" for a trap."""

    draw: Draw
    reads: str
    help: str


def _healthy(draw: Draw, text: str) -> Kind:
    return Kind(draw, "healthy", text)


KINDS: dict[str, Kind] = {
    "time_control": _healthy(ordinary.time_control, "a ramp of constant half-cycle time"),
    "capacity_control": _healthy(ordinary.capacity_control, "a ramp of constant half-cycle capacity"),
    "endurable_time": _healthy(ordinary.endurable_time, "several cycles a level"),
    "long_cycling": _healthy(ordinary.long_cycling, "one level for many cycles"),
    "rests": _healthy(ordinary.rests, "a rest after each half-cycle"),
    "thinning_rows": _healthy(ordinary.thinning_rows, "rows dense after a step and ever fewer"),
    "formation": _healthy(ordinary.formation, "slow cycles before the ramp"),
    "titration": _healthy(ordinary.titration_test, "pulses and rests"),
    "jolts": _healthy(ordinary.jolts, "somebody touches the cell now and then"),
    "temperature": _healthy(ordinary.temperature, "the chamber changes by up to 30 K, with a column"),
    "pressure_raised": _healthy(ordinary.pressure_raised, "the stack is tightened, with a column"),
    "interference": _healthy(ordinary.interference, "hum and spikes"),
    "longer_first": _healthy(ordinary.longer_first, "the first half-cycle is twice as long"),
    "gaps": _healthy(ordinary.gaps, "the recording stops now and then"),
    "coarse": _healthy(ordinary.coarse, "10-20 rows a half-cycle"),
    "alloy": _healthy(ordinary.alloy, "Li against Li-In"),
    "foreign": _healthy(ordinary.foreign, "plating on copper, stripped to a voltage"),
    "full_rates": _healthy(ordinary.full_rates, "full cell, rate test"),
    "full_held": _healthy(ordinary.full_held, "full cell, constant current, constant voltage"),
    "full_olivine": _healthy(ordinary.full_olivine, "full cell with a flat curve"),
    "full_titration": _healthy(ordinary.full_titration, "full cell, pulses and rests"),
    "hard": Kind(befalls.hard, "hard_short", "a dendrite bridges the cell within a row"),
    "hard_staircase": Kind(befalls.hard_staircase, "hard_short", "the leak doubles several times in minutes"),
    "hard_in_rest": Kind(befalls.hard_in_rest, "hard_short", "shorted when the current comes back"),
    "partial": Kind(befalls.partial, "partial_short", "15-50 % of the resistance is bridged"),
    "soft_switching": Kind(befalls.soft_switching, "soft_short", "filaments burn through and grow again"),
    "soft_oscillating": Kind(befalls.soft_oscillating, "soft_short", "a leak opens and closes with a period"),
    "soft_dip": Kind(befalls.soft_dip, "soft_short", "one leak that heals"),
    "leak_power_law": Kind(befalls.leak_power_law, "fake_stable", "a leak grows over several half-cycles"),
    "leak_staircase": Kind(befalls.leak_staircase, "fake_stable", "a leak grows step by step over hours"),
    "leak_from_start": Kind(befalls.leak_from_start, "hard_short", "a metal from the first row"),
    "contact_relief": Kind(befalls.contact_relief, "contact_loss", "pressure is lost, then contact"),
    "opened": Kind(befalls.opened_cell, "contact_loss", "no current flows any more"),
    "lead_off": Kind(befalls.lead_off, "sensor_fault", "the voltage lead comes off"),
    "alloy_hard": Kind(befalls.alloy_hard, "hard_short", "Li against Li-In, shorted"),
    "foreign_hard": Kind(befalls.foreign_hard, "hard_short", "plating on copper, shorted"),
    "foreign_soft": Kind(befalls.foreign_soft, "soft_short", "plating on copper, a leak that comes and goes"),
    "full_hard": Kind(befalls.full_hard, "hard_short", "full cell, its voltage collapses"),
    "full_micro": Kind(befalls.full_micro, "soft_short", "full cell, drops of 20-200 mV that heal"),
    "full_endless": Kind(befalls.full_endless, "soft_short", "full cell, a charge that never ends"),
    "full_sag": Kind(befalls.full_sag, "soft_short", "full cell, discharges itself in its rests"),
    "full_opened": Kind(befalls.full_opened, "contact_loss", "full cell, no current flows any more"),
}
