"""Is most of V the open-circuit voltage?"""

from collections.abc import Sequence

import numpy as np

from ccdmon.analysis import thresholds as th
from ccdmon.analysis.contact import is_polymer
from ccdmon.analysis.level.level_test import WARM
from ccdmon.analysis.order_statistics import middle
from ccdmon.analysis.stretches import Stretch


def has_ocv(stretches: Sequence[Stretch], configuration: str, electrolyte: str | None) -> bool:
    """Does V stand on an open-circuit voltage, so that it does not follow the sign of I?

    Asked of the first half-cycles: a dead cell's V follows nothing.
    """
    if configuration in ("symmetric", "full"):
        return configuration == "full"
    most_C = max((s.charge_C for s in stretches), default=0.0)
    loaded = [s for s in stretches if s.sign != 0 and s.charge_C > th.OFFSET_CURRENT * most_C][:WARM]
    if not loaded:
        return True
    usual_V = middle([abs(s.middle_V) for s in loaded[:2]])
    rests = [s for s in stretches if s.sign == 0 and s.count >= 3 and s.first_row < loaded[-1].first_row]
    before = [s for s in stretches if s.sign == 0 and s.first_row < loaded[0].first_row]
    plus_V, minus_V = (middle([s.middle_V for s in loaded if s.sign == sign]) for sign in (1, -1))
    if len({s.sign for s in loaded}) == 2:  # it stands off 0 by a good part of what the current moves it
        return abs(plus_V + minus_V) > th.HALF * abs(plus_V - minus_V)
    # Bare copper stands at volts until lithium is on it, then at nothing.
    if any(th.HALF * usual_V < abs(s.middle_V) < usual_V / th.HALF for s in before):
        return True
    if sum(float(np.sign(s.middle_V)) * s.sign * s.count for s in loaded) < 0:  # it gives power
        return True
    if rests:
        return max(abs(s.middle_V) for s in rests) > th.HALF * usual_V
    return abs(float(loaded[0].volts[0])) > th.OCV_SPAN_V and not is_polymer(electrolyte)
