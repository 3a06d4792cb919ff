"""`ccdmon simulate` as a user calls it."""

import json
from pathlib import Path

import pytest

from ccdmon.cli import main
from ccdmon.formats.bdf.read import read_bdf
from ccdmon.formats.impedance.files import read_spectra

SMALL = ["--max-rows", "1500"]


def test_writes_trace_sidecar_and_truth(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "cell.bdf.csv"
    assert (
        main(["simulate", "--scenario", "hard_short", "--seed", "4", "--out", str(out), "--json", *SMALL])
        == 0
    )
    told = json.loads(capsys.readouterr().out)
    trace, truth = read_bdf(out), json.loads((tmp_path / "cell.truth.json").read_text())
    assert told == truth
    assert truth["class"] == "hard_short" and truth["rows"] == len(trace)
    assert trace.cell.electrode_area_cm2 == truth["parameters"]["cell"]["area_cm2"]


@pytest.mark.parametrize("ending", [".bdf.csv", ".bdf.csv.gz", ".bdf.parquet"])
def test_every_format_and_the_same_bytes_again(tmp_path: Path, ending: str) -> None:
    for name in ("a", "b"):
        assert (
            main(["simulate", "--scenario", "healthy", "--out", str(tmp_path / (name + ending)), *SMALL]) == 0
        )
    assert (tmp_path / f"a{ending}").read_bytes() == (tmp_path / f"b{ending}").read_bytes()


def test_fake_stable_brings_its_pair_of_spectra(tmp_path: Path) -> None:
    assert main(["simulate", "--scenario", "fake_stable", "--out", str(tmp_path / "f.bdf.csv"), *SMALL]) == 0
    truth = json.loads((tmp_path / "f.truth.json").read_text())
    before, after = (read_spectra(tmp_path / truth["eis"][when])[0] for when in ("before", "after"))
    assert after.resistance_ohm < 0.5 * before.resistance_ohm


def test_options_overrule_the_seed(tmp_path: Path) -> None:
    out = tmp_path / "x.bdf.csv"
    arguments = [
        "--row-interval-s",
        "2",
        "--half-cycle-s",
        "120",
        "--levels",
        "3",
        "--protocol",
        "time_control",
    ]
    arguments += [
        "--first-ma-cm2",
        "0.1",
        "--step-ma-cm2",
        "0.1",
        "--area-cm2",
        "0.5",
        "--no-rests",
        "--pressure",
    ]
    assert main(["simulate", "--scenario", "healthy", "--out", str(out), *arguments]) == 0
    truth = json.loads((tmp_path / "x.truth.json").read_text())
    assert truth["protocol"]["levels_mA_cm2"] == [0.1, 0.2, 0.3]
    assert truth["protocol"]["half_cycle_s"] == 120
    assert read_bdf(out).pressure_Pa is not None


def test_stdout_is_the_trace(capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    assert main(["simulate", "--scenario", "healthy", "--out", "-", *SMALL]) == 0
    assert capfdbinary.readouterr().out.startswith(b"Test Time / s,Voltage / V,Current / A")


def test_list_names_every_scenario(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["simulate", "--list", "--json"]) == 0
    listed = json.loads(capsys.readouterr().out)
    assert {"healthy", "hard_short", "partial_short", "soft_short", "contact_loss", "fake_stable"} <= set(
        listed
    )


@pytest.mark.parametrize(
    "arguments, told",
    [
        (["--scenario", "nonsense", "--out", "x.bdf.csv"], "unknown scenario 'nonsense'"),
        (["--scenario", "healthy"], "--out F are needed"),
        (["--scenario", "healthy", "--out", "x.txt", *SMALL], "unknown ending"),
        (["--scenario", "healthy", "--out", "x.bdf.csv", "--seed", "-1"], "--seed must not be negative"),
        (["--scenario", "healthy", "--out", "x.bdf.csv", "--noise", "nan"], "noise must be a finite number"),
        (["--scenario", "healthy", "--out", "/nowhere/x.bdf.csv", *SMALL], "cannot write"),
        (["--scenario", "healthy", "--out", "-", "--json"], "both want stdout"),
        (["--scenario", "healthy", "--out", "x.bdf.csv", "--protocol", "fast"], "unknown protocol 'fast'"),
    ],
)
def test_bad_requests_are_one_line_and_exit_2(arguments, told, tmp_path, monkeypatch, capsys) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["simulate", *arguments]) == 2
    message = capsys.readouterr().err
    assert told in message and message.count("\n") == 1
    assert not list(tmp_path.iterdir())
