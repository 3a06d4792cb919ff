"""Two-point calibration over a port: gain, offset and noise come back, comments stay, nonsense is refused."""

import io
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from ccdmon.cli import main
from ccdmon.errors import InputError
from ccdmon.model.front_end import FrontEnd
from ccdmon.rig.calibration import Reading, calibrate
from ccdmon.rig.rig_file import read_rig
from ccdmon_fw import wire
from tests.host.pty_board import PtyBoard
from tests.host.pty_firmware import PtyFirmware

FRONT_END = FrontEnd(5.0, 0.01, 1e7)


def applied(voltage_code: float) -> Callable[[int, int], npt.NDArray[np.uint16]]:
    """A board that reads this code with a noise of 8 codes on its voltage channel, 40000 on the others."""
    rng = np.random.default_rng(1)

    def source(_first: int, count: int) -> npt.NDArray[np.uint16]:
        rows = np.full((count, 4), 40000.0)
        rows[:, 0] = voltage_code + rng.normal(0, 8, count)
        rows[:, 3] = 0
        return np.rint(rows).astype(np.uint16)

    return source


def test_two_points_give_gain_offset_and_noise() -> None:
    # A channel that shows 0.98 * true + 0.02 V.
    codes = [32768 * (1 + (0.98 * v + 0.02) / 5) for v in (0.0, 3.0)]
    found = calibrate("voltage", [Reading(0.0, codes[0], 8), Reading(3.0, codes[1], 8)], FRONT_END)
    assert found.gain == pytest.approx(1 / 0.98)
    assert found.offset == pytest.approx(-0.02 / 0.98)
    assert found.noise == pytest.approx(8 / 32768 * 5 / 0.98)
    pressure = calibrate("pressure", [Reading(0.0, 1000, 0), Reading(5e6, 33768, 0)], FRONT_END)
    assert pressure.gain == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("codes", "part"),
    [
        ((32768, 33000), "codes apart"),
        ((32768, 32790), "the input did not follow"),
        ((32768, 65535), "end of the range"),
        ((32768, 36000), "a gain of 6"),
    ],
)
def test_points_that_give_nothing_are_refused(codes: tuple[float, float], part: str) -> None:
    with pytest.raises(InputError, match=part):
        calibrate("voltage", [Reading(0.0, codes[0]), Reading(3.0, codes[1])], FRONT_END)


