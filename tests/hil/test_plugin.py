"""The pytest plugin, used from outside the repository as its readme shows."""

import re
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path

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
    (line,) = (line for line in done.stdout.splitlines() if line.endswith("did you mean 'expect'?"))
    assert line.count(".scenario.toml") == 1, "the file is named once"


def test_what_was_asked_for_and_is_not_there_fails(tmp_path: Path) -> None:
    gone = '[play]\ntrace = "gone.bdf.csv"\n{more}[expect]\nverdict = "trip"\n'
    (tmp_path / "gone.scenario.toml").write_text(gone.format(more=""))
    (tmp_path / "may_be_gone.scenario.toml").write_text(gone.format(more="optional = true\n"))
    (tmp_path / "short.scenario.toml").write_text(SCENARIO.format(verdict="hard_short"))
    (tmp_path / "test_gone.py").write_text(
        "import pytest\n\n\n@pytest.mark.trace('lost.bdf.csv')\ndef test_it(verdict):\n    assert verdict\n"
    )
    recording = _pytest(tmp_path)
    assert "2 failed, 1 passed, 1 skipped" in recording.stdout or "1 error" in recording.stdout, (
        recording.stdout
    )
    assert "gone.bdf.csv: this recording is not here" in recording.stdout
    assert "lost.bdf.csv: this recording is not here" in recording.stdout
    rig = _pytest(tmp_path, "--ccdmon-rig", "board", "--ccdmon-port", "/dev/ttyNOTHING7")
    assert "rig board is not there: port /dev/ttyNOTHING7" in rig.stdout
    assert "passed" not in rig.stdout
    assert rig.returncode == 1


def test_beside_a_plugin_with_a_port_option_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "neighbour.py").write_text(
        "def pytest_addoption(parser):\n"
        "    for name in ('--port', '--rig', '--image'):\n        parser.addoption(name)\n"
    )
    (tmp_path / "short.scenario.toml").write_text(SCENARIO.format(verdict="hard_short"))
    done = _pytest(tmp_path, "-p", "neighbour", "--port", "/dev/ttyACM0", "-W", "error")
    assert "1 passed" in done.stdout, done.stdout + done.stderr
