"""What a rule of the firmware compared, in physical units: the numbers on the wire are the detector's integers."""

from collections.abc import Mapping
from dataclasses import dataclass

from ccdmon.front_end import FrontEnd
from ccdmon_fw import limits

RESISTANCE_RULES = ("hard_short", "partial_short", "soft_short", "contact_loss")
# setting that a `limit` trip quotes -> unit
_LIMITS = (("voltage_limit_units", "V"), ("current_limit_units", "A"), ("pressure_max_code", "Pa"))


@dataclass(frozen=True)
class Compared:
    """Value and limit of a rule in `unit`."""

    value: float
    limit: float
    unit: str


def compared(
    rule: str, value: int, limit: int, settings: Mapping[str, int], front_end: FrontEnd
) -> Compared | None:
    """Physical value and limit, nominal (without calibration, as the board compares); None for a rule without."""
    if rule in RESISTANCE_RULES:
        scale = front_end.voltage_full_scale_V / front_end.current_full_scale_A / limits.UNITS_FULL_SCALE
        return Compared(value * scale, limit * scale, "ohm")
    if rule != "limit":
        return None
    unit = next((unit for name, unit in _LIMITS if settings.get(name) == limit), None)
    scale = _scale(unit, front_end) if unit is not None else None
    return None if unit is None or scale is None else Compared(value * scale, limit * scale, unit)


def _scale(unit: str, front_end: FrontEnd) -> float | None:
    if unit == "Pa":
        pressure_Pa = front_end.pressure_full_scale_Pa
        return None if pressure_Pa is None else pressure_Pa / int(limits.CODE_MAX + 1)
    full_scale = front_end.voltage_full_scale_V if unit == "V" else front_end.current_full_scale_A
    return full_scale / int(limits.UNITS_FULL_SCALE)
