"""The emulated potentiostat: what it brings out, how its stop line falls, and the experiment that ends for good."""

import pytest

from ccdmon_fw.drivers.monitors import DIVIDER_3V, DIVIDER_5V, mirrored, off_code
from ccdmon_hil.play.potentiostat import OFF_CODES, Potentiostat, StopLine, pulled, pumped_level, shown


def test_the_firmware_turns_an_inverted_output_back() -> None:
    memory = [0, 0, 0]

    def read(into: list[int]) -> int:
        into[:] = shown((40_000, 30_000, 7), inverted_voltage=True)
        return 1

    assert mirrored(read)(memory) == 1
    assert memory == [40_000, 30_000, 7]


@pytest.mark.parametrize(("at_the_pin", "code"), [(0, 65_535), (16, 65_520), (32_768, 32_768), (65_535, 1)])
def test_rails_stay_rails_and_zero_zero(at_the_pin: int, code: int) -> None:
    memory = [at_the_pin, 0, 0]
    mirrored(lambda _memory: 0)(memory)
    assert memory[0] == code


def test_the_stop_is_there_whatever_is_off_at_the_picos_end() -> None:
    line = StopLine()
    assert line.released(True)
    assert line.asserted(False)
    assert line.asserted(None)


def test_a_stronger_pull_up_than_the_readme_says_would_leave_it_undecided() -> None:
    line = StopLine(pull_up_ohm=3.4e3)
    assert not line.asserted(None)
    assert not StopLine(plug_ohm=10e3, pull_up_ohm=10e3).asserted(None)


def test_a_plug_that_is_off_at_the_instrument_shows_the_dividers_ends() -> None:
    assert (off_code(DIVIDER_5V), off_code(DIVIDER_3V)) == OFF_CODES
    source = pulled(lambda _row, _closed: (1, 2, 3), 1)
    assert [source(row, True) for row in (0, 1, 2)] == [(1, 2, 3), (*OFF_CODES, 3), (*OFF_CODES, 3)]


def test_a_pump_that_falls_silent_lets_the_line_fall_within_60_ms() -> None:
    assert pumped_level(0.010)
    assert not pumped_level(0.060)


def test_a_stop_ends_the_experiment_for_good_after_its_delay() -> None:
    asked: list[bool] = []
    instrument = Potentiostat(asked.append, delay_rows=2)
    for closed in (True, False, False, False, True):
        instrument(closed)
    assert asked == [True, True, True, False, False]
