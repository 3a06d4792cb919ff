"""One cell as a ladder of relaxations: ohmic part, a charge-transfer arc, a diffusion tail, two contacts, a leak.

An arc is a constant phase element beside a resistance (Cole-Cole): not one time constant but a distribution
g(ln tau) ~ sin(pi a) / (cosh(a ln(tau/tau_0)) + cos(pi a)), here some eight rungs over six decades. Each rung
wanders by itself (Ornstein-Uhlenbeck in the logarithm), the interface drifts with the logarithm of time.
Contacts lose area where stripping beats the supply of lithium that the stack pressure keeps up, and the area
heals with plating and creep (review: Adv. Funct. Mater. 2021, 31, 2009925, equations 10 and 11, section 3.6).
Positive current strips electrode 0 and plates electrode 1.
"""

import math
from dataclasses import dataclass

import numpy as np

from ccdmon.model.trace import FloatArray
from ccdmon.simulation.ladder.open_circuit import NoVoltage, OpenCircuit

GAS_CONSTANT_J_MOL_K = 8.314462618
KELVIN = 273.15
LEAST_CONTACT = 1e-4  # less is an open circuit for any cycler
RUNGS_PER_ARC = 8
ARC_DECADES = 3.0  # either side of its middle


@dataclass(frozen=True)
class LadderParameters:
    """Constants of one cell at its reference temperature and pressure, whole cell, not area-specific."""

    area_cm2: float
    ohmic_ohm: float
    transfer_ohm: float
    transfer_s: float
    transfer_exponent: float  # 1: one time constant; 0.7-0.9 for grain boundaries and interfaces
    tail_ohm: float
    tail_s: float
    tail_exponent: float  # 0.5-0.7: like diffusion
    wander: float = 0.01  # standard deviation of the logarithm of each resistance
    wander_s: float = 3e4
    drift_per_decade: float = 0.0  # of the interface: an interphase that grows, or a contact that conditions
    drift_from_s: float = 600.0
    bulk_activation_J_mol: float = 33e3  # solid electrolytes 25-40 kJ/mol (review, section 3.5)
    interface_activation_J_mol: float = 50e3
    pressure_exponent: float = 0.3  # of the interface: 0.5 for circular contacts (review, section 3.6)
    supply_mA_cm2: float = 100.0  # lithium that diffusion and creep bring to the interface at full pressure
    contact_mAh_cm2: float = 0.5  # lithium missing when the contact is gone
    compliance_V: float = 5.0

    @property
    def whole_ohm(self) -> float:
        """Direct-current resistance of the fresh cell."""
        return self.ohmic_ohm + self.transfer_ohm + self.tail_ohm


def arc(resistance_ohm: float, middle_s: float, exponent: float) -> tuple[FloatArray, FloatArray]:
    """Resistances in ohm and time constants in s of an arc's rungs; shapes (RUNGS_PER_ARC,)."""
    span = np.linspace(-ARC_DECADES, ARC_DECADES, RUNGS_PER_ARC) * math.log(10)
    angle = math.pi * min(exponent, 0.97)
    weights = math.sin(angle) / (np.cosh(exponent * span) + math.cos(angle))
    return resistance_ohm * weights / weights.sum(), middle_s * np.exp(span)


