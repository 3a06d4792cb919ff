"""Impedance from tables under any labels, several spectra in a file, pairs."""

import json
from pathlib import Path

import numpy as np
import pytest

from ccdmon.cli import main
from ccdmon.errors import InputError
from ccdmon.formats.impedance.csv import write_eis_csv
from ccdmon.formats.impedance.files import read_eis, read_pair, read_spectra
from ccdmon.formats.impedance.sweeps import restarts, sign_is_wrong
from ccdmon.model.spectrum import Spectrum, make_spectrum

FREQUENCY_Hz = np.geomspace(1e5, 1.0, 26)


def circuit(ohm: float = 1000.0, series_ohm: float = 10.0) -> Spectrum:
    """A resistance in series with another that a microfarad bridges."""
    return make_spectrum(FREQUENCY_Hz, series_ohm + ohm / (1 + 2j * np.pi * FREQUENCY_Hz * ohm * 1e-6))


def rows(spectrum: Spectrum, form: str = "{f:.9g},{re:.9g},{im:.9g}") -> str:
    """Lines of a table; `form` may use f, re, im, mag, deg."""
    z = spectrum.impedance_ohm
    return "".join(
        form.format(f=f, re=one.real, im=one.imag, mim=-one.imag, mag=abs(one), deg=np.degrees(np.angle(one)))
        + "\n"
        for f, one in zip(spectrum.frequency_Hz, z, strict=True)
    )


def close(found: Spectrum, wanted: Spectrum) -> None:
    np.testing.assert_allclose(found.frequency_Hz, wanted.frequency_Hz, rtol=1e-7)
    np.testing.assert_allclose(found.impedance_ohm, wanted.impedance_ohm, rtol=1e-6)


TABLES = {
    "names alone": ("f,Z',Z''\n", "{f:.9g},{re:.9g},{im:.9g}"),
    "minus": ("freq;Zre;-Zim\n", "{f:.9g};{re:.9g};{mim:.9g}"),
    "words": ("frequency\treal\timaginary\n", "{f:.9g}\t{re:.9g}\t{im:.9g}"),
    "magnitude and phase": (
        "time/s,freq/Hz,|Z|/Ohm,Phase(Z)/deg,I/A,Ewe/V\n",
        "0,{f:.9g},{mag:.9g},{deg:.9g},0,3",
    ),
    "minus phase, no unit": ("frequency,|Z|,-phase\n", "{f:.9g},{mag:.9g},-{deg:.9g}"),
    "quoted in ZPlot": (
        '"ZPlotW Data File: Version 3.2c"\n"Raw Data"\n"  Freq(Hz)    Ampl     Bias   Time(Sec)   Z\'(a)    Z\'\'(b)   Err"\n',  # noqa: E501
        "{f:.9E}, 1E-02, 0, 0.0, {re:.9E}, {im:.9E}, 0",
    ),
    "ZPlot with comments": (
        "ZPLOT2 ASCII\n  Date: 1\n  Freq(Hz)\tAmpl\tBias\tTime(Sec)\tZ'(a)\tZ''(b)\tGD\nEnd Comments\n",
        "{f:.9E}\t0\t0\t0\t{re:.9E}\t{im:.9E}\t0",
    ),
    "CH Instruments": (
        "Feb. 20, 2020   15:55:08\nA.C. Impedance\nInit E (V) = 0\n\nFreq/Hz, Z'/ohm, Z\"/ohm, Z/ohm, Phase/deg\n\n",
        "{f:.9e}, {re:.9e}, {im:.9e}, {mag:.9e}, {deg:.1f}",
    ),
    "Autolab": (
        "Frequency (Hz);Z' (Ω);-Z'' (Ω);Z (Ω);-Phase (°)\n",
        "{f:.9g};{re:.9g};{mim:.9g};{mag:.9g};0",
    ),
    "PalmSens": (
        "freq / Hz,neg. Phase / °,Idc / uA,Z / ohm,Z' / ohm,-Z'' / ohm\n",
        "{f:.9g},0,0,{mag:.9g},{re:.9g},{mim:.9g}",
    ),
    "kilo": ("f [kHz]\tRe(Z) (kOhm)\t-Im(Z) (kOhm)\n", "KILO"),
    "a row of units": ("Frequenz;Realteil;Imaginärteil\nHz;Ohm;Ohm\n", "{f:.9g};{re:.9g};{im:.9g}"),
    "Gamry": (
        "EXPLAIN\nTAG\tEISPOT\nZCURVE\tTABLE\n\tPt\tTime\tFreq\tZreal\tZimag\tZsig\n\t#\ts\tHz\tohm\tohm\tV\n",
        "\t0\t1\t{f:.9g}\t{re:.9g}\t{im:.9g}\t1",
    ),
    "Chinese": ("频率/Hz,实部(Ω),虚部(Ω)\n", "{f:.9g},{re:.9g},{im:.9g}"),
}


