"""Drives of Picos in BOOTSEL mode, by what lies on them; an image is copied whole."""

import os
from pathlib import Path

import pytest

from ccdmon.cli import main
from ccdmon.cli.board import flash as verb
from ccdmon.errors import DeviceError
from ccdmon.link.bootsel import INFO_FILE, bootsel_drives, copy_image

INFO = "UF2 Bootloader v3.0\r\nModel: Raspberry Pi RP2\r\nBoard-ID: RPI-RP2\r\n"


def drive(folder: Path, info: str = INFO) -> Path:
    folder.mkdir(parents=True)
    (folder / INFO_FILE).write_text(info)
    return folder


def test_found_by_what_lies_on_them_whatever_they_are_called(tmp_path: Path) -> None:
    first, second = drive(tmp_path / "media" / "RPI-RP2"), drive(tmp_path / "mnt" / "stick")
    drive(tmp_path / "media" / "RP2350", INFO.replace("RPI-RP2", "RP2350"))
    (tmp_path / "media" / "photos").mkdir()
    roots = [tmp_path / "media", tmp_path / "mnt", tmp_path / "nowhere", first]
    assert bootsel_drives(roots) == [first, second]


def test_an_image_is_copied_whole(tmp_path: Path) -> None:
    there = drive(tmp_path / "RPI-RP2")
    image = tmp_path / "a.uf2"
    image.write_bytes(os.urandom(4096))
    copy_image(image, there)
    assert (there / "a.uf2").read_bytes() == image.read_bytes()


def test_a_drive_that_goes_away_has_taken_it_and_one_that_refuses_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    there = drive(tmp_path / "RPI-RP2")
    image = tmp_path / "a.uf2"
    image.write_bytes(b"x")

    def gone(_: int) -> None:
        (there / INFO_FILE).unlink()
        raise OSError(5, "Input/output error")

    def refusing(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", refusing)
    with pytest.raises(DeviceError, match=r"No space left .* BOOTSEL"):
        copy_image(image, there)
    monkeypatch.setattr(os, "fsync", gone)
    copy_image(image, there)


def test_flash_takes_the_drive_where_no_board_answers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    there = drive(tmp_path / "RPI-RP2")
    image = tmp_path / "ccdmon.uf2"
    image.write_bytes(b"image")

    class Rigs:
        @staticmethod
        def drag_image(board: str) -> tuple[Path, str]:
            assert board == "pico"
            return image, "0" * 64

    monkeypatch.setattr(verb, "plugged_in", list)
    monkeypatch.setattr(verb, "load_rigs", Rigs)
    monkeypatch.setattr(verb, "await_board", lambda before: "/dev/ttyACM7")
    monkeypatch.setattr(
        verb, "see_it_run", lambda *_: {"version": "0.1.0", "board": "pico", "micropython": "1.26.1"}
    )
    assert main(["flash", "--drive", str(there)]) == 0
    assert "/dev/ttyACM7: firmware 0.1.0 runs as pico" in capsys.readouterr().out
    assert (there / image.name).read_bytes() == b"image"
    assert main(["flash", "--drive", str(tmp_path)]) == 2
    assert "BOOTSEL" in capsys.readouterr().err
