"""Recorded files of many instruments, where they are at hand: the values of the instrument's own export or of the
file's text.

The text is taken apart here by the csv module alone, with the places of the columns written down, so that nothing
of the
readers under test takes part.
"""

import csv
import re
from pathlib import Path

import numpy as np
import pytest

from ccdmon.errors import InputError
from ccdmon.formats.impedance.files import read_pair, read_spectra
from ccdmon.formats.importer import read_trace

pytestmark = pytest.mark.traces


def columns_of(path: Path, first: int, separator: str, *places: int) -> list[list[str]]:
    """Cells of the rows from line `first` (from 0) on, by column."""
    lines = path.read_bytes().decode("latin-1").splitlines()[first:]
    rows = [row for row in csv.reader(lines, delimiter=separator) if len(row) > max(places)]
    return [[row[place] for row in rows] for place in places]


def numbers(cells: list[str]) -> np.ndarray:
    return np.array([float(cell.replace(",", ".") or "nan") for cell in cells])


# name: first line of the rows, separator, (time, voltage, current), factors to s, V, A
TEXTS = {
    "sample_data_novonix.csv": (None, ",", (3, 11, 12), (3600, 1, 1)),
    "sample_data_arbin.csv": (1, ",", (2, 10, 9), (1, 1, 1)),
    "sample_data_maccor.csv": (3, ",", (3, 8, 7), (1, 1, 1)),
    "sample_data_basytec.txt": (13, "\t", (0, 7, 8), (1, 1, 1)),
    "2017-05-09_test-TC-contact_CH33.csv": (1, ",", (1, 7, 6), (1, 1, 1)),
    "cp.issue_149.mpt": (63, "\t", (7, 9, 10), (1, 1, 1e-3)),
    "coc.issue_185.mpt": (56, "\t", (6, 8, 9), (1, 1, 1e-3)),
}


@pytest.mark.parametrize("name", TEXTS)
def test_a_text_file_has_the_numbers_that_stand_in_it(name: str, shared_dir: Path) -> None:
    path = shared_dir / "traces" / "import" / name
    first, separator, places, factors = TEXTS[name]
    if first is None:
        lines = path.read_text(encoding="latin-1").splitlines()
        first = next(k for k, line in enumerate(lines) if line.startswith("[Data]")) + 2
        labels = lines[first - 1].split(",")
        places = tuple(
            next(k for k, label in enumerate(labels) if label.startswith(part))
            for part in ("Run Time (h)", "Potential", "Current")
        )
    trace = read_trace(path)
    for cells, factor, found in zip(columns_of(path, first, separator, *places), factors,
                                    (trace.test_time_s, trace.voltage_V, trace.current_A), strict=True):  # fmt: skip
        np.testing.assert_allclose(found, numbers(cells) * factor, rtol=1e-12)


@pytest.mark.parametrize("stem", ["cp.issue_149", "coc.issue_185", "ocv.issue_149", "mb"])
def test_a_binary_has_the_values_of_its_text_export(stem: str, shared_dir: Path) -> None:
    binary, text = (
        read_trace(shared_dir / "traces" / "import" / f"{stem}{ending}") for ending in (".mpr", ".mpt")
    )
    np.testing.assert_allclose(binary.test_time_s, text.test_time_s, rtol=1e-6)
    np.testing.assert_allclose(binary.voltage_V, text.voltage_V, rtol=1e-6, atol=1e-9)
    np.testing.assert_allclose(binary.current_A, text.current_A, rtol=1e-6, atol=1e-15)


@pytest.mark.parametrize(("stem", "first", "places"), [("peis", 70, (0, 1, 2)), ("mb", 91, (15, 25, 26))])
def test_spectra_have_the_values_of_the_text_export(
    stem: str, first: int, places: tuple[int, ...], shared_dir: Path
) -> None:
    folder = shared_dir / "traces" / "import"
    f, re_z, minus_im = map(numbers, columns_of(folder / f"{stem}.mpt", first, "\t", *places))
    for ending in (".mpr", ".mpt"):
        spectra = read_spectra(folder / f"{stem}{ending}")
        found = (
            np.concatenate([one.frequency_Hz for one in spectra]),
            np.concatenate([one.impedance_ohm for one in spectra]),
        )
        np.testing.assert_allclose(found[0], f[f > 0], rtol=1e-6)
        np.testing.assert_allclose(found[1], (re_z - 1j * minus_im)[f > 0], rtol=1e-5)
        assert [len(one) for one in spectra] == ([70] * 8 if stem == "mb" else [32])


