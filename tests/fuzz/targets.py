"""What is fuzzed: every function here takes any bytes and must end in a result or in one line of `InputError`.

`run_atheris.py` drives them by coverage, `test_targets.py` with damaged samples, bounded.
"""

import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np

from ccd_fastcore import Unframer
from ccd_fastcore._reference_frames import Unframer as ReferenceUnframer
from ccdmon.errors import InputError
from ccdmon.formats.impedance.files import read_spectra
from ccdmon.formats.importer import read_trace
from ccdmon.link.decoder import Decoder
from ccdmon.rig.rig_file import read_rig
from ccdmon.run.rows import RowReader
from ccdmon_fw import wire
from tests.fuzz import samples

Target = Callable[[bytes], None]


def one_line(error: Exception) -> None:
    """A user's error is one line that names something."""
    text = str(error)
    assert text
    assert "\n" not in text, text


def frames(data: bytes) -> None:
    """The two decoders of the host and the firmware's own agree on every byte stream, however it is cut."""
    plain, compiled, firmware = ReferenceUnframer(), Unframer(), wire.Unframer()
    whole = plain.feed(data)
    assert firmware.feed(data) == whole
    middle = len(data) // 3
    assert [tuple(frame) for part in (data[:middle], data[middle:]) for frame in compiled.feed(part)] == whole
    assert compiled.crc_errors == plain.crc_errors == firmware.crc_errors


def link(data: bytes) -> None:
    """What arrives never makes the link raise, and what it counts adds up."""
    decoder = Decoder()
    events = decoder.feed(data)
    counts = decoder.counts
    assert min(vars(counts).values()) >= 0
    assert (
        len(events)
        <= counts.frames + counts.crc_errors + counts.restarts + counts.missing_frames + counts.frames
    )


def rows(data: bytes) -> None:
    """The recorder's reader places whatever comes."""
    RowReader().feed(data)


def command(data: bytes) -> None:
    """No bytes but a whole `arm` close the gate, and no bytes raise in the firmware's command parser."""
    from ccdmon_fw.app import App
    from tests.firmware.fake_board import FakeBoard

    board = FakeBoard()
    app = App(board)
    app.start()
    board.inbox += data
    for _ in range(4):
        app.step()
    if app.gate.closed:
        assert wire.ARM in {kind for kind, _, _ in wire.Unframer().feed(data)}


def trace(data: bytes) -> None:
    """Any file as a trace, as it is and salvaged."""
    for salvage in (False, True):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "file"
            path.write_bytes(data)
            try:
                made = read_trace(path, salvage=salvage)
            except InputError as error:
                one_line(error)
            else:
                assert len(made.test_time_s) == len(made.voltage_V) == len(made.current_A)
                assert not np.any(np.diff(made.test_time_s[np.isfinite(made.test_time_s)]) < 0)


def impedance(data: bytes) -> None:
    """Any file as impedance spectra."""
    _file(data, read_spectra)


def rig(data: bytes) -> None:
    """Any file as a rig file."""
    _file(data, read_rig)


def _file(data: bytes, read: Callable[[Path], object]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "file"
        path.write_bytes(data)
        try:
            read(path)
        except InputError as error:
            one_line(error)


TARGETS: dict[str, tuple[Target, Callable[[], list[bytes]]]] = {
    "frames": (frames, samples.wire_bytes),
    "link": (link, samples.wire_bytes),
    "rows": (rows, samples.wire_bytes),
    "command": (command, samples.command_bytes),
    "trace": (trace, samples.trace_files),
    "impedance": (impedance, samples.impedance_files),
    "rig": (rig, samples.rig_files),
}
