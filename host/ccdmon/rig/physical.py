"""What a rule of the firmware compared, in physical units: the numbers on the wire are the detector's integers.

Shorts and divergence compare voltages along the current (1/16384 of full scale), limits and rates codes of a channel
(`firmware/PROTOCOL.md`); which channel a trip on `limit` means shows in the setting it quotes.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from ccdmon.model.front_end import FrontEnd
from ccdmon_fw import limits

VOLTAGE_RULES = ("hard_short", "partial_short", "soft_short", "contact_loss")
CHANNELS = ("voltage", "current", "pressure")


@dataclass(frozen=True)
class Compared:
    """Value and limit of a rule in `unit`, nominal: without calibration, as the board compares."""

    value: float
    limit: float
    unit: str


def compared(
    rule: str, value: int, limit: int, settings: Mapping[str, int], front_end: FrontEnd
) -> Compared | None:
    """Physical value and limit of a reason or rule; None where it compared nothing that has a unit."""
    if rule in VOLTAGE_RULES:
        scale = front_end.voltage_full_scale_V / int(limits.UNITS_FULL_SCALE)
        return Compared(value * scale, limit * scale, "V")
    channel = _channel(rule, limit, settings)
    if channel is None:
        return None
    if channel == "pressure":
        return _pressure(value, limit, front_end)
    full_scale = front_end.voltage_full_scale_V if channel == "voltage" else front_end.current_full_scale_A
    zero = 0 if rule.startswith("rate") else int(limits.CODE_ZERO)
    scale = full_scale / int(limits.CODE_ZERO)
    return Compared((value - zero) * scale, (limit - zero) * scale, "V" if channel == "voltage" else "A")


def physical_limits(
    settings: Mapping[str, int], front_end: FrontEnd, sample_interval_s: float
) -> dict[str, float | int]:
    """The firmware's settings as the keys of a rig file's `[limits]`, nominal; what no code limits is left out."""
    found: dict[str, float | int] = {}
    for name, unit, full_scale in (
        ("voltage", "V", front_end.voltage_full_scale_V), ("current", "A", front_end.current_full_scale_A),
    ):  # fmt: skip
        low, high = (
            (settings[f"{name}_{end}_code"] / limits.CODE_ZERO - 1) * full_scale for end in ("min", "max")
        )
        if settings[f"{name}_max_code"] < limits.CODE_MAX:
            found[f"{name}_{unit}"] = _six_digits(high)
        if settings[f"{name}_min_code"] > 0 and name == "voltage" and abs(low + high) > 1e-3 * full_scale:
            found[f"{name}_min_{unit}"] = _six_digits(low)
    if front_end.pressure_full_scale_Pa is not None:
        code_Pa = front_end.pressure_full_scale_Pa / (limits.CODE_MAX + 1)
        if settings["pressure_max_code"] < limits.CODE_MAX:
            found["pressure_max_Pa"] = _six_digits(settings["pressure_max_code"] * code_Pa)
        if settings["pressure_min_code"] > 0:
            found["pressure_min_Pa"] = _six_digits(settings["pressure_min_code"] * code_Pa)
    found["settle_s"] = _six_digits(settings["settle_samples"] * sample_interval_s)
    found["confirm_samples"] = settings["confirm_samples"]
    return found


def _six_digits(value: float) -> float:
    return float(f"{value:.6g}")


def _channel(rule: str, limit: int, settings: Mapping[str, int]) -> str | None:
    named = rule.removeprefix("limit_").removeprefix("rate_")
    if named in CHANNELS:
        return named
    if rule != "limit":
        return None
    quoted = ((name, settings.get(f"{name}_{end}_code")) for name in CHANNELS for end in ("min", "max"))
    return next((name for name, setting in quoted if setting == limit), None)


def _pressure(value: int, limit: int, front_end: FrontEnd) -> Compared | None:
    if front_end.pressure_full_scale_Pa is None:
        return None
    scale = front_end.pressure_full_scale_Pa / int(limits.CODE_MAX + 1)
    return Compared(value * scale, limit * scale, "Pa")