def test_pec_and_maccor_in_milliamperes(shared_dir: Path) -> None:
    folder = shared_dir / "traces" / "import"
    pec = read_trace(folder / "pec_new.csv")
    volts, amperes = map(numbers, columns_of(folder / "pec_new.csv", 46, ",", 16, 17))
    np.testing.assert_allclose(pec.voltage_V, volts)
    np.testing.assert_allclose(pec.current_A, amperes)
    with pytest.raises(InputError, match="is no voltage of a cell") as refused:
        read_trace(folder / "maccor_mAmps.txt")
    maccor = read_trace(folder / "maccor_mAmps.txt", columns=str(refused.value).split("--columns ")[-1])
    milliamperes, millivolts = map(numbers, columns_of(folder / "maccor_mAmps.txt", 5, "\t", 7, 8))
    np.testing.assert_allclose(maccor.voltage_V, millivolts * 1e-3)
    np.testing.assert_allclose(maccor.current_A, milliamperes * 1e-3)


def test_arbin_s_workbook(shared_dir: Path) -> None:
    pytest.importorskip("python_calamine", reason="the optional reader of workbooks is not installed")
    trace = read_trace(shared_dir / "traces" / "import" / "arbin_workbook.xlsx")
    assert len(trace) == 4526
    assert (trace.test_time_s[0], trace.voltage_V[0]) == (1.001, 2.637298583984375)


SPECTRA = {  # spectra, points of the first, highest frequency and the impedance there, as they stand in the file
    "PEIS_SSB.mpr": (1, 89, 7000018.5, None),
    "Sample2_PEIS_AtRest.csv": (10, 89, 7000018.5, 50.752583 * np.exp(-1j * np.deg2rad(20.75998))),
    "data-header-variant-1.csv": (1, 29, 10000.0, 109.00918219439028 - 26.55567987651522j),
    "data-header-variant-2.csv": (1, 29, 10000.0, 109.00918219439 - 26.5556798765152j),
    "data-header-variant-3.csv": (1, 29, 10000.0, 109.00918219439028 - 26.55567987651522j),
    "data-header-variant-4.csv": (1, 29, 10000.0, 109.009182194 - 26.555679877j),
    "data-semicolon.csv": (1, 29, 10000.0, 109.00918219439028 - 26.55567987651522j),
    "data-tab.csv": (1, 29, 10000.0, 109.00918219439028 - 26.55567987651522j),
    "exampleDataAutolab.txt": (1, 41, 10000.0, 0.013785863964281 + 0.007191946305823j),
    "exampleDataCHInstruments.txt": (1, 73, 99610.0, 98.91 - 2.748j),
    "geis.mpr": (61, 41, 1000018.56, None),
}


@pytest.mark.parametrize("name", SPECTRA)
def test_spectra_as_users_write_them(name: str, shared_dir: Path) -> None:
    count, points, highest_Hz, z = SPECTRA[name]
    spectra = read_spectra(shared_dir / "traces" / "import" / name)
    assert (len(spectra), len(spectra[0])) == (count, points)
    assert spectra[0].frequency_Hz[0] == pytest.approx(highest_Hz, rel=1e-6)
    at = {one.frequency_Hz[0]: one.impedance_ohm[0] for one in spectra[:1]}
    if z is not None and name != "Sample2_PEIS_AtRest.csv":
        assert next(iter(at.values())) == pytest.approx(z, rel=1e-6)
    elif z is not None:
        assert any(one.impedance_ohm[0] == pytest.approx(z, rel=1e-6) for one in spectra)
    with pytest.raises(InputError, match="impedance, not a test"):
        read_trace(shared_dir / "traces" / "import" / name)


# -- the small files beside the recordings, as their README says

