"""What a rule of the firmware compared, in physical units: the numbers on the wire are the detector's integers.

What `value` and `limit` of a rule are stands beside the rule in the firmware (`limits.COMPARED`) and comes with the
device's identity. A trip names its reason alone: what all its rules that may trip compare alike can be told; which
limit a trip on `limit` means shows in the setting it quotes (`trip_words.py` says it in words).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from ccdmon.model.front_end import FrontEnd
from ccdmon_fw import limits

CHANNELS = ("voltage", "current", "pressure")


@dataclass(frozen=True)
class Compared:
    """Value and limit of a rule in `unit`, nominal: without calibration, as the board compares."""

    value: float
    limit: float
    unit: str


def compared(
    rule: str | None, reason: str, value: int, limit: int, identity: Mapping[str, Any], front_end: FrontEnd
) -> Compared | None:
    """Physical value and limit of a rule, or of a trip for this reason (`rule` None); None for what has no unit.

    `identity` is the device's: its rules, what they compare, its settings.
    """
    kinds = _of_reason(reason, value, limit, identity) if rule is None else _of_rule(rule, identity)
    if len(kinds) != 1:
        return None
    scale, zero, unit = _scale(kinds.pop(), front_end)
    if unit is None:
        return None
    return Compared((value - zero) * scale, (limit - zero) * scale, unit)


def _of_rule(rule: str, identity: Mapping[str, Any]) -> set[str]:
    rules: Sequence[str] = identity.get("rules", limits.RULES)
    kinds: Sequence[str] = identity.get("compared", limits.COMPARED)
    return {kind for name, kind in zip(rules, kinds, strict=False) if name == rule}


def _of_reason(reason: str, value: int, limit: int, identity: Mapping[str, Any]) -> set[str]:
    """What the rules compare that trip with this reason."""
    settings: Mapping[str, int] = identity.get("settings", {})
    if reason == "limit":
        return {quoted.kind for quoted in quoted_limits(value, limit, settings)}
    rules: Sequence[str] = identity.get("rules", limits.RULES)
    reasons: Sequence[str] = identity.get("reasons", limits.REASONS)
    return {
        kind
        for rule, number in zip(rules, identity.get("rule_reasons", limits.RULE_REASONS), strict=False)
        if number < len(reasons)
        and reasons[number] == reason
        and settings.get(f"action_{rule}", limits.ACTION_TRIP) == limits.ACTION_TRIP
        for kind in _of_rule(rule, identity)
    }


class Quoted(NamedTuple):
    """A limit that a trip names by the value of its setting."""

    channel: str
    end: str  # "min", "max" of its codes, or "rate" from block to block

    @property
    def kind(self) -> str:
        """Of `limits.COMPARED`."""
        return f"{self.channel}_{'change' if self.end == 'rate' else 'code'}"


def quoted_limits(value: int, limit: int, settings: Mapping[str, int]) -> list[Quoted]:
    """The limits that this may be, of rules that trip: their setting is `limit`, and `value` lies beyond it."""
    found = []
    for channel in CHANNELS:
        for end, setting in (
            ("min", f"{channel}_min_code"), ("max", f"{channel}_max_code"), ("rate", f"rate_{channel}_codes"),
        ):  # fmt: skip
            rule = f"{'rate' if end == 'rate' else 'limit'}_{channel}"
            trips = settings.get(f"action_{rule}", limits.ACTION_TRIP) == limits.ACTION_TRIP
            beyond = value < limit if end == "min" else value > limit
            if trips and beyond and settings.get(setting) == limit:
                found.append(Quoted(channel, end))
    return found


def _scale(kind: str, front_end: FrontEnd) -> tuple[float, int, str | None]:
    """(physical value of one, what stands for zero, unit) of a kind of `limits.COMPARED`; no unit: none known."""
    if kind == limits.BLOCKS:
        return 1.0, 0, "blocks"
    if kind in (limits.VOLTAGE, limits.SECOND_DIFFERENCE):
        return front_end.voltage_full_scale_V / int(limits.UNITS_FULL_SCALE), 0, "V"
    channel, _, what = kind.partition("_")
    zero = int(limits.CODE_ZERO) if what == "code" else 0
    if channel == "voltage":
        return front_end.voltage_full_scale_V / int(limits.CODE_ZERO), zero, "V"
    if channel == "current":
        return front_end.current_full_scale_A / int(limits.CODE_ZERO), zero, "A"
    if channel == "pressure" and front_end.pressure_full_scale_Pa is not None:
        return front_end.pressure_full_scale_Pa / int(limits.CODE_MAX + 1), 0, "Pa"
    return 0.0, 0, None


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
