"""Front ends with errors: what the codes become, what is refused, and that a rig plays them, idle too."""

import json

import numpy as np
import pytest

from ccdmon.cli import main
from ccdmon.errors import InputError
from ccdmon.model.front_end import FrontEnd
from ccdmon.model.trace import Cell, Trace
from ccdmon_fw import limits
from ccdmon_hil.play.imperfect import Imperfect
from ccdmon_hil.play.one_run import settings_for
from ccdmon_hil.rigs.open_rig import open_session

ROWS = 400
FRONT_END = FrontEnd(voltage_full_scale_V=2.0, current_full_scale_A=0.01)


def trace() -> Trace:
    time_s = np.arange(float(ROWS))
    current_A = np.where(time_s % 100 < 50, 1e-3, -1e-3)
    return Trace(time_s, 300 * current_A, current_A, cell=Cell(0.785, "symmetric"))


def volts(codes: np.ndarray) -> np.ndarray:
    return FRONT_END.voltage_V(codes[:, 0])


def test_perfect_is_what_the_front_end_gives() -> None:
    np.testing.assert_array_equal(Imperfect.parse("").codes(FRONT_END, trace()), FRONT_END.codes(trace()))


def test_zero_gain_and_noise_are_in_the_channels_unit() -> None:
    errors = "voltage_zero_V=0.05,voltage_gain=1.1,noise_V=0.01,current_zero_A=2e-4"
    read = Imperfect.parse(errors).codes(FRONT_END, trace())
    errors_V = volts(read) - (1.1 * trace().voltage_V + 0.05)
    assert abs(errors_V.mean()) < 0.002
    assert 0.008 < errors_V.std() < 0.012
    np.testing.assert_allclose(FRONT_END.current_A(read[:, 1]) - trace().current_A, 2e-4, atol=5e-6)


def test_idle_has_the_zero_and_the_noise_but_no_signal() -> None:
    idle = Imperfect.parse("voltage_zero_V=-0.1,noise_V=0.01,voltage_gain=3").idle(FRONT_END, 64)
    assert idle.shape == (64, 3)
    assert abs(volts(idle).mean() + 0.1) < 0.005
    assert volts(idle).std() > 0.005


@pytest.mark.parametrize(
    ("text", "channel", "least", "most"),
    [
        ("dead=voltage@100", 0, 1, 16),
        ("dead=pressure@100", 2, 1, 16),
        ("frozen=current@100", 1, 29488, 29504),
        ("open=voltage@100", 0, 47800, 47850),
    ],
)
def test_a_channel_breaks_from_its_row_on(text: str, channel: int, least: int, most: int) -> None:
    read, perfect = Imperfect.parse(text).codes(FRONT_END, trace()), FRONT_END.codes(trace())
    np.testing.assert_array_equal(read[:100], perfect[:100])
    broken = read[100:, channel]
    assert least <= broken.min() <= broken.max() <= most
    assert len(set(broken.tolist())) > 1, "a code of noise stays"
    others = [index for index in range(3) if index != channel]
    np.testing.assert_array_equal(read[:, others], perfect[:, others])


def test_the_same_text_gives_the_same_codes() -> None:
    text = "noise_V=0.01,noise_A=1e-5,frozen=voltage@200,dead=current@300"
    once, again = (Imperfect.parse(text).codes(FRONT_END, trace()) for _ in range(2))
    np.testing.assert_array_equal(once, again)


@pytest.mark.parametrize(
    "text",
    [
        "voltage_zero=1",
        "noise_V=-1",
        "voltage_gain=x",
        "dead=voltage",
        "open=relay@3",
        "frozen=voltage@-1",
        "noise_V=nan",
    ],
)
def test_what_is_not_known_is_named(text: str) -> None:
    with pytest.raises(InputError, match=f"--imperfect: .*{text.split('=')[0]}"):
        Imperfect.parse(text)


def test_a_fault_behind_the_trace_is_refused() -> None:
    with pytest.raises(InputError, match="row 400, but the trace has 400"):
        Imperfect.parse("dead=voltage@400").codes(FRONT_END, trace())


def test_a_rig_reads_idle_codes_while_nothing_plays() -> None:
    idle = [(33008, 32704, 1600), (33024, 32704, 1600)]
    with open_session("unix") as session:
        session.target.stand_idle(idle)
        session.configure(settings_for(FRONT_END, 1.0))
        session.target.play(lambda row, _closed: (32768, 32768, 1600) if row < 3 else None)
        session.arm()
        session.device.wait(lambda: session.samples_seen >= 64, "samples after the last row")
        codes, _ = session.codes(64)
    assert {tuple(row) for row in codes[3:, :3].tolist()} == set(idle)


def test_warnings_and_rows_are_told(tmp_path, capsys) -> None:
    name = tmp_path / "partial.bdf.csv"
    assert main(["simulate", "--scenario", "partial_short", "--seed", "2", "--out", str(name)]) == 0
    capsys.readouterr()
    assert main(["replay", str(name), "--rig", "unix", "--json", "--imperfect", "noise_V=0.0001"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert all(set(warning) == {"reason", "row"} for warning in document["warnings"])
    assert "partial_short" in {warning["reason"] for warning in document["warnings"]}
    assert {w["reason"] for w in document["warnings"]} <= set(limits.REASONS)
