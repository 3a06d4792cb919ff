"""The pytest plugin, used from outside the repository as its readme shows."""

import re
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest

README = Path(__file__).resolve().parents[2] / "hil" / "README.md"
SCENARIO = (
    '[play]\nsimulate = "hard_short"\nseed = 3\naround_fault = [300, 20]\n[expect]\nverdict = "{verdict}"\n'
)


def _pytest(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-rs", *arguments, str(folder)]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=300, check=False)


def test_the_readmes_example_passes_and_leaves_its_record(tmp_path: Path) -> None:
    files = re.findall(r"<!-- file: (\S+) -->\n```\w+\n(.*?)```", README.read_text(), re.DOTALL)
    assert [name for name, _ in files] == ["test_cell.py", "short.scenario.toml"]
    for name, text in files:
        (tmp_path / name).write_text(text)
    record = tmp_path / "record.xml"
    done = _pytest(tmp_path, f"--junitxml={record}")
    assert "3 passed" in done.stdout, done.stdout + done.stderr
    for case in ElementTree.parse(record).iter("testcase"):
        kept = {item.get("name"): item.get("value") for item in case.iter("property")}
        assert kept["rig"] == "unix"
        assert kept["gate"] in ("open", "closed")
        assert len(str(kept["firmware_hash"])) == 16


def test_what_comes_out_otherwise_fails_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "wrong.scenario.toml").write_text(SCENARIO.format(verdict="no-trip"))
    (tmp_path / "slow.scenario.toml").write_text(
        SCENARIO.format(verdict="hard_short") + "[latency_budget]\nsamples = 0\n"
    )
    (tmp_path / "typo.scenario.toml").write_text(SCENARIO.format(verdict="no-trip") + "[expekt]\n")
    done = _pytest(tmp_path)
    assert "3 failed" in done.stdout, done.stdout
    assert "wrong.scenario.toml: expected no-trip, but: hard_short" in done.stdout
    assert re.search(r"slow.scenario.toml: latency of \d+ samples is over the budget of 0", done.stdout)
    assert "unknown key; did you mean 'expect'?" in done.stdout


def test_what_is_not_there_skips_and_says_so(tmp_path: Path) -> None:
    (tmp_path / "gone.scenario.toml").write_text(
        '[play]\ntrace = "gone.bdf.csv"\n[expect]\nverdict = "trip"\n'
    )
    (tmp_path / "short.scenario.toml").write_text(SCENARIO.format(verdict="hard_short"))
    recording = _pytest(tmp_path)
    assert "gone.bdf.csv: this recording is not here" in recording.stdout
    rig = _pytest(tmp_path, "--rig", "board", "--port", "/dev/ttyNOTHING7")
    assert "rig board is not there: port /dev/ttyNOTHING7" in rig.stdout
    assert "passed" not in rig.stdout
    assert rig.returncode == 0


def test_lost_samples_leave_the_verdict_undecided() -> None:
    from types import SimpleNamespace

    from ccdmon_hil.play.scenario import ScenarioFile, problems_of

    file = ScenarioFile.model_validate({"play": {"simulate": "healthy"}, "expect": {"verdict": "no-trip"}})
    result = SimpleNamespace(
        rows=10, samples_received=9, dropped=1, crc_errors=0, tripped=False, gate_closed=True, trip_row=None,
        meets=lambda _: True, document=lambda: {"latency": {}},
    )  # fmt: skip
    assert problems_of(file, result) == ["undecided: 1 of 10 samples lost, 0 frames damaged"]  # type: ignore[arg-type]
    result.samples_received, result.dropped = 10, 0
    assert problems_of(file, result) == []  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "name", sorted((README.parent / "wiring").glob("*.toml")), ids=lambda path: path.stem
)
def test_the_wiring_files_are_readable(name: Path) -> None:
    from ccdmon_hil.rigs.wiring import wiring_of

    assert wiring_of(str(name)).port.startswith("/dev/")
