"""Every threshold, rate and name of the edge, and the one way from physical limits to the detector's integers.

The detector works on *units*: 1/16384 of full scale for voltage and current (16-bit offset-binary codes halved, so
that products of two stay inside 2**30), and raw 16-bit codes for pressure. The host computes the integers with
`detector_settings` and sends them; the device checks them against the ceilings below and refuses the rest.
"""

VERSION = "0.1.0"
SCHEMA = 4

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
    "fake_stable",
    "self_check",
)
HARD_SHORT = 1
PARTIAL_SHORT = 2
SOFT_SHORT = 3
CONTACT_LOSS = 4
LIMIT = 5
SENSOR_FAULT = 6
EXCEPTION = 7
OVERRUN = 8
EXTERNAL = 9
COMMAND = 10
WATCHDOG = 11
GATE_STUCK = 12
HOST_SILENT = 13
FAKE_STABLE = 14
SELF_CHECK = 15
# What a host may name when it asks for a trip: what only a look at the whole test can tell.
HOST_REASONS = (PARTIAL_SHORT, SOFT_SHORT, CONTACT_LOSS, FAKE_STABLE)

CANARY = 0x2AFE5AFE  # lies behind memory that the tick writes: who finds it changed stops

# What a rule does when it fires.
ACTIONS = ("off", "inform", "warn", "trip")
ACTION_OFF, ACTION_INFORM, ACTION_WARN, ACTION_TRIP = 0, 1, 2, 3

# What `value` and `limit` of a rule that fired are; the host asks the identity for it.
VOLTAGE = "voltage"  # units of full scale, along the current or without a sign
CODE = "code"  # of whichever channel it was
VOLTAGE_CODE, CURRENT_CODE, PRESSURE_CODE = "voltage_code", "current_code", "pressure_code"
VOLTAGE_CHANGE, CURRENT_CHANGE, PRESSURE_CHANGE = (
    "voltage_change",
    "current_change",
    "pressure_change",
)  # of codes
SECOND_DIFFERENCE = "second_difference"  # of the voltage, units: how much it fluctuates
BLOCKS = "blocks"  # of samples

# The detector's rules in the order of its memory: name, reason, action by default, what it compares. The actions
# follow the table of failures in Lu et al. 2021, 2.2.3: a hard short is cut off at once, a partial or soft short and
# contact loss are warned of, contact loss is cut off at a limit; a fake stable cell has no rule, for it looks healthy.
_RULES = (
    ("hard_short", HARD_SHORT, ACTION_TRIP, VOLTAGE),
    ("limit_voltage", LIMIT, ACTION_TRIP, VOLTAGE_CODE),
    ("limit_current", LIMIT, ACTION_TRIP, CURRENT_CODE),
    ("limit_pressure", LIMIT, ACTION_TRIP, PRESSURE_CODE),
    ("rail", SENSOR_FAULT, ACTION_TRIP, CODE),
    ("stuck", SENSOR_FAULT, ACTION_TRIP, VOLTAGE),
    ("open_wire", SENSOR_FAULT, ACTION_TRIP, VOLTAGE_CHANGE),
    ("jump", SENSOR_FAULT, ACTION_INFORM, VOLTAGE),
    ("partial_short", PARTIAL_SHORT, ACTION_WARN, VOLTAGE),
    ("soft_short", SOFT_SHORT, ACTION_WARN, SECOND_DIFFERENCE),
    ("soft_persists", SOFT_SHORT, ACTION_WARN, BLOCKS),
    ("divergence", CONTACT_LOSS, ACTION_WARN, VOLTAGE),
    ("rate_voltage", LIMIT, ACTION_TRIP, VOLTAGE_CHANGE),
    ("rate_current", LIMIT, ACTION_TRIP, CURRENT_CHANGE),
    ("rate_pressure", LIMIT, ACTION_TRIP, PRESSURE_CHANGE),
    ("sag", FAKE_STABLE, ACTION_WARN, VOLTAGE),
    ("low_resistance", HARD_SHORT, ACTION_TRIP, VOLTAGE),
    ("open_circuit", CONTACT_LOSS, ACTION_WARN, VOLTAGE),
    ("soft_collapse", SOFT_SHORT, ACTION_TRIP, VOLTAGE),
    ("slide", FAKE_STABLE, ACTION_TRIP, VOLTAGE),
    ("blind", SENSOR_FAULT, ACTION_TRIP, SECOND_DIFFERENCE),
    ("doubtful_resistance", HARD_SHORT, ACTION_WARN, VOLTAGE),
)
RULES = tuple(row[0] for row in _RULES)
RULE_REASONS = tuple(row[1] for row in _RULES)
COMPARED = tuple(row[3] for row in _RULES)

