"""Files written from public descriptions of what instruments write, not from the readers: read right, or refused.

The numbers are of our own making: an impedance of 8 ohm + (400 ohm in parallel with 2 uF), a square wave of 0.15 V.
"""

import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from ccdmon.errors import InputError
from ccdmon.formats.impedance.files import read_eis
from ccdmon.formats.importer import read_trace

HZ = [10 ** (5 - k / 4) for k in range(21)]
POINTS = [(f, 8 + 400 / (1 + 2j * math.pi * f * 8e-4)) for f in HZ]
ROWS = [(10.0 * k, 0.15 * s, 3e-4 * s) for k in range(12) for s in [1 if k % 6 < 3 else -1]]


def points(row: Callable[[float, complex], str]) -> str:
    return "".join(row(f, z) + "\n" for f, z in POINTS)


def rows(row: Callable[[float, float, float], str]) -> str:
    return "".join(row(t, v, i) + "\n" for t, v, i in ROWS)


def deg(z: complex) -> float:
    return math.degrees(math.atan2(z.imag, z.real))


def clock(t: float) -> str:
    return f"{int(t // 60):02d}:{t % 60:06.3f}"


CARTESIAN = points(lambda f, z: f"{f:.6E}\t{z.real:.6E}\t{z.imag:.6E}")
PALMSENS = "Notes:,\n\nCH 1: Fixed at 21 freqs\nfreq / Hz,neg. Phase / °,Idc / uA,Z / Ohm,Z' / Ohm,-Z'' / Ohm,Cs / F\n"
PALMSENS += points(lambda f, z: f"{f:g},{-deg(z):.6g},1,{abs(z):.8g},{z.real:.8g},{-z.imag:.8g},1e-9")
VERSASTUDIO = (
    "Definition=Segment #, Point #, E(V), I(A), Elapsed Time(s), Frequency(Hz), E Real, Z Real, Z Imag"
)
ZVIEW = '"Z60W Data File: Version 1.1"\n' + '""\n' * 7 + "0,2,0,1,0.1,100000\n21\n"
CORRWARE = (
    "CORRW ASCII\nID_CP\nTemperature(℃):   25\n  Begin Information:            Cell Information\n"
    "      Surface Area:           0.5\n  End Information:              Cell Information\n"
)
SPECTRA = {
    "palmsens": PALMSENS.encode("utf-16"),
    "pstrace": "Frequency\tZdash\tZdashneg\tZ\tPhase\tY\n"
    + points(lambda f, z: f"{f}\t{z.real}\t{-z.imag}\t{abs(z)}\t{deg(z)}\t{1 / abs(z)}"),
    "ivium": "freq. /Hz\tZ1 /ohm\tZ2 /ohm\n" + CARTESIAN,
    "fra": "Procedure : a\n03.02.2024 10:00:00 i(init)= 183.1nA\nb\nt =  736.4 s\n"
    " f/Hz       \t Z'/Ohm     \t -Z''/Ohm   \t time/s    \t Edc/V     \t Idc/A     \t\n 21 \n"
    + points(lambda f, z: f" {f:.6e}\t {z.real:.6e}\t {-z.imag:.6e}\t 5.9e+01\t 30.9e-02\t 18.3e-08\t"),
    "powersuite": "Frequency\t Zre\t Zimg\n" + "".join(reversed(CARTESIAN.splitlines(keepends=True))),
    "versastudio": f"<Application>\nName=VersaStudio\n</Application>\n<Segment1>\nType=2\n{VERSASTUDIO}\n"
    + points(lambda f, z: f"0,1,0,-3.2E-06,2.5,{f},-0.0035,{z.real},{z.imag}")
    + "</Segment1>\n<Graph1>\nHeight=291\n</Graph1>\n",
    "nova": "Index;Frequency (Hz);Z' (Ω);-Z'' (Ω);Z (Ω);-Phase (°);Time (s)\n"
    + points(lambda f, z: f"1;{f};{z.real};{-z.imag};{abs(z)};{-deg(z)};2".replace(".", ",")),
    "zview": ZVIEW + points(lambda f, z: f"{f},0,0,0,{z.real},{z.imag},0,0,0"),
    "chi": 'Feb. 20, 2020\nA.C. Impedance\nInit E (V) = 0\n\nFreq/Hz, Z\'/ohm, Z"/ohm, Z/ohm, Phase/deg\n\n'
    + points(lambda f, z: f"{f:.6e}, {z.real:.6e}, {z.imag:.6e}, {abs(z):.3e}, {deg(z):.1f}"),
    "squidstat": "Frequency (Hz),|Z| (Ohms),Phase (deg),Z' (Ohms),-Z\" (Ohms),Elapsed Time (s),DC Current (A)\n"
    + points(lambda f, z: f"{f},{abs(z)},{deg(z)},{z.real},{-z.imag},1,1e-5"),
    "btlab": "BT-Lab ASCII FILE\nNb header lines : 3\nfreq/Hz\tRe(Z)/Ohm\t-Im(Z)/Ohm\ttime/s\t<Ewe>/V\t<I>/mA\t\n"
    + points(lambda f, z: f"{f:.6E}\t{z.real:.6E}\t{-z.imag:.6E}\t1\t1,2E-01\t1\t".replace(".", ",")),
    "maccor": "Today's Date\t2/3/2020\nRec#\tFreq (Hz)\tZmod (Ohm)\tZphz (Deg)\tZreal (Ohm)\tZimag (Ohm)\tOCV\n"
    + points(lambda f, z: f"1\t{f}\t{abs(z)}\t{deg(z)}\t{z.real}\t{z.imag}\t0.1"),
    "zahner": "Number Frequency/Hz Impedance/Ohm Phase/deg Significance Time/s\n"
    + points(lambda f, z: f"   1   {f:.8E}   {abs(z):.8E}  {deg(z):.6E}  0.999  2.0"),
    "novocontrol": "a\nFixed value(s) : AC Volt [Vrms]=1\nFreq. [Hz]\tZs' [Ohms]\tZs'' [Ohms]\n" + CARTESIAN,
    "gamry": "EXPLAIN\nTAG\tGALVEIS\nZCURVE\tTABLE\n\tPt\tTime\tFreq\tZreal\tZimag\tZsig\tIdc\tVdc\n"
    "\t#\ts\tHz\tohm\tohm\tV\tA\tV\n" + points(lambda f, z: f"\t0\t1\t{f}\t{z.real}\t{z.imag}\t1\t2E-006\t1.2"),
}  # fmt: skip
NO_SPECTRA = {
    "corrtest": ("CSStudioFile,ID_EISVSFRQ,x\nFreq(Hz)\tZ'(Ohm.cm²)\tZ''(Ohm.cm²)\n" + CARTESIAN, "re=#2[ohm]"),
    "palmsens": (PALMSENS.replace("-Z''", "Z''"), "-im="),
    "elins": ("a\nb\n\n21\n" + CARTESIAN.replace("\t", " "), "line 5"),
    "zive": ("a\n100|kHz|10\n  1.000\n0|1.000\n21   \n" + CARTESIAN, "line 6"),
    "logarithm": ("log(f/Hz)\tZ'/Ohm\t-Z''/Ohm\n" + CARTESIAN, "no columns of a frequency"),
    "admittance": ("Frequency (Hz)\tY' (S)\tY'' (S)\n" + CARTESIAN, "no columns of a frequency"),
    "angular": ("omega (rad/s)\tZ' (Ω)\tZ'' (Ω)\n" + CARTESIAN, "no columns of a frequency"),
    "complex": ("freq,Z\n" + points(lambda f, z: f"{f},{z}"), "no real and imaginary part"),
    "fit": ("Freq/Hz,Zre exp,Zim exp,Zre fit,Zim fit\n" + points(lambda f, z: f"{f},1,-1,2,-2"), "no columns"),
}  # fmt: skip
TRACES = {
    "versastudio": f"<Application>\nName=VersaStudio\n</Application>\n<Segment1>\n{VERSASTUDIO}\n"
    + rows(lambda t, v, i: f"0,1,{v},{i},{t},0,0,0,0") + "</Segment1>\n",
    "digatron": "\nMeasurement ID,5\nTime Stamp,Step,Status,Prog Time,Step Time,Procedure,Voltage,Current,Cnt,\n"
    ",,,,,,[V],[A],[Cnt],\n"
    + rows(lambda t, v, i: f"11/27/2018 8:41:{t % 60:02.0f} PM,1,{'CHA' if i > 0 else 'DCH'},"
           f"00:{clock(t + 22)},00:{clock(t % 30)},x,{v:.5f},{i:.5f},1,"),
    "bitrode": 'Test Name,x\n\n"Total Time, S","Cycle","Loop Counter #1","Step","Step Time, S","Current, A",'
    '"Voltage, V","Mode"\n'
    + rows(lambda t, v, i: f"{t},1,0,1,{t % 30},{abs(i)},{v},{'CHRG' if i > 0 else 'DCHG'}"),
    "squidstat": "Timestamp,Step number,Step name,Elapsed Time (s),Working Electrode (V),Counter Electrode (V),"
    "Compliance Voltage (V),Current (A)\n"
    + rows(lambda t, v, i: f"{1.6e9 + t:.3f},1,Constant Current,{t},{v},{-v},9,{i}"),
    "gamry": "EXPLAIN\nTAG\tCHRONOP\nCURVE\tTABLE\t12\n\tPt\tT\tVf\tIm\tVu\n\t#\ts\tV vs. Ref.\tA\tV\n"
    + rows(lambda t, v, i: f"\t0\t{t}\t{v}\t{i}\t0"),
    "parstat": "Potential (V)\tCurrent (A)\tElapsed Time (s)\tFrequency (Hz)\tZre (ohms)\tZim (ohms)\t\n"
    + rows(lambda t, v, i: f"{v}\t{i}\t{t}\t0\t0\t0\t")
    + points(lambda f, z: f"0.15\t0\t200\t{f}\t{z.real}\t{z.imag}\t"),
}  # fmt: skip
NO_TRACES = {
    "corrtest": (
        "CSStudioFile,ID_CP,x\nE(V)\ti(A/cm²)\tT(s)\n" + rows(lambda t, v, i: f"{v}\t{i}\t{t}"), "current=#2[A]",
    ),
    "corrware": (  # set apart by two tabs in the labels, by one in the rows
        CORRWARE + "E(V)\t\ti(A/cm^2)\t\tT(s)\nEnd Comments\n" + rows(lambda t, v, i: f"{v}\t{i}\t{t}"),
        "current=#2[A]",
    ),
    "no labels": (CORRWARE + "End Comments\n" + rows(lambda t, v, i: f"{v}\t{i}\t{t}"), "--columns"),
    "chi": (  # its current stands in the header: these are no rests
        "Chronopotentiometry\nCathodic Current (A) = 3e-4\n\nTime/sec, Potential/V\n\n"
        + rows(lambda t, v, i: f"{t}, {v}"), "no column for the current",
    ),
}  # fmt: skip