ROWS = {  # rows, (time from, to), (lowest, highest voltage), (lowest, highest current)
    "s02_cp_averaged_Ewe.mpt": (20, (0, 19), (0.05, 0.0519), (2e-4, 2e-4)),
    "s03_ocv_no_current.mpt": (20, (0, 1140), (0.3, 0.319), (0, 0)),
    "s05_cp_avg_Ewe.mpr": (20, (0, 19), (0.05, 0.0519), (2e-4, 2e-4)),
    "s11_neware_nested.csv": (9, (0, 60), (-0.1, 0.1), (-1e-4, 1e-4)),
    "s13_neware_step_time_only.csv": (12, (0, 90), (-0.1, 0.1), (-1e-4, 1e-4)),
    "s14_maccor_mAmps.txt": (6, (0, 300), (0.1, 0.105), (-2.5e-4, 2.5e-4)),
    "s15_pec_hhmmss.csv": (6, (0.5, 90050.5), (0.1, 0.15), (-1e-4, 1e-4)),
    "s18_underscore_mA.csv": (6, (0, 50), (0.1, 0.105), (1e-4, 1e-4)),
    "s19_gamry_two_curves.DTA": (10, (0, 90), (-0.1, 0.1), (-1e-4, 1e-4)),
    "s21a_neware_record_sheet.xlsx": (8, (0, 70), (-0.2, 0.2), (-1e-4, 1e-4)),
    "s21b_arbin_channel_sheet.xlsx": (8, (0, 70), (-0.2, 0.2), (-1e-4, 1e-4)),
    "s22_day_first_dates.csv": (6, (0, 3000), (0.1, 0.1), (1e-4, 1e-4)),
    "s22b_day_first_dates_time_label.csv": (6, (0, 3000), (0.1, 0.1), (1e-4, 1e-4)),
    "s25a_ms.bdf.csv": (3, (0, 2), (0.1, 0.1), (1e-4, 1e-4)),
    "s25b_hours.bdf.csv": (3, (0, 3600), (0.1, 0.1), (1e-4, 1e-4)),
    "s25c_mA.bdf.csv": (3, (0, 2), (0.1, 0.1), (1e-4, 1e-4)),
    "s26_neware_unsigned_states.csv": (12, (0, 110), (-0.1, 0.1), (-1e-4, 1e-4)),
    "s28_micro_amp_latin1.txt": (3, (0, 20), (0.1, 0.1), (-1e-4, 1e-4)),
    "s29b_units_in_second_row.tsv": (3, (0, 3600), (-0.1, 0.1), (-1e-4, 1e-4)),
    "s30_ec_lab_xxx.mpt": (5, (0, 4), (0.1, 0.1), (1e-4, 1e-4)),
}
REFUSED = {"s07_eis_table_with_time.csv": "impedance, not a test", "s23_inf.csv": "line 3, column 'Voltage", "s23b_inf.bdf.csv": "row 1, column",  # noqa: E501
           "s28b_density.csv": "no column for the current", "s09e_no_labels.csv": "--columns"}  # fmt: skip
CIRCUIT = ("s04_peis_avg_columns.mpr", "s04b_peis_plain_control.mpr", "s07_eis_table_with_time.csv", "s09a_freq_Zre_mZim.csv",  # noqa: E501
           "s09b_f_Zp_Zpp.tsv", "s09h_semicolon_bdf_labels.csv", "s10_zplotw_no_comments.z")  # fmt: skip


def case(shared_dir: Path, name: str) -> Path:
    path = shared_dir / "cases" / "files" / name
    if not path.is_file():
        pytest.skip(f"no such case: {path}")
    return path


@pytest.mark.parametrize("name", ROWS)
def test_small_files_that_once_failed(name: str, shared_dir: Path) -> None:
    if name.endswith(".xlsx"):
        pytest.importorskip("python_calamine", reason="the optional reader of workbooks is not installed")
    rows, times, volts, amperes = ROWS[name]
    trace = read_trace(case(shared_dir, name))
    assert len(trace) == rows
    assert (trace.test_time_s[0], trace.test_time_s[-1]) == pytest.approx(times)
    assert (trace.voltage_V.min(), trace.voltage_V.max()) == pytest.approx(volts)
    assert (trace.current_A.min(), trace.current_A.max()) == pytest.approx(amperes)
    if amperes[0] < 0 and not re.match(r"s14|s15|s28", name):
        np.testing.assert_array_equal(
            np.sign(trace.current_A[trace.current_A != 0]), np.sign(trace.voltage_V[trace.current_A != 0])
        )


@pytest.mark.parametrize("name", REFUSED)
def test_small_files_that_are_refused(name: str, shared_dir: Path) -> None:
    with pytest.raises(InputError, match=REFUSED[name]):
        read_trace(case(shared_dir, name))


@pytest.mark.parametrize("name", CIRCUIT)
def test_small_files_of_one_circuit(name: str, shared_dir: Path) -> None:
    (spectrum,) = read_spectra(case(shared_dir, name))
    assert len(spectrum) == 26
    assert spectrum.impedance_ohm[0] == pytest.approx(10.0025 - 1.59155j, rel=2e-4)
    assert spectrum.impedance_ohm[-1] == pytest.approx(1009.96 - 6.283j, rel=2e-4)


@pytest.mark.parametrize("name", ["s01_two_sweeps_one_cycle.mpt", "s01b_two_sweeps_stacked.csv"])
def test_two_sweeps_of_one_small_file(name: str, shared_dir: Path) -> None:
    path = case(shared_dir, name)
    pair = read_pair(path, path)
    assert pair.before is not None
    assert pair.after is not None
    assert (pair.before.resistance_ohm, pair.after.resistance_ohm) == pytest.approx((1010, 62), rel=1e-3)
