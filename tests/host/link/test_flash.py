"""Deploying to a board in memory: what is written, in which order, and what is refused before anything is touched."""

import hashlib
from collections.abc import Sequence
from typing import Any

import pytest

from ccdmon.errors import DeviceError, InputError
from ccdmon.link import flash
from ccdmon.link.firmware import board_names, bytecode_fits, compiled_files, firmware_files

PICO_NAME, PICO_2_NAME = "Raspberry Pi Pico with RP2040", "Raspberry Pi Pico 2 with RP2350"
PICO_MPY = 0x1306  # MicroPython 1.26 on the RP2040: version 6, sub-version 3, armv6m


class Board:
    """Stands in for `console.Console`: files in memory, and what was done in order."""

    def __init__(self, files: dict[str, bytes] | None = None) -> None:
        self.files = dict(files or {})
        self.done: list[str] = []
        self.implementation: Any = ((1, 26, 1), PICO_MPY, "rp2", PICO_NAME)
        self.spoils: str | None = None

    def run(self, _code: str) -> str:
        return ""

    def evaluate(self, _expression: str) -> Any:
        return self.implementation

    def hashes(self, paths: Sequence[str]) -> dict[str, str]:
        there = [name for name in self.files if name in paths or name.split("/")[0] in paths]
        return {name: hashlib.sha256(self.files[name]).hexdigest() for name in there}

    def make_folder(self, path: str) -> None:
        self.done.append(f"folder {path}")

    def write(self, path: str, content: bytes) -> None:
        self.done.append(f"write {path}")
        self.files[path] = content[:-1] if path == self.spoils else content

    def remove(self, path: str) -> None:
        self.done.append(f"remove {path}")
        del self.files[path]


def deploy(board: Board, files: dict[str, bytes]) -> tuple[list[str], int]:
    return flash._deploy(board, "test", files, lambda _line: None)  # type: ignore[arg-type]


def test_a_new_board_gets_everything_main_last() -> None:
    board, files = Board(), firmware_files("pico_ina228_nau7802")
    written, removed = deploy(board, files)
    assert board.files == files
    assert (sorted(written), removed) == (sorted(files), 0)
    assert board.done[-1] == "write main.py"
    assert board.done.index("folder ccdmon_fw") < board.done.index("folder ccdmon_fw/drivers")
    assert board.done.index("folder ccdmon_fw/drivers") < board.done.index(
        "write ccdmon_fw/drivers/common.py"
    )


def test_what_is_there_already_is_not_written_again() -> None:
    board = Board(firmware_files() | {"ccdmon/config0": b"settings", "notes.txt": b"mine"})
    assert deploy(board, firmware_files()) == ([], 0)
    assert board.done == []


def test_main_goes_first_and_modules_that_would_be_preferred_go_too() -> None:
    files = compiled_files("armv6m")
    assert files is not None
    source = firmware_files("pico_ina228_nau7802")
    board = Board(source | {"ccdmon/config0": b"settings"})
    written, removed = deploy(board, files)
    assert board.files == files | {"ccdmon/config0": b"settings"}
    assert board.done[0] == "remove main.py"
    assert removed == len(source) - 2  # all but boot.py and main.py
    assert "boot.py" not in written


def test_what_does_not_arrive_whole_is_told() -> None:
    board = Board()
    board.spoils = "ccdmon_fw/gate.py"
    with pytest.raises(DeviceError, match="differs from what was sent"):
        deploy(board, firmware_files())


@pytest.mark.parametrize(
    ("implementation", "text"),
    [
        (((1, 25, 0), PICO_MPY, "rp2", PICO_NAME), "MicroPython 1.25.0 for rp2"),
        (((1, 27, 0), 0x2B06, "esp32", "Generic ESP32 module with ESP32"), "for esp32"),
    ],
)
def test_a_board_that_will_not_do_is_one_line(implementation: Any, text: str) -> None:
    board = Board()
    board.implementation = implementation
    with pytest.raises(DeviceError, match=text) as refused:
        flash._check_board(board, "test")  # type: ignore[arg-type]
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("machine", "unproven", "text"),
    [
        (PICO_2_NAME, False, "--unproven"),
        ("Raspberry Pi Pico W with RP2040", False, "does not know this board"),
        ("Raspberry Pi Pico W with RP2040", True, "does not know this board"),
    ],
)
def test_a_board_that_is_not_known_or_not_proven_is_refused(machine: str, unproven: bool, text: str) -> None:
    with pytest.raises(DeviceError, match=text) as refused:
        flash._accept(machine, PICO_MPY, "test", unproven, print)
    assert "\n" not in str(refused.value)


def test_an_unproven_board_is_named_on_its_flash_where_somebody_accepted_it() -> None:
    said: list[str] = []
    assert flash._accept(PICO_NAME, PICO_MPY, "test", True, said.append) == ""
    assert said == []
    assert flash._accept(PICO_2_NAME, PICO_MPY, "test", True, said.append) == PICO_2_NAME
    assert "connect no cell" in said[0]
    board = Board({"unproven.txt": PICO_2_NAME.encode()})
    deploy(board, firmware_files())
    assert "unproven.txt" not in board.files, "what was accepted once is not accepted for ever"


def test_bytecode_of_another_version_is_not_deployed() -> None:
    files = compiled_files("armv6m")
    assert files is not None
    assert bytecode_fits(files, PICO_MPY)
    assert not bytecode_fits(files, PICO_MPY + 1)
    assert not bytecode_fits(files, PICO_MPY - 0x100), "another sub-version of native code"
    lines: list[str] = []
    deployed, compiled = flash._files("pico", "armv6m", PICO_MPY + 1, False, lines.append)
    assert (set(deployed), compiled) == (set(firmware_files()), False)
    assert "no mpy-cross that fits" in lines[0]


def test_no_such_board_names_those_there_are() -> None:
    with pytest.raises(InputError, match=f"one of {', '.join(board_names())}, or"):
        flash.flash("test", print, board="pluto")


def test_a_description_of_ones_own_is_deployed_as_board(tmp_path: Any) -> None:
    own = tmp_path / "mine.py"
    own.write_text("NAME = 'mine'\n")
    assert firmware_files(str(own))["board.py"] == own.read_bytes()
    own.write_text("def (")
    with pytest.raises(InputError, match=r"board.py: mpy-cross refuses it"):
        compiled_files("armv6m", str(own))
