"""The short version of `python -m ccdmon_hil.imperfections`, and that it says where something is not as it must be."""

from dataclasses import replace

import pytest

from ccdmon_hil import imperfections
from ccdmon_hil.imperfections import BLIND, NONE, SHORT, Run, played
from ccdmon_hil.rigs.open_rig import open_session

ROWS = 600


@pytest.mark.parametrize("case", [NONE, SHORT, *BLIND])
def test_never_closed_while_blind_never_open_without_a_fault(case: str) -> None:
    with open_session("model") as session:
        run = played(session, Run("all of it", case, "healthy", 10_001), ROWS)
    assert run.as_it_must, run


@pytest.mark.parametrize("channel", ["voltage", "current"])
def test_a_front_end_that_rustles_tells_that_it_froze(channel: str) -> None:
    with open_session("model") as session:
        run = played(session, Run("noise 3 steps", f"frozen {channel}", "healthy", 10_001), ROWS)
    assert run.delay is not None
    assert run.delay <= imperfections.STILL_ROWS


def test_what_is_not_as_it_must_be_is_told() -> None:
    closed = Run("perfect", "frozen current", "healthy", 1, at=100, latest=200)
    assert not closed.as_it_must
    assert replace(closed, opened=150).as_it_must
    assert not replace(closed, opened=99).as_it_must, "a trip before the fault is a false one"
    assert not replace(closed, opened=201).as_it_must
    assert Run("perfect", NONE, "healthy", 1).as_it_must
    assert not Run("perfect", NONE, "healthy", 1, opened=5).as_it_must
    assert "**1 wrong**" in imperfections.table_text([closed])
    assert imperfections.slowest([closed, replace(closed, opened=150), replace(closed, opened=180)], 1) == [
        replace(closed, opened=180)
    ]
