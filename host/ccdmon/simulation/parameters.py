"""Constants, state and surroundings of a simulated cell; `cellphysics` makes them move."""

from dataclasses import dataclass

# Lithium that goes from metal to metal keeps its volume (4.9 um per mAh cm-2 leave one side and come to the other:
# review, section 3.3), so that a symmetric stack hardly breathes: what is left is how unlike its two sides yield.
# On copper it plates less densely than it was; a cathode gives back far less volume than the lithium takes.
SWELLING = {"symmetric": 0.01, "half": 0.2, "full": 1.0}


@dataclass(frozen=True)
class CellParameters:
    """Constants of one cell at its reference temperature and pressure, area-specific."""

    area_cm2: float = 0.785
    bulk_ohm_cm2: float = 60.0
    interface_ohm_cm2: tuple[float, float] = (20.0, 20.0)  # electrode 0 and 1, R_SEI + R_ct
    interface_tau_s: float = 2.0
    slow_ohm_cm2: float = 4.0  # constriction and diffusion near the interface: the slow rise of a half-cycle
    slow_tau_s: float = 120.0
    bulk_activation_J_mol: float = 30e3  # LLZO and sulfides 25-40 kJ/mol (Arrhenius, section 3.5)
    interface_activation_J_mol: float = 45e3
    reference_degC: float = 25.0
    reference_pressure_Pa: float = 5e6
    sei_growth_per_sqrt_s: float = 0.0  # relative growth of R_int with the square root of time
    conditioning: float = 0.0  # relative excess of R_int that wears off with `conditioning_tau_s`
    conditioning_tau_s: float = 3600.0
    # Flux balance, eq. 10 and 11: lithium supply as a current density. The share of diffusion stands for what
    # vacancies can carry off before they saturate (eq. 13 and 14).
    supply_diffusion_mA_cm2: float = 0.2
    supply_creep_mA_cm2: float = 1.0  # at the reference pressure
    creep_exponent: float = 1.0
    void_capacity_mAh_cm2: float = 0.5  # missing lithium that takes half of the contact
    void_yield: float = 0.3  # share of the excess flux that ends as voids instead of a planar retreat
    plating_heals: float = (
        0.03  # share of the plated lithium that goes into voids: most of it grows beside them
    )
    creep_heals: float = 0.03  # share of the supply that goes into voids while it is not needed elsewhere
    # Polymer: salt depletion. None: single-ion conductor (inorganic), no concentration polarisation.
    limiting_mA_cm2: float | None = None
    diffusion_tau_s: float = 600.0
    transference: float = 0.3  # t+ of polymers 0.2-0.4
    # Electrodes
    emf_V: float = (
        0.0  # open-circuit voltage at zero moved charge (full cell), 0 for symmetric and half cells
    )
    emf_per_mAh_cm2: float = 0.0
    nucleation_V: float = 0.0  # extra overpotential when plating starts on a foreign metal (half cell)
    nucleation_mAh_cm2: float = 0.005
    # Pressure and heat
    # Stack pressure per lithium moved from electrode 0 to 1: next to nothing between two electrodes of lithium.
    pressure_per_mAh_cm2_Pa: float = 0.0
    pressure_per_void_Pa: float = 0.0
    heat_loss_W_K: float = 0.02
    heat_capacity_J_K: float = 20.0
    compliance_V: float = 5.0


@dataclass
class CellState:
    """What changes in a cell; `step` owns it. Overpotentials in V, lithium in mAh cm-2."""

    time_s: float = 0.0
    interface_V: tuple[float, float] = (0.0, 0.0)
    slow_V: float = 0.0
    depletion: float = 0.0  # -1 .. 1: salt concentration difference over its maximum
    voids_mAh_cm2: tuple[float, float] = (0.0, 0.0)
    moved_mAh_cm2: float = 0.0  # lithium, not electrons: a leak moves none
    self_heating_K: float = 0.0
    ionic_A: float = 0.0
    voltage_V: float = 0.0
    current_A: float = 0.0  # what really flowed: less than asked for at the compliance limit
    limited: bool = False


@dataclass
class Surroundings:
    """Set from outside between steps: chamber, frame, and the short."""

    temperature_degC: float = 25.0
    frame_pressure_Pa: float = 5e6
    leak_S: float = 0.0  # conductance parallel to the whole cell
    bridged: float = 0.0  # share of the bulk resistance that metal bridges (partial short, figure 7)
