"""The cycler's file says what the rig file says: currents, times, rests, loops and limits, for the four protocols."""

import json
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from ccdmon.cli import main
from ccdmon.cli.protocol import CYCLERS as OFFERED
from ccdmon.errors import InputError
from ccdmon.model.program import PROTOCOLS
from ccdmon.rig.cycler_protocol import CYCLERS, ENDINGS, unicycler, write_protocol
from ccdmon.rig.rig_file import Rig, check_rig

pytest.importorskip("aurora_unicycler", reason="the optional extra ccdmon[cycler] is not installed")
AREA_CM2 = 0.785
TESTS: dict[str, dict[str, Any]] = {
    "time_control": {"levels_mA_cm2": [0.1, 0.2, 0.3], "half_cycle_s": 1800},
    "capacity_control": {"levels_mA_cm2": [0.1, 0.2], "half_cycle_mAh_cm2": 0.5, "rest_between_cycles_s": 60},
    "endurable_time": {
        "levels_mA_cm2": [0.1, 0.2],
        "half_cycle_s": 600,
        "cycles_per_level": 5,
        "rest_initial_s": 30,
        "rest_between_half_cycles_s": 10,
    },
    "long_cycling": {"levels_mA_cm2": [0.1], "half_cycle_s": 3600, "cycles_per_level": 500},
}


def rig(kind: str, **tables: Any) -> Rig:
    document = {
        "front_end": {"voltage_full_scale_V": 5.0, "current_full_scale_A": 0.01},
        "cell": {"electrode_area_cm2": AREA_CM2},
        "limits": {"voltage_V": 2.0},
        "protocol": {"kind": kind, **TESTS[kind]},
        **tables,
    }
    return check_rig(document, "rig.toml")


def expanded(steps: list[dict[str, Any]]) -> list[tuple[float, float]]:
    """(mA, s) of every step, loops unrolled."""
    out: list[tuple[float, float]] = []
    since: dict[str, int] = {}
    for step in steps:
        if step["step"] == "tag":
            since[step["tag"]] = len(out)
        elif step["step"] == "loop":
            out += out[since[step["loop_to"]] :] * (step["cycle_count"] - 1)
        else:
            out.append((step.get("current_mA", 0.0), step["until_time_s"]))
    return out


@pytest.mark.parametrize("kind", PROTOCOLS)
def test_the_steps_are_those_that_the_monitor_expects(kind: str) -> None:
    described = rig(kind)
    assert described.protocol is not None
    program = described.protocol.program()
    wanted = [(s.current_density_mA_cm2 * AREA_CM2, s.duration_s) for s in program.segments]
    written = expanded(json.loads(write_protocol(described, "unicycler", None))["method"])
    assert written[: len(wanted)] == [pytest.approx(step) for step in wanted]
    assert all(current == 0 for current, _ in written[len(wanted) :])  # at most a last rest


def test_the_cyclers_own_limits_are_the_rigs() -> None:
    safety = unicycler(rig("time_control")).safety
    assert (safety.max_voltage_V, safety.min_voltage_V) == (2.0, -2.0)
    assert safety.max_current_mA == pytest.approx(1.05 * 0.3 * AREA_CM2)
    full = rig("time_control", cell={"electrode_area_cm2": 1.0, "configuration": "full"})
    assert unicycler(full).safety.min_voltage_V is None


@pytest.mark.parametrize("cycler", OFFERED)
def test_every_cycler_gets_its_file(cycler: str, tmp_path: Path) -> None:
    text = write_protocol(rig("endurable_time"), cycler, tmp_path / "f")
    assert (tmp_path / "f").read_text() == text
    if cycler == "neware":
        ElementTree.fromstring(text)
    if cycler == "biologic":
        assert "EC-LAB SETTING FILE" in text and "78.500" in text and "Ewe min = -2.00000 V" in text
    if ENDINGS[cycler] == ".json":
        json.loads(text)


def test_the_command_offers_what_there_is() -> None:
    assert set(OFFERED) == set(CYCLERS) == set(ENDINGS)


