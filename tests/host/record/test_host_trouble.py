"""What the host does to a recording: its clock is set, its disk becomes read-only, others read the folder meanwhile.

Each on real processes. Stopped processes, moved folders and idle sockets are tested in `test_beside.py`.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from ccdmon.cli import main
from ccdmon.run.stored_rows import RunRows
from tests.host.pty_board import PtyBoard
from tests.host.record.test_recording import end, events, recorder, samples, state, wait_for
from tests.host.whole_run import open_run

STEPS_S = (3600, -7200, 86400 * 400)  # summer time, a wrong correction, a battery that was empty


@pytest.fixture
def stepped_clock(tmp_path: Path) -> dict[str, str]:
    """The environment of a process whose wall clock `step.txt` moves."""
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None:
        pytest.skip("no C compiler for stepped_clock.c: apt-get install gcc")
    library, source = tmp_path / "clock.so", Path(__file__).with_name("stepped_clock.c")
    subprocess.run([compiler, "-shared", "-fPIC", "-o", library, source, "-ldl"], check=True)
    (tmp_path / "step.txt").write_text("0")
    return {"LD_PRELOAD": str(library), "CCDMON_CLOCK_FILE": str(tmp_path / "step.txt")}


def test_a_wall_clock_that_jumps_moves_no_row_and_is_told(
    tmp_path: Path, stepped_clock: dict[str, str]
) -> None:
    folder = tmp_path / "run"
    with (
        PtyBoard(tmp_path / "port") as board,
        recorder(board.name, folder, env=stepped_clock) as process,
    ):
        wait_for(lambda: samples(folder, 1000), "samples")
        for n, step_s in enumerate(STEPS_S, 1):
            (tmp_path / "new.txt").write_text(str(step_s))
            (tmp_path / "new.txt").replace(tmp_path / "step.txt")
            wait_for(
                lambda n=n: len([e for e in events(folder) if e["action"] == "clock_stepped"]) == n,
                "the step",
            )
            came = state(folder)["samples"]
            wait_for(lambda came=came: samples(folder, came + 1000), "samples behind the step")
        said = end(process)
    run = open_run(folder)
    assert run.counts.missing_samples == run.counts.crc_errors == 0
    period_s = run.config["time"]["seconds_per_sample"]
    np.testing.assert_allclose(np.diff(run.trace.test_time_s), period_s, rtol=1e-6)
    stepped = [event["seconds"] for event in run.events if event["action"] == "clock_stepped"]
    np.testing.assert_allclose(stepped, np.diff((0, *STEPS_S)), atol=0.5)
    assert said.count("clock stepped") == len(STEPS_S)
    unix_s = run.trace.unix_time_s
    assert unix_s is not None
    offset_s = unix_s - run.trace.test_time_s
    assert {round(jump_s / 600) for jump_s in np.diff(offset_s) if abs(jump_s) > 1.0} == {
        round(jump_s / 600) for jump_s in np.diff((0, *STEPS_S))
    }


@contextmanager
def small_disk(folder: Path) -> Iterator[Path]:
    """An ext4 of its own; skips where that cannot be had."""
    image, place = folder / "disk.img", folder / "disk"
    place.mkdir()
    if os.geteuid() != 0 or shutil.which("mkfs.ext4") is None:
        pytest.skip("a file system of its own needs root and mkfs.ext4")
    with image.open("wb") as file:
        file.truncate(32 << 20)
    subprocess.run(["mkfs.ext4", "-q", image], check=True)
    mounted = subprocess.run(["mount", "-o", "loop", image, place], capture_output=True, text=True)
    if mounted.returncode:
        pytest.skip(f"no loop device: {mounted.stderr.strip()}")
    try:
        yield place
    finally:
        subprocess.run(["umount", "-l", place], check=True)


def test_a_disk_that_becomes_read_only_is_told_and_what_it_has_stays(tmp_path: Path) -> None:
    """As ext4 does it after an error of the disk: open files take nothing more, and nothing brings it back."""
    with small_disk(tmp_path) as disk, PtyBoard(tmp_path / "port") as board:
        folder = disk / "run"
        with recorder(board.name, folder) as process:
            wait_for(lambda: samples(folder, 2000), "samples")
            acknowledged = state(folder)["samples"]
            subprocess.run(["mount", "-o", "remount,abort", disk], check=True)
            disk_says = wait_for(lambda: state(folder).get("disk"), "what the disk says")
            assert "Read-only file system" in disk_says
            before = state(folder)["samples"]
            time.sleep(1.0)
            assert state(folder)["samples"] == before, "what is on no disk is not counted as recorded"
            said = end(process, code=3)
        run = open_run(folder)
        assert run.counts.samples >= acknowledged and run.counts.crc_errors == 0
        lost = [line for line in said.splitlines() if "never took" in line]
        assert len(lost) == 1 and int(lost[0].split("the last ")[1].split()[0]) > 1000
        # Whether a write or a sync meets it first is chance.
        assert "Traceback" not in said and re.search(
            r"cannot write \((Read-only file system|Input/output error)\)", said
        )
        analyzed = subprocess.run(
            [sys.executable, "-m", "ccdmon", "analyze", folder, "--json"], capture_output=True, text=True
        )
        assert json.loads(analyzed.stdout)["half_cycles"], analyzed.stderr


@contextmanager
def watching(folder: Path) -> Iterator[str]:
    """`ccdmon watch` of a folder, as a process: its address."""
    process = subprocess.Popen(
        [sys.executable, "-m", "ccdmon", "watch", str(folder), "--http-port", "0"],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
    try:
        assert process.stdout is not None
        said = ""
        while "http://" not in said:
            line = process.stdout.readline()
            assert line, said
            said += line
        yield "http://" + said.split("http://")[1].split(";")[0]
    finally:
        process.terminate()
        process.wait(10)


def test_two_watch_and_one_analyzes_while_it_is_recorded(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "run"
    with (
        PtyBoard(tmp_path / "port") as board,
        recorder(board.name, folder) as process,
    ):
        wait_for(lambda: samples(folder, 1000), "samples")
        with watching(folder) as one, watching(folder) as other:
            assert one != other
            ends_s = []
            for turn in range(2):
                for page in (one, other):
                    with urllib.request.urlopen(page, timeout=10) as answer:
                        assert answer.status == 200
                out = tmp_path / f"out-{turn}"
                assert main(["analyze", str(folder), "--json", "--out", str(out)]) in (0, 1)
                ends_s.append(json.loads(capsys.readouterr().out)["half_cycles"][-1]["end_s"])
            assert ends_s == sorted(set(ends_s)), "each sees more than the one before"
        said = end(process)
    assert "goes on" not in said and "fail" not in said
    run = RunRows(folder)
    assert sum(len(piece.rows) for piece in run.pieces()) == run.counts.samples
    assert run.counts.missing_samples == run.counts.crc_errors == 0


@pytest.mark.parametrize(
    "words",
    [
        ["watch", ".", "--http-port", "99999"], ["watch", ".", "--http-port", "-1"], ["watch", ".", "--http-port", "x"],
        ["record", "--port", "x", "--rotate-mb", "-1"], ["record", "--port", "x", "--rotate-mb", "nan"],
        ["record", "--port", "x", "--rotate-mb", "0"], ["record", "--port", "x", "--stop-after", "nan"],
    ],
    ids=" ".join,
)  # fmt: skip
def test_numbers_that_cannot_be_are_refused_before_anything_is_done(
    words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    """A port of 99999 ended as a bug."""
    with pytest.raises(SystemExit) as ended:
        main(words)
    assert ended.value.code == 2
    assert capsys.readouterr().err.count("\n") == 1
