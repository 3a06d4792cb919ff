"""The electrochemistry of one simulated cell: what its voltage answers to a current.

Circuit (all elements from "Critical Current Density in Solid-State Lithium Metal Batteries", Adv. Funct.
Mater. 2021, 31, 2009925, called *the review* here):

    +--- R_bulk(T) --- [R_0 || C] --- [R_1 || C] --- [R_slow || C] --- V_conc --- EMF ---+
    |                                                                                   |
    +------------------------------- leak (a short) ------------------------------------+

The ionic branch moves lithium, the leak does not. Positive current strips electrode 0 and plates electrode 1.
Interface resistance follows R_int = R_SEI + R_ct (section 2.4), 1/A_active (figure 8), pressure^-1/2
(section 3.6) and Arrhenius (section 3.5). Voids grow where the stripping flux beats diffusion and creep (eq.
10 and 11).

Integration: over one step all resistances and the ionic current are held; each RC then has an exact
exponential answer, and the leak couples them linearly, so a step is stable for any `dt_s` and exact in the
steady state.
"""

import math

from ccdmon.simulation.parameters import CellParameters, CellState, Surroundings

GAS_CONSTANT_J_MOL_K = 8.314462618
FARADAY_C_MOL = 96485.33212
KELVIN = 273.15
# Lithium is 4.9 um per mAh cm-2 (review, section 3.3).
LITHIUM_UM_PER_MAH_CM2 = 4.9
# Saturation of the salt concentration profile. 1 - 1e-9 caps the growth of the depleted layer's resistance at
# atanh(x) = 10.7 times, which is past any compliance that matters.
_DEPLETED = 1.0 - 1e-9
# The smallest contact left: below it a cell is open for any cycler.
_LEAST_CONTACT = 1e-4


