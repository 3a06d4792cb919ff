"""Front ends that are not perfect, by name, within what a board still arms: for tables and campaigns.

replay.replay_on(session, trace, imperfect=errors_text("all of it", front_end),
                 voltage_zero_V=voltage_zero_V("all of it", front_end))     # as `ccdmon calibrate` finds it
"""

from ccdmon.model.front_end import CODE_ZERO, READING_ZERO, FrontEnd
from ccdmon_fw import limits

ZERO = 0.95 * limits.ZERO_CODES / CODE_ZERO  # of full scale, the most that is armed and a little less
# Shares of full scale; noise in steps of the converter, standard deviation.
FRONT_ENDS: dict[str, dict[str, float]] = {
    "perfect": {},
    "zeros up": {"voltage_zero": ZERO, "current_zero": ZERO},
    "zeros down": {"voltage_zero": -ZERO, "current_zero": -ZERO},
    "gains": {"voltage_gain": 1.01, "current_gain": 0.99},
    "noise 1 step": {"noise": 1.0},
    "noise 3 steps": {"noise": 3.0},
    "all of it": {"voltage_zero": ZERO, "current_zero": -ZERO, "voltage_gain": 0.99, "noise": 2.0},
}


def errors_text(name: str, front_end: FrontEnd) -> str:
    """A front end of `FRONT_ENDS` as `--imperfect` takes it."""
    scales = {"V": front_end.voltage_full_scale_V, "A": front_end.current_full_scale_A}
    parts = []
    for key, value in FRONT_ENDS[name].items():
        if key == "noise":
            parts += [f"noise_{unit}={value * scale / READING_ZERO!r}" for unit, scale in scales.items()]
        elif key.endswith("zero"):
            unit = "V" if key.startswith("voltage") else "A"
            parts.append(f"{key}_{unit}={value * scales[unit]!r}")
        else:
            parts.append(f"{key}={value!r}")
    return ",".join(parts)


def voltage_zero_V(name: str, front_end: FrontEnd) -> float:
    """What the front end shows at 0 V: calibration tells the board."""
    return FRONT_ENDS[name].get("voltage_zero", 0.0) * front_end.voltage_full_scale_V
