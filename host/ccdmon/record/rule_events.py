"""What a line of the event log says of a rule that fired: names, the device's numbers, and what they mean physically.

`identity` is the device's own document, which names its rules and reasons; what it lacks this version knows.
"""

from collections.abc import Mapping
from typing import Any

from ccdmon.model.front_end import FrontEnd
from ccdmon.rig.physical import compared
from ccdmon.rig.trip_words import trip_words
from ccdmon_fw import limits

Identity = Mapping[str, Any]
_CODED = ("reason", "repeat", "action", "rule")  # fields that are told by name instead


def reason_of(code: int, identity: Identity) -> str:
    """A reason code by name."""
    reasons = identity.get("reasons", limits.REASONS)
    return str(reasons[code]) if code < len(reasons) else f"reason_{code}"


def rule_of(fields: Mapping[str, int], identity: Identity) -> str:
    """An event names its rule, a trip only the reason."""
    rules = identity.get("rules", limits.RULES)
    number = fields.get("rule", len(rules))
    return str(rules[number]) if number < len(rules) else reason_of(fields["reason"], identity)


def action_of(fields: Mapping[str, int]) -> str:
    """What the rule did, of an event."""
    names = {limits.ACTION_INFORM: "inform", limits.ACTION_TRIP: "trip"}
    return names.get(fields.get("action", limits.ACTION_WARN), "warn")


def told_of(fields: Mapping[str, int], identity: Identity, front_end: FrontEnd | None) -> str:
    """Which rule tripped, in words: the reason, and what was compared."""
    return trip_words(reason_of(fields["reason"], identity), fields, identity, front_end)


def described(
    fields: Mapping[str, int], identity: Identity, front_end: FrontEnd | None, period_s: float
) -> dict[str, Any]:
    """The entries of the log's line that the fields of a `trip` or `event` give."""
    rule = rule_of(fields, identity)
    return {
        "rule": rule,
        "reason": reason_of(fields["reason"], identity),
        **{key: value for key, value in fields.items() if key not in _CODED},
        **_physical(rule if "rule" in fields else None, fields, identity, front_end),
        **_window(identity, period_s),
    }


def _physical(
    rule: str | None, fields: Mapping[str, int], identity: Identity, front_end: FrontEnd | None
) -> dict[str, Any]:
    """Value and limit in physical units; a trip names no rule."""
    if front_end is None:
        return {}
    found = compared(
        rule, reason_of(fields["reason"], identity), fields["value"], fields["limit"], identity, front_end
    )
    if found is None:
        return {}
    return {"value_physical": found.value, "limit_physical": found.limit, "unit": found.unit}


def _window(identity: Identity, period_s: float) -> dict[str, Any]:
    """Samples a rule waits for before it acts, and what that takes: the edge acts in the last one's own tick."""
    samples = identity.get("settings", {}).get("confirm_samples")
    if samples is None:
        return {}
    return {
        "window_samples": samples,
        "window_s": samples * period_s,
        "latency_s": (samples - 1) * period_s,
        "latency_from": "the first suspicious sample to the verdict",
    }
