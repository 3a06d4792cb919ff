"""The emulator compiled for this machine does what the wheel does, and where it cannot be compiled the wheel runs."""

import json
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from ccdmon_hil.rigs.emulator import edits as fast_emulator_edits
from ccdmon_hil.rigs.emulator import fast as fast_emulator

pytest.importorskip(
    "ccdmon_hil.rigs.pico", reason="the emulated Pico is not installed: pip install '.[pico]'"
)
DRIVE = Path(__file__).with_name("drive.py")


@pytest.mark.pico
@pytest.mark.parametrize(
    "part",
    [
        pytest.param(["--begin"], id="begin"),
        pytest.param(
            [],
            id="whole",
            marks=pytest.mark.skipif(not os.environ.get("CCDMON_SLOW"), reason="slow: CCDMON_SLOW=1 runs it"),
        ),
    ],
)
def test_it_shows_the_same_as_the_wheels_modules(pico_image: Path, part: list[str]) -> None:
    """Through a boot and a power cycle; the whole: a trip, a torn write and a reset by the watchdog, too."""
    started = [
        subprocess.Popen(
            [sys.executable, DRIVE, pico_image, *part],
            stdout=subprocess.PIPE,
            env=os.environ | {fast_emulator.SETTING: emulator},
        )
        for emulator in ("", fast_emulator.STOCK)
    ]
    fast, stock = (json.loads(process.communicate()[0]) for process in started)
    if fast["emulator"] != "fast":
        pytest.skip(f"not compiled here: {fast['emulator']}")
    assert stock.pop("emulator").startswith(fast_emulator.STOCK)
    del fast["emulator"]
    assert fast == stock


def _which(tmp_path: Path, **variables: str) -> tuple[str, str]:
    """(which emulator runs in a new process with an empty cache, what it said of that)."""
    run = subprocess.run(
        [sys.executable, "-m", "ccdmon_hil.rigs.emulator.fast"],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {fast_emulator.SETTING: "", "XDG_CACHE_HOME": str(tmp_path)} | variables,
    )
    return run.stdout.strip(), run.stderr.strip()


def test_without_a_compiler_the_wheels_modules_run_and_one_line_says_so(tmp_path: Path) -> None:
    which, said = _which(tmp_path, CC="/nowhere/cc")
    assert which == "stock: no C compiler (/nowhere/cc); the emulator is compiled with one"
    assert said.splitlines() == [f"emulator: not compiled for this machine, so it is slow: {which[7:]}"]
    assert list((tmp_path / "ccdmon" / "emulator").glob("*")) == []


def test_a_compiler_that_fails_is_found_out_before_the_source_is_translated(tmp_path: Path) -> None:
    which, _said = _which(tmp_path, CC="false")
    assert which == "stock: the C compiler (false) compiles nothing; the emulator is compiled with one"
    assert list((tmp_path / "ccdmon" / "emulator").glob("*")) == []


def test_a_build_that_fails_leaves_nothing_in_the_cache(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    builder = tmp_path / "build.py"
    builder.write_text("raise SystemExit('error: no space')")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(fast_emulator, "BUILDER", builder)
    with pytest.raises(fast_emulator.UnavailableError, match="error: no space: it takes a C compiler"):
        fast_emulator.compiled()
    assert [path.suffix for path in (tmp_path / "ccdmon" / "emulator").glob("*")] == [".lock"]


def test_the_setting_wins_without_a_word(tmp_path: Path) -> None:
    assert _which(tmp_path, CCDMON_EMULATOR="stock") == ("stock: CCDMON_EMULATOR", "")


def test_an_emulator_of_another_version_is_not_edited(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fast_emulator, "VERSION", "0.4.0")
    with pytest.raises(fast_emulator.UnavailableError, match=r"0\.4\.0"):
        fast_emulator.compiled()


def test_an_edit_that_does_not_fit_is_refused() -> None:
    with pytest.raises(fast_emulator.UnavailableError, match=r"_rp2040\.pyx is not that of"):
        fast_emulator.edited("_rp2040.pyx", "cdef class RP2040:\n    pass\n")


def test_the_patch_for_its_authors_names_each_file_and_holds_each_edit() -> None:
    patch = fast_emulator.patch()
    for edit in fast_emulator_edits.EDITS:
        assert f"+++ b/src/rp2040py/native/{edit.file}" in patch
    assert "+    cpdef bint check_for_interrupts(self) except -1:" in patch


def test_every_edit_says_why_and_changes_a_module_that_is_compiled() -> None:
    names = {f"{name}.{kind}" for name in fast_emulator_edits.MODULES for kind in ("pyx", "pxd")}
    for edit in fast_emulator_edits.EDITS:
        assert edit.why, edit
        assert edit.file in names, edit
        assert edit.find != edit.put, edit


def test_of_processes_that_start_together_one_compiles(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    compiled: list[Path] = []

    def compile_slowly(_source: Path, kept: Path) -> None:
        compiled.append(kept)
        time.sleep(0.2)
        kept.mkdir()

    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(fast_emulator, "_compile", compile_slowly)
    threads = [
        threading.Thread(target=fast_emulator.compiled) for _ in range(3)
    ]  # a lock each, as processes have
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(compiled) == 1
