"""The line of a whole test: what moves within a block, beside what only climbs through it."""

from types import SimpleNamespace
from typing import cast

import numpy as np

from ccdmon.analysis.document import analyze
from ccdmon.analysis.level.leveled import Leveled
from ccdmon.analysis.level.line import Line
from ccdmon.simulation.simulate import simulate


def test_what_climbs_through_a_block_does_not_move_within_it() -> None:
    climbing = np.linspace(100.0, 163.0, 64)
    line = Line([cast(Leveled, SimpleNamespace(ohm=climbing, span_ohm=np.full(64, 0.9)))])
    assert np.all(line.within_ohm == 0.0)
    swinging = Line([cast(Leveled, SimpleNamespace(ohm=np.full(64, 100.0), span_ohm=np.full(64, 40.0)))])
    assert np.all(swinging.within_ohm == 40.0)


def test_a_polarisation_that_runs_away_is_no_soft_short() -> None:
    document = analyze(simulate("limiting_current", 45002).trace)
    assert {event["kind"] for event in document["events"]} == {"limit"}