CODE_ZERO = 32768  # code of 0 V and 0 A
CODE_MAX = 65535
ADC_STEP = 16  # one 12-bit step of the Pico's own converter, in codes
UNITS_FULL_SCALE = 16384

CONFIGURATIONS = ("symmetric", "half", "full")

# Physical defaults, for a cell behind a +-5 V front end.
VOLTAGE_LIMIT_UV = 5_000_000
SETTLE_MS = 300  # a cycler's own slewing; how the cell itself relaxes the detector learns
CONFIRM_SAMPLES = 2
# Below eight steps of a 12-bit converter a current is too coarse to compare; a collapse takes two steps, beside what
# noise asks for. A finer one is limited by the 16-bit codes.
STEPS_ON, STEPS_DROP = 8, 2
CURRENT_ON_FLOOR_UNITS = 32
DROP_FLOOR_UNITS = 4
CONVERTER_BITS = 12
CURRENT_ON_UNITS = 64
VOLTAGE_DROP_MIN_UNITS = 16
COLLAPSE_64THS = (
    24  # between the deepest partial short (half) and a hard short's leak (Lu et al. 2021, 2.2.3)
)
# A symmetric cell with a solid electrolyte: 20 um at 10 mS/cm are 0.2 ohm cm2, and two interfaces of lithium are never
# without resistance; what begins below the first was shorted when it was assembled, above the second nothing touches.
FIRST_OHM_CM2 = 0.45
OPEN_OHM_CM2 = 1e6
# The best interfaces of lithium and a solid electrolyte have 1 ohm cm2 each (Han et al., Nat. Mater. 16, 572, 2017),
# between them lie 30 um of 1 mS/cm (3 ohm cm2) where a sheet is as thin as can be handled: a cell that never showed as
# much as both is more likely shorted than better.
DOUBTFUL_OHM_CM2 = 5.0
DENSEST_A_CM2 = 0.1  # a range beyond is no such cell's, or its unit is wrong: nothing is concluded
BLOCK_S = 2.0  # a collapse is abrupt if it takes less than about this long, or four samples
SOFT_PERSIST_S = 600.0
SAMPLE_PERIOD_US = 250
SETTLE_SAMPLES_CEILING = 600_000
SETTLE_CEILING_US = 60_000_000  # at the board's own period; or else two samples
BLOCK_SHIFT_CEILING = 13
SAMPLE_PERIOD_FLOOR_US = 100
SAMPLE_PERIOD_CEILING_US = 1_000_000
_COUNT_CEILING = 0x0FFFFFFF
ZERO_CEILING_CODES = 2048  # a sixteenth of full scale
ZERO_CODES = 655  # what a board that says nothing else allows: 2 % of full scale, 1 % resistors at both ends
R_CEILING = 1 << 23  # voltage over current, both in units, Q14
HOST_TIMEOUT_CEILING_MS = 600_000
# A relay operates in some 10 ms; a cycler may take longer to find its current again after an open circuit.
SELF_TEST_MS = 200
SELF_TEST_FLOOR_MS = 10
SELF_TEST_CEILING_MS = 2_000  # it closes the gate unarmed
OVERRUN_WINDOW = 1_024  # samples
OVERRUN_LIMIT = 256

