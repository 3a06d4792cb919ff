"""The look in vectors at all half-cycles must not rule out one that the exact comparison finds lower."""

import numpy as np
import pytest

from ccd_fastcore import Stream
from ccdmon.analysis.half_cycles import HalfCycle
from ccdmon.analysis.segments import half_cycles_of
from ccdmon.analysis.shorts import early_shifts
from ccdmon.analysis.shorts.early_shifts import may_begin_lower
from ccdmon.analysis.shorts.positions import FIRST_OCTAVE, position_shift


def _template() -> HalfCycle:
    stream, volts = Stream(), np.full(200, 0.1)
    stream.feed(np.arange(200.0), volts, np.full(200, 1e-3))
    (half_cycle,) = half_cycles_of(stream.finish()[0])
    return half_cycle


def _odd_half_cycles(seed: int, count: int = 400) -> list[HalfCycle]:
    """Alike, but for some that are lower, shorter, against the current, next to nothing or not finite."""
    rng, template = np.random.default_rng(seed), _template()
    made: list[HalfCycle] = []
    for _ in range(count):
        profile_V = 0.1 * (1 + 0.05 * rng.standard_normal(16)) * rng.choice([1, 1, 1, 0.9, 0.3])
        profile_V[int(rng.integers(3, 16)) :] = 0.0
        for value in rng.choice([-0.05, 1e-6, 0.0, np.nan, np.inf, 1e300], int(rng.integers(0, 2))):
            profile_V[int(rng.integers(0, 10))] = value
        end_V, current_A = float(rng.choice([0.1, 0.2, 0.0])), float(rng.choice([1e-3, -1e-3, 2e-3]))
        made.append(template.changed(profile_V=tuple(profile_V), end_V=end_V, current_A=current_A))
    return made


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("log_ratio", [-0.02, -0.075, -1.0])
def test_none_that_is_lower_is_ruled_out(seed: int, log_ratio: float) -> None:
    half_cycles = _odd_half_cycles(seed)
    suspects = set(may_begin_lower(half_cycles, log_ratio, FIRST_OCTAVE).tolist())
    pairs = [(k, max(k - 2, 0)) for k in range(1, len(half_cycles))]
    lower = {k for k, b in pairs if position_shift(half_cycles[k], half_cycles[b])[0] <= log_ratio}
    assert lower and lower <= suspects
    assert len(suspects) < len(half_cycles) - 1


def test_of_one_half_cycle_nothing_is_told() -> None:
    assert may_begin_lower([_template()], -0.1, FIRST_OCTAVE).size == 0


def test_pieces_of_any_length_find_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    half_cycles = _odd_half_cycles(4)
    whole = may_begin_lower(half_cycles, -0.05, FIRST_OCTAVE).tolist()
    for at_once in (1, 2, 7, len(half_cycles) - 1):
        monkeypatch.setattr(early_shifts, "AT_ONCE", at_once)
        assert may_begin_lower(half_cycles, -0.05, FIRST_OCTAVE).tolist() == whole
