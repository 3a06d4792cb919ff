"""The fault campaign: every fault on the rig `unix`, and that it tells an outcome that is not as expected."""

import dataclasses
from pathlib import Path

import pytest

from ccdmon_hil.faults import bring_about, in_rows_wire_commands, kept
from ccdmon_hil.faults.fault import Fault
from ccdmon_hil.faults.outcome import Outcome
from ccdmon_hil.faults.stages.played import Played
from ccdmon_hil.rigs.breakable.unix import HookedUnix
from ccdmon_hil.rigs.session import Session
from ccdmon_hil.rigs.wire_tap import WireTap

BY_NAME = {fault.name: fault for fault in bring_about.FAULTS["unix"]}


def test_the_emulated_pico_has_the_faults_of_rows_wire_and_commands_too() -> None:
    names = {fault.name for fault in in_rows_wire_commands.FAULTS}
    assert len(names) == len(in_rows_wire_commands.FAULTS)
    for rig, known in bring_about.FAULTS.items():
        assert names <= {fault.name for fault in known}, rig


@pytest.mark.parametrize("name", BY_NAME)
def test_a_fault_on_unix_comes_to_what_is_expected(name: str) -> None:
    with bring_about.runner("unix") as run:
        outcome = run(BY_NAME[name])
    assert not BY_NAME[name].problem(outcome), outcome


def test_whatever_differs_is_named() -> None:
    fault = Fault("short", Played(), "open", "hard_short", lost=32)
    fine = Outcome("open", "hard_short", 32, 0)
    assert fault.problem(fine) == ""
    for change, told in (
        ({"gate": "closed"}, "gate open"),
        ({"reason": "limit"}, "reason hard_short"),
        ({"lost": 31}, "lost 32"),
        ({"uncounted": 1}, "nothing uncounted"),
        ({"answer": "ok"}, "answer none"),
        ({"kept": "not latched"}, "kept latched, whole box"),
    ):
        assert fault.problem(dataclasses.replace(fine, **change)) == told
    some = dataclasses.replace(fault, lost=None)
    assert some.problem(fine) == ""
    assert some.problem(dataclasses.replace(fine, lost=0)) == "lost some"


ARMED = """from ccdmon_fw import commands
arm = commands.Commands._arm
commands.Commands._arm = lambda self, *more: (wire.OK, 1) if self._gate.reason else arm(self, *more)
"""


@pytest.mark.parametrize(
    ("broken", "told"),
    [
        ("app.BlackBox._save_latch = lambda _: None", "not latched"),
        ("app.BlackBox.find = lambda *_: None", "latched, no_record"),
        ("app.BlackBox.poll = lambda *_: None", "latched, empty box"),
        ("blackbox.BEFORE = 200", "latched, box of 200 + 256"),
        ("blackbox.AFTER = 200", "latched, box of 256 + 200"),
        (ARMED, "armed"),
    ],
)
def test_what_a_firmware_does_not_keep_is_told(
    broken: str, told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kept, "BOX_MS", 300)
    session = Session(WireTap(HookedUnix(tmp_path, broken)))
    session.start()
    try:
        outcome = BY_NAME["voltage on its upper rail"].bring_about(session)
        assert kept.with_kept(session, outcome).kept == told
    finally:
        session.close()


def test_the_command_fails_on_a_fault_that_is_not_as_expected(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    rail = BY_NAME["voltage on its upper rail"]
    monkeypatch.setitem(bring_about.FAULTS, "unix", (rail, dataclasses.replace(rail, gate="closed")))
    assert bring_about.main(["--rig", "unix"]) == 1
    assert "2 faults, 1 not as expected" in capsys.readouterr().out
