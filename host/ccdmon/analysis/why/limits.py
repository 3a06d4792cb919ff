"""Which step limited a test: plating, stripping, transport in the electrolyte, the contact's area, the bulk.

Review, section 2.4: contact area comes first, then self-diffusion of lithium and its voids in inorganic electrolytes,
transport of Li+ in polymers; the charge transfer itself is fast. A short is lithium that plated through (2.2.3).
"""

import math

from ccdmon.analysis.events import Event
from ccdmon.analysis.half_cycles import per_area
from ccdmon.analysis.why.stripping import Onset
from ccdmon.analysis.why.subject import Subject, Told, plain, told
from ccdmon.analysis.why.transport import SALT_MOL_CM3, TRANSFERENCE, Depletion, DIFFUSION_cm2_s
from ccdmon.model.kinds import SHORTS

TEXT = {
    "plating": "plating: lithium grew through",
    "stripping": "stripping: voids outran the supply of lithium",
    "transport": "transport in the electrolyte: its salt was used up",
    "contact_area": "the contact's area",
    "bulk": "the bulk of the electrolyte",
}


def stripping(test: Subject, onset: Onset | None) -> Told | None:
    """The critical current of stripping; None where it cannot be read."""
    if onset is None:
        return None
    levels_A = [level.current_A for level in test.protocol.levels]
    seen = onset.level is not None
    critical_A = levels_A[onset.level] if onset.level is not None else None
    below = [a for a in levels_A if critical_A is None or a < critical_A]
    sustained_A = max(below, default=None)
    if critical_A is None and sustained_A is None:
        return None  # nothing was tried
    if critical_A is not None:
        shown_A = critical_A if onset.clear is None else levels_A[onset.clear]
        text = f"voids outran the supply from {_current(test, critical_A)} on (probability {onset.likely:.2f} that "
        text += (
            f"it is this level): resistance grew by {plain(100 * onset.growth, '%', 2)} within a half-cycle "
        )
        text += f"at {_current(test, shown_A)}, {plain(onset.errors, '', 2)} standard errors"
    else:
        text = f"no voids up to {_current(test, sustained_A)}: a lower bound"
    return told(
        "2.4, eq. 10-11", text, critical_mA_cm2=per_area(critical_A, test.area_cm2, 1e3), critical_A=critical_A,
        sustained_mA_cm2=per_area(sustained_A, test.area_cm2, 1e3), sustained_A=sustained_A, lower_bound=not seen,
        growth_per_half_cycle=onset.growth if seen else None, standard_errors=onset.errors if seen else None,
        row=onset.row, probability=certainty(onset) if seen else None, level_probability=onset.likely if seen else None,
    )  # fmt: skip


def certainty(onset: Onset) -> float:
    """That voids did it: of its standard errors, which no drift of ours exceeds 4 of."""
    return 1 / (1 + math.exp(-(onset.errors - 2.5)))


def plating(test: Subject) -> Told | None:
    """The critical current of plating: where a short began; a lower bound where none did."""
    if not test.protocol.levels:
        return None
    short = _short(test)
    critical_A = abs(short.current_A) if short else None
    sustained_A = test.ccd.get("endured_A")
    if critical_A is None and sustained_A is None:
        return None  # nothing was tried
    text = (
        f"lithium grew through at {_current(test, critical_A)}"
        if critical_A is not None
        else f"no short up to {_current(test, sustained_A)}: a lower bound"
    )
    return told(
        "2.2.3", text, critical_mA_cm2=per_area(critical_A, test.area_cm2, 1e3), critical_A=critical_A,
        sustained_mA_cm2=per_area(sustained_A, test.area_cm2, 1e3), sustained_A=sustained_A,
        lower_bound=short is None, probability=short.probability if short else None,
    )  # fmt: skip


def transport(test: Subject, found: Depletion | None) -> Told | None:
    """Limiting current and Sand's time; None where nothing runs away."""
    if found is None:
        return None
    area = test.area_cm2
    density = per_area(found.current_A, area, 1e3)
    diffusion = found.diffusion_cm2_s(area) if area else None
    text = f"polarisation ran away {plain(found.sand_s, 's')} after the step to {_current(test, found.current_A)}"
    if found.below_A is not None:
        text += f", {_current(test, found.below_A)} was carried"
    if diffusion is not None and found.below_A is None:
        text += f"; by Sand's time a salt that diffuses at {plain(diffusion, 'cm2 s-1', 2)} (1 mol/l, t+ 0.3)"
    return told(
        "2.4", text, limiting_current_at_most_mA_cm2=density, limiting_current_at_most_A=found.current_A,
        limiting_current_at_least_mA_cm2=per_area(found.below_A, area, 1e3), sand_time_s=found.sand_s,
        sand_product_mA_cm2_s05=density and density * math.sqrt(found.sand_s), diffusion_cm2_s=diffusion,
        salt_mol_l=1e3 * SALT_MOL_CM3, transference=TRANSFERENCE, growth=found.growth,
    )  # fmt: skip