@pytest.mark.parametrize("kind", TABLES)
@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_tables_under_any_labels(kind: str, encoding: str, tmp_path: Path) -> None:
    head, form = TABLES[kind]
    text = rows(circuit(), form) if form != "KILO" else "".join(
        f"{f / 1e3:.9g}\t{z.real / 1e3:.9g}\t{-z.imag / 1e3:.9g}\n" for f, z in zip(FREQUENCY_Hz, circuit().impedance_ohm, strict=True)  # noqa: E501
    )  # fmt: skip
    (tmp_path / "z.txt").write_bytes((head + text.replace("--", "")).encode(encoding))
    (spectrum,) = read_spectra(tmp_path / "z.txt")
    close(spectrum, circuit())


def test_decimal_commas(tmp_path: Path) -> None:
    text = rows(circuit(), "{f:.9g};{re:.9g};{im:.9g}").replace(".", ",")
    (tmp_path / "z.txt").write_text("Frequency / Hz;Real Impedance / ohm;Imaginary Impedance / ohm\n" + text)
    close(read_spectra(tmp_path / "z.txt")[0], circuit())


def test_a_table_without_labels_asks_for_a_map(tmp_path: Path) -> None:
    path = tmp_path / "z.csv"
    path.write_text(rows(circuit()))
    with pytest.raises(InputError, match="no labels above the numbers") as refused:
        read_spectra(path)
    assert "--eis-columns f=#1,re=#2,im=#3" in str(refused.value)
    close(read_spectra(path, "f=#1,re=#2,im=#3")[0], circuit())
    path.write_text(rows(circuit(), "{mag:.9g} {deg:.9g} {f:.9g}"))
    close(read_spectra(path, "mag=#1,phase=#2[deg],f=#3")[0], circuit())


