"""Faults brought about inside the firmware and at its pins, on the emulated Pico: gate open, right reason, latched."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from ccdmon_fw import wire
from ccdmon_hil.faults.in_pico import FIRMWARE_FAULTS, RIG_FAULTS
from ccdmon_hil.rigs.breakable.pico import open_hooked
from ccdmon_hil.rigs.session import Session

pytestmark = pytest.mark.pico
EXTERNAL = RIG_FAULTS[0]
FAULTS = {fault.name: fault for fault in (*FIRMWARE_FAULTS, EXTERNAL)}


@pytest.fixture(scope="module")
def edge(pico_image: Path) -> Iterator[Session]:
    session = open_hooked(pico_image)
    yield session
    session.close()


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_opens_the_gate_and_latches(edge: Session, name: str) -> None:
    outcome = FAULTS[name].bring_about(edge)
    FAULTS[name].stage.mended(edge)
    assert not FAULTS[name].problem(outcome), outcome
    assert edge.trip is not None
    assert edge.status()["trip_id"] == edge.trip["trip_id"]
    with pytest.raises(Exception, match="latched"):
        edge.command(wire.ARM)
