"""The smallest cell whose short is cut off: a millivolt or two where the converter is fine, none that is healthy."""

import dataclasses

from ccdmon.rig.sizing import size
from ccdmon_hil.smallest_cell import ENDS, SHORT_AT, _trip, is_safe


def test_fine_converters_see_what_they_should() -> None:
    by_name = {end.name: end for end in ENDS}
    assert is_safe(by_name["ADS131M04, +-6 V"], 2e-3, 1)
    assert is_safe(by_name["ADS131M04, preamplifier x10"], 1e-3, 1)


def test_a_healthy_cell_below_the_noise_is_never_cut_off() -> None:
    noisy = dataclasses.replace(ENDS[0], noise_V=3 * 10.54 / 4096)
    assert [_trip(noisy, 4e-3, seed, False) for seed in range(3)] == [None] * 3


def test_a_coarser_converter_misses_it() -> None:
    row = _trip(ENDS[0], 2e-3, 0, True)
    assert row is None or row > SHORT_AT + 1000


def test_what_init_says_of_a_front_end_holds() -> None:
    """`ccdmon.rig.sizing` promises a smallest short by the converter's steps; here it is cut off."""
    for end in ENDS[1:3]:
        promised_V = size(1e-3, end.voltage_full_scale_V, bits=end.bits).smallest_short_V
        assert is_safe(end, promised_V, 1), (end.name, promised_V)
