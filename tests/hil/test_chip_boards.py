"""Every board described in `firmware/boards/`, under the whole firmware on the emulated Pico."""

from pathlib import Path

import pytest

from ccdmon_hil.chip_boards import BOARDS, main
from tests.conftest import PROJECT_DIR


def test_every_description_has_its_chips() -> None:
    assert BOARDS.keys() == {path.stem for path in (PROJECT_DIR / "firmware" / "boards").glob("*.py")}


@pytest.mark.pico
@pytest.mark.parametrize("board", BOARDS)
def test_a_board_conforms_and_cuts_a_short_off(board: str, pico_image: Path) -> None:
    assert main(["--board", board, "--image", str(pico_image)]) == 0
