"""The image with the firmware in it: nothing on the flash file system, and the board watches, answers and trips."""

from pathlib import Path

import pytest

from ccdmon.link.firmware import firmware_hash
from ccdmon_fw import limits, wire
from ccdmon_hil.faults.black_box import read_box
from ccdmon_hil.rigs.breakable import pico as hooked
from ccdmon_hil.rigs.cache import frozen_dir
from ccdmon_hil.rigs.session import Session

pytestmark = pytest.mark.pico
pico = pytest.importorskip(
    "ccdmon_hil.rigs.pico", reason="the emulated Pico is not installed: pip install '.[pico]'"
)


class EmptyPico(pico.PicoTarget):
    """A chip with this image and an empty flash behind it."""

    def start(self) -> None:
        self.power_on(None)
        self._run_until_sampling()


@pytest.fixture
def frozen_image() -> Path:
    """The image of just this firmware, which takes minutes to build."""
    found = sorted(frozen_dir().glob(f"ccdmon-{firmware_hash()}-*.uf2"))
    if not found:
        pytest.skip(
            f"no image of this firmware in {frozen_dir()}: `ccdmon image --build --frozen` builds one"
        )
    return found[-1]


def test_a_board_with_nothing_on_its_flash_answers_and_trips(frozen_image: Path) -> None:
    session = Session(EmptyPico(frozen_image))
    session.start()
    assert session.identity["version"] == limits.VERSION
    session.configure(hooked.settings(voltage_max_code=50000))
    codes = (40000, 40000, 32768)
    session.target.play(lambda row, _: codes if row < 40 else (60000, 40000, 32768))
    session.command(wire.STREAM, wire.pack(wire.STREAM, wire.EVENTS_ONLY, 0))
    session.arm()
    session.wait_for_trip()
    assert session.trip is not None
    assert (session.trip["reason"], session.trip["value"]) == (limits.LIMIT, 60000)
    assert [edge.closed for edge in session.target.edges][-2:] == [True, False]
    hooked.run_for(session, 200_000)  # the black box is written
    session.target.power_cycle()
    session.target._run_until_sampling()
    session.device.identify()
    status = session.status()
    assert (status["trip_id"], status["reason"], status["gate"]) == (session.trip["trip_id"], limits.LIMIT, 0)
    head, kept = read_box(session, status["trip_id"])
    assert (head["reason"], len(kept)) == (limits.LIMIT, 512)
    session.close()