class LadderCell:
    """Answers a current (`step`) or a voltage (`hold`); `leak_S`, `bridged`, `relative_pressure`, `open` act on it."""

    def __init__(
        self,
        parameters: LadderParameters,
        rng: np.random.Generator,
        open_circuit: OpenCircuit | None = None,
    ) -> None:
        p = self.parameters = parameters
        transfer, tail = (
            arc(p.transfer_ohm, p.transfer_s, p.transfer_exponent),
            arc(p.tail_ohm, p.tail_s, p.tail_exponent),
        )
        self._rung_ohm = np.concatenate([transfer[0], tail[0]])
        self._rung_s = np.concatenate([transfer[1], tail[1]])
        self._rung_V = np.zeros(2 * RUNGS_PER_ARC)
        self._rng = rng
        # The ohmic part wanders, too: the last of them.
        self._wandered = p.wander * rng.standard_normal(2 * RUNGS_PER_ARC + 1)
        self.open_circuit = open_circuit or NoVoltage()
        self.time_s, self.relative_pressure = 0.0, 1.0
        self.contact = [1.0, 1.0]
        self.jolt = 1.0  # factor on the whole resistance while somebody touches the cell
        self.leak_S, self.bridged, self.opened = 0.0, 0.0, False
        self.ionic_A, self.limited = 0.0, False
        self.reference_degC = 25.0
        self.temperature_degC = 25.0

    def _arrhenius(self, activation_J_mol: float) -> float:
        inverse = 1 / (self.temperature_degC + KELVIN) - 1 / (self.reference_degC + KELVIN)
        return math.exp(activation_J_mol / GAS_CONSTANT_J_MOL_K * inverse)

    def _resistances(self, dt_s: float) -> tuple[float, FloatArray]:
        """Ohmic part and rungs in ohm as they are now, after they wandered on for `dt_s`."""
        p = self.parameters
        keep = math.exp(-dt_s / p.wander_s)
        kick = p.wander * math.sqrt(1 - keep * keep)
        self._wandered = keep * self._wandered + kick * self._rng.standard_normal(len(self._wandered))
        drift = 1 + p.drift_per_decade * math.log10(1 + self.time_s / p.drift_from_s)
        contact = 0.5 / self.contact[0] + 0.5 / self.contact[1]
        pressure = self.relative_pressure**-p.pressure_exponent
        factor = self.jolt * drift * contact * pressure * self._arrhenius(p.interface_activation_J_mol)
        factors = np.exp(self._wandered)
        bulk = p.ohmic_ohm * self.jolt * self._arrhenius(p.bulk_activation_J_mol) * float(factors[-1])
        return bulk * (1 - self.bridged), self._rung_ohm * factors[:-1] * factor

    def direct_ohm(self) -> float:
        """The cell's own direct-current resistance now, without a leak."""
        ohmic, rungs = self._resistances(0.0)
        return ohmic + float(rungs.sum())

    def _line(self, dt_s: float, current_A: float) -> tuple[float, float, FloatArray, FloatArray]:
        """The cell's answer at the end of a step as V = source + slope * ionic current, and the rungs' parts."""
        ohmic, rungs = self._resistances(dt_s)
        decay = np.exp(-dt_s / self._rung_s)
        kept, gain = self._rung_V * decay, rungs * (1 - decay)
        source = self.open_circuit.voltage_V(current_A) + float(kept.sum())
        return source, ohmic + float(gain.sum()), kept, gain

    def step(self, current_A: float, dt_s: float) -> tuple[float, float]:
        """Hold a current for `dt_s` s; (voltage in V, current in A) at the end: less current at the compliance."""
        limit_V = self.parameters.compliance_V
        if self.opened:
            self._relax(dt_s)
            self.limited = current_A != 0.0
            # Nothing conducts: the cycler drives its output to the rail, and in a rest reads what its input floats to.
            return (math.copysign(limit_V, current_A) if current_A else 0.02 * limit_V), 0.0
        line = self._line(dt_s, current_A)
        source, slope = line[0], line[1]
        ionic = (current_A - self.leak_S * source) / (1 + self.leak_S * slope)
        voltage = source + slope * ionic
        self.limited = abs(voltage) > limit_V
        if self.limited:
            voltage = math.copysign(limit_V, voltage)
            ionic = (voltage - source) / slope
            current_A = ionic + self.leak_S * voltage
        self._move(ionic, dt_s, line[2], line[3])
        return voltage, current_A

    @property
    def outrun(self) -> bool:
        """Does stripping take more lithium than comes to a whole interface (eq. 10, 11)?"""
        p = self.parameters
        return 1e3 * abs(self.ionic_A) / p.area_cm2 > p.supply_mA_cm2 * self.relative_pressure

    def hold(self, voltage_V: float, dt_s: float) -> tuple[float, float]:
        """Hold a voltage for `dt_s` s; (voltage in V, current in A) at the end."""
        source, slope, kept, gain = self._line(dt_s, self.ionic_A)
        ionic = (voltage_V - source) / slope
        self._move(ionic, dt_s, kept, gain)
        return voltage_V, ionic + self.leak_S * voltage_V

    def _relax(self, dt_s: float) -> None:
        self._move(0.0, dt_s, self._rung_V * np.exp(-dt_s / self._rung_s), np.zeros_like(self._rung_V))

    def _move(self, ionic_A: float, dt_s: float, kept: FloatArray, gain: FloatArray) -> None:
        """Lithium, contacts and time go on by one step."""
        self._rung_V = kept + gain * ionic_A
        self.ionic_A = ionic_A
        self.time_s += dt_s
        self.open_circuit.move(ionic_A, dt_s)
        density = 1e3 * ionic_A / self.parameters.area_cm2
        for electrode, stripping in ((0, density), (1, -density)):
            self.contact[electrode] = self._contact_after(self.contact[electrode], stripping, dt_s)

    def _contact_after(self, contact: float, stripping_mA_cm2: float, dt_s: float) -> float:
        """Share of one interface in contact after `dt_s`: the flux crowds on what is left."""
        p = self.parameters
        supply = p.supply_mA_cm2 * self.relative_pressure
        excess = stripping_mA_cm2 / contact - supply
        heals = (1 - contact) * (0.05 * supply + 0.5 * max(-stripping_mA_cm2, 0.0))
        rate = -excess if excess > 0 else heals
        changed = contact + rate * dt_s / 3600 / p.contact_mAh_cm2
        return min(max(changed, LEAST_CONTACT), 1.0)
