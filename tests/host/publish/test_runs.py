"""What is published is found, called as its rig, and told as it stands."""

import json
import os
from pathlib import Path

import pytest

from ccdmon.errors import InputError
from ccdmon.publish.runs import MOST_ACTIONS, Run, Runs
from ccdmon.publish.topics import level
from ccdmon.run.folder import create
from ccdmon.run.lock import FolderLock
from tests.publish_campaign import burst

FRONT_END = {"voltage_full_scale_V": 6.0, "current_full_scale_A": 0.01}
TIME = {"seconds_per_sample": 0.0005, "segments": "joined"}


def made(folder: Path, **more: object) -> Path:
    create(folder, {"front_end": FRONT_END, "time": TIME, "source": "a test", **more})
    return folder


@pytest.mark.parametrize(
    ("config", "rig"),
    [
        ({"name": "bay 3", "rig": "/dev/ttyACM0"}, "bay-3"),
        ({"name": "rig", "rig": "/dev/ttyACM0"}, "ttyACM0"),
        ({"rig": "/dev/serial/by-id/usb-x"}, "usb-x"),
        ({}, "folder"),
    ],
)
def test_a_rig_is_called_as_its_file_says_else_as_its_port(
    config: dict[str, object], rig: str, tmp_path: Path
) -> None:
    assert Run(made(tmp_path / "folder", cell={"name": "never this"}, **config)).rig == rig


def test_a_name_is_one_level_of_a_topic() -> None:
    assert level("a/+/#\0é") == "a------" and level("") == "-" and len(level("x" * 999)) == 64


def test_a_folder_of_runs_is_looked_through_and_a_broken_one_is_told(tmp_path: Path) -> None:
    said: list[str] = []
    made(tmp_path / "a", name="a")
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "run.toml").write_text("nonsense")
    runs = Runs([tmp_path], said.append)
    assert set(runs.current()) == {"a"} and len(said) == 1 and "b/run.toml" in said[0]
    made(tmp_path / "c", name="c")
    runs._look_due_s = 0.0
    runs.poll()
    assert set(runs.current()) == {"a", "c"} and len(said) == 1
    with pytest.raises(InputError):
        Runs([tmp_path / "b"], said.append)


def test_of_several_runs_of_a_rig_the_newest_is_its_state(tmp_path: Path) -> None:
    for age_s, name in ((100, "old"), (0, "new")):
        folder = made(tmp_path / name, name="bay")
        os.utime(folder / "run.toml", (1e9 - age_s, 1e9 - age_s))
    runs = Runs([tmp_path], print)
    assert len(runs.all) == 2 and runs.current()["bay"].folder.name == "new"


def test_how_a_run_ended_and_what_its_log_counts(tmp_path: Path) -> None:
    run = Run(made(tmp_path / "a"))
    run.poll()
    assert run.state["recording"] is False and run.state["answers"] is False
    burst(run.folder, 2)
    run.poll()
    assert run.state["ended"] == "broken off" and run.events == {"warn": 2}
    with (run.folder / "events.ndjson").open("a") as file:
        file.write('{"action": "recording_ended"}\n{"action": "notified"}\n{"action": "to')
    run.poll()
    assert run.state["ended"] == "in order" and run.events["notified"] == 1 and "to" not in run.events


@pytest.mark.parametrize(
    ("made_by", "last", "ended"),
    [
        (None, None, "in order"), (None, "gate_observed", "in order"), (None, "trip", "broken off"),
        ("record", None, "broken off"), ("replay", "gate_observed", "broken off"),
        ("demo", "recording_ended", "in order"),
    ],
)  # fmt: skip
def test_who_made_a_run_decides_how_it_says_that_it_ended(
    made_by: str | None, last: str | None, ended: str, tmp_path: Path
) -> None:
    run = Run(made(tmp_path / "a", **({"made_by": made_by} if made_by else {})))
    (run.folder / "events.ndjson").write_text(json.dumps({"action": last}) + "\n" if last else "")
    run.poll()
    assert run.state["ended"] == ended and run.state["made_by"] == made_by


@pytest.mark.parametrize("rig", [{"kind": "unix", "trace": "/a/b.csv"}, "unix"])
def test_a_replay_that_runs_is_no_rig_that_is_recorded(rig: object, tmp_path: Path) -> None:
    run = Run(made(tmp_path / "a", made_by="replay", rig=rig))
    lock = FolderLock(run.folder)
    run.poll()
    lock.close()
    assert run.rig == "a" and run.state["recording"] is False and run.state["ended"] is None


def test_actions_without_end_are_counted_together(tmp_path: Path) -> None:
    run = Run(made(tmp_path / "a"))
    lines = [json.dumps({"action": f"a{number}"}) for number in range(MOST_ACTIONS + 50)]
    (run.folder / "events.ndjson").write_text("\n".join(lines) + "\nno json\n[]\n")
    run.poll()
    assert len(run.events) == MOST_ACTIONS + 1 and run.events["other"] == 50
