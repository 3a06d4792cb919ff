"""Salt depletion in a polymer: the polarisation runs away at the limiting current, and begins anew after a reversal.

Transport of Li+ is the slow step of polymers (review, section 2.4). Above the limiting current the salt at the plated
electrode is used up after Sand's time, pi D (c F / (2 j (1 - t+)))^2; what a polymer's salt (1 mol/l, t+ 0.3: 0.2-0.4
in the review) would have to diffuse by is told beside it, for polymers have about 1e-8 cm2 s-1.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ccdmon.analysis.contact import is_polymer
from ccdmon.analysis.order_statistics import middle
from ccdmon.analysis.why.half_cycle_rows import Explained, HalfCycleRows

FARADAY_C_MOL = 96485.33212
SALT_MOL_CM3, TRANSFERENCE = 1e-3, 0.3
RUNS_AWAY = 1.6  # of the resistance at the end of the half-cycles before, or of the first half of the first
KEPT = 1.3  # of what half-cycles begin with: more is a loss that a reversal does not mend
DIFFUSION_cm2_s = (1e-10, 1e-6)  # of any polymer's salt


@dataclass(frozen=True)
class Depletion:
    """Where the salt was used up first; `below_A` is the largest current before that was carried, None if none."""

    current_A: float
    below_A: float | None
    sand_s: float
    growth: float
    row: int
    polymer: bool

    def diffusion_cm2_s(self, area_cm2: float) -> float:
        """Of the salt, by Sand's time."""
        density = self.current_A / area_cm2
        used = 2 * density * (1 - TRANSFERENCE) / (SALT_MOL_CM3 * FARADAY_C_MOL)
        return self.sand_s * used * used / math.pi


def depletion(
    test: Sequence[HalfCycleRows], electrolyte: str | None, explained: Explained
) -> Depletion | None:
    """None where nothing runs away, or where it is a loss of contact: that stays after a reversal.

    An inorganic electrolyte by its name conducts one ion and has no salt to use up.
    """
    polymer = is_polymer(electrolyte)
    if electrolyte and not polymer:
        return None
    usual: float | None = None
    begins: list[float] = []
    carried_A: list[float] = []
    for k, h in enumerate(test):
        ohm = h.ohm * np.exp(-explained(h.blocks))
        if ohm.size < 4:
            continue
        end = middle(ohm[-max(ohm.size // 4, 1) :])
        reference = middle(ohm[1 : ohm.size // 2 + 1]) if usual is None else usual
        highest = float(np.max(ohm[ohm.size // 2 :]))
        level_A = abs(h.stretch.current_A)
        if reference > 0 and highest > RUNS_AWAY * reference and level_A >= max(carried_A, default=0.0):
            later = test[k + 1] if k + 1 < len(test) else None
            if polymer or (later is not None and begins and _begin(later) < KEPT * middle(begins)):
                at = int(np.argmax(ohm > RUNS_AWAY * reference))
                below = [a for a in carried_A if a < 0.97 * level_A]
                return Depletion(
                    level_A, max(below, default=None), float(h.middle_s[at]), highest / reference,
                    h.stretch.first_row, polymer,
                )  # fmt: skip
        usual = end if usual is None else min(usual, end)
        begins.append(_begin(h))
        carried_A.append(level_A)
    return None


def _begin(h: HalfCycleRows) -> float:
    return middle(h.ohm[1:4])
