"""What the report says of spectra: circuits with their units, resistances over a test, points of the wiring."""

from dataclasses import replace

import numpy as np
import pytest

from ccdmon.analysis.document import analyze
from ccdmon.analysis.impedance.comparison import compare, resistances, without_wiring
from ccdmon.formats.impedance.files import read_spectra
from ccdmon.model.spectrum import Spectrum, make_spectrum
from tests.host.analysis.why.test_scale import square_wave

FREQUENCY_HZ = np.logspace(6, -2, 60)


def spectrum(leak_ohm: float = np.inf, interface_ohm: float = 80.0, noise: float = 0.005) -> Spectrum:
    """[120 ohm || 1 nF] + [R_int || 10 uF, a constant phase element], a leak beside both."""
    omega = 2j * np.pi * FREQUENCY_HZ
    z = 120 / (1 + omega * 1.2e-7) + interface_ohm / (1 + (omega * interface_ohm * 1e-5) ** 0.9)
    rng = np.random.default_rng(1)
    off = 1 + noise * (rng.standard_normal(z.size) + 1j * rng.standard_normal(z.size))
    return make_spectrum(FREQUENCY_HZ, off / (1 / z + 1 / leak_ohm))


def test_a_leak_is_told_with_its_resistance_and_without_scipy_how_to_get_it(monkeypatch) -> None:
    pytest.importorskip("scipy")
    impedance = compare(spectrum(), spectrum(leak_ohm=30.0))
    own, after = analyze(square_wave(), impedance=impedance)["why"]["circuits"]
    assert own["bulk_ohm_cm2"] == pytest.approx(60, rel=0.05)
    assert own["interface_capacity_F"] == pytest.approx(1e-5, rel=0.1)
    assert (after["circuit"], after["section"]) == ("parallel_leak", "2.2.3, figure 7")
    assert after["leak_ohm"] == pytest.approx(30, rel=0.05) and after["probability"] > 0.9
    assert "leak 30" in after["text"] and "ohm" in after["text"]
    monkeypatch.setattr("ccdmon.analysis.why.impedance.find_spec", lambda name: None)
    (told,) = analyze(square_wave(), impedance=impedance)["why"]["circuits"]
    assert "pip install" in told["text"]


def test_voids_take_capacity_with_the_area() -> None:
    pytest.importorskip("scipy")
    lost = spectrum(interface_ohm=160.0)
    after = analyze(square_wave(), impedance=compare(spectrum(), lost))["why"]["circuits"][1]
    assert after["circuit"] == "contact_change"
    assert after["contact_area_ratio"] == pytest.approx(0.5, rel=0.05)


def test_resistances_are_followed_over_the_spectra_of_a_test() -> None:
    series = [spectrum(interface_ohm=ohm) for ohm in (80.0, 100.0, 120.0)]
    tracked = analyze(square_wave(), impedance=compare(series[0], series[-1], series))["why"]["spectra"]
    assert [row["spectrum"] for row in tracked["spectra"]] == [1, 2, 3]
    assert [row["interface_ohm"] for row in tracked["spectra"]] == pytest.approx([80, 100, 120], rel=0.05)
    assert analyze(square_wave(), impedance=compare(*series[:2]))["why"]["spectra"] is None


def test_points_of_the_wiring_are_left_out_and_told() -> None:
    wired = spectrum()
    wired.impedance_ohm[:2] = (-50 - 80j, -5 - 3j)
    assert len(without_wiring(wired)) == len(wired) - 2
    assert (
        resistances(without_wiring(wired)).kramers_kronig_rms < 0.01 < resistances(wired).kramers_kronig_rms
    )
    assert "2 points of the wiring left out" in compare(wired, spectrum()).reason
    negative = replace(wired, impedance_ohm=-wired.impedance_ohm)  # all of it: no matter of the wiring
    assert len(without_wiring(negative)) >= len(wired) // 2


@pytest.mark.traces
def test_the_recorded_polymers_spectra_obey_kramers_kronig_without_their_wiring(shared_dir) -> None:
    spectra = read_spectra(shared_dir / "traces" / "eis" / "li_peo_divergence_61_spectra.csv")
    found = compare(spectra[0], spectra[40], spectra)
    assert found.before is not None and found.before.kramers_kronig_rms < 0.035
    assert resistances(spectra[0]).kramers_kronig_rms > 0.04
    assert "wiring" in found.reason
