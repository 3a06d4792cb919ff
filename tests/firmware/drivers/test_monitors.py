"""Dividers of the monitor outputs: full scales by hand, zero at mid-range, and what stands there without the wire."""

import pytest

from ccdmon_fw import limits
from ccdmon_fw.drivers.monitors import DIVIDER_3V, DIVIDER_5V, SUPPLY_V, full_scale_V, off_code

GAMRY_I = (9.1e3 + 1e3, 10e3, None)  # as in its description


@pytest.mark.parametrize(
    ("divider", "full_scale"), [(DIVIDER_5V, 5.268), (DIVIDER_3V, 3.3), (GAMRY_I, 3.3166)]
)
def test_full_scales(divider: tuple[float, float, float | None], full_scale: float) -> None:
    assert full_scale_V(divider) == pytest.approx(full_scale, abs=1e-3)


@pytest.mark.parametrize("divider", [DIVIDER_5V, DIVIDER_3V, GAMRY_I])
def test_zero_lies_where_a_board_may_be_armed(divider: tuple[float, float, float | None]) -> None:
    r_in, r_up, r_down = divider
    conductance = 1 / r_in + 1 / r_up + (1 / r_down if r_down else 0)
    code = 65536 * (SUPPLY_V / r_up / conductance) / SUPPLY_V
    assert abs(code - limits.CODE_ZERO) < limits.ZERO_CODES / 2


def test_without_the_wire() -> None:
    assert off_code(DIVIDER_5V) == 65536 * 27 // 37
    assert off_code(DIVIDER_3V) == 65535
