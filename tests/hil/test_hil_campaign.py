"""The campaign: its table, its page and document, its exit code; a recorded run that becomes a scenario."""

import json
from pathlib import Path

import pytest

from ccdmon.cli import main as ccdmon
from ccdmon_hil import campaign, capture

SHORT = """title = "a short <b>"
[play]
simulate = "hard_short"
seed = 3
around_fault = [300, 20]
[expect]
verdict = "{verdict}"
"""


def test_what_passed_and_what_did_not_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "cut.scenario.toml").write_text(SHORT.format(verdict="hard_short"))
    (tmp_path / "gone.scenario.toml").write_text('[play]\ntrace = "x.bdf.csv"\n[expect]\nverdict = "trip"\n')
    assert campaign.main([str(tmp_path), "--out", str(tmp_path / "out")]) == 0
    (tmp_path / "wrong.scenario.toml").write_text(SHORT.format(verdict="no-trip"))
    assert campaign.main([str(tmp_path), "--out", str(tmp_path / "out")]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines[-1].startswith("3 runs, 1 failed, firmware ")
    assert "failed: expected no-trip, but: hard_short" in lines[-2]
    document = json.loads((tmp_path / "out" / "campaign.json").read_text())
    assert [run["outcome"] for run in document["runs"]] == ["passed", "skipped", "failed"]
    assert document["runs"][0]["gate"] == "open"
    page = (tmp_path / "out" / "campaign.html").read_text()
    assert page.count("<svg") == 2
    assert "a short &lt;b&gt;" in page.lower()
    assert "src=" not in page, "self-contained"


def test_a_recorded_run_becomes_a_scenario_that_passes(tmp_path: Path) -> None:
    assert (
        ccdmon(["simulate", "--scenario", "hard_short", "--seed", "3", "--out", str(tmp_path / "c.bdf.csv")])
        == 0
    )
    run = tmp_path / "run"
    assert ccdmon(["replay", str(tmp_path / "c.bdf.csv"), "--out", str(run)]) == 0
    scenario = tmp_path / "again" / "again.scenario.toml"
    scenario.parent.mkdir()
    assert capture.main([str(run), "--out", str(scenario)]) == 0
    assert 'verdict = "hard_short"' in scenario.read_text()
    assert "trip_row = " in scenario.read_text()
    assert campaign.main([str(scenario.parent)]) == 0
    assert capture.main([str(run), "--out", str(scenario)]) == 2, "never over a file"
    assert capture.main([str(run), "--out", str(tmp_path / "x.toml")]) == 2
    other = scenario.with_name("other.scenario.toml")
    assert capture.main([str(run), "--out", str(other), "--expect", "rain"]) == 2
