"""How large a test was: thickness of the lithium moved, C-rates, region of its areal capacity, nucleation on copper.

Lithium is 4.9 um per mAh cm-2 (review, section 3.3). More than 3 mA cm-2 and 3 mAh cm-2 are essential, commercial cells
hold 4 mAh cm-2 (section 5), so that 1 C is 4 mA cm-2 as in the review's table of standards.
"""

import numpy as np

from ccdmon.analysis.order_statistics import middle
from ccdmon.analysis.stretches import Stretch
from ccdmon.analysis.why.subject import Subject, Told, plain, told

LITHIUM_um_cm2_mAh = 4.9
ESSENTIAL_mAh_cm2 = 3.0
COMMERCIAL_mAh_cm2 = 4.0
# Capacities of a half-cycle as they are chosen (review, 2.3.1: 0.2, 0.5, 1 mAh cm-2 or more), and the targets.
REGIONS = (
    (0.2, "below what capacity control begins with"),
    (1.0, "usual of a laboratory's ramp"),
    (ESSENTIAL_mAh_cm2, "below what is essential in practice"),
    (COMMERCIAL_mAh_cm2, "essential in practice, below commercial cells"),
    (float("inf"), "of commercial cells"),
)
NUCLEATION_CLEAR = 4.0  # times the noise of its rows


def lithium(test: Subject) -> Told | None:
    """Thickness of lithium moved in a half-cycle of the level named by the CCD; None without an area."""
    capacity = test.ccd["capacity_per_half_cycle_mAh_cm2"]
    if capacity is None or test.cell.metadata.get("cell", {}).get("electrodes", "Li")[:2] == "Na":
        return None
    um = LITHIUM_um_cm2_mAh * capacity
    total_um = LITHIUM_um_cm2_mAh * test.ccd["cumulative_capacity_mAh_cm2"]
    text = f"a half-cycle moves {plain(um)} um of lithium, all of them {plain(total_um)} um"
    return told("3.3", text, per_half_cycle_um=um, cumulative_um=total_um)


def areal_capacity(test: Subject) -> Told | None:
    """Which region of areal capacities the test was in."""
    capacity = test.ccd["capacity_per_half_cycle_mAh_cm2"]
    if capacity is None:
        return None
    region = next(name for most, name in REGIONS if capacity < most)
    text = f"{plain(capacity)} mAh cm-2 a half-cycle: {region} ({ESSENTIAL_mAh_cm2:g} are essential)"
    share = capacity / ESSENTIAL_mAh_cm2
    return told("5", text, per_half_cycle_mAh_cm2=capacity, region=region, share_of_essential=share)


def c_rates(test: Subject) -> Told | None:
    """The endured current density as a rate: of the test's own half-cycle, and of a commercial cell's capacity."""
    hours = test.ccd["half_cycle_s"] and test.ccd["half_cycle_s"] / 3600
    endured = test.ccd["endured_mA_cm2"]
    if not hours or endured is None:
        return None
    commercial = endured / COMMERCIAL_mAh_cm2
    text = (
        f"{plain(endured)} mA cm-2 are {plain(commercial)} C of a cell of {COMMERCIAL_mAh_cm2:g} mAh cm-2; "
        f"the half-cycles of this test are {plain(1 / hours)} C of what they move"
    )
    return told(
        "5", text, at_3_mAh_cm2_per_h=endured / ESSENTIAL_mAh_cm2, at_4_mAh_cm2_per_h=commercial,
        of_half_cycle_per_h=1 / hours,
    )  # fmt: skip


def nucleation(test: Subject) -> Told | None:
    """Overpotential of the first lithium on a foreign metal: how far |V| begins above where it settles (eq. 1-6)."""
    loaded = [s for s in test.loaded if s.first_row < test.ends_row]
    if test.cell.configuration != "half" or len(loaded) < 1:
        return None
    peak_V, plateau_V = _peak(loaded[0])
    if peak_V <= 0 or peak_V < NUCLEATION_CLEAR * loaded[0].noise_V or not _turned(loaded):
        return None
    text = f"the first lithium nucleates {plain(1e3 * peak_V, 'mV')} above the plateau of its plating"
    return told("2.2.1, eq. 1-6", text, overpotential_V=peak_V, plateau_V=plateau_V)


def _turned(loaded: list[Stretch]) -> bool:
    """Against an alloy V keeps its sign: there is no foreign metal to nucleate on."""
    signs = {float(np.sign(s.middle_V)) * s.sign for s in loaded[:6]}
    return len(signs) == 1


def _peak(s: Stretch) -> tuple[float, float]:
    """|V| at the top of the first eighth over the least that follows in as much again, and that, in V."""
    volts = np.abs(s.blocks.trimmed_V)
    eighth = max(volts.size // 8, 3)
    top = int(np.argmax(volts[:eighth]))
    lowest = top + int(np.argmin(volts[top : 3 * eighth]))
    plateau_V = middle(volts[max(lowest - 1, top) : lowest + 3])
    return float(volts[top]) - plateau_V, plateau_V