def test_a_map_for_one_file_of_a_pair_leaves_the_other_alone(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(rows(circuit()))
    head, form = TABLES["quoted in ZPlot"]
    (tmp_path / "b.z").write_text(head + rows(circuit(50), form))
    pair = read_pair(tmp_path / "a.csv", tmp_path / "b.z", "f=#1,re=#2,im=#3")
    assert pair.before is not None
    assert pair.after is not None
    close(pair.before, circuit())
    close(pair.after, circuit(50))
    assert any("is not used for it" in note for note in pair.notes)


# -- several spectra


def stacked(*spectra: Spectrum, counters: str = "") -> str:
    head = "Frequency / Hz,Real Impedance / ohm,Imaginary Impedance / ohm"
    parts = [
        "".join(f"{line}{',' + str(k) if counters else ''}\n" for line in rows(one).splitlines())
        for k, one in enumerate(spectra)
    ]
    return f"{head}{',' + counters if counters else ''}\n" + "".join(parts)


@pytest.mark.parametrize("counters", ["", "cycle number", "z cycle", "loop", "Spectrum / 1"])
def test_first_and_last_of_one_file_are_a_pair(counters: str, tmp_path: Path) -> None:
    path = tmp_path / "z.csv"
    path.write_text(stacked(circuit(1000), circuit(500), circuit(52), counters=counters))
    assert [len(one) for one in read_spectra(path)] == [26, 26, 26]
    pair = read_pair(path, path)
    assert (pair.before and pair.before.resistance_ohm, pair.after and pair.after.resistance_ohm) == (
        pytest.approx(1010, rel=1e-3), pytest.approx(62, rel=1e-3),
    )  # fmt: skip
    chosen = read_pair(path, path, select="2,-2")
    assert chosen.before is not None
    assert chosen.before.resistance_ohm == pytest.approx(510, rel=1e-3)
    for select, part in (("0,1", "from 1"), ("4", "holds 3 spectra"), ("first", "one number or two")):
        with pytest.raises(InputError, match=part):
            read_pair(path, path, select=select)


def test_a_counter_that_stays_does_not_join_two_sweeps_and_one_per_point_splits_none(tmp_path: Path) -> None:
    text = stacked(circuit(1000), circuit(52)).splitlines()
    (tmp_path / "z.csv").write_text(
        "\n".join([text[0] + ",cycle number", *(line + ",0" for line in text[1:])]) + "\n"
    )
    assert len(read_spectra(tmp_path / "z.csv")) == 2
    each = [f"{line},{k}" for k, line in enumerate(text[1:27])]
    (tmp_path / "z.csv").write_text("\n".join([text[0] + ",cycle number", *each]) + "\n")
    assert len(read_spectra(tmp_path / "z.csv")) == 1


def test_a_shorted_cell_told_by_two_sweeps_of_one_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    half = "".join(
        f"{t},{s * 0.1},{s * 1e-4}\n"
        for k in range(8)
        for s in [(-1) ** k]
        for t in range(300 * k, 300 * k + 300, 10)
    )
    (tmp_path / "t.bdf.csv").write_text("Test Time / s,Voltage / V,Current / A\n" + half)
    (tmp_path / "z.csv").write_text(stacked(circuit(1000), circuit(52)))
    pair = ["--eis-before", str(tmp_path / "z.csv"), "--eis-after", str(tmp_path / "z.csv")]
    assert main(["analyze", str(tmp_path / "t.bdf.csv"), "--area-cm2", "1", "--json", *pair]) == 1
    told = capsys.readouterr()
    assert json.loads(told.out)["ccd"]["eis"] == "shorted"
    assert "2 spectra" in told.err


def test_a_sweep_that_goes_down_and_up_is_two_and_a_repeated_point_is_none() -> None:
    down = np.geomspace(1e5, 1, 30)
    assert restarts(np.concatenate((down, down[::-1]))) in ([29], [30])
    assert restarts(np.concatenate((down, down))) == [30]
    assert restarts(np.concatenate((down[::-1], down[::-1]))) == [30]
    wobbling = np.repeat(down, 2) * np.tile([1.0, 1.004], 30)
    assert restarts(wobbling) == []
    assert restarts(np.insert(down, 10, down[9])) == []


def test_a_spectrum_that_was_broken_off_is_not_the_last(tmp_path: Path) -> None:
    whole = stacked(circuit(1000), circuit(52)).splitlines()
    (tmp_path / "z.csv").write_text("\n".join(whole + whole[1:4]) + "\n")
    pair = read_pair(tmp_path / "z.csv", tmp_path / "z.csv")
    assert pair.after is not None
    assert pair.after.resistance_ohm == pytest.approx(62, rel=1e-3)


# -- signs


def test_inductive_leads_and_a_short_behind_them_are_no_wrong_sign() -> None:
    for ohm in (1e-3, 0.05, 10.0):
        short = ohm + 2j * np.pi * FREQUENCY_Hz * 1e-5
        assert not sign_is_wrong(make_spectrum(FREQUENCY_Hz, short))
    wired = circuit().impedance_ohm + 2j * np.pi * FREQUENCY_Hz * 1e-4
    assert not sign_is_wrong(make_spectrum(FREQUENCY_Hz, wired))
    for one in (circuit().impedance_ohm, 5 + 1 / (2j * np.pi * FREQUENCY_Hz * 1e-4)):
        assert sign_is_wrong(make_spectrum(FREQUENCY_Hz, one.conj()))
        assert not sign_is_wrong(make_spectrum(FREQUENCY_Hz, one))


def test_a_wrong_sign_names_a_map_that_works(tmp_path: Path) -> None:
    (tmp_path / "z.csv").write_text("f,Z',Z''\n" + rows(circuit(), "{f:.9g},{re:.9g},{mim:.9g}"))
    with pytest.raises(InputError, match="-im=LABEL"):
        read_spectra(tmp_path / "z.csv")
    close(read_spectra(tmp_path / "z.csv", "f=f,re=Z',-im=Z''")[0], circuit())


def test_a_phase_that_may_be_in_radians_is_asked_for(tmp_path: Path) -> None:
    (tmp_path / "z.csv").write_text("f,|Z|,phase\n1000,10,-0.5\n100,10,-0.7\n10,10,-0.9\n")
    with pytest.raises(InputError, match="deg or rad"):
        read_spectra(tmp_path / "z.csv")


# -- what is written, and where it is asked


def test_convert_and_validate_take_impedance(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "z.csv").write_text(stacked(circuit(1000), circuit(52)))
    assert main(["convert", str(tmp_path / "z.csv"), str(tmp_path / "o.eis.csv")]) == 0
    lines = (tmp_path / "o.eis.csv").read_text().splitlines()
    assert lines[0] == "Spectrum / 1,Frequency / Hz,Real Impedance / ohm,Imaginary Impedance / ohm"
    assert [line.split(",")[0] for line in lines[1:]] == ["1"] * 26 + ["2"] * 26
    for found, wanted in zip(read_spectra(tmp_path / "o.eis.csv"), (circuit(1000), circuit(52)), strict=True):
        close(found, wanted)
    assert main(["validate", str(tmp_path / "o.eis.csv"), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["files"][0]["points"] == [26, 26]


def test_assumptions_are_told(tmp_path: Path) -> None:
    write_eis_csv(circuit(), tmp_path / "a.csv")
    assert read_eis(tmp_path / "a.csv").notes == []
    (tmp_path / "b.csv").write_text("f,Z',Z''\n" + rows(circuit()))
    assert any("taken in Hz and ohm" in note for note in read_eis(tmp_path / "b.csv").notes)


@pytest.mark.parametrize(
    ("data", "part"),
    [(b"\x04Version=11\nmore", "IviumSoft"), ('{"type":"PalmSens"}'.encode("utf-16"), "PSTrace")],
)
def test_what_has_no_reader_says_how_to_export(data: bytes, part: str, tmp_path: Path) -> None:
    (tmp_path / "z").write_bytes(data)
    with pytest.raises(InputError, match=part):
        read_spectra(tmp_path / "z")
