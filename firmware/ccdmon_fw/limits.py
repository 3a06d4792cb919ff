"""Every threshold, rate and name of the edge, and the one way from physical limits to the detector's integers.

The detector works on *units*: 1/16384 of full scale for voltage and current (16-bit offset-binary codes halved, so
that products of two stay inside 2**30), and raw 16-bit codes for pressure. The host computes the integers with
`detector_settings` and sends them; the device checks them against the ceilings below and refuses the rest.
"""

VERSION = "0.1.0"
SCHEMA = 1

# Index = reason code on the wire. The first reason wins; a code never changes its meaning.
REASONS = (
    "none",
    "hard_short",
    "partial_short",
    "soft_short",
    "contact_loss",
    "limit",
    "sensor_fault",
    "exception",
    "overrun",
    "external",
    "command",
    "watchdog",
    "gate_stuck",
    "host_silent",
)
HARD_SHORT = 1
LIMIT = 5
SENSOR_FAULT = 6
EXCEPTION = 7
OVERRUN = 8
EXTERNAL = 9
COMMAND = 10
WATCHDOG = 11
GATE_STUCK = 12

# What a rule does when it fires.
ACTION_OFF, ACTION_INFORM, ACTION_WARN, ACTION_TRIP = 0, 1, 2, 3

CODE_ZERO = 32768  # code of 0 V and 0 A
CODE_MAX = 65535
ADC_STEP = 16  # one 12-bit step of the Pico's own converter, in codes
UNITS_FULL_SCALE = 16384

CONFIGURATIONS = ("symmetric", "half", "full")

# Physical defaults, for a cell behind a +-5 V front end. Sources: the settling time covers a double layer and a
# cycler's own slewing; the collapse ratio lies between the deepest partial short (half of R) and a hard short's
# leak ("far below the cell's own", Lu et al. 2021, 2.2.3).
VOLTAGE_LIMIT_UV = 5_000_000
SETTLE_MS = 2_000
CONFIRM_SAMPLES = 2
COLLAPSE_64THS = 26  # R below 26/64 = 0.41 of its reference has collapsed
REFERENCE_SHIFT = 4  # the running reference averages over 2**4 samples
# Below eight steps of a 12-bit converter, current and voltage are too coarse for a ratio.
CURRENT_ON_UNITS = 64
VOLTAGE_REFERENCE_UNITS = 48
SAMPLE_PERIOD_US = 250
CONFIRM_CEILING = 32
SETTLE_SAMPLES_CEILING = 1_000_000
REFERENCE_SHIFT_CEILING = 14
SAMPLE_PERIOD_FLOOR_US = 100
SAMPLE_PERIOD_CEILING_US = 1_000_000

# Order of the settings on the wire: first the detector's, in the order of its memory, then those of the rest.
DETECTOR_SETTINGS = (
    "mode",  # index into CONFIGURATIONS
    "confirm_samples",
    "settle_samples",
    "reference_shift",
    "collapse_64ths",
    "current_on_units",
    "voltage_reference_units",
    "voltage_limit_units",
    "current_limit_units",
    "pressure_min_code",
    "pressure_max_code",
)
EDGE_SETTINGS = ()  # type: tuple[str, ...]
SETTINGS = DETECTOR_SETTINGS + EDGE_SETTINGS
_DETECTOR_CEILINGS = (
    (0, 2),
    (1, CONFIRM_CEILING),
    (1, SETTLE_SAMPLES_CEILING),
    (1, REFERENCE_SHIFT_CEILING),
    (1, 48),
    (1, UNITS_FULL_SCALE),
    (1, UNITS_FULL_SCALE),
    (1, UNITS_FULL_SCALE),
    (1, UNITS_FULL_SCALE),
    (0, CODE_MAX),
    (0, CODE_MAX),
)
_EDGE_CEILINGS = ()  # type: tuple[tuple[int, int], ...]
_CEILINGS = _DETECTOR_CEILINGS + _EDGE_CEILINGS
_EDGE_DEFAULTS = ()  # type: tuple[int, ...]


def default_settings():
    """Settings of a symmetric cell with no limit tighter than the converter's own range."""
    full = UNITS_FULL_SCALE
    detector = [
        0, CONFIRM_SAMPLES, 8, REFERENCE_SHIFT, COLLAPSE_64THS, CURRENT_ON_UNITS, VOLTAGE_REFERENCE_UNITS,
        full, full, 0, CODE_MAX,
    ]  # fmt: skip
    return detector + list(_EDGE_DEFAULTS)


def check_settings(settings):
    """Index of the first setting outside its compiled bounds, -1 when all are inside."""
    if len(settings) != len(_CEILINGS):
        return len(_CEILINGS)
    for index, (low, high) in enumerate(_CEILINGS):
        if not low <= settings[index] <= high:
            return index
    return -1


def units(value, full_scale):
    """`value` in detector units, at least 1 and at most full scale (both in the same physical unit)."""
    return max(1, min(UNITS_FULL_SCALE, int(value * UNITS_FULL_SCALE / full_scale)))


def settle_samples(settle_s, sample_interval_s):
    """Samples of a settling time, at least two: the first after a step is often half a step."""
    return max(2, min(SETTLE_SAMPLES_CEILING, int(-(-settle_s // sample_interval_s))))


def detector_settings(
    voltage_full_scale_V,
    current_full_scale_A,
    sample_interval_s,
    configuration="symmetric",
    voltage_limit_V=VOLTAGE_LIMIT_UV * 1e-6,
    current_limit_A=None,
    pressure_full_scale_Pa=None,
    pressure_limit_Pa=None,
    settle_s=SETTLE_MS * 1e-3,
    confirm_samples=CONFIRM_SAMPLES,
):
    """Integers in the order of SETTINGS from physical limits; for the host (floats). None: no such limit.

    `sample_interval_s` is the cell's time between two samples, whatever the firmware's own period.
    Raises ValueError for a configuration that is not one or a full scale that is not positive.
    """
    if configuration not in CONFIGURATIONS:
        raise ValueError("configuration must be one of " + ", ".join(CONFIGURATIONS))
    if min(voltage_full_scale_V, current_full_scale_A, sample_interval_s) <= 0:
        raise ValueError("full scales and the sample interval must be positive")
    settings = default_settings()
    values = dict(zip(SETTINGS, range(len(SETTINGS))))
    settings[values["mode"]] = CONFIGURATIONS.index(configuration)
    settings[values["confirm_samples"]] = confirm_samples
    settings[values["settle_samples"]] = settle_samples(settle_s, sample_interval_s)
    settings[values["voltage_limit_units"]] = units(voltage_limit_V, voltage_full_scale_V)
    if current_limit_A is not None:
        settings[values["current_limit_units"]] = units(current_limit_A, current_full_scale_A)
    if pressure_limit_Pa is not None and pressure_full_scale_Pa is not None:
        code = int(pressure_limit_Pa / pressure_full_scale_Pa * (CODE_MAX + 1))
        settings[values["pressure_max_code"]] = max(0, min(CODE_MAX, code))
    return settings
