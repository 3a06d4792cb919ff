"""`ccdmon record` in block telemetry with the real firmware: every block is a row, every lost sample is counted."""

from pathlib import Path

import numpy as np

from ccdmon.model.front_end import FrontEnd
from ccdmon.run.stored_rows import RunRows
from ccdmon_fw import wire
from ccdmon_hil.rigs.target import Codes
from ccdmon_hil.rigs.unix import UnixTarget
from ccdmon_hil.rigs.wire_tap import WireTap
from tests.hil.play.test_record import RIG, on_a_terminal
from tests.host.record.test_recording import end, recorder, state, wait_for

ROWS, PER_BLOCK = 6000, 40
LOST_FRAMES = (3, 7)
BLOCK_BYTES = 20
VOLTAGE = 36000 + 16 * (np.arange(ROWS) ** 2 % 97)  # codes


class Cell:
    """Begins anew whenever the gate closes: for the self-test, then for the run."""

    row = 0

    def __call__(self, _row: int, gate_closed: bool) -> Codes:
        if not gate_closed or self.row == ROWS:
            self.row = self.row if gate_closed else 0
            return (32768, 32768, 32768)
        self.row += 1
        return (int(VOLTAGE[self.row - 1]), 36000, 32768)


def test_blocks_are_rows_and_what_is_lost_is_counted(tmp_path: Path) -> None:
    rig = tmp_path / "rig.toml"
    rig.write_text(f'{RIG}[telemetry]\nmode = "blocks"\nsamples_per_block = {PER_BLOCK}\n')
    folder, target = tmp_path / "run", UnixTarget()
    lost_blocks: list[int] = []

    def lose(number: int, frame: bytes) -> bytes:
        if number not in LOST_FRAMES:
            return frame
        content = wire.open_frame(frame[:-1])
        assert content is not None
        assert content[0] == wire.BLOCKS
        lost_blocks.append(len(wire.unpack(wire.BLOCKS, content[2])[1]) // BLOCK_BYTES)
        return b""

    tap = WireTap(target)
    tap.disturb(lose)
    tap.start()
    tap.play(Cell(), closed_loop=True)
    try:
        with (
            on_a_terminal(tap) as port,
            recorder(Path(port), folder, "--rig-file", str(rig), "--arm") as process,
        ):
            wait_for(lambda: state(folder).get("samples", 0) > ROWS, "end of the rows")
            end(process)
    finally:
        target.close()

    run = RunRows(folder)
    pieces = list(run.pieces())
    first = np.concatenate([piece.rows.samples for piece in pieces])
    rows = first + PER_BLOCK <= ROWS  # behind them nothing is played any more
    first = first[rows]
    assert first[0] == 0
    assert len(lost_blocks) == len(LOST_FRAMES)
    assert run.counts.missing_samples == sum(lost_blocks) * PER_BLOCK == np.sum(np.diff(first) - PER_BLOCK)
    assert (run.counts.missing_frames, run.counts.crc_errors) == (len(LOST_FRAMES), 0)
    assert {piece.rows.samples_per_row for piece in pieces} == {PER_BLOCK}

    played = VOLTAGE.reshape(-1, PER_BLOCK)[first // PER_BLOCK]
    lowest = np.concatenate([piece.rows.lowest for piece in pieces])[rows, 0]
    highest = np.concatenate([piece.rows.highest for piece in pieces])[rows, 0]
    np.testing.assert_array_equal(lowest, played.min(axis=1))
    np.testing.assert_array_equal(highest, played.max(axis=1))
    voltage_V = np.concatenate([piece.trace.voltage_V for piece in pieces])[rows]
    volts_per_code = FrontEnd(5.0, 0.01).voltage_full_scale_V / 32768
    np.testing.assert_allclose(voltage_V, (played.mean(axis=1) - 32768) * volts_per_code, atol=volts_per_code)
