"""Rig `model`: the firmware on CPython gives what it gives on MicroPython's unix port."""

import numpy as np
import pytest

from ccdmon.errors import DeviceError
from ccdmon.simulation.simulate import simulate
from ccdmon_hil.play.replay import open_session, replay_on
from ccdmon_hil.rigs.session import Session


@pytest.mark.parametrize(("scenario", "seed"), [("hard_short", 3), ("contact_loss", 2), ("healthy", 10_000)])
def test_the_same_rows_give_the_same_codes_and_document(
    model: Session, unix: Session, scenario: str, seed: int
) -> None:
    trace = simulate(scenario, seed, max_rows=2000).trace
    ours, theirs = (replay_on(session, trace) for session in (model, unix))
    assert np.array_equal(ours.codes, theirs.codes)
    apart = {"rig", "firmware"}
    assert {k: v for k, v in ours.document().items() if k not in apart} == {
        k: v for k, v in theirs.document().items() if k not in apart
    }
    assert ours.document()["firmware"]["micropython"].startswith("cpython 3.")


def test_a_firmware_that_fails_opens_the_gate_and_is_told_in_one_line() -> None:
    with open_session("model") as session:
        session.target._app.alarms = None  # type: ignore[attr-defined]
        with pytest.raises(DeviceError, match=r"^rig model: the firmware ended: AttributeError: [^\n]*$"):
            session.pump()
