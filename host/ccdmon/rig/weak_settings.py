"""What of a board's settings leaves a cell less watched than it seems, in words for whoever arms it."""

from collections.abc import Mapping
from typing import Any

from ccdmon_fw import limits

LONG_SETTLE_S = 10.0  # the default is 0.3 s
LONG_CONFIRM_S = 1.0
LARGE_SHARE = 0.125  # of full scale: a level of current, or a fall of the voltage
SMALL_COLLAPSE_64THS = limits.COLLAPSE_64THS // 2
_DEFAULTS = dict(zip(limits.SETTINGS, limits.default_settings(), strict=True))
_SWITCHED_OFF = {
    "hard_short": "no short opens the gate",
    "limit_voltage": "no voltage opens the gate",
    "limit_current": "no current opens the gate",
    "stuck": "a converter that stands still does not open the gate",
    "blind": "a converter that froze does not open the gate",
    "open_wire": "a wire that came off does not open the gate",
}


def weak_settings(settings: Mapping[str, int], identity: Mapping[str, Any]) -> list[str]:
    """One line for each weakness; `settings` by the names in `limits.SETTINGS`, `identity` as the board states it."""
    known = {**_DEFAULTS, **settings}
    return [*_rules(known), *_never(known), *_inputs(known, identity)]


def _rules(known: Mapping[str, int]) -> list[str]:
    """Rules that trip by default and do not here."""
    lines = []
    for rule in limits.RULES:
        name = f"action_{rule}"
        action = known.get(name, _DEFAULTS[name])
        if action < _DEFAULTS[name] == limits.ACTION_TRIP:
            what = _SWITCHED_OFF.get(rule, "it does not open the gate")
            lines.append(f"{rule} is set to {limits.ACTIONS[action]}: {what}")
    return lines


def _never(known: Mapping[str, int]) -> list[str]:
    """A hard short that is looked for too late, or never."""
    period_s = known["sample_period_us"] * 1e-6
    settle_s, confirm_s = known["settle_samples"] * period_s, known["confirm_samples"] * period_s
    on, drop = known["current_on_units"], known["voltage_drop_min_units"]
    lines = []
    if settle_s > LONG_SETTLE_S:
        lines.append(f"no short is looked for in the first {settle_s:.0f} s of each half-cycle (settle_s)")
    if confirm_s > LONG_CONFIRM_S:
        lines.append(f"a short opens the gate after {confirm_s:.1f} s only (confirm_samples)")
    if known["collapse_64ths"] < SMALL_COLLAPSE_64THS:
        lines.append(f"only a voltage that falls below {known['collapse_64ths']}/64 of its past is a short")
    if on > LARGE_SHARE * limits.UNITS_FULL_SCALE:
        lines.append(f"no short is looked for below {on / limits.UNITS_FULL_SCALE:.0%} of full scale current")
    if drop > LARGE_SHARE * limits.UNITS_FULL_SCALE:
        lines.append(f"a voltage that falls by less than {drop / limits.UNITS_FULL_SCALE:.0%} is no short")
    return lines


def _inputs(known: Mapping[str, int], identity: Mapping[str, Any]) -> list[str]:
    if known["external_trip"] == 0 and identity.get("external_trip"):
        return ["the external trip (GP14) is not looked at"]
    return []