def file(folder: Path, text: str | bytes) -> Path:
    path = folder / "t.txt"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


@pytest.mark.parametrize("name", SPECTRA)
def test_spectra_are_read_right(tmp_path: Path, name: str) -> None:
    path = file(tmp_path, SPECTRA[name])
    (spectrum,) = read_eis(path).spectra
    np.testing.assert_allclose(spectrum.frequency_Hz, HZ, rtol=2e-5)
    np.testing.assert_allclose(spectrum.impedance_ohm, [z for _, z in POINTS], rtol=2e-5)
    with pytest.raises(InputError, match="impedance, not a test in time"):
        read_trace(path)


@pytest.mark.parametrize("name", NO_SPECTRA)
def test_what_cannot_be_known_is_refused(tmp_path: Path, name: str) -> None:
    text, advice = NO_SPECTRA[name]
    with pytest.raises(InputError) as refused:
        read_eis(file(tmp_path, text))
    assert advice in str(refused.value)


def test_the_advice_works_as_written(tmp_path: Path) -> None:
    path, columns = file(tmp_path, NO_SPECTRA["corrtest"][0]), "re=#2[ohm]"
    with pytest.raises(InputError, match=r"im=#3\[ohm\]"):
        read_eis(path, columns)
    (spectrum,) = read_eis(path, columns + ",im=#3[ohm]").spectra
    np.testing.assert_allclose(spectrum.impedance_ohm, [z for _, z in POINTS], rtol=2e-5)