@pytest.mark.parametrize(
    ("tables", "part"),
    [({"protocol": None}, r"no \[protocol\]"), ({"cell": {}}, "electrode_area_cm2 is missing")],
)
def test_what_is_missing_is_one_line(tables: dict[str, Any], part: str) -> None:
    with pytest.raises(InputError, match=part):
        write_protocol(rig("time_control", **tables), "neware", None)


def test_a_current_that_the_cycler_has_not_is_one_line() -> None:
    scales = {"voltage_full_scale_V": 5.0, "current_full_scale_A": 1e3}
    huge = rig("time_control", cell={"electrode_area_cm2": 1e6}, front_end=scales)
    with pytest.raises(InputError, match="biologic cannot run this test"):
        write_protocol(huge, "biologic", None)


def test_a_level_that_the_rig_cannot_measure_is_refused() -> None:
    with pytest.raises(InputError, match="the rig measures up to"):
        write_protocol(rig("time_control", cell={"electrode_area_cm2": 1e3}), "biologic", None)


def test_from_a_rig_file_on_the_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "rig.toml"
    assert main(["init", str(path), "--area-cm2", "0.785"]) == 0
    path.write_text(
        path.read_text()
        + '\n[protocol]\nkind = "time_control"\nlevels_mA_cm2 = [0.1, 0.2]\nhalf_cycle_s = 60.0\n'
    )
    capsys.readouterr()
    assert main(["protocol", str(path), "--cycler", "neware", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["duration_s"] == 240
    assert Path(told["path"]).name == "rig.neware.xml"
    assert main(["protocol", str(path), "--cycler", "pybamm", "--out", "-"]) == 0
    assert "0.0785" in capsys.readouterr().out


def _with_impedance(kind: str, which: str, **more: Any) -> Rig:
    return rig(kind, protocol={"kind": kind, **TESTS[kind], "impedance": which, **more})


def _names(steps: list[dict[str, Any]]) -> list[str]:
    return [step["step"] for step in steps]


@pytest.mark.parametrize(("which", "spectra"), [("none", 0), ("before_after", 2), ("each_level", 4)])
def test_impedance_stands_before_and_after_and_at_each_level(which: str, spectra: int) -> None:
    steps = json.loads(write_protocol(_with_impedance("time_control", which), "unicycler", None))["method"]
    assert _names(steps).count("impedance_spectroscopy") == spectra
    if spectra:
        assert _names(steps)[:2] == ["open_circuit_voltage", "impedance_spectroscopy"]
        assert _names(steps)[-2:] == ["open_circuit_voltage", "impedance_spectroscopy"]
        assert (steps[1]["amplitude_V"], steps[1]["start_frequency_Hz"]) == (0.01, 1e6)


def test_a_spectrum_is_outside_of_the_loop_of_its_level() -> None:
    steps = json.loads(write_protocol(_with_impedance("endurable_time", "each_level"), "unicycler", None))
    names = _names(steps["method"])
    for at, name in enumerate(names):
        if name == "loop":
            assert names[at + 1 : at + 3] == ["open_circuit_voltage", "impedance_spectroscopy"]


def test_biologic_gets_peis_round_the_rest() -> None:
    text = write_protocol(_with_impedance("time_control", "before_after"), "biologic", None)
    assert text.count("PEIS") == 2


@pytest.mark.parametrize("cycler", [name for name in OFFERED if name not in ("biologic", "unicycler")])
def test_who_cannot_is_told_so_in_one_line(cycler: str) -> None:
    with pytest.raises(InputError, match='impedance = "none"') as caught:
        write_protocol(_with_impedance("time_control", "before_after"), cycler, None)
    assert "\n" not in str(caught.value)


def test_the_library_still_refuses_what_we_say_it_does() -> None:
    protocol = unicycler(_with_impedance("time_control", "before_after"))
    for cycler in OFFERED:
        if cycler not in ("biologic", "unicycler"):
            with pytest.raises((NotImplementedError, ValueError, RuntimeError)):
                CYCLERS[cycler](protocol, _with_impedance("time_control", "before_after"))


def test_a_sweep_goes_down() -> None:
    with pytest.raises(InputError, match="impedance_from_Hz"):
        _with_impedance("time_control", "before_after", impedance_from_Hz=0.01)
