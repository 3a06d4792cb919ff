"""Rows and their segments: resets, repeats, wraps and blocks; and where they lie in time."""

import numpy as np
import pytest

from ccdmon.run.rows import COUNTER, RowReader, Rows
from ccdmon.run.time_axis import Anchor, RunTime
from ccdmon_fw import wire
from tests.host.wire_stream import Device, stream


def read(data: bytes, chunk: int = 1 << 20) -> tuple[list[Rows], RowReader]:
    reader, found = RowReader(), list[Rows]()
    for start in range(0, len(data), chunk):
        found += reader.feed(data[start : start + chunk]).rows
    return found, reader


@pytest.mark.parametrize("chunk", [1, 7, 300, 1 << 20])
def test_any_chunks_give_the_same_rows(chunk: int) -> None:
    found, reader = read(stream(500), chunk)
    assert np.concatenate([rows.samples for rows in found]).tolist() == list(range(500))
    assert {rows.segment for rows in found} == {0}
    assert reader.counts.samples == 500


def test_a_reset_device_begins_a_segment_though_its_run_number_is_the_same() -> None:
    found, reader = read(Device().samples(5000, 32) + Device().samples(0, 32))
    assert [(rows.segment, int(rows.samples[0])) for rows in found] == [(0, 5000), (1, 0)]
    assert reader.missing_samples == 0


def test_lost_rows_are_counted_within_a_segment() -> None:
    device = Device()
    _, reader = read(device.samples(0, 32) + device.samples(70_000_000, 32))
    assert reader.counts.missing_samples == 70_000_000 - 32


def test_rows_that_come_twice_count_once() -> None:
    device = Device()
    found, reader = read(device.samples(0, 32) + device.samples(16, 32))
    assert np.concatenate([rows.samples for rows in found]).tolist() == list(range(48))
    assert reader.missing_samples == 0


def test_the_counter_wraps_after_three_days() -> None:
    device = Device()
    found, reader = read(device.samples(COUNTER - 32, 32) + device.samples(0, 32))
    assert {rows.segment for rows in found} == {0}
    assert int(found[-1].samples[-1]) == COUNTER + 31
    assert reader.missing_samples == 0


def blocks(first: int, count: int, per_block: int) -> bytes:
    head = wire.pack(wire.BLOCKS, first, 0, 0, 1, per_block, 0)
    items = np.arange(count * 10, dtype="<u2").tobytes()
    return wire.encode(wire.BLOCKS, 0, head + items)


def test_blocks_keep_lowest_highest_and_mean() -> None:
    found, reader = read(blocks(100, 2, 20))
    (rows,) = found
    assert rows.samples.tolist() == [100, 120]
    assert rows.lowest[1].tolist() == [10, 13, 16]
    assert rows.highest[1].tolist() == [11, 14, 17]
    assert rows.codes[1].tolist() == [12, 15, 18, 19]
    assert reader.counts.samples == 40


def rows_of(segment: int, first: int, count: int, per_row: int = 1) -> Rows:
    codes = np.zeros((count, 4), dtype=np.uint16)
    samples = first + per_row * np.arange(count, dtype=np.int64)
    return Rows(segment, 1, samples, codes, codes[:, :3], codes[:, :3], per_row)


def test_the_host_knows_how_long_a_device_was_away() -> None:
    time = RunTime(0.5, [Anchor(0, 1000, 0.0, 5e8), Anchor(1, 1, 100.0, 5e8 + 100)])
    assert time.test_time_s(rows_of(0, 1000, 3)).tolist() == [0.0, 0.5, 1.0]
    assert time.test_time_s(rows_of(1, 0, 2)).tolist() == [99.5, 100.0]


def test_without_an_anchor_a_segment_follows_at_once() -> None:
    time = RunTime(0.5)
    time.test_time_s(rows_of(0, 0, 4))
    assert time.test_time_s(rows_of(1, 0, 2)).tolist() == [2.0, 2.5]


def test_time_never_runs_backwards_where_anchors_lie() -> None:
    time = RunTime(0.5, [Anchor(0, 0, 0.0, 0.0), Anchor(1, 0, 0.1, 0.1)])
    time.test_time_s(rows_of(0, 0, 4))
    assert time.test_time_s(rows_of(1, 0, 1)).tolist() == [2.0]


def test_a_block_lies_at_its_middle() -> None:
    assert RunTime(1.0).test_time_s(rows_of(0, 0, 2, 11)).tolist() == [5.0, 16.0]


@pytest.mark.parametrize("chunk", [1, 90, 1 << 20])
def test_a_row_has_the_temperature_of_the_last_status_before_it(chunk: int) -> None:
    device, data = Device(), b""
    for n, tenths in enumerate((None, 231, 240, wire.NO_TEMPERATURE)):
        data += (b"" if tenths is None else device.status(tenths)) + device.samples(4 * n, 4)
    found, _ = read(data, chunk)
    tenths = np.concatenate([rows.temperature_dC for rows in found])
    none = wire.NO_TEMPERATURE
    assert tenths.tolist() == [none] * 4 + [231] * 4 + [240] * 4 + [none] * 4