@pytest.mark.parametrize("name", ["elins", "zive"])
def test_columns_are_numbered_below_a_preamble_with_numbers(tmp_path: Path, name: str) -> None:
    (spectrum,) = read_eis(file(tmp_path, NO_SPECTRA[name][0]), "f=#1,re=#2,im=#3").spectra
    np.testing.assert_allclose(spectrum.impedance_ohm, [z for _, z in POINTS], rtol=2e-5)


@pytest.mark.parametrize("name", TRACES)
def test_tests_are_read_right(tmp_path: Path, name: str) -> None:
    trace = read_trace(file(tmp_path, TRACES[name]))
    time_s, voltage_V, current_A = np.array(ROWS).T
    np.testing.assert_allclose(trace.test_time_s - trace.test_time_s[0], time_s)
    np.testing.assert_allclose(trace.voltage_V, voltage_V)
    np.testing.assert_allclose(trace.current_A, current_A)


@pytest.mark.parametrize("name", NO_TRACES)
def test_a_current_that_cannot_be_known_is_refused(tmp_path: Path, name: str) -> None:
    text, advice = NO_TRACES[name]
    path = file(tmp_path, text)
    with pytest.raises(InputError) as refused:
        read_trace(path)
    assert advice in str(refused.value)
    if advice.startswith("current="):
        np.testing.assert_allclose(read_trace(path, columns=advice).current_A, np.array(ROWS)[:, 2])
