"""`ccdmon flash` on an emulated Pico behind a real terminal: the program ended, deployed, verified, seen to answer."""

import json

import pytest

from ccdmon.cli import main
from ccdmon.link import console, flash
from ccdmon_fw import limits
from ccdmon_hil.rigs.pico_pty import PicoPty


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a busy machine the emulator is slower than any board."""
    for module, limit in (
        (flash, "ASK_LIMIT_S"), (flash, "RESTART_LIMIT_S"), (console, "PROMPT_LIMIT_S"), (console, "SILENCE_LIMIT_S"),
    ):  # fmt: skip
        monkeypatch.setattr(module, limit, 180.0)


@pytest.mark.pico
@pytest.mark.usefixtures("patient")
def test_a_running_board_becomes_another_board(
    flashed_pico: PicoPty, capsys: pytest.CaptureFixture[str]
) -> None:
    """The console is binary at first; afterwards a board runs whose converters are missing, and says so."""
    code = main(["flash", "--port", flashed_pico.port, "--board", "pico_ina228_nau7802", "--json"])
    out, err = capsys.readouterr()
    assert code == 0, err
    document = json.loads(out)
    assert document["schema"] == "ccdmon.flash/1"
    assert document["compiled"]
    assert (document["written"], document["removed"]) == (2, 0)  # board.mpy and main.py
    assert document["firmware"] == {
        "version": limits.VERSION, "board": "rpi_pico_ina228_nau7802", "id": "ffffffffffffffff",
    }  # fmt: skip
    assert document["fault"].startswith("ina228: ")
    assert "a converter does not start: ina228: " in err


def test_a_port_that_is_not_there(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["flash", "--port", "/dev/no-such-port", "--json"]) == 3
    out, err = capsys.readouterr()
    assert out == ""
    assert len(err.strip().splitlines()) == 1
    assert "/dev/no-such-port" in err
