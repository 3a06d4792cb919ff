"""One file with MicroPython and the firmware: a Pico with nothing else on its flash watches, answers and trips."""

from pathlib import Path

import pytest

from ccdmon_fw import limits
from ccdmon_hil.rigs import uf2
from ccdmon_hil.rigs.breakable import pico as hooked
from ccdmon_hil.rigs.session import Session

pytestmark = pytest.mark.pico
pico = pytest.importorskip(
    "ccdmon_hil.rigs.pico", reason="the emulated Pico is not installed: pip install '.[pico]'"
)


class FreshPico(pico.PicoTarget):
    """A chip whose flash held nothing before this image."""

    def start(self) -> None:
        self.power_on(None)
        self._run_until_sampling()


@pytest.fixture
def drag_image(pico_image: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    from ccdmon_hil.rigs.drag_image import drag_image

    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    first, digest = drag_image(image=pico_image)
    assert drag_image(image=pico_image) == (first, digest), "the same again, bit by bit"
    assert len(list(first.parent.iterdir())) == 1
    return first


def test_a_fresh_pico_runs_it_and_trips(drag_image: Path) -> None:
    assert uf2.problem(drag_image.read_bytes()) is None
    session = Session(FreshPico(drag_image))
    session.start()
    assert session.identity["version"] == limits.VERSION
    session.configure(hooked.settings(voltage_max_code=50000))
    session.target.play(lambda row, _: (40000 if row < 40 else 60000, 40000, 32768))
    session.arm()
    session.wait_for_trip()
    assert session.trip is not None
    assert session.trip["reason"] == limits.LIMIT
    session.close()


def test_sectors_are_written_whole_for_the_chip_erases_so() -> None:
    flash = bytearray(b"\xff" * 8 * uf2.SECTOR_BYTES)
    flash[5] = flash[3 * uf2.SECTOR_BYTES + 700] = 0
    content = uf2.encode_used(bytes(flash))
    assert uf2.problem(content) is None
    assert len(content) == 2 * 16 * uf2.BLOCK_BYTES
