"""Whatever the converters deliver and whatever a host may set: every number stays a small integer of a 32-bit board.

Numbers read from the detector's memory remember to check whatever is computed from them, so intermediates count too.
"""

import re
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from ccdmon_fw import detector, limits, rules, sampler, trends

BOUND = 1 << 30
FIRMWARE = Path(detector.__file__).parent


class Small(int):
    """An integer whose arithmetic refuses to leave +-2**30."""

    def __new__(cls, value: int) -> "Small":
        assert -BOUND <= value < BOUND, f"{value} is no small integer"
        return super().__new__(cls, value)


def _checked(name: str):
    plain = getattr(int, name)
    return lambda a, b: Small(plain(a, b))


for _name in ("add", "sub", "mul", "floordiv", "lshift", "rshift", "and", "or", "xor"):
    for _operator in (f"__{_name}__", f"__r{_name}__"):
        setattr(Small, _operator, _checked(_operator))


class Memory(list):
    """Detector memory: not negative, for 64-bit ports load words without their sign."""

    def __getitem__(self, index):
        found = super().__getitem__(index)
        return found if isinstance(index, slice) else Small(found)

    def __setitem__(self, index, value) -> None:
        assert 0 <= value < BOUND, f"word {index}: {value}"
        super().__setitem__(index, int(value))


def checked_detector(wanted: list[int]) -> detector.Detector:
    judge = detector.Detector(wanted)
    judge.memory = Memory(judge.memory)
    return judge


CODE = st.one_of(
    st.integers(0, 0xFFFF), st.sampled_from((0, 15, 16, 32767, 32768, 32800, 33000, 65519, 65520, 65535))
)
SETTINGS = st.tuples(
    *(
        st.one_of(st.just(default), st.sampled_from((low, high)), st.integers(low, high))
        for _, low, high, default in limits._DETECTOR
    )
)
STRETCH = st.tuples(CODE, CODE, CODE, st.integers(0, 200), st.integers(1, 60))


@settings(max_examples=120, deadline=None)
@given(SETTINGS, st.lists(STRETCH, max_size=12), st.randoms(use_true_random=False))
def test_every_intermediate_is_a_small_integer(wanted, stretches, draw) -> None:
    judge = checked_detector(list(wanted) + limits.default_settings()[len(wanted) :])
    for voltage, current, pressure, noise, count in stretches:
        for _ in range(count):
            near = [
                max(0, min(0xFFFF, code + draw.randint(-noise, noise)))
                for code in (voltage, current, pressure)
            ]
            judge.memory[detector.T] = draw.randrange(BOUND)
            assert 0 <= judge.step(*near) < 1 << 13


def test_long_blocks_sum_up_to_no_more() -> None:
    wanted = limits.default_settings()
    wanted[limits.SETTINGS.index("block_shift")] = limits.BLOCK_SHIFT_CEILING
    judge = checked_detector(wanted)
    for row in range(2 << limits.BLOCK_SHIFT_CEILING):
        judge.step(65519, 65519 if row % 3 else 40000, 65534)  # every third sample belongs to no phase


def test_the_check_sees_an_intermediate_that_is_too_large() -> None:
    judge = checked_detector(limits.default_settings())
    try:
        (judge.memory[detector.V] + 40000) * 40000
    except AssertionError:
        return
    raise AssertionError("missed")


def test_each_word_of_the_memory_has_one_number_in_all_files() -> None:
    """`const` holds within one module: the copies must agree with the layout in detector.py."""
    layout = _words("detector.py")
    for module in (rules, trends, sampler):
        for name, number in _words(Path(module.__file__ or "").name).items():
            known = {"_M0": "TRENDS_AT", "_MEANS": None, "_RATES": None}.get(name, name)
            if known in layout or (known and known.lstrip("_") in layout):
                assert layout.get(known, layout.get(known.lstrip("_"))) == number, name
            else:
                assert layout["TRENDS_AT"] <= number < layout["EVENTS_AT"] or number < layout["STATE_AT"], (
                    name
                )


def test_settings_lie_in_memory_as_they_are_listed() -> None:
    layout = _words("detector.py") | _words("trends.py")
    places = {
        "_MODE": "mode", "_CONFIRM": "confirm_samples", "_SETTLE": "settle_samples", "_BLOCK_SHIFT": "block_shift",
        "_COLLAPSE": "collapse_64ths", "CURRENT_ON": "current_on_units", "_DROP_MIN": "voltage_drop_min_units",
        "_V_MIN": "voltage_min_code", "_LIMIT_CONFIRM": "limit_confirm_samples",
        "_HYSTERESIS": "limit_hysteresis_codes", "_RATES": "rate_voltage_codes", "_PARTIAL": "partial_64ths",
        "_FLUCTUATION": "fluctuation_64ths", "_SOFT_BLOCKS": "soft_blocks", "_PERSIST_BLOCKS": "soft_persist_blocks",
        "_DIVERGENCE": "divergence_64ths", "_OUTGROWN": "outgrown_64ths", "ACTIONS_AT": "action_hard_short",
    }  # fmt: skip
    for word, name in places.items():
        assert layout[word] == detector.SETTINGS_AT + limits.DETECTOR_SETTINGS.index(name), name
    assert detector.SETTINGS_AT + len(limits.DETECTOR_SETTINGS) == detector.STATE_AT
    assert len(limits.RULES) == detector.RULE_COUNT


def _words(file: str) -> dict[str, int]:
    found = re.findall(r"^(_?[A-Z][A-Z0-9_]*) = const\((\w+)\)", (FIRMWARE / file).read_text(), re.M)
    return {name: int(number, 0) for name, number in found}
