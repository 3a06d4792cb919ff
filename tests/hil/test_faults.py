"""The fault campaign: every fault on the rig `unix`, and that it tells an outcome that is not as expected."""

import dataclasses

import pytest

from ccdmon_hil import faults, replay_faults
from ccdmon_hil.fault import Fault, Outcome

BY_NAME = {fault.name: fault for fault in faults.FAULTS["unix"]}


def test_the_emulated_pico_has_the_faults_of_rows_wire_and_commands_too() -> None:
    names = {fault.name for fault in replay_faults.FAULTS}
    assert len(names) == len(replay_faults.FAULTS)
    for rig, known in faults.FAULTS.items():
        assert names <= {fault.name for fault in known}, rig


@pytest.mark.parametrize("name", BY_NAME)
def test_a_fault_on_unix_comes_to_what_is_expected(name: str) -> None:
    outcome = faults.runner("unix")(BY_NAME[name])
    assert not BY_NAME[name].problem(outcome), outcome


def test_whatever_differs_is_named() -> None:
    fault = Fault("short", None, "open", "hard_short", lost=32)
    fine = Outcome("open", "hard_short", 32, 0)
    assert fault.problem(fine) == ""
    for change, told in (
        ({"gate": "closed"}, "gate open"),
        ({"reason": "limit"}, "reason hard_short"),
        ({"lost": 31}, "lost 32"),
        ({"uncounted": 1}, "nothing uncounted"),
        ({"answer": "ok"}, "answer none"),
    ):
        assert fault.problem(dataclasses.replace(fine, **change)) == told
    some = dataclasses.replace(fault, lost=None)
    assert some.problem(fine) == ""
    assert some.problem(dataclasses.replace(fine, lost=0)) == "lost some"


def test_the_command_fails_on_a_fault_that_is_not_as_expected(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    rail = BY_NAME["voltage on its upper rail"]
    monkeypatch.setitem(faults.FAULTS, "unix", (rail, dataclasses.replace(rail, gate="closed")))
    assert faults.main(["--rig", "unix"]) == 1
    assert "2 faults, 1 not as expected" in capsys.readouterr().out
