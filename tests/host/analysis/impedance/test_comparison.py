"""Impedance: known circuits give their values back; files of every kind; the pair's verdict."""

import csv
from pathlib import Path

import numpy as np
import pytest

from ccdmon.analysis.impedance.comparison import compare, resistances
from ccdmon.analysis.impedance.kramers_kronig import linear_fit
from ccdmon.errors import InputError
from ccdmon.formats.impedance.csv import write_eis_csv
from ccdmon.formats.impedance.files import read_pair, read_spectra
from ccdmon.model.spectrum import Spectrum, make_spectrum

FREQUENCY_HZ = np.logspace(6, -1, 71)


def circuit(
    bulk_ohm=100.0, interface_ohm=50.0, leak_ohm=np.inf, series_ohm=0.0, noise=0.0, seed=0
) -> Spectrum:
    """R_s + [R_bulk || 1 nF] + [R_int || 10 uF], a leak in parallel to all of it."""
    omega = 2j * np.pi * FREQUENCY_HZ
    z = (
        series_ohm
        + bulk_ohm / (1 + omega * bulk_ohm * 1e-9)
        + interface_ohm / (1 + omega * interface_ohm * 1e-5)
    )
    z = 1 / (1 / z + 1 / leak_ohm)
    rng = np.random.default_rng(seed)
    z = z + noise * np.abs(z) * (rng.standard_normal(len(z)) + 1j * rng.standard_normal(len(z)))
    return make_spectrum(FREQUENCY_HZ, z)


@pytest.mark.parametrize("noise", [0.0, 0.003, 0.01])
@pytest.mark.parametrize("bulk, interface", [(100.0, 50.0), (1000.0, 200.0), (20.0, 500.0)])
def test_resistances_of_a_known_circuit(bulk, interface, noise) -> None:
    found = resistances(circuit(bulk, interface, noise=noise))
    assert found.bulk_ohm == pytest.approx(bulk, rel=0.03, abs=3 * found.bulk_error_ohm)
    assert found.interface_ohm == pytest.approx(interface, rel=0.03, abs=3 * found.interface_error_ohm)
    assert found.bulk_error_ohm < 0.2 * (bulk + interface)
    assert found.trustworthy


def test_a_linear_stable_cell_passes_kramers_kronig() -> None:
    assert linear_fit(circuit()).rms < 0.004
    assert linear_fit(circuit(noise=0.005)).rms < 0.01


def test_a_cell_that_changes_during_the_scan_fails_kramers_kronig() -> None:
    good = circuit()
    drifting = Spectrum(good.frequency_Hz, good.impedance_ohm * np.linspace(1, 2, len(good)))
    broken = Spectrum(good.frequency_Hz, good.impedance_ohm.real - 1j * good.impedance_ohm.imag)
    assert linear_fit(drifting).rms > 3 * linear_fit(good).rms
    assert linear_fit(broken).rms > 0.05


@pytest.mark.parametrize(
    "leak_ohm, verdict", [(np.inf, "consistent"), (75.0, "shorted"), (6.5, "shorted"), (3000.0, "consistent")]
)
def test_verdict_on_a_pair(leak_ohm, verdict) -> None:
    assert compare(circuit(noise=0.005), circuit(leak_ohm=leak_ohm, noise=0.005, seed=1)).verdict == verdict


def test_conditioning_of_the_interface_is_no_short() -> None:
    assert compare(circuit(100, 50), circuit(100, 20)).verdict == "consistent"


def test_contact_loss_is_no_short() -> None:
    assert compare(circuit(100, 50), circuit(100, 5000)).verdict == "consistent"


def test_no_verdict_without_a_pair_or_on_nonsense() -> None:
    assert compare(circuit(), None).verdict == "unvalidated"
    noise = np.random.default_rng(0).standard_normal((2, len(FREQUENCY_HZ)))
    nonsense = make_spectrum(FREQUENCY_HZ, noise[0] + 1j * noise[1])
    assert compare(circuit(), nonsense).verdict == "unvalidated"
    short = Spectrum(FREQUENCY_HZ[:4], circuit().impedance_ohm[:4])
    assert compare(circuit(), short).verdict == "unvalidated"


def test_own_csv_round_trip(tmp_path: Path) -> None:
    write_eis_csv(circuit(), tmp_path / "a.csv")
    header = (tmp_path / "a.csv").read_text().splitlines()[0]
    assert header == "Frequency / Hz,Real Impedance / ohm,Imaginary Impedance / ohm"
    back = read_spectra(tmp_path / "a.csv")[0]
    assert np.allclose(back.impedance_ohm, circuit().impedance_ohm, rtol=1e-6)
    assert compare(*read_pair(tmp_path / "a.csv", tmp_path / "a.csv")[:2]).verdict == "consistent"


def test_several_spectra_with_the_negative_imaginary_part(tmp_path: Path) -> None:
    lines = ["spectrum,time_s,freq_Hz,ReZ_ohm,negImZ_ohm", "0,1,10,5,2", "0,2,1,6,3", "1,3,10,7,4"]
    (tmp_path / "m.csv").write_text("\n".join(lines))
    first, second = read_spectra(tmp_path / "m.csv")
    assert first.impedance_ohm.tolist() == [5 - 2j, 6 - 3j]
    assert second.impedance_ohm.tolist() == [7 - 4j]


