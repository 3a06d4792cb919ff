"""What an armed board cuts off, in words, from the settings in force."""

from collections.abc import Mapping

from ccdmon.model.front_end import FrontEnd
from ccdmon.rig.physical import CHANNELS
from ccdmon.rig.trip_words import level
from ccdmon_fw import limits


def watched(settings: Mapping[str, int], front_end: FrontEnd | None) -> str:
    """`voltage -4.5 V to 4.5 V, pressure from 2 MPa; rules: hard_short, ...`: outside of these the gate opens."""
    windows = [window for channel in CHANNELS if (window := _window(channel, settings, front_end))]
    rules = [
        rule
        for rule in limits.RULES
        if settings.get(f"action_{rule}") == limits.ACTION_TRIP and not rule.startswith(("limit_", "rate_"))
    ]
    rates = [
        f"rate of {channel}"
        for channel in CHANNELS
        if settings.get(f"rate_{channel}_codes", limits.CODE_MAX) < limits.CODE_MAX
        and settings.get(f"action_rate_{channel}") == limits.ACTION_TRIP
    ]
    return f"{', '.join(windows + rates) or 'no limits'}; rules: {', '.join(rules)}"


def _window(channel: str, settings: Mapping[str, int], front_end: FrontEnd | None) -> str:
    """Empty where no limit of the channel trips."""
    if settings.get(f"action_limit_{channel}") != limits.ACTION_TRIP:
        return ""
    low, high = settings.get(f"{channel}_min_code", 0), settings.get(f"{channel}_max_code", limits.CODE_MAX)
    begins, ends = low > 0, high < limits.CODE_MAX
    if begins and ends:
        return f"{channel} {level(channel, low, front_end)} to {level(channel, high, front_end)}"
    if begins:
        return f"{channel} from {level(channel, low, front_end)}"
    return f"{channel} up to {level(channel, high, front_end)}" if ends else ""
