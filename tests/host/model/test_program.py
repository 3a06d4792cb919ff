"""The four protocols of the review's figure 9."""

import pytest

from ccdmon.model.program import Rests, build_program, ramp_levels, steps


def loaded(program):
    return [(s.current_density_mA_cm2, s.duration_s) for s in program.segments if not s.rest]


def test_time_control_keeps_the_time() -> None:
    program = build_program("time_control", (0.1, 0.2), half_cycle_s=600)
    assert loaded(program) == [(0.1, 600), (-0.1, 600), (0.2, 600), (-0.2, 600)]
    assert program.half_cycle_mAh_cm2 is None


def test_capacity_control_shrinks_the_time() -> None:
    program = build_program("capacity_control", (0.1, 0.2), half_cycle_mAh_cm2=0.1)
    assert loaded(program) == [(0.1, 3600), (-0.1, 3600), (0.2, 1800), (-0.2, 1800)]
    assert program.half_cycle_s is None


def test_endurable_time_repeats_each_level() -> None:
    program = build_program("endurable_time", (0.1, 0.2), half_cycle_s=60, cycles_per_level=3, first_sign=-1)
    assert [j for j, _ in loaded(program)] == [-0.1, 0.1] * 3 + [-0.2, 0.2] * 3
    assert [s.cycle for s in program.segments] == [0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5]


def test_rests_lie_between_and_not_after() -> None:
    program = build_program("time_control", (0.1, 0.2), half_cycle_s=60, rests=Rests(5, 2, 3))
    assert [s.duration_s for s in program.segments] == [5, 60, 2, 60, 3, 60, 2, 60]


def test_steps_cover_the_program_and_straddle_nothing() -> None:
    program = build_program("time_control", (1.0,), half_cycle_s=25)
    assert list(steps(program, 10.0, 0.5)) == [
        (5e-4, 10),
        (5e-4, 10),
        (5e-4, 5),
        (-5e-4, 10),
        (-5e-4, 10),
        (-5e-4, 5),
    ]


def test_levels_are_round() -> None:
    assert ramp_levels(0.1, 0.1, 3) == (0.1, 0.2, 0.3)


@pytest.mark.parametrize(
    "kind, sizes", [("time_control", {}), ("capacity_control", {"half_cycle_s": 60}), ("x", {})]
)
def test_impossible_programs_are_refused(kind, sizes) -> None:
    with pytest.raises(ValueError, match=r"needs the|unknown protocol"):
        build_program(kind, (0.1,), **sizes)
