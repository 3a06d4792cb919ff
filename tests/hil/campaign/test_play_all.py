"""The campaign: its table, its page and document, its exit code; a recorded run that becomes a scenario."""

import json
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest

from ccdmon.cli import main as ccdmon
from ccdmon.errors import EXIT_UNUSABLE, DeviceError
from ccdmon_fw import wire
from ccdmon_hil.campaign import play_all as campaign
from ccdmon_hil.faults import bring_about
from ccdmon_hil.faults.fault import Fault
from ccdmon_hil.faults.in_rows_wire_commands import asked
from ccdmon_hil.faults.outcome import WHOLE, Outcome
from ccdmon_hil.faults.stages.played import Played
from ccdmon_hil.play import capture
from ccdmon_hil.play.scenario import read_scenario, window

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
    (tmp_path / "gone.scenario.toml").write_text(
        '[play]\ntrace = "x.bdf.csv"\noptional = true\n[expect]\nverdict = "trip"\n'
    )
    assert campaign.main([str(tmp_path), "--out", str(tmp_path / "out")]) == 0
    (tmp_path / "wrong.scenario.toml").write_text(SHORT.format(verdict="no-trip"))
    assert campaign.main([str(tmp_path), "--out", str(tmp_path / "out")]) == 1
    out = capsys.readouterr().out
    assert "failed: expected no-trip, but: hard_short" in out
    assert out.splitlines()[-1].startswith("firmware ")
    assert (tmp_path / "out" / "summary.md").read_text() in out
    document = json.loads((tmp_path / "out" / "campaign.json").read_text())
    assert [run["outcome"] for run in document["runs"]] == ["passed", "skipped", "failed"]
    assert document["runs"][0]["gate"] == "open"
    (row,) = document["summary"]
    assert (row["scenarios_run"], row["scenarios_passed"], row["scenarios_skipped"]) == (2, 1, 1)
    assert (row["longest_samples"], row["longest_virtual_us"], row["samples_unaccounted"]) == (1, None, 0)
    (suite,) = ET.parse(tmp_path / "out" / "campaign.xml").getroot()
    assert [suite.get(name) for name in ("tests", "failures", "skipped")] == ["3", "1", "1"]
    properties = {entry.get("name"): entry.get("value") for entry in suite[0].iter("property")}
    assert (properties["verdict"], properties["latency_samples"]) == ("hard_short", "1")
    page = (tmp_path / "out" / "campaign.html").read_text()
    assert page.count("<svg") == 2
    assert "a short &lt;b&gt;" in page.lower()
    assert "src=" not in page, "self-contained"


@pytest.mark.parametrize("module", ["campaign", "latency", "edge_campaign"])
def test_a_place_that_cannot_be_written_is_one_line_before_the_work(
    module: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    taken = tmp_path / "taken"
    taken.write_text("")
    arguments = {
        "campaign": ["--out", str(taken)],
        "latency": ["--rig", "unix", "--out", str(taken)],
        "edge_campaign": ["--seeds", "1", "--scenario", "hard_short", "--json", str(taken / "x")],
    }
    assert import_module(f"ccdmon_hil.{module}.__main__").main(arguments[module]) == EXIT_UNUSABLE
    said = capsys.readouterr()
    (line,) = said.err.splitlines()
    assert line.startswith(f"{module}: {taken}") and "cannot write (" in line and "choose another" in line
    assert said.out == "", "nothing was played in vain"


def test_faults_of_the_rigs_stand_in_the_table(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Three faults, one of them with an expectation that does not hold, and one that breaks the rig."""
    forced = Fault(
        "trip forced",
        Played(command=asked(wire.FORCE_TRIP)),
        "open",
        "command",
        answer="ok",
    )
    wrong = Fault("a trip that is none", Played(), "open", "hard_short")
    broken = Fault("broken", Played(command=_break))
    monkeypatch.setitem(bring_about.FAULTS, "unix", (forced, wrong, broken))
    (tmp_path / "empty").mkdir()
    arguments = [str(tmp_path / "empty"), "--faults", "--out", str(tmp_path)]
    assert campaign.main(arguments) == 1
    document = json.loads((tmp_path / "campaign.json").read_text())
    assert [record["outcome"] for record in document["faults"]] == ["passed", "failed", "failed"]
    assert [record["kept"] for record in document["faults"][:2]] == [WHOLE, "-"]
    assert WHOLE in (tmp_path / "campaign.html").read_text()
    assert document["faults"][1]["problems"] == ["expected gate open, reason hard_short"]
    assert document["faults"][2]["problems"] == ["rig unix: broken"]
    (row,) = document["summary"]
    assert (row["faults_run"], row["faults_as_expected"]) == (3, 1)
    monkeypatch.setitem(bring_about.FAULTS, "unix", (forced,))
    assert campaign.main(arguments) == 0


def test_what_a_rig_told_before_it_failed_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails_after_one(rig: str, _options: object) -> Iterator[tuple[Fault, Outcome, str]]:
        yield Fault("none", Played()), Outcome("closed", "none", 0, 0), ""
        raise DeviceError(f"rig {rig}: gone")

    monkeypatch.setattr(bring_about, "bring_about_each", fails_after_one)
    for jobs in ("1", "2"):
        out = tmp_path / jobs
        out.mkdir()
        rigs = ["--rig", "unix", "--rig", "unix", "--jobs", jobs]
        assert campaign.main([str(out), "--faults", *rigs, "--out", str(out)]) == 3
        told = json.loads((out / "campaign.json").read_text())["faults"]
        assert [record["rig"] for record in told] == ["unix", "unix"]


def _break(_session: object) -> str:
    raise DeviceError("rig unix: broken")


def test_the_rows_played_lie_around_what_happens() -> None:
    assert window(7955, 7948, None) == (0, 7955)
    assert window(300, 10, 600) == (0, 300)
    assert window(7955, 7948, 600) == (7355, 7955)
    assert window(14859, 1671, 600) == (1271, 1871)
    assert window(4522, None, 600) == (0, 600)


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


def test_the_scenarios_of_the_project_are_played_unless_others_are_named() -> None:
    read = [read_scenario(path) for path in campaign.SCENARIOS_DIR.glob("*" + campaign.SUFFIX)]
    assert len(read) > 15
