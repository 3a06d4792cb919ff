"""BioLogic binaries: columns by number, three electrodes, set points, numbers that nobody knows."""

import struct
from pathlib import Path

import numpy as np
import pytest

from ccdmon.errors import InputError
from ccdmon.formats.cyclers.biologic_columns import COLUMNS, FLAGS
from ccdmon.formats.impedance.files import read_spectra
from ccdmon.formats.importer import read_trace
from ccdmon.model.trace import Trace
from tests.host.formats.test_importer import mpr_file

WIDTHS = {"<f4": "f", "<f8": "d", "<u2": "H", "<u4": "I", "<u1": "B"}


def records(columns: list[int], rows: list[dict[int, float]], widths: dict[int, str] | None = None) -> bytes:
    """Packed records of these columns; the flags hold mode 1 where a row says nothing else (`1: mode`)."""
    out = b""
    for row in rows:
        flagged = False
        for number in columns:
            if number in FLAGS:
                out += b"" if flagged else struct.pack("<B", int(row.get(1, 1)))
                flagged = True
                continue
            kind = (widths or {}).get(number) or WIDTHS[COLUMNS[number][1]]
            value = row.get(number, 0)
            out += struct.pack("<" + kind, int(value) if kind in "HIB" else float(value))
    return out


def read(
    folder: Path, columns: list[int], rows: list[dict[int, float]], asked: str | None = None, **widths: str
) -> Trace:
    path = folder / "t.mpr"
    path.write_bytes(
        mpr_file(columns, records(columns, rows, {int(k[1:]): v for k, v in widths.items()}), len(rows))
    )
    return read_trace(path, columns=asked)


def test_more_than_the_publicly_known_hundred_and_twenty_columns() -> None:
    assert len(COLUMNS) + len(FLAGS) >= 124
    assert {kind for _, kind in COLUMNS.values()} == set(WIDTHS)


@pytest.mark.parametrize("number", [6, 77, 174])
@pytest.mark.parametrize("current", [8, 76, 11])
def test_voltage_and_current_under_each_of_their_numbers(number: int, current: int, tmp_path: Path) -> None:
    trace = read(
        tmp_path, [1, 2, 3, 4, number, current], [{4: t, number: 0.1 + t, current: 2.0} for t in range(3)]
    )
    np.testing.assert_allclose(trace.voltage_V, [0.1, 1.1, 2.1], rtol=1e-6)
    np.testing.assert_allclose(trace.current_A, 2e-3)


def test_every_known_column_has_the_width_that_lets_the_others_be_read(tmp_path: Path) -> None:
    columns = [1, *(number for number in COLUMNS if number not in (4, 6, 8, 32, 9, 27)), 4, 6, 8]
    trace = read(
        tmp_path, columns, [{4: t, 6: 0.5, 8: 1.0, 174: 0.5, 77: 0.5, 76: 1.0, 11: 1.0} for t in range(3)]
    )
    np.testing.assert_allclose(trace.test_time_s, [0, 1, 2])
    np.testing.assert_allclose(trace.voltage_V, 0.5)


def test_an_unknown_number_is_passed_over_where_its_width_follows(tmp_path: Path) -> None:
    for kind in "fdHB":
        trace = read(
            tmp_path, [1, 4, 9000, 6, 8], [{4: t, 6: 0.5, 8: 1.0, 9000: 3} for t in range(3)], c9000=kind
        )
        np.testing.assert_allclose(trace.voltage_V, 0.5)
        assert any("number 9000" in note for note in trace.notes)
    spare = read(
        tmp_path,
        [1, 4, 6, 9000, 70, 9001, 8],
        [{4: t, 6: 0.5, 8: 1.0} for t in range(3)],
        c9000="f",
        c9001="d",
    )
    np.testing.assert_allclose(spare.current_A, 1e-3)
    with pytest.raises(InputError, match="column number 9000, 9001 is not known"):
        read(tmp_path, [1, 4, 9000, 6, 9001, 8], [{4: t} for t in range(3)], c9000="f", c9001="d")


