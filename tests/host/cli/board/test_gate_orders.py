"""`status`, `arm`, `disarm` and `reset-trip` against the firmware itself behind a terminal."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from ccdmon.cli import main
from ccdmon.rig.rig_file import read_rig
from ccdmon.rig.settings import settings_of
from ccdmon_fw import limits
from tests.host.pty_firmware import PtyFirmware
from tests.host.record.test_recording import wait_for

Order = Callable[..., tuple[int, Any, str]]


@pytest.fixture
def firmware() -> Iterator[PtyFirmware]:
    with PtyFirmware() as running:
        yield running


@pytest.fixture
def order(firmware: PtyFirmware, capsys: pytest.CaptureFixture[str]) -> Order:
    """Run a verb on that board: (exit code, JSON document or None, stderr)."""

    def run(*argv: str) -> tuple[int, Any, str]:
        code = main([*argv, "--port", firmware.port, "--json"])
        out, err = capsys.readouterr()
        return code, json.loads(out) if out else None, err

    return run


@pytest.fixture
def rig_file(tmp_path: Path) -> Path:
    path = tmp_path / "rig.toml"
    path.write_text(
        "[front_end]\nvoltage_full_scale_V = 6.0\ncurrent_full_scale_A = 0.01\n[limits]\nvoltage_V = 3.0\n"
    )
    return path


def test_a_boards_life(order: Order, firmware: PtyFirmware, rig_file: Path) -> None:
    code, state, _ = order("status")
    assert (code, state["schema"], state["board"], state["gate"]) == (0, "ccdmon.status/1", "fake", "open")
    assert 0 <= state["uptime_s"] < 1000 and state["trip_id"] is None and state["reason"] is None
    assert state["temperature_degC"] is None or -50 < state["temperature_degC"] < 150
    code, state, _ = order("arm", "--rig-file", str(rig_file))
    assert (code, state["armed"], state["gate"], firmware.bench.board.level) == (0, True, "closed", 1)
    assert (
        firmware.bench.app.detector.settings()
        == settings_of(read_rig(rig_file), state["sample_period_us"] * 1e-6)[: len(limits.DETECTOR_SETTINGS)]
    )
    code, _, err = order("arm", "--rig-file", str(rig_file))
    assert (code, "refuses `set_config`: armed; disarm it first" in err) == (3, True)
    code, state, _ = order("disarm")
    assert (code, state["gate"], firmware.bench.board.level) == (0, "open", 0)


def test_a_latched_trip_is_cleared_by_its_id_only(order: Order, firmware: PtyFirmware) -> None:
    firmware.bench.app.gate.trip(limits.COMMAND)
    code, latched, _ = order("reset-trip", "--list")
    assert (code, latched) == (0, {"trip_id": 1, "reason": "command", "what": "command", "gate": "open"})
    code, _, err = order("arm")
    assert code == 3
    assert len(err.strip().splitlines()) == 1
    assert "latched; trip 1 is latched: find its cause, then `ccdmon reset-trip 1`" in err
    code, _, err = order("reset-trip", "7")
    assert (code, "the latched trip is 1" in err) == (3, True)
    code, state, _ = order("reset-trip", "1")
    assert (code, state["trip_id"], state["gate"]) == (0, None, "open")
    code, _, err = order("reset-trip", "1")
    assert (code, "no trip is latched" in err) == (3, True)


def test_a_converter_that_did_not_start_is_not_armed(order: Order, firmware: PtyFirmware) -> None:
    firmware.bench.board.FAULT = "ina228: [Errno 5] EIO"
    code, _, err = order("arm")
    assert (code, firmware.bench.board.level) == (3, 0)
    assert "converter does not start: ina228" in err


def test_scales_that_are_not_the_boards_are_not_armed(
    order: Order, firmware: PtyFirmware, rig_file: Path
) -> None:
    firmware.bench.board.FRONT_END = {"voltage_full_scale_V": 6.0, "current_full_scale_A": 0.1}
    code, _, err = order("arm", "--rig-file", str(rig_file))
    assert (code, firmware.bench.board.level) == (3, 0)
    assert "current_full_scale_A is 0.01 in the rig file and 0.1 on the board" in err


@pytest.mark.parametrize(
    ("argv", "code", "text"),
    [
        (["reset-trip"], 2, "ccdmon reset-trip ID"),
        (["reset-trip", "1", "--list"], 2, "ccdmon reset-trip ID"),
        (["reset-trip", "none"], 2, "ID"),
        (["arm", "--rig-file", "no-such.toml", "--port", "x"], 2, "no-such.toml"),
        (["arm", "--run-folder", "no-such-run"], 3, "no recorder answers"),
        (["status", "--port", "/dev/no-such-port"], 3, "/dev/no-such-port"),
        (["status"], 3, "--port"),
    ],
)
def test_what_cannot_be_is_one_line(
    argv: list[str], code: int, text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    try:
        found = main(argv)
    except SystemExit as left:
        found = int(str(left.code))
    out, err = capsys.readouterr()
    assert (found, out) == (code, "")
    assert len(err.strip().splitlines()) == 1
    assert text in err


def test_a_port_without_our_firmware_says_how_to_get_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], firmware: PtyFirmware
) -> None:
    monkeypatch.setattr("ccdmon.rig.gate_orders.ANSWER_LIMIT_S", 0.0)
    monkeypatch.setattr(firmware.bench.app, "step", lambda: None)
    code = main(["status", "--port", firmware.port])
    assert code == 3
    assert f"`ccdmon flash --port {firmware.port}`" in capsys.readouterr().err


def test_a_limit_that_tripped_is_named_wherever_it_is_told(
    order: Order, firmware: PtyFirmware, rig_file: Path
) -> None:
    assert order("arm", "--rig-file", str(rig_file))[0] == 0
    firmware.bench.board.codes = (32768 + 20000, 32768, 32768)
    what = "limit: voltage 3.66 V above 3 V (voltage_V)"
    wait_for(lambda: not firmware.bench.board.level, "the gate")
    _, state, _ = order("status", "--rig-file", str(rig_file))
    assert (state["reason"], state["what"]) == ("limit", what)
    _, listed, _ = order("reset-trip", "--list", "--rig-file", str(rig_file))
    assert listed["what"] == what
    _, state, _ = order("status")
    assert state["what"] == "limit: voltage 61.0% of full scale above 50.0% of full scale (voltage_V)"
    code, _, err = order("reset-trip", "1", "--rig-file", str(rig_file))
    assert (code, f"self_test_failed (tripped; latched is {what})" in err) == (3, True)


def test_an_emergency_stop_opens_and_latches(
    order: Order, firmware: PtyFirmware, rig_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert order("arm", "--rig-file", str(rig_file))[1]["watched"].startswith("voltage -3 V to 3 V")
    assert main(["trip", "--port", firmware.port]) == 0
    told = capsys.readouterr()
    assert firmware.bench.board.level == 0
    assert "command" in told.out
    assert f"`ccdmon reset-trip 1 --port {firmware.port}`" in told.err
    code, _, err = order("arm")
    assert (code, "trip 1 is latched" in err) == (3, True)
    assert main(["reset-trip", "1", "--port", firmware.port]) == 0
    assert f"`ccdmon arm --port {firmware.port}` closes it" in capsys.readouterr().err
    assert main(["arm", "--port", firmware.port, "--rig-file", str(rig_file)]) == 0
    told = capsys.readouterr()
    assert "outside of: voltage -3 V to 3 V; rules: hard_short, rail" in told.err
    for way in ("disarm", "trip"):
        assert f"`ccdmon {way} --port {firmware.port}`" in told.err


def test_a_trip_on_a_board_without_settings_is_cleared_with_the_rig_files(
    order: Order, firmware: PtyFirmware, rig_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Flashed anew with a trip on its flash: `arm` asks for the trip to be cleared, and that for settings."""
    code, listed, _ = order("reset-trip", "--list")
    assert (code, listed["trip_id"]) == (0, None)
    assert main(["reset-trip", "--list", "--port", firmware.port]) == 0
    assert "no trip is latched" in capsys.readouterr().err
    firmware.bench.app.gate.trip(limits.COMMAND)
    code, state, err = order("reset-trip", "1", "--rig-file", str(rig_file))
    assert (code, err) == (0, "")
    assert state["trip_id"] is None
    assert order("arm")[0] == 0, "its settings are the rig file's"
