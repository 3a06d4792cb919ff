"""Before and after by themselves: of one file, of a folder with numbered techniques, words, other cells' files."""

import json
from pathlib import Path

import numpy as np
import pytest

from ccdmon.cli import main
from ccdmon.errors import InputError
from ccdmon.formats.bdf.write import write_bdf
from ccdmon.formats.impedance.csv import write_eis_csv
from ccdmon.formats.impedance.pairing import paired
from ccdmon.model.spectrum import Spectrum, make_spectrum
from tests.host.analysis.why.test_scale import square_wave

FREQUENCIES_Hz = np.geomspace(1e5, 1.0, 12)


def _spectrum(ohm: float) -> Spectrum:
    return make_spectrum(FREQUENCIES_Hz, 5 + ohm / (1 + 2j * np.pi * FREQUENCIES_Hz * ohm * 1e-6), "made")


def _write(path: Path, *ohms: float) -> Path:
    spectra = [_spectrum(ohm) for ohm in ohms]
    write_eis_csv(spectra[0] if len(spectra) == 1 else spectra, path)
    return path


def test_first_and_last_of_one_file(tmp_path: Path) -> None:
    path = _write(tmp_path / "all.csv", 100, 50, 20)
    assert paired(path)[:2] == (path, path)


def test_one_spectrum_is_not_paired_with_itself(tmp_path: Path) -> None:
    path = _write(tmp_path / "one.csv", 100)
    before, after, notes, _ = paired(path)
    assert (before, after) == (path, None)
    assert "one spectrum" in notes[0]


def test_a_folder_of_numbered_techniques_goes_by_their_numbers(tmp_path: Path) -> None:
    for number in (2, 10, 1):
        _write(tmp_path / f"cell_{number}_PEIS.csv", 100)
    (tmp_path / "cell_3_MB.csv").write_text("time,voltage\n0,1\n", encoding="utf-8")
    before, after, notes, between = paired(tmp_path)
    assert after is not None
    assert (before.name, after.name) == ("cell_1_PEIS.csv", "cell_10_PEIS.csv")
    assert "3 files" in notes[0]
    assert [path.name for path in between] == ["cell_2_PEIS.csv"]


@pytest.mark.parametrize("names", [("1", "2", "3", "10"), None])
def test_resistances_are_tracked_over_all_spectra_of_a_folder_or_a_file(
    names: tuple[str, ...] | None, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    trace, ohms, spectra = tmp_path / "cell.bdf.csv", (100, 120, 140, 160), tmp_path / "spectra"
    write_bdf(square_wave(), str(trace))
    if names is None:
        _write(spectra.with_suffix(".csv"), *ohms)
    else:
        spectra.mkdir()
        for name, ohm in zip(names, ohms, strict=True):
            _write(spectra / f"cell_{name}_PEIS.csv", ohm)
    main(["analyze", str(trace), "--eis", str(spectra if names else spectra.with_suffix(".csv")), "--json"])
    tracked = json.loads(capsys.readouterr().out)["why"]["spectra"]["spectra"]
    assert [row["spectrum"] for row in tracked] == [1, 2, 3, 4]
    found = [row["bulk_ohm"] + row["interface_ohm"] for row in tracked]
    assert found == pytest.approx([5 + ohm for ohm in ohms], rel=0.03)


def test_words_win_over_the_alphabet_and_other_cells_do_not_count(tmp_path: Path) -> None:
    for name in ("a.eis-after.csv", "a.eis-before.csv", "b.eis-before.csv", "b.eis-after.csv"):
        _write(tmp_path / name, 100)
    before, after, *_ = paired(tmp_path, tmp_path / "b.bdf.csv")
    assert after is not None
    assert (before.name, after.name) == ("b.eis-before.csv", "b.eis-after.csv")


def test_a_folder_without_spectra_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="--eis-before"):
        paired(tmp_path)


def test_analyze_pairs_and_validates(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    trace = tmp_path / "cell.bdf.csv"
    made = [
        "simulate",
        "--scenario",
        "healthy",
        "--seed",
        "1",
        "--levels",
        "2",
        "--half-cycle-s",
        "600",
        "--eis",
    ]
    assert main([*made, "--out", str(trace)]) == 0
    capsys.readouterr()
    assert main(["analyze", str(trace), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["ccd"]["eis"] == "unvalidated"
    assert main(["analyze", str(trace), "--eis", str(tmp_path), "--json"]) == 0
    told = capsys.readouterr()
    assert json.loads(told.out)["ccd"]["eis"] == "consistent"
    assert "cell.eis-before.csv" in told.err


@pytest.mark.parametrize(
    "options",
    [["--eis", "x", "--eis-before", "y"], ["second.bdf.csv", "--eis", "x"]],
    ids=["both", "two traces"],
)
def test_what_it_cannot_decide_is_told(
    options: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["analyze", str(tmp_path / "t.bdf.csv"), *options]) == 2
    assert "--eis" in capsys.readouterr().err