def test_set_points_where_no_current_was_measured_and_charge_over_time(tmp_path: Path) -> None:
    asked = read(tmp_path, [1, 2, 3, 4, 5, 6], [{4: t, 5: 2.0, 6: 0.1} for t in range(3)])
    np.testing.assert_allclose(asked.current_A, 2e-3)
    assert any("asked for" in note for note in asked.notes)
    charge = read(tmp_path, [1, 4, 6, 7], [{4: 10 * t, 6: 0.1, 7: 0.01} for t in range(3)])
    np.testing.assert_allclose(charge.current_A[1:], 0.01 * 3.6 / 10)
    rest = read(tmp_path, [1, 3, 4, 6], [{1: 3, 4: t, 6: 0.1} for t in range(3)])
    assert rest.current_A.tolist() == [0, 0, 0]
    with pytest.raises(InputError, match="no column for the current"):
        read(tmp_path, [1, 3, 4, 19, 6], [{1: 2, 4: t, 6: 0.1} for t in range(3)])


def test_three_electrodes(tmp_path: Path) -> None:
    columns = [1, 2, 3, 4, 19, 6, 9, 8]
    on_cell = [{1: 2, 4: t, 19: 0.4, 6: 1.4 + t, 9: 1.0 + t, 8: 1.0} for t in range(5)]
    trace = read(tmp_path, columns, on_cell)
    np.testing.assert_allclose(trace.voltage_V, 0.4, rtol=1e-6)
    assert any("follows the set point" in note for note in trace.notes)
    floating = [{4: t, 6: 12.5, 9: 12.1, 8: 1.0} for t in range(5)]
    np.testing.assert_allclose(read(tmp_path, [1, 4, 6, 9, 8], floating).voltage_V, 0.4, rtol=1e-5)
    wired = [{4: t, 6: 0.5, 9: -0.1, 8: 1.0} for t in range(5)]
    alone = read(tmp_path, [1, 4, 6, 9, 8], wired)
    np.testing.assert_allclose(alone.voltage_V, 0.5)
    whole = read(tmp_path, [1, 4, 6, 9, 8], wired, "time=time,voltage=Ewe-Ece,current=I")
    np.testing.assert_allclose(whole.voltage_V, 0.6, rtol=1e-6)


@pytest.mark.parametrize("columns", [[32, 37, 38, 36, 35, 4, 77, 76, 24], [32, 36, 35, 4, 6, 8, 469]])
def test_impedance_with_means_and_with_magnitude_and_phase_alone(columns: list[int], tmp_path: Path) -> None:
    z = 10 - 5j
    rows = [
        {32: f, 37: z.real, 38: -z.imag, 36: abs(z), 35: float(np.degrees(np.angle(z))), 24: 1, 469: k, 4: k}
        for k in range(2) for f in (1000.0, 100.0, 10.0, 1.0)
    ]  # fmt: skip
    path = tmp_path / "t.mpr"
    path.write_bytes(mpr_file(columns, records(columns, rows), len(rows)))
    first, second = read_spectra(path)
    np.testing.assert_allclose(first.impedance_ohm, z, rtol=1e-6)
    assert len(second) == 4
    with pytest.raises(InputError, match="impedance, not a test"):
        read_trace(path)


def test_the_first_version_writes_its_numbers_in_one_byte(tmp_path: Path) -> None:
    columns = [1, 4, 6, 8]
    content = struct.pack("<IB", 3, 4) + bytes(columns)
    content = content.ljust(100, b"\0") + records(columns, [{4: t, 6: 0.5, 8: 1.0} for t in range(3)])
    module = (
        b"MODULE"
        + b"VMP data".ljust(10)
        + b"VMP data".ljust(25)
        + struct.pack("<II", len(content), 0)
        + b"01/01/26"
    )
    (tmp_path / "t.mpr").write_bytes(b"BIO-LOGIC MODULAR FILE\x1a".ljust(0x34, b" ") + module + content)
    np.testing.assert_allclose(read_trace(tmp_path / "t.mpr").voltage_V, 0.5)
