"""The derived trace of a recording: parts with different columns become one."""

from pathlib import Path

import numpy as np

from ccdmon.formats.bdf.read import read_bdf
from ccdmon.model.trace import Trace
from ccdmon.record.trace_parts import TraceParts
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
