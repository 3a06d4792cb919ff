"""The derived trace of a recording: parts with different columns become one."""

from pathlib import Path

import numpy as np
from pyarrow import parquet

from ccdmon.formats.bdf.read import read_bdf
from ccdmon.model.trace import Trace
from ccdmon.record.trace_parts import PARTS_DIR, ROWS_PER_PART, TraceParts
from ccdmon.run.folder import TRACE_FILE


def test_rows_from_before_the_host_noted_a_time_have_none(tmp_path: Path) -> None:
    """A recording whose `clock.ndjson` is gone is resumed: only the new rows have a Unix time."""
    n = np.arange(10.0)
    parts = TraceParts(tmp_path, rows_per_part=15)
    for first, unix_s in ((0, None), (10, None), (20, 1.7e9 + n), (30, 1.7e9 + n)):
        parts.add(Trace(first + n, n, n, unix_time_s=unix_s))
    last = Trace(first + n, n, n, unix_time_s=unix_s)
    assert parts.finish(last) == tmp_path / TRACE_FILE
    back = read_bdf(tmp_path / TRACE_FILE)
    assert back.test_time_s.tolist() == list(range(40))
    assert back.unix_time_s is not None
    assert np.isnan(back.unix_time_s).tolist() == [True] * 20 + [False] * 20


def test_the_newest_part_is_written_anew_every_minute_and_a_full_one_at_once(tmp_path: Path) -> None:
    now_s, n, folder = 1e6, np.arange(10.0), tmp_path / PARTS_DIR
    folder.mkdir()
    (folder / "part-00000.bdf.parquet").write_bytes(b"of an earlier host")
    parts = TraceParts(tmp_path, rows_per_part=25, monotonic_s=lambda: now_s)

    def rows() -> list[int]:
        return [parquet.read_metadata(path).num_rows for path in sorted(folder.iterdir())]

    assert rows() == []
    parts.add(Trace(n, n, n))
    for now_s, written in ((1e6 + 59.0, []), (1e6 + 60.0, [10]), (1e6 + 61.0, [10])):  # noqa: B007  the clock
        parts.poll()
        assert rows() == written
    parts.add(Trace(10 + n, n, n))
    now_s += 58.0
    parts.poll()
    assert rows() == [10], "not before its time"
    now_s += 1.0
    parts.poll()
    assert rows() == [20]
    now_s += 100.0
    assert parts.poll() is None and rows() == [20], "nothing new"
    parts.add(Trace(20 + n, n, n))
    parts.add(Trace(30 + n, n, n))
    assert rows() == [30] and not list(folder.glob("*.unfinished"))
    assert ROWS_PER_PART == 32768 and TraceParts(tmp_path / "x")._rows_per_part == ROWS_PER_PART
    last = Trace(30 + n, n, n)
    assert parts.finish(last) == tmp_path / TRACE_FILE
    assert read_bdf(tmp_path / TRACE_FILE).test_time_s.tolist() == list(range(40)) and not folder.exists()
    assert TraceParts(tmp_path).finish(None) is None
