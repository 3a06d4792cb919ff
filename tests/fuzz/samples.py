"""Sound inputs that fuzzing starts from: made here, and the recorded files where they are at hand."""

import gzip
import io
import os
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pa_parquet

import ccdmon
from ccdmon_fw import wire
from tests.conftest import PROJECT_DIR
from tests.host.formats.test_importer import DIALECTS, RECORDS, mpr_file
from tests.host.wire_stream import Device

LARGEST_BYTES = 20_000  # of a recorded file: a longer one only slows the search


def wire_bytes() -> list[bytes]:
    """Streams as a board sends them, one with a hole and one that begins anew."""
    device = Device()
    stream = (
        device.identity() + device.samples(0, 32) + device.samples(32, 7) + device.samples(50, 3, dropped=11)
    )
    return [stream, stream + Device().samples(0, 5, run=2), stream[:40] + stream[44:]]


def command_bytes() -> list[bytes]:
    """Each command once, and all in a row."""
    kinds = [kind for kind in wire.MESSAGES if 0x41 <= kind < 0x60]
    each = [wire.encode(kind, kind, bytes(12)) for kind in kinds]
    exact = [wire.encode(kind, kind, bytes(wire.struct.calcsize(wire.MESSAGES[kind][1]))) for kind in kinds]
    return [*each, *exact, b"".join(exact)]


def trace_files() -> list[bytes]:
    """One small file of each dialect, one in the Battery Data Format, and recorded ones."""
    bdf = "Test Time / s,Voltage / V,Current / A\n0,0.1,0.001\n1,0.2,0.001\n2,-0.2,-0.001\n"
    return [bdf.encode(), *(text.encode() for text in DIALECTS.values()), *_recorded("import", "recorded")]


def impedance_files() -> list[bytes]:
    """A spectrum in our own columns, and recorded ones."""
    frequency = np.geomspace(1e5, 1.0, 12)
    z = 50.0 + 100.0 / (1.0 + 2j * np.pi * frequency * 1e-4)
    lines = [f"{f:.6g},{z.real:.6g},{z.imag:.6g}" for f, z in zip(frequency, z, strict=True)]
    own = "\n".join(["Frequency / Hz,Real Impedance / ohm,Imaginary Impedance / ohm", *lines])
    return [own.encode(), *_recorded("eis", "import")]


def packed_files() -> list[bytes]:
    """A binary of BioLogic, a compressed table, Parquet, and a workbook where its writer is at hand."""
    table = b"Test Time / s,Voltage / V,Current / A\n" + b"".join(b"%d,0.1,0.001\n" % t for t in range(50))
    parquet = io.BytesIO()
    pa_parquet.write_table(pa.table({"time/s": [0.0, 1.0], "U/V": [0.1, 0.2], "I/mA": [1.0, -1.0]}), parquet)
    made = [mpr_file([1, 2, 4, 6, 8], RECORDS, 5, version=version) for version in (3, 11)]
    made += [gzip.compress(table), parquet.getvalue()]
    try:
        import xlsxwriter
    except ImportError:
        return made
    book = io.BytesIO()
    with xlsxwriter.Workbook(book) as out:
        sheet = out.add_worksheet("record")
        for k, row in enumerate(
            [["Test_Time(s)", "Voltage(V)", "Current(A)"], *[[t, 0.1, 1e-3] for t in range(9)]]
        ):
            sheet.write_row(k, 0, row)
    return [*made, book.getvalue()]


def rig_files() -> list[bytes]:
    """The commented file that `ccdmon init` writes."""
    return [(Path(ccdmon.__file__).parent / "data" / "rig.toml").read_bytes()]


def _recorded(*folders: str) -> list[bytes]:
    shared = Path(os.environ.get("CCDMON_SHARED", PROJECT_DIR.parent / "shared"))
    files = [file for folder in folders for file in sorted((shared / "traces" / folder).glob("*.*"))]
    return [file.read_bytes()[:LARGEST_BYTES] for file in files]
