"""Named front ends are what the board would still arm."""

import pytest

from ccdmon.model.front_end import CODE_ZERO, FrontEnd
from ccdmon_fw import limits
from ccdmon_hil.play.front_ends import FRONT_ENDS, errors_text, voltage_zero_V
from ccdmon_hil.play.imperfect import Imperfect


@pytest.mark.parametrize("name", FRONT_ENDS)
def test_a_front_end_is_written_as_the_command_line_takes_it(name: str) -> None:
    front_end = FrontEnd(voltage_full_scale_V=2.0, current_full_scale_A=0.01)
    errors = Imperfect.parse(errors_text(name, front_end))
    wanted = FRONT_ENDS[name]
    assert errors.voltage_zero_V == pytest.approx(voltage_zero_V(name, front_end))
    assert errors.current_zero_A == pytest.approx(0.01 * wanted.get("current_zero", 0.0))
    assert errors.noise_V * 2048 / 2.0 == pytest.approx(wanted.get("noise", 0.0))
    zero = errors.idle(front_end, 500)[:, 1].mean() - CODE_ZERO
    assert abs(zero) <= limits.ZERO_CODES, "what a board would not arm is no front end of the table"