def limiting_step(test: Subject, onset: Onset | None, depleted: Depletion | None) -> Told:
    """The step, with its evidence and how likely it is; None where nothing limited the test and no spectrum tells."""
    step, probability, evidence = _step(test, onset, depleted)
    if step is None:
        endured_A = test.ccd.get("endured_A")
        tried = endured_A is not None
        text = (
            f"nothing limited it up to {_current(test, endured_A)}" if tried else "no current level was tried"
        )
        return told("2.4", text, step=None, probability=None, evidence={})
    text = f"{TEXT[step]} (probability {probability:.2f}): {_said(evidence)}"
    return told("2.4", text, step=step, probability=probability, evidence=evidence)


Evidence = dict[str, float | str]


def _step(
    test: Subject, onset: Onset | None, depleted: Depletion | None
) -> tuple[str | None, float, Evidence]:
    short, contact = _short(test), _of(test, ("contact_loss",))
    voids = onset if onset is not None and onset.level is not None else None
    grown: Evidence = (
        {"growth_per_half_cycle": voids.growth, "standard_errors": voids.errors} if voids else {}
    )
    if short is not None:
        first = voids is not None and voids.row is not None and voids.row < short.row and voids.growth > 0.05
        evidence: Evidence = {"event": short.kind, "critical_current_mA": 1e3 * abs(short.current_A)}
        return ("stripping" if first else "plating"), (0.6 if first else short.probability), evidence | grown
    if depleted is not None:
        diffusion = depleted.diffusion_cm2_s(test.area_cm2) if test.area_cm2 else None
        likely = diffusion is None or DIFFUSION_cm2_s[0] < diffusion < DIFFUSION_cm2_s[1]
        sand: Evidence = {"sand_time_s": depleted.sand_s, "resistance_growth": depleted.growth}
        sand |= {"diffusion_cm2_s": diffusion} if diffusion is not None else {}
        return "transport", (0.95 if likely else 0.7) if depleted.polymer else 0.7, sand
    if voids is not None:
        return "stripping", max(certainty(voids), contact.probability if contact else 0.0), grown
    if contact is not None:
        return "contact_area", contact.probability, {"event": contact.kind, **_numbers(contact)}
    return _of_spectrum(test)


def _of_spectrum(test: Subject) -> tuple[str | None, float, Evidence]:
    """Where nothing failed the larger resistance is the slower step."""
    found = test.eis.before or test.eis.after
    if found is None or not found.trustworthy or found.total_ohm <= 0:
        return None, 0.0, {}
    share = found.bulk_ohm / found.total_ohm
    error = max(math.hypot(found.bulk_error_ohm, share * found.total_error_ohm) / found.total_ohm, 0.02)
    certain = 0.5 * (1 + math.erf(abs(share - 0.5) / error / math.sqrt(2)))
    evidence: Evidence = {"bulk_ohm": found.bulk_ohm, "interface_ohm": found.interface_ohm}
    return ("bulk" if share > 0.5 else "contact_area"), certain, evidence


def _short(test: Subject) -> Event | None:
    """A fatal one, else the first."""
    shorts = [e for e in test.events if e.kind in SHORTS]
    return next((e for e in shorts if e.fatal), shorts[0] if shorts else None)


def _of(test: Subject, kinds: tuple[str, ...]) -> Event | None:
    return next((e for e in test.events if e.kind in kinds), None)


def _numbers(event: Event) -> dict[str, float]:
    return {k: v for k, v in event.evidence.items() if isinstance(v, float | int) and not isinstance(v, bool)}


def _current(test: Subject, current_A: float | None) -> str:
    """As a density where the area is known."""
    if current_A is None:
        return "any current"
    density = per_area(current_A, test.area_cm2, 1e3)
    return plain(1e3 * current_A, "mA") if density is None else plain(density, "mA cm-2")


UNITS = {"_mA": "mA", "_s": "s", "_ohm": "ohm", "_V": "V", "_cm2_s": "cm2 s-1"}


def _said(evidence: Evidence) -> str:
    """Its numbers with their units."""
    return ", ".join(_one(key, value) for key, value in evidence.items())


def _one(key: str, value: float | str) -> str:
    unit = next((u for u in sorted(UNITS, key=len, reverse=True) if key.endswith(u)), "")
    name = key.removesuffix(unit).replace("_", " ")
    return (
        f"{name} {value.replace('_', ' ')}"
        if isinstance(value, str)
        else f"{name} {plain(value, UNITS.get(unit, ''))}"
    )
