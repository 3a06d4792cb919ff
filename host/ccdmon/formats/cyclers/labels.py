"""Column labels of cyclers: 'Test Time (s)', 'Current/mA', 'U[V]', 'Run_Time' into a plain name and a factor to SI."""

import re

# Factor to the unit of the trace's column, by the unit as instruments write it (compared in small letters, but for
# milli and mega).
_TIME = {
    "s": 1.0,
    "sec": 1.0,
    "secs": 1.0,
    "second": 1.0,
    "seconds": 1.0,
    "ms": 1e-3,
    "min": 60.0,
    "minutes": 60.0,
}
_TIME |= {
    "h": 3600.0,
    "hr": 3600.0,
    "hrs": 3600.0,
    "hour": 3600.0,
    "hours": 3600.0,
    "d": 86400.0,
    "days": 86400.0,
}
_VOLTAGE = {"v": 1.0, "volt": 1.0, "volts": 1.0, "mv": 1e-3, "uv": 1e-6, "µv": 1e-6, "v vs. ref.": 1.0}
_CURRENT = {"a": 1.0, "amp": 1.0, "amps": 1.0, "ampere": 1.0, "ma": 1e-3, "ua": 1e-6, "µa": 1e-6, "μa": 1e-6}
_CURRENT |= {"na": 1e-9}
_PRESSURE = {"Pa": 1.0, "kPa": 1e3, "MPa": 1e6, "bar": 1e5, "mbar": 100.0, "psi": 6894.757}
_TEMPERATURE = {"c": 1.0, "degc": 1.0, "celsius": 1.0, "deg c": 1.0, "℃": 1.0}
_COUNT = {"1": 1.0, "#": 1.0, "-": 1.0}
UNITS: dict[str, dict[str, float]] = {
    "test_time_s": _TIME,
    "unix_time_s": _TIME,
    "voltage_V": _VOLTAGE,
    "current_A": _CURRENT,
    "pressure_Pa": _PRESSURE,
    "temperature_degC": _TEMPERATURE,
    "cycle_count": _COUNT,
    "step_count": _COUNT,
}
_BRACKETS = re.compile(r"^(?P<name>.*?)\s*[(\[](?P<unit>[^)\]]*)[)\]]\s*$")
_SLASH = re.compile(r"^(?P<name>[^/]*?)\s*/\s*(?P<unit>[^/]*)$")


def split_label(label: str) -> tuple[str, str | None]:
    """('test time', 's') of 'Test_Time (s)'; the unit is None where the label has none."""
    text = label.strip().strip('"').strip()
    found = _BRACKETS.match(text) or _SLASH.match(text)
    name, unit = (found["name"], found["unit"].strip()) if found else (text, None)
    return re.sub(r"[\s_\-]+", " ", name).strip(" <>").lower(), unit


def unit_factor(field: str, unit: str) -> float | None:
    """Factor from `unit` to the unit in the name of `field`; None for a unit nobody knows."""
    known = UNITS[field]
    if unit in known:
        return known[unit]
    if field == "temperature_degC":  # the degree sign comes in every code page, or not at all
        unit = re.sub(r"^[^A-Za-z℃]+", "", unit)
    return None if field == "pressure_Pa" else known.get(unit.lower())