def test_a_wrong_sign_of_the_imaginary_part_is_told_in_one_line(tmp_path: Path) -> None:
    good = circuit(interface_ohm=200.0)
    write_eis_csv(make_spectrum(good.frequency_Hz, good.impedance_ohm.conj()), tmp_path / "wrong.csv")
    with pytest.raises(InputError, match=r"wrong\.csv: the imaginary part is positive.*-Im\(Z\)") as caught:
        read_pair(tmp_path / "wrong.csv", None)
    assert "\n" not in str(caught.value)


def test_long_leads_of_a_shorted_cell_are_no_wrong_sign(tmp_path: Path) -> None:
    shorted = 0.5 + 2j * np.pi * FREQUENCY_HZ * 1e-6
    write_eis_csv(make_spectrum(FREQUENCY_HZ, shorted), tmp_path / "leads.csv")
    read_pair(tmp_path / "leads.csv", None)


@pytest.mark.parametrize(
    "content, told",
    [
        ("", "empty"),
        ("Frequency / Hz,Real Impedance / ohm\n1,2\n", "names a frequency, but no real and imaginary part"),
        (
            "Frequency / Hz,Real Impedance / ohm,Imaginary Impedance / ohm\n1,x,3\n",
            "line 2, column 'Real",
        ),
        ("Frequency / Hz,Real Impedance / ohm,Imaginary Impedance / ohm\n", "no rows"),
        ("Frequency / Hz,Real Impedance / ohm,Imaginary Impedance / ohm\n-1,2,3\n", "no usable"),
        ("EC-Lab ASCII FILE\nrubbish\n", "Nb header lines"),
        ("EXPLAIN\nTAG\tCV\n", "no ZCURVE"),
        ("ZPLOT2 ASCII\n1,2\n", "no columns of a frequency"),
        ("BIO-LOGIC\0\0\1", "binary file"),
    ],
)
def test_bad_files_are_told_in_one_line(tmp_path: Path, content: str, told: str) -> None:
    (tmp_path / "bad.csv").write_text(content)
    with pytest.raises(InputError) as caught:
        read_spectra(tmp_path / "bad.csv")
    assert told in str(caught.value)
    assert "\n" not in str(caught.value)


GAMRY = """EXPLAIN
TAG\tEISPOT
ZCURVE\tTABLE
\tPt\tTime\tFreq\tZreal\tZimag\tZsig
\t#\ts\tHz\tohm\tohm\tV
\t0\t1\t1000\t10,5\t-1\t1
EXPERIMENTABORTED\tTOGGLE\tT
\t1\t2\t100\t11,5\t-2\t1
"""


def test_gamry_with_decimal_commas_and_an_abort(tmp_path: Path) -> None:
    (tmp_path / "g.dta").write_text(GAMRY)
    assert read_spectra(tmp_path / "g.dta")[0].impedance_ohm.tolist() == [10.5 - 1j, 11.5 - 2j]


@pytest.mark.traces
@pytest.mark.parametrize(
    "name, points, highest_Hz, real_ohm, imaginary_ohm",
    [
        ("exampleDataBioLogic.mpt", 43, 1000.3201, 65.470886, -0.38998979),
        ("exampleDataGamry.DTA", 72, 200015.6, None, None),
        ("exampleDataZPlot.z", 21, 300000.0, None, None),
        ("eispot_data.dta", 10, 10000.0, 224.6075, -3.767681),
        ("eispot_data_curveaborted.dta", None, 10000.0, 224.6075, -3.767681),
    ],
)
def test_instrument_files(shared_dir: Path, name, points, highest_Hz, real_ohm, imaginary_ohm) -> None:
    spectrum = read_spectra(shared_dir / "traces" / "import" / name)[0]
    assert points is None or len(spectrum) == points
    assert spectrum.frequency_Hz[0] == pytest.approx(highest_Hz)
    assert np.median(spectrum.impedance_ohm.imag) < 0
    if real_ohm is not None:
        assert spectrum.impedance_ohm[0] == pytest.approx(complex(real_ohm, imaginary_ohm))


@pytest.mark.traces
def test_recorded_llzo_cell_is_consistent_through_its_test(shared_dir: Path) -> None:
    spectra = read_spectra(shared_dir / "traces" / "eis" / "li_llzo_li_healthy_8_spectra.csv")
    assert len(spectra) == 8
    result = compare(spectra[0], spectra[-1])
    assert result.verdict == "consistent"
    assert 1000 < result.before.total_ohm < 1300


@pytest.mark.traces
@pytest.mark.parametrize(
    "name, count",
    [("li_peo_divergence_61_spectra.csv", 61), ("solid_cell_pressure_temperature_32_spectra.csv", 32)],
)
def test_recorded_series_read_whole_and_never_look_shorted(shared_dir: Path, name: str, count: int) -> None:
    path = shared_dir / "traces" / "eis" / name
    spectra = read_spectra(path)
    with path.open() as file:
        assert count == len({row["spectrum"] for row in csv.DictReader(file)}) == len(spectra)
    assert compare(spectra[0], spectra[-1]).verdict != "shorted"