class CellModel:
    """One cell; `step` answers a current with a voltage, so that a closed loop can drive it."""

    def __init__(self, parameters: CellParameters, surroundings: Surroundings | None = None) -> None:
        self.parameters = parameters
        self.surroundings = surroundings or Surroundings(
            parameters.reference_degC, parameters.reference_pressure_Pa
        )
        self.state = CellState(voltage_V=parameters.emf_V)
        self._factors, self._factors_degC = (1.0, 1.0), parameters.reference_degC

    @property
    def temperature_degC(self) -> float:
        return self.surroundings.temperature_degC + self.state.self_heating_K

    @property
    def pressure_Pa(self) -> float:
        """Stack pressure: the frame's, plus what moved lithium and voids add. Never below 1 kPa."""
        p, s = self.parameters, self.state
        swelling = p.pressure_per_mAh_cm2_Pa * s.moved_mAh_cm2 + p.pressure_per_void_Pa * sum(s.voids_mAh_cm2)
        return max(self.surroundings.frame_pressure_Pa + swelling, 1e3)

    def _arrhenius(self) -> tuple[float, float]:
        """Factors of bulk and interface resistance against the reference temperature."""
        temperature_degC = self.temperature_degC
        if temperature_degC != self._factors_degC:
            p = self.parameters
            inverse = 1 / (temperature_degC + KELVIN) - 1 / (p.reference_degC + KELVIN)
            over_gas = inverse / GAS_CONSTANT_J_MOL_K
            self._factors = (
                math.exp(p.bulk_activation_J_mol * over_gas),
                math.exp(p.interface_activation_J_mol * over_gas),
            )
            self._factors_degC = temperature_degC
        return self._factors

    def contact(self, electrode: int) -> float:
        """Share of the interface in contact, 1 without voids; R_int goes with its inverse (figure 8)."""
        fill = self.state.voids_mAh_cm2[electrode] / self.parameters.void_capacity_mAh_cm2
        return max(1 / (1 + fill), _LEAST_CONTACT)

    def bulk_ohm(self) -> float:
        """Bulk resistance now, with the bridged part left out and a depleted polymer's growth."""
        p = self.parameters
        x = abs(self.state.depletion)
        # A linear salt profile 1 +- x has a mean inverse concentration of atanh(x)/x.
        depleted = math.atanh(x) / x if x > 1e-6 else 1.0
        bulk = p.bulk_ohm_cm2 / p.area_cm2 * self._arrhenius()[0]
        return bulk * depleted * (1.0 - self.surroundings.bridged)

    def interface_ohm(self, electrode: int) -> float:
        """R_int of one electrode now: Arrhenius, pressure^-1/2, 1/contact, ageing."""
        p, s = self.parameters, self.state
        ageing = 1.0 + p.sei_growth_per_sqrt_s * math.sqrt(s.time_s)
        ageing += p.conditioning * math.exp(-s.time_s / p.conditioning_tau_s)
        pressure = 1.0 / math.sqrt(self.pressure_Pa / p.reference_pressure_Pa)
        arrhenius = self._arrhenius()[1]
        fresh = p.interface_ohm_cm2[electrode] / p.area_cm2 * arrhenius * ageing
        return fresh * pressure / self.contact(electrode)

    def slow_ohm(self) -> float:
        """Resistance of the slow element now, ohm."""
        return self.parameters.slow_ohm_cm2 / self.parameters.area_cm2 * self._arrhenius()[1]

    def ionic_ohm(self) -> float:
        """The cell's own direct-current resistance, no leak."""
        return self.bulk_ohm() + self.interface_ohm(0) + self.interface_ohm(1) + self.slow_ohm()

    def _source_V(self, current_A: float) -> float:
        """EMF, concentration and nucleation overpotential."""
        p, s = self.parameters, self.state
        source = p.emf_V + p.emf_per_mAh_cm2 * s.moved_mAh_cm2
        if p.limiting_mA_cm2 is not None:
            thermal_V = GAS_CONSTANT_J_MOL_K * (self.temperature_degC + KELVIN) / FARADAY_C_MOL
            source += 4 * thermal_V * (1 - p.transference) * math.atanh(s.depletion)
        if p.nucleation_V and current_A > 0:
            source += p.nucleation_V * math.exp(-max(s.moved_mAh_cm2, 0.0) / p.nucleation_mAh_cm2)
        return source

    def step(self, current_A: float, dt_s: float) -> float:
        """Hold `current_A` for `dt_s` seconds (>= 0); returns the terminal voltage in V at the end.

        At the compliance limit the current gives way, see `state.current_A` and `state.limited`.
        """
        p, s, around = self.parameters, self.state, self.surroundings
        fast, slow = math.exp(-dt_s / p.interface_tau_s), math.exp(-dt_s / p.slow_tau_s)
        rest_0, rest_1, rest_slow = s.interface_V[0] * fast, s.interface_V[1] * fast, s.slow_V * slow
        gain_0, gain_1 = self.interface_ohm(0) * (1 - fast), self.interface_ohm(1) * (1 - fast)
        gain_slow = self.slow_ohm() * (1 - slow)
        rests_V, gains_ohm = rest_0 + rest_1 + rest_slow, gain_0 + gain_1 + gain_slow
        ionic, voltage = self._balance(current_A, dt_s, rests_V, gains_ohm)
        s.current_A = ionic + around.leak_S * voltage if s.limited else current_A
        s.interface_V = (rest_0 + gain_0 * ionic, rest_1 + gain_1 * ionic)
        s.slow_V = rest_slow + gain_slow * ionic
        s.ionic_A, s.voltage_V = ionic, voltage
        s.time_s += dt_s
        self._move_lithium(ionic, dt_s)
        self._warm((voltage - p.emf_V) * s.current_A, dt_s)
        return voltage

    def _balance(
        self, current_A: float, dt_s: float, rests_V: float, gains_ohm: float
    ) -> tuple[float, float]:
        """Ionic current and terminal voltage at the end of a step; sets `limited` and the salt's depletion."""
        p, s, leak_S = self.parameters, self.state, self.surroundings.leak_S
        before, ionic, voltage = s.depletion, s.ionic_A, 0.0
        # The depletion is that of the step's end: it follows the current, and the current it (behind a leak).
        for _ in range(1 if p.limiting_mA_cm2 is None else 3):
            source, branch_ohm = self._source_V(current_A) + rests_V, self.bulk_ohm() + gains_ohm
            ionic = (current_A - leak_S * source) / (1 + leak_S * branch_ohm)
            voltage = source + branch_ohm * ionic
            s.depletion = self._depletion_after(before, ionic, dt_s)
        s.limited = abs(voltage) > p.compliance_V
        if not s.limited:
            return ionic, voltage
        limit_V = math.copysign(p.compliance_V, voltage)
        if p.limiting_mA_cm2 is None:
            return (limit_V - source) / branch_ohm, limit_V
        low, high = 0.0, ionic  # the voltage rises with the current: halve the interval
        for _ in range(50):
            ionic = (low + high) / 2
            s.depletion = self._depletion_after(before, ionic, dt_s)
            reached = self._source_V(current_A) + rests_V + (self.bulk_ohm() + gains_ohm) * ionic
            low, high = (low, ionic) if abs(reached) > p.compliance_V else (ionic, high)
        return ionic, limit_V

    def _depletion_after(self, before: float, ionic_A: float, dt_s: float) -> float:
        """Salt depletion after `dt_s` at one ionic current: it relaxes towards I/I_lim, and saturates."""
        p = self.parameters
        if p.limiting_mA_cm2 is None:
            return 0.0
        aim = 1e3 * ionic_A / p.area_cm2 / p.limiting_mA_cm2
        depletion = aim + (before - aim) * math.exp(-dt_s / p.diffusion_tau_s)
        return min(max(depletion, -_DEPLETED), _DEPLETED)

    def _move_lithium(self, ionic_A: float, dt_s: float) -> None:
        p, s = self.parameters, self.state
        j_mA_cm2 = 1e3 * ionic_A / p.area_cm2
        s.moved_mAh_cm2 += j_mA_cm2 * dt_s / 3600
        supply = self.supply_mA_cm2()
        s.voids_mAh_cm2 = (
            self._voids(0, j_mA_cm2, supply, dt_s),
            self._voids(1, -j_mA_cm2, supply, dt_s),
        )

    def _voids(self, electrode: int, stripping_mA_cm2: float, supply: float, dt_s: float) -> float:
        """Missing lithium at one electrode after `dt_s`: J_m against J_0 (eq. 10 and 11)."""
        p = self.parameters
        if stripping_mA_cm2 > 0:
            # The flux crowds on the contact that is left: voids breed voids.
            excess = stripping_mA_cm2 / self.contact(electrode) - supply
            rate = (p.void_yield if excess > 0 else p.creep_heals) * excess
        else:
            rate = p.plating_heals * stripping_mA_cm2 - p.creep_heals * supply
        return max(self.state.voids_mAh_cm2[electrode] + rate * dt_s / 3600, 0.0)

    def supply_mA_cm2(self) -> float:
        """Lithium supplied to the interface, as a current density (eq. 11); creep goes with pressure."""
        p = self.parameters
        creep = p.supply_creep_mA_cm2 * math.pow(self.pressure_Pa / p.reference_pressure_Pa, p.creep_exponent)
        return (p.supply_diffusion_mA_cm2 + creep) / self._arrhenius()[1]

    def _warm(self, heat_W: float, dt_s: float) -> None:
        p, s = self.parameters, self.state
        aim = abs(heat_W) / p.heat_loss_W_K
        s.self_heating_K = aim + (s.self_heating_K - aim) * math.exp(
            -dt_s * p.heat_loss_W_K / p.heat_capacity_J_K
        )
