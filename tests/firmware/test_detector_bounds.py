"""Whatever the converters deliver and whatever a host may set: every number stays a small integer of a 32-bit board.

Numbers read from the detector's memory remember to check whatever is computed from them, so intermediates count too.
"""

from hypothesis import given, settings
from hypothesis import strategies as st

from ccdmon_fw import detector, limits

BOUND = 1 << 30


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
    chosen = list(wanted) + limits.default_settings()[len(wanted) :]
    settle, period_us = (limits.SETTINGS.index(name) for name in ("settle_samples", "sample_period_us"))
    chosen[settle] = min(chosen[settle], limits.SETTLE_CEILING_US // chosen[period_us])
    judge = checked_detector(chosen)
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
