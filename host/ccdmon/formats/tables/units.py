"""Units as instruments and people write them, by what is measured: a factor to the unit of the trace, and a zero.

Milli and mega differ by case alone, so a unit is looked up as it is written, and in small letters only where that
cannot turn one into the other.
"""

import re
from dataclasses import dataclass


@dataclass(frozen=True)
class Scale:
    """`value * factor + zero` is in the unit of the trace."""

    factor: float
    zero: float = 0.0


def _prefixed(units: str, prefixes: str) -> dict[str, float]:
    """Each of `units` alone and with each of `prefixes`."""
    factors = {"n": 1e-9, "p": 1e-12, "u": 1e-6, "µ": 1e-6, "m": 1e-3, "k": 1e3, "M": 1e6, "G": 1e9}
    single = dict.fromkeys(units.split(), 1.0)
    return single | {p + unit: factors[p] for p in prefixes for unit in units.split()}


def _named(**groups: float) -> dict[str, float]:
    """{"sec": 1.0, "secs": 1.0} of s_sec_secs=1.0."""
    return {word: factor for group, factor in groups.items() for word in group.split("_")}


_TIME = (
    _named(
        s_sec_secs_second_seconds_sekunde_sekunden_seconde_secondes_秒=1.0,
        ms_msec_msecs_millisecond_milliseconds_毫秒=1e-3,
        us_µs_usec_microsecond_microseconds_微秒=1e-6,
        min_mins_minute_minutes_minuten_分_分钟=60.0,
        h_hr_hrs_hour_hours_std_stunde_stunden_heure_heures_时_小时=3600.0,
        d_day_days_tag_tage_jour_jours_天=86400.0,
        week_weeks=604800.0,
    )
    | {"ns": 1e-9, "sec.": 1.0, "min.": 60.0, "std.": 3600.0}
)  # fmt: skip
_VOLTAGE = _prefixed("V v", "pnuµmk") | _named(
    volt_volts_伏_伏特=1.0, millivolt_millivolts_毫伏=1e-3, microvolt=1e-6
)
_CURRENT = _prefixed("A", "pnuµmk") | _named(
    a=1.0,
    ma=1e-3,
    amp_amps_ampere_amperes_ampère_安_安培=1.0,
    milliampere_milliamp_milliamps_毫安=1e-3,
    microampere_微安=1e-6,
    nanoampere=1e-9,
)
_PRESSURE = {"Pa": 1.0, "hPa": 100.0, "kPa": 1e3, "MPa": 1e6, "bar": 1e5, "mbar": 100.0, "psi": 6894.757}
_PRESSURE |= {"N/mm2": 1e6, "N/mm²": 1e6, "pascal": 1.0, "megapascal": 1e6}
_RESISTANCE = {
    prefix + unit: factor
    for prefix, factor in {"": 1.0, "µ": 1e-6, "u": 1e-6, "m": 1e-3, "k": 1e3, "M": 1e6, "G": 1e9}.items()
    for unit in ("ohm", "ohms", "Ohm", "Ohms", "Ω", "欧", "欧姆")
}
_RESISTANCE |= {"OHM": 1.0, "OHMS": 1.0, "a": 1.0, "b": 1.0}  # a, b: the axes of ZPlot
_FREQUENCY = _prefixed("Hz", "uµmkMG") | {"hertz": 1.0, "kilohertz": 1e3, "HZ": 1.0, "hz": 1.0, "khz": 1e3}
_FREQUENCY |= {"rad/s": 0.15915494309189535, "1/s": 1.0, "赫兹": 1.0}
_ANGLE = _named(deg_degree_degrees_grad_degré_degrés_度=1.0, rad_radian_radians=57.29577951308232) | {
    "°": 1.0
}
_COUNT = _named(count_counts_次=1.0) | {"1": 1.0, "#": 1.0, "-": 1.0}
SCALES: dict[str, dict[str, Scale]] = {
    quantity: {unit: Scale(factor) for unit, factor in table.items()}
    for quantity, table in {
        "time": _TIME,
        "voltage": _VOLTAGE,
        "current": _CURRENT,
        "pressure": _PRESSURE,
        "resistance": _RESISTANCE,
        "frequency": _FREQUENCY,
        "angle": _ANGLE,
        "count": _COUNT,
    }.items()
}
SCALES["temperature"] = {
    **dict.fromkeys(("c", "degc", "deg c", "celsius", "celcius", "℃", "deg", "grad c", "摄氏度"), Scale(1.0)),
    **dict.fromkeys(("K", "kelvin"), Scale(1.0, -273.15)),
    **dict.fromkeys(("f", "degf", "fahrenheit", "℉"), Scale(5 / 9, -160 / 9)),
}
CLOCK = re.compile(r":")  # a unit like 'hh:mm:ss' says how the cells are written
_REFERENCE = re.compile(r"\s*(?:\bvs\.?|\bgegen|\bversus|相对)(?=\W|$).*$", re.IGNORECASE)
_SAME = str.maketrans({"μ": "µ", "\u2126": "Ω", "\u00ba": "°", "\u02da": "°", "\u00a0": " "})


def plain_unit(unit: str) -> str:
    """The unit without brackets, its reference electrode and characters that look alike."""
    text = unit.translate(_SAME).strip().strip("[](){}<>").strip()
    return _REFERENCE.sub("", text).strip()


def scale_of(quantity: str, unit: str) -> Scale | None:
    """How `unit` turns into the unit of the trace; None for one that nobody knows."""
    known, text = SCALES[quantity], plain_unit(unit)
    if text in known:
        return known[text]
    if quantity == "temperature":  # the degree sign comes in every code page, or not at all
        text = re.sub(r"^[^A-Za-z℃℉摄]+", "", text)
        return known.get(text) or known.get(text.lower())
    small = text.lower()
    # 'MA' may be mega or a shouted milli, 'mhz' either: neither is guessed.
    if (
        small != text
        and text[:1] == "M"
        and small[:1] == "m"
        and f"M{small[1:]}" not in known
        and len(text) < 4
    ):
        return None
    return known.get(small) if quantity != "frequency" or small[:1] != "m" else None
