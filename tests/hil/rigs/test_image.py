"""Where an image is looked for, in which order, and what a wrong one says."""

import hashlib
import json
from pathlib import Path

import pytest

from ccdmon.cli import main
from ccdmon.errors import DeviceError, InputError
from ccdmon.link.firmware import firmware_files
from ccdmon_hil.rigs import image, image_build, uf2


@pytest.fixture
def no_image(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Neither setting nor cache nor download; returns the cache folder."""
    monkeypatch.delenv(image.IMAGE_SETTING, raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(image, "_download", lambda: None)
    return tmp_path / "cache" / "ccdmon"


def _write(path: Path, payload: bytes = b"firmware") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(uf2.encode(payload))
    return path


def test_option_before_setting_before_cache(
    no_image: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cached = _write(no_image / "RPI_PICO-micropython-1.26.1.uf2")
    assert image.find_image() == cached
    setting = _write(tmp_path / "setting.uf2")
    monkeypatch.setenv(image.IMAGE_SETTING, str(setting))
    assert image.find_image() == setting
    option = _write(tmp_path / "option.uf2")
    assert image.find_image(option) == option


def test_the_emulators_download_comes_last(
    no_image: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fetched = _write(tmp_path / "fetched.uf2")
    monkeypatch.setattr(image, "_download", lambda: fetched)
    assert image.find_image() == fetched
    with pytest.raises(DeviceError):
        image.find_image(download=False)


def test_no_image_names_the_way_out(no_image: Path) -> None:
    with pytest.raises(DeviceError, match="ccdmon image --build"):
        image.find_image()


def test_a_setting_that_is_no_image_is_not_passed_over(
    no_image: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _write(no_image / "good.uf2")
    bad = tmp_path / "bad.uf2"
    bad.write_text("not an image")
    monkeypatch.setenv(image.IMAGE_SETTING, str(bad))
    with pytest.raises(InputError, match="not a UF2 file"):
        image.find_image()


@pytest.mark.parametrize("content", [b"", b"MZ" + bytes(1000), uf2.encode(bytes(600))[:-512]])
def test_command_line_refuses_a_bad_image_in_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], content: bytes
) -> None:
    bad = tmp_path / "bad.uf2"
    bad.write_bytes(content)
    assert main(["image", "--image", str(bad)]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.count("\n") == 1
    assert "bad.uf2" in captured.err


def test_a_missing_file_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["image", "--image", "/nonexistent/pico.uf2"]) == 2
    assert "/nonexistent/pico.uf2" in capsys.readouterr().err


def test_building_says_which_packages_are_missing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(InputError, match=r"apt-get install .*cmake.*libnewlib-arm-none-eabi") as caught:
        image_build.build_image(tmp_path / "work", print)
    assert "\n" not in str(caught.value)


def test_an_image_with_the_firmware_is_built_not_found(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["image", "--frozen"]) == 2
    assert "--build" in capsys.readouterr().err


def test_an_image_with_the_firmware_is_never_the_one_that_is_found(
    no_image: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        image_build, "build_image", lambda folder, _say, frozen: _write(folder / f"{frozen}.uf2")
    )
    assert image.build_into_cache(print, frozen=True) == image.frozen_dir() / "True.uf2"
    with pytest.raises(DeviceError):
        image.find_image()
    assert image.build_into_cache(print) == image.find_image()


def test_the_manifest_lies_beside_the_files_it_freezes(tmp_path: Path) -> None:
    manifest = image_build._firmware_manifest(tmp_path)
    there = {file.relative_to(manifest.parent).as_posix() for file in manifest.parent.rglob("*.py")}
    assert there == {"manifest.py", *firmware_files()}


@pytest.mark.parametrize(
    ("version", "numbers"),
    [("1.26.1+ds-1", (1, 26, 1)), ("2:3.6.6-0.1~deb13u1", (3, 6, 6)), ("1.30~rc1", (1, 30))],
)
def test_debian_versions_compare_as_numbers(version: str, numbers: tuple[int, ...]) -> None:
    assert image_build._numbers(version) == numbers


def test_a_download_that_is_another_than_the_first_is_refused_and_not_kept(
    no_image: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    fetched = _write(tmp_path / "fetched.uf2")
    image.check_hash(fetched)
    told = capsys.readouterr().err
    assert hashlib.sha256(fetched.read_bytes()).hexdigest() in told and told.count("\n") == 1
    assert "not pinned" in told
    image.check_hash(fetched)
    assert capsys.readouterr().err == "", "it is the one that was noted"
    _write(fetched, b"somebody else's")
    with pytest.raises(InputError, match=r"^[^\n]*expected[^\n]*--build`$"):
        image.check_hash(fetched)
    assert not fetched.exists()


def test_a_hash_that_is_named_wins(no_image: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fetched = _write(tmp_path / "fetched.uf2")
    monkeypatch.setenv(image.HASH_SETTING, hashlib.sha256(fetched.read_bytes()).hexdigest().upper())
    image.check_hash(fetched)
    monkeypatch.setenv(image.HASH_SETTING, "0" * 64)
    with pytest.raises(InputError, match=image.HASH_SETTING):
        image.check_hash(fetched)


def test_a_first_download_of_a_pinned_name_must_be_the_pinned_one(
    no_image: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without the table whatever came first was trusted."""
    fetched = _write(tmp_path / "RPI_PICO-9.9.9.uf2")
    right = hashlib.sha256(fetched.read_bytes()).hexdigest()
    monkeypatch.setitem(image.PINNED, fetched.name, right)
    image.check_hash(fetched)
    assert capsys.readouterr().err == ""
    monkeypatch.setenv(image.HASH_SETTING, "")
    _write(fetched, b"somebody else's")
    (no_image / f"{fetched.name}.sha256").unlink()
    with pytest.raises(InputError, match=f"expected {right} .pinned."):
        image.check_hash(fetched)
    assert not fetched.exists()


@pytest.mark.parametrize(
    ("pinned", "said"), [(None, "not pinned"), ("as it is", "as pinned"), ("0" * 64, "another than")]
)
def test_the_command_tells_the_hash_and_whether_it_is_pinned(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    pinned: str | None,
    said: str,
) -> None:
    mine = _write(tmp_path / "mine.uf2")
    digest = hashlib.sha256(mine.read_bytes()).hexdigest()
    if pinned:
        monkeypatch.setitem(image.PINNED, mine.name, digest if pinned == "as it is" else pinned)
    assert main(["image", "--image", str(mine)]) == 0
    told = capsys.readouterr()
    assert (told.out, told.err.count("\n")) == (f"{mine}\n", 1)
    assert digest in told.err and said in told.err
    assert main(["image", "--image", str(mine), "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["sha256"] == digest
    assert document["pinned"] == {None: None, "as it is": True}.get(pinned, False)


@pytest.mark.pico
def test_the_image_that_the_tests_run_on_is_the_pinned_one(pico_image: Path) -> None:
    digest, pinned = image.vouched(pico_image)
    if pinned is None:
        pytest.skip(f"{pico_image.name} is not in image.PINNED; its SHA-256 is {digest}")
    assert pinned, digest
