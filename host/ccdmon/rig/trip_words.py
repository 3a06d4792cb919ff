"""What a trip says in words: which limit, with what was measured and what was allowed.

    limit: pressure 1.21 MPa below 2 MPa (pressure_min_Pa)
    hard short: 12 mV, limit 131 mV
    external

The wire carries a reason and two numbers; which limit of the rig file they are shows in the settings in force
(`physical.py`). Values are calibrated, as the rig file's limits are. Where no full scale is
known they are shares of it.
"""

from collections.abc import Mapping
from typing import Any

from ccdmon.model.front_end import CODE_ZERO, FrontEnd, Linear
from ccdmon.rig.physical import Quoted, compared, quoted_limits
from ccdmon.rig.sizing import si as plain
from ccdmon_fw import limits

UNITS = {"voltage": "V", "current": "A", "pressure": "Pa"}
RATES = {"voltage": "voltage_rate_V_s", "current": "current_rate_A_s", "pressure": "pressure_rate_Pa_s"}
LIMIT = limits.REASONS[limits.LIMIT]


def trip_words(
    reason: str, fields: Mapping[str, int], identity: Mapping[str, Any], front_end: FrontEnd | None
) -> str:
    """The reason, and what was compared where that is known; a person reads it.

    `fields`: `value` and `limit` of the device's message; `identity`: its document, with the settings in force.
    """
    value, limit = fields["value"], fields["limit"]
    settings: Mapping[str, int] = identity.get("settings") or {}
    name = reason.replace("_", " ")
    if reason == LIMIT:
        found = quoted_limits(value, limit, settings)
        if len(found) == 1:
            return f"{name}: {_beyond(found[0], value, limit, settings, front_end)}"
        which = " or ".join(dict.fromkeys(quoted.channel for quoted in found))
        return f"{name}: {which} beyond its limit" if which else name
    known = None if front_end is None else compared(None, reason, value, limit, identity, front_end)
    if known is None or known.unit not in UNITS.values():
        return name
    return f"{name}: {si(known.value, known.unit)}, limit {si(known.limit, known.unit)}"


def si(value: float, unit: str) -> str:
    """As a page and a terminal set it."""
    return plain(value, unit).replace(" u", " µ")


def _beyond(
    quoted: Quoted, value: int, limit: int, settings: Mapping[str, int], front_end: FrontEnd | None
) -> str:
    channel = quoted.channel
    if quoted.end == "rate":
        shift = max(0, min(settings.get("block_shift", 0), limits.BLOCK_SHIFT_CEILING))
        block_s = (1 << shift) * settings.get("sample_period_us", 0) * 1e-6
        told = (_change(channel, codes, block_s, front_end) for codes in (value, limit))
        return "{} changes by {}, more than {} ({})".format(channel, *told, RATES[channel])
    told = (level(channel, code, front_end) for code in (value, limit))
    side = "below" if quoted.end == "min" else "above"
    return f"{channel} {next(told)} {side} {next(told)} ({_key(quoted, limit)})"


def _key(quoted: Quoted, limit: int) -> str:
    """Of `[limits]` in a rig file; a window round zero has one key for both ends."""
    channel, unit = quoted.channel, UNITS[quoted.channel]
    if channel == "pressure":
        return f"pressure_{quoted.end}_{unit}"
    return f"{channel}_min_{unit}" if quoted.end == "min" and limit >= CODE_ZERO else f"{channel}_{unit}"


def _scale(channel: str, front_end: FrontEnd | None) -> tuple[float, Linear] | None:
    """(full scale, calibration); None: nobody knows it."""
    if front_end is None:
        return None
    full: float | None = getattr(front_end, f"{channel}_full_scale_{UNITS[channel]}")
    return None if full is None else (full, getattr(front_end, channel))


def level(channel: str, code: int, front_end: FrontEnd | None) -> str:
    """What a code of a channel stands for, calibrated; where no full scale is known, its share of that."""
    share = code / (limits.CODE_MAX + 1) if channel == "pressure" else code / CODE_ZERO - 1
    scale = _scale(channel, front_end)
    if scale is None:
        return f"{share:.1%} of full scale"
    full, calibrated = scale
    return si(calibrated.gain * share * full + calibrated.offset, UNITS[channel])


def _change(channel: str, codes: int, block_s: float, front_end: FrontEnd | None) -> str:
    """Per second; of what no block is known of, per block."""
    per, seconds = ("s", block_s) if block_s else ("block", 1.0)
    share = codes / (limits.CODE_MAX + 1 if channel == "pressure" else CODE_ZERO) / seconds
    scale = _scale(channel, front_end)
    if scale is None:
        return f"{share:.2%} of full scale/{per}"
    full, calibrated = scale
    return f"{si(abs(calibrated.gain) * share * full, UNITS[channel])}/{per}"