# The detector's settings in the order of its memory: name, least, most, default. "64ths": of the value compared with.
_DETECTOR_OWN = (
    ("mode", 0, 2, 0),  # index into CONFIGURATIONS
    ("confirm_samples", 1, 32, CONFIRM_SAMPLES),
    ("settle_samples", 2, SETTLE_SAMPLES_CEILING, 8),
    ("block_shift", 2, BLOCK_SHIFT_CEILING, 12),  # about BLOCK_S at the default sample period
    ("collapse_64ths", 1, 48, COLLAPSE_64THS),
    ("current_on_units", CURRENT_ON_FLOOR_UNITS, UNITS_FULL_SCALE, CURRENT_ON_UNITS),
    ("voltage_drop_min_units", 1, UNITS_FULL_SCALE, VOLTAGE_DROP_MIN_UNITS),
    ("voltage_min_code", 0, CODE_MAX, 0),
    ("voltage_max_code", 0, CODE_MAX, CODE_MAX),
    ("current_min_code", 0, CODE_MAX, 0),
    ("current_max_code", 0, CODE_MAX, CODE_MAX),
    ("pressure_min_code", 0, CODE_MAX, 0),
    ("pressure_max_code", 0, CODE_MAX, CODE_MAX),
    ("limit_confirm_samples", 1, 32, CONFIRM_SAMPLES),
    ("limit_hysteresis_codes", 0, 4096, 4 * ADC_STEP),
    ("rate_voltage_codes", 1, CODE_MAX, CODE_MAX),  # from block to block
    ("rate_current_codes", 1, CODE_MAX, CODE_MAX),
    ("rate_pressure_codes", 1, CODE_MAX, CODE_MAX),
    ("partial_64ths", 4, 48, 7),
    ("fluctuation_64ths", 1, 64, 2),
    ("soft_blocks", 1, 1000, 4),
    ("soft_persist_blocks", 1, _COUNT_CEILING, 300),
    ("divergence_64ths", 8, 1024, 32),
    ("outgrown_64ths", 80, 4096, 160),
    ("resistance_first_r", 0, R_CEILING, 0),
    ("resistance_min_r", 0, R_CEILING, 0),
    ("resistance_max_r", 0, R_CEILING, 0),
    ("resistance_doubtful_r", 0, R_CEILING, 0),
    ("voltage_zero_code", CODE_ZERO - ZERO_CEILING_CODES, CODE_ZERO + ZERO_CEILING_CODES, CODE_ZERO),
)
# Who cannot measure cannot watch: no setting lets a gate stay closed in front of a dead converter.
ALWAYS_TRIPS = ("rail",)
_DETECTOR_ACTIONS = tuple(
    ("action_" + row[0], ACTION_TRIP if row[0] in ALWAYS_TRIPS else ACTION_OFF, ACTION_TRIP, row[2])
    for row in _RULES
)
_DETECTOR = _DETECTOR_OWN + _DETECTOR_ACTIONS
# Order of the settings on the wire: first the detector's, then those of the rest.
DETECTOR_SETTINGS = tuple(row[0] for row in _DETECTOR)
EDGE_SETTINGS = (
    "sample_period_us",
    "host_timeout_ms",  # so long may the host be silent while armed; 0: for ever
    "host_reasons",  # 1: a trip that the host asks for may carry its reason
    "gate_drive",  # 0: level; 1: the pump pin toggles in each tick too, while the gate is closed
    "gate_feedback",  # 0: none; 1: a contact to ground that closes with the gate; 2: one that opens with it
    "self_test_current_units",  # must flow when the self-test closes the gate; 0: no current to look for
    "self_test_ms",  # the longest that contact and current may take to follow the gate
    "overrun_limit",  # late samples of OVERRUN_WINDOW that trip
    "external_trip",  # 1: the board's external trip must be held safe, where it has one; 0: it is left open
)
SETTINGS = DETECTOR_SETTINGS + EDGE_SETTINGS
_DETECTOR_CEILINGS = tuple(row[1:3] for row in _DETECTOR)
_EDGE_CEILINGS = (
    (SAMPLE_PERIOD_FLOOR_US, SAMPLE_PERIOD_CEILING_US),
    (0, HOST_TIMEOUT_CEILING_MS),
    (0, 1),
    (0, 1),
    (0, 2),
    (0, UNITS_FULL_SCALE),
    (SELF_TEST_FLOOR_MS, SELF_TEST_CEILING_MS),
    (1, OVERRUN_WINDOW // 2),
    (0, 1),
)
_CEILINGS = _DETECTOR_CEILINGS + _EDGE_CEILINGS
_EDGE_DEFAULTS = (SAMPLE_PERIOD_US, 0, 0, 0, 0, 0, SELF_TEST_MS, OVERRUN_LIMIT, 1)


_PERIOD_AT = SETTINGS.index("sample_period_us")


def default_settings():
    """Settings of a symmetric cell with no limit tighter than the converter's own range."""
    return [row[3] for row in _DETECTOR] + list(_EDGE_DEFAULTS)


def edge(settings):
    """The settings that are not the detector's, by name."""
    return dict(zip(EDGE_SETTINGS, settings[len(DETECTOR_SETTINGS) :]))


def check_settings(settings):
    """Index of the first setting outside its compiled bounds, -1 when all are inside.

    A detector that settles for longer than `SETTLE_CEILING_US` after each step would never look.
    """
    if len(settings) != len(_CEILINGS):
        return len(_CEILINGS)
    for index, (low, high) in enumerate(_CEILINGS):
        if not low <= settings[index] <= high:
            return index
    settle = SETTINGS.index("settle_samples")
    if settings[settle] > 2 and settings[settle] * settings[_PERIOD_AT] > SETTLE_CEILING_US:
        return settle
    return -1


def settle_samples(settle_s, sample_interval_s):
    """Samples of a settling time, at least two: the first after a step is often half a step."""
    return max(2, min(SETTLE_SAMPLES_CEILING, int(-(-settle_s // sample_interval_s))))


def block_shift(sample_interval_s):
    """Logarithm of the samples in a block of about BLOCK_S, at least four."""
    shift = 2
    while shift < BLOCK_SHIFT_CEILING and sample_interval_s * (2 << shift) <= BLOCK_S:
        shift += 1
    return shift


def detector_settings(
    voltage_full_scale_V,
    current_full_scale_A,
    sample_interval_s,
    configuration="symmetric",
    voltage_limit_V=VOLTAGE_LIMIT_UV * 1e-6,
    voltage_min_V=None,
    current_limit_A=None,
    pressure_full_scale_Pa=None,
    pressure_limit_Pa=None,
    pressure_min_Pa=None,
    voltage_rate_limit_V_s=None,
    current_rate_limit_A_s=None,
    pressure_rate_limit_Pa_s=None,
    settle_s=SETTLE_MS * 1e-3,
    confirm_samples=CONFIRM_SAMPLES,
    soft_persist_s=SOFT_PERSIST_S,
    converter_bits=CONVERTER_BITS,
    voltage_zero_V=0.0,
    area_cm2=None,
    resistance_min_ohm=None,
    actions=None,
):
    """Integers in the order of SETTINGS from physical limits; for the host (floats). None: no such limit.

    `sample_interval_s` is the cell's time between two samples, whatever the firmware's own period. The limits on
    voltage and current hold for both signs; `voltage_min_V`, for a full cell, replaces the lower one. Rates are
    those of the mean of a block (`block_shift`) and never judged across a current step.
    `converter_bits`: width of the converters of voltage and current. `voltage_zero_V`: what the front end shows at 0 V.
    `area_cm2`: of an electrode; with it a symmetric cell that begins with less than `FIRST_OHM_CM2` counts as shorted,
    one above `OPEN_OHM_CM2` as open. `resistance_min_ohm`: a symmetric cell below it at any time.
    `actions`: {name of RULES: name of ACTIONS}, the others keep their default.
    Raises ValueError for a configuration, rule or action that is not one or a full scale that is not positive.
    """
    if configuration not in CONFIGURATIONS:
        raise ValueError("configuration must be one of " + ", ".join(CONFIGURATIONS))
    if min(voltage_full_scale_V, current_full_scale_A, sample_interval_s) <= 0:
        raise ValueError("full scales and the sample interval must be positive")
    shift = block_shift(sample_interval_s)
    block_s = sample_interval_s * (1 << shift)
    wanted = {
        "mode": CONFIGURATIONS.index(configuration),
        "confirm_samples": confirm_samples,
        "limit_confirm_samples": confirm_samples,
        "settle_samples": settle_samples(settle_s, sample_interval_s),
        "block_shift": shift,
        "soft_persist_blocks": max(1, int(soft_persist_s / block_s)),
        "voltage_zero_code": _code(CODE_ZERO * (1 + voltage_zero_V / voltage_full_scale_V) + 0.5),
    }
    step_units = 2 * UNITS_FULL_SCALE / (1 << converter_bits)
    wanted["current_on_units"] = max(CURRENT_ON_FLOOR_UNITS, int(STEPS_ON * step_units))
    wanted["voltage_drop_min_units"] = max(DROP_FLOOR_UNITS, int(STEPS_DROP * step_units))
    wanted.update(_window("voltage", voltage_limit_V, voltage_min_V, voltage_full_scale_V))
    wanted.update(_window("current", current_limit_A, None, current_full_scale_A))
    rates = [
        ("voltage", voltage_rate_limit_V_s, voltage_full_scale_V / CODE_ZERO),
        ("current", current_rate_limit_A_s, current_full_scale_A / CODE_ZERO),
    ]
    if pressure_full_scale_Pa is not None:
        code_Pa = pressure_full_scale_Pa / (CODE_MAX + 1)
        rates.append(("pressure", pressure_rate_limit_Pa_s, code_Pa))
        if pressure_limit_Pa is not None:
            wanted["pressure_max_code"] = _code(pressure_limit_Pa / code_Pa)
        if pressure_min_Pa is not None:
            wanted["pressure_min_code"] = _code(pressure_min_Pa / code_Pa)
    unit = UNITS_FULL_SCALE * current_full_scale_A / voltage_full_scale_V  # Q14 of 1 ohm
    if area_cm2 and current_full_scale_A / area_cm2 <= DENSEST_A_CM2:
        wanted["resistance_first_r"] = _r(FIRST_OHM_CM2 / area_cm2 * unit)
        wanted["resistance_max_r"] = _r(OPEN_OHM_CM2 / area_cm2 * unit)
        wanted["resistance_doubtful_r"] = _r(DOUBTFUL_OHM_CM2 / area_cm2 * unit)
    if resistance_min_ohm is not None:
        wanted["resistance_min_r"] = _r(resistance_min_ohm * unit)
    for name, rate, code in rates:
        if rate is not None:
            wanted["rate_%s_codes" % name] = max(1, _code(rate * block_s / code))
    for rule, action in (actions or {}).items():
        if rule not in RULES or action not in ACTIONS:
            raise ValueError("no rule %s or no action %s" % (rule, action))
        if rule in ALWAYS_TRIPS and action != ACTIONS[ACTION_TRIP]:
            raise ValueError("rule %s always trips: a gate in front of a dead converter stays open" % rule)
        wanted["action_" + rule] = ACTIONS.index(action)
    return [wanted.get(name, default) for name, default in zip(SETTINGS, default_settings())]


def _r(value):
    return max(1, min(R_CEILING, int(value)))


def _code(value):
    return max(0, min(CODE_MAX, int(value)))


def _window(name, limit, least, full_scale):
    """Both ends of a bipolar channel's window: `limit` for both signs, `least` instead for the lower."""
    window = {}
    if limit is not None:
        window[name + "_max_code"] = _code(CODE_ZERO + limit / full_scale * CODE_ZERO)
        window[name + "_min_code"] = _code(CODE_ZERO - limit / full_scale * CODE_ZERO)
    if least is not None:
        window[name + "_min_code"] = _code(CODE_ZERO + least / full_scale * CODE_ZERO)
    return window
