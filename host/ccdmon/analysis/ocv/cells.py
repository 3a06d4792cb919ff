"""Full and half cells: most of V is the open-circuit voltage, so V / I tells nothing.

What tells: V lost within a row at constant current (no state of charge can do that) and whether it comes back; charge
beyond what the cell ever took, while V makes no progress; V that goes on falling in a rest; charge that does not
come back; the resistance of steps of the current; V that follows I and nothing else once the cell is dead.
"""

from collections.abc import Sequence

from ccdmon.analysis.events import Event
from ccdmon.analysis.ocv.charge import endless, rising_with, unreturned
from ccdmon.analysis.ocv.dips import dips_of
from ccdmon.analysis.ocv.lasting import dead, shifted
from ccdmon.analysis.ocv.losses import losses
from ccdmon.analysis.ocv.rests import sagging, step_resistance
from ccdmon.analysis.ocv.runs import runs_of
from ccdmon.analysis.stretches import Stretch


def judged(stretches: Sequence[Stretch], rows: int, steps: Sequence[dict[str, float]]) -> list[Event]:
    """All events of such a cell."""
    runs = runs_of(stretches)
    charging = rising_with(runs)
    events = [*losses(stretches, steps)]
    if not any(e.kind == "hard_short" for e in events):
        events += dead(stretches, charging) or ([] if events else shifted(runs))
    end = next((e.row for e in events if e.kind == "hard_short"), rows)
    sound = [s for s in stretches if s.first_row < end]
    events += dips_of(sound, end)
    taken = endless(runs_of(sound))
    events += taken
    events += sagging([s for s in sound if s.last_row < end], charging)
    events += [] if taken else unreturned(runs, end)
    if not any(e.evidence["criterion"] == "V falls on in rests" for e in events):
        events = _with_contact(events, step_resistance(sound), sound)
    return sorted((e for e in events if e.row <= end), key=lambda e: e.row)


def _with_contact(
    events: Sequence[Event], contact: Sequence[Event], stretches: Sequence[Stretch]
) -> list[Event]:
    """Where the resistance of steps has grown, what is lost across a step is that and no short."""
    if not contact:
        return list(events)
    steps = {s.first_row for s in stretches if s.first_row >= contact[0].row}
    return [e for e in events if e.kind != "partial_short" or e.row not in steps] + list(contact)