def test_a_point_is_read_from_the_board_with_the_gate_closed_for_it_only(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with PtyBoard(tmp_path / "port", source=applied(52000)) as board:
        board.gate = 0
        assert (
            main(["calibrate", "--port", str(tmp_path / "port"), "--channel", "voltage", "--read", "--json"])
            == 0
        )
        commands = [kind for kind in board.commands if kind in (wire.ARM, wire.DISARM)]
        assert (commands, board.gate) == ([wire.ARM, wire.DISARM], 0)
    told = json.loads(capsys.readouterr().out)
    assert told["code"] == pytest.approx(52000, abs=1)
    assert told["code_noise"] == pytest.approx(8, rel=0.2)


def test_the_result_stands_in_the_rig_file_beside_its_comments(tmp_path: Path) -> None:
    path = tmp_path / "rig.toml"
    assert main(["init", str(path), "--voltage-full-scale", "5"]) == 0
    comments = [line for line in path.read_text().splitlines() if line.startswith("#")]
    with PtyBoard(tmp_path / "port", source=applied(52000)) as board:
        board.gate = 0
        points = ["--point", "0=32700", "--point", "3", "--yes", "--samples", "500"]
        assert main(["calibrate", str(path), "--port", str(board.name), "--channel", "voltage", *points]) == 0
    voltage = read_rig(path).front_end.voltage
    assert voltage.gain == pytest.approx(3 / (5 * (52000 - 32700) / 32768), rel=1e-3)
    assert voltage.noise is not None and voltage.noise > 0
    assert [line for line in path.read_text().splitlines() if line.startswith("#")] == comments
    # Again: the table is replaced, not doubled.
    assert (
        main(["calibrate", str(path), "--channel", "voltage", "--point", "0=32768", "--point", "3=52428.8"])
        == 0
    )
    assert read_rig(path).front_end.voltage.gain == pytest.approx(1.0)


@pytest.mark.parametrize(("channel", "gate"), [("current", 1), ("voltage", 0)])
def test_a_current_is_asked_for_when_it_can_flow(
    channel: str,
    gate: int,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    path, gates = tmp_path / "rig.toml", []
    assert main(["init", str(path)]) == 0
    with PtyBoard(tmp_path / "port", source=applied(36000)) as board:
        board.gate = 0

        class Keys:
            def readline(self) -> str:
                gates.append(board.gate)
                return "\n"

        monkeypatch.setattr("sys.stdin", Keys())
        points = ["--point", "0=32768", "--point", "0.0022", "--samples", "100"]
        main(["calibrate", str(path), "--port", str(board.name), "--channel", channel, *points])
        assert (gates, board.gate) == ([gate], 0)
        monkeypatch.setattr("sys.stdin", io.StringIO())
        capsys.readouterr()
        assert main(["calibrate", str(path), "--port", str(board.name), "--channel", channel, *points]) == 2
        assert "nobody at the keyboard" in capsys.readouterr().err and board.gate == 0


def test_the_boards_temperature_is_compared_with_a_thermometer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("ccdmon.rig.calibration.time.sleep", lambda _s: None)
    path = tmp_path / "rig.toml"
    assert main(["init", str(path)]) == 0
    with PtyBoard(tmp_path / "port", temperature_dC=275) as board:
        board.gate = 0
        common = ["calibrate", str(path), "--port", str(board.name), "--channel", "temperature", "--yes"]
        assert main([*common, "--point", "22.5"]) == 0
        found = read_rig(path).front_end.temperature
        assert (found.gain, found.offset) == (1.0, -5.0)
        assert main([*common, "--point", "22.5", "--point", "49.5=57.5"]) == 0
        assert wire.ARM not in board.commands
        found = read_rig(path).front_end.temperature
        assert (found.gain, found.offset) == pytest.approx((0.9, 22.5 - 0.9 * 27.5))
        capsys.readouterr()
        assert main([*common, "--point", "22.5", "--point", "24=29"]) == 2
        assert "1.5 K apart" in capsys.readouterr().err
    with PtyBoard(tmp_path / "port") as board:
        assert main([*common, "--point", "22.5"]) == 3
    assert "does not measure a temperature" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("argv", "code", "part"),
    [
        (["--channel", "voltage"], 2, "two --point"),
        (["rig.toml", "--channel", "voltage", "--point", "x=1", "--point", "2"], 2, "--point x=1"),
        (
            ["rig.toml", "--channel", "pressure", "--point", "0=1", "--point", "2=9"],
            2,
            "pressure_full_scale_Pa",
        ),
        (["rig.toml", "--channel", "voltage", "--point", "0", "--point", "2", "--yes"], 3, "--port"),
        (["--channel", "voltage", "--read", "--port", "/dev/no-such-port"], 3, "/dev/no-such-port"),
    ],
)
def test_what_is_wrong_is_one_line(
    argv: list[str], code: int, part: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    assert main(["init"]) == 0
    capsys.readouterr()
    assert main(["calibrate", *argv]) == code
    err = capsys.readouterr().err
    assert part in err and len(err.strip().splitlines()) == 1


def test_the_firmware_itself_is_read_after_its_self_test_and_left_open(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "rig.toml"
    assert main(["init", str(path), "--voltage-full-scale", "6"]) == 0
    with PtyFirmware() as firmware:
        board = firmware.bench.board
        board.codes = [40000, 32768, 0]
        points = ["--point", "0=32768", "--point", "1.3", "--yes", "--samples", "200", "--json"]
        capsys.readouterr()
        assert main(["calibrate", str(path), "--port", firmware.port, "--channel", "voltage", *points]) == 0
        assert board.level == 0
        assert not firmware.bench.app.gate.armed
    told = json.loads(capsys.readouterr().out)
    assert told["gain"] == pytest.approx(1.3 / (6 * (40000 - 32768) / 32768))
    assert told["noise"] == 0


def test_an_input_that_did_not_follow_is_told_by_its_own_noise() -> None:
    for noise, told in ((8.0, "codes apart"), (60.0, "did not follow")):
        with pytest.raises(InputError, match=told):
            calibrate("current", [Reading(0.0, 32768, noise), Reading(1e-3, 33000, noise)], FRONT_END)


def test_a_gain_that_resistors_do_not_explain_is_asked_about(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "rig.toml"
    assert main(["init", str(path), "--voltage-full-scale", "5"]) == 0
    point = f"3={32768 + 19660 / 1.05}"
    five_off = [
        "calibrate",
        str(path),
        "--channel",
        "voltage",
        "--point",
        "0=32768",
        "--point",
        point,
    ]
    before = path.read_text()
    assert main(five_off) == 2
    told = capsys.readouterr().err
    assert "5.0% off" in told and "voltage_full_scale_V" in told and "--far-off" in told
    assert path.read_text() == before
    assert main([*five_off, "--far-off"]) == 0
    assert read_rig(path).front_end.voltage.gain == pytest.approx(1.05, rel=1e-4)


def test_the_noise_of_typed_codes_is_not_zero_but_not_known(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "rig.toml"
    assert main(["init", str(path), "--voltage-full-scale", "5"]) == 0
    typed = ["calibrate", str(path), "--channel", "voltage", "--point", "0=32768", "--point", "3=52428"]
    assert main(typed) == 0
    assert "noise not known" in capsys.readouterr().out
    assert read_rig(path).front_end.voltage.noise is None
    assert main([*typed, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["noise"] is None
    one = calibrate("voltage", [Reading(0.0, 32768), Reading(3.0, 52428, 8)], FRONT_END)
    assert one.noise == pytest.approx(8 / 32768 * 5, rel=1e-3), "of the point that was read"


def test_nobody_is_asked_before_the_board_answers(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "rig.toml"
    assert main(["init", str(path)]) == 0
    absent = str(tmp_path / "no-port")
    points = ["--point", "0", "--point", "3"]
    assert main(["calibrate", str(path), "--port", absent, "--channel", "voltage", *points]) == 3
    assert "press Enter" not in capsys.readouterr().err
