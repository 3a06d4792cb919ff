"""Rows in blocks: neighbours joined two by two, the same bits from both twins in any chunks, in constant memory."""

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ccd_fastcore import BLOCK_FIELDS, SEGMENT_FIELDS, STATE_BYTES, Stream, _blocks, _reference_blocks
from tests.fastcore.made_up_rows import Rows, cycling, with_flicker

MOST = 64


@pytest.fixture(params=["compiled", "reference"])
def blocks_class(request: pytest.FixtureRequest) -> Any:
    """The class `RowBlocks` of one twin."""
    return _blocks.RowBlocks if request.param == "compiled" else _reference_blocks.RowBlocks


def told(blocks_class: Any, rows: Rows, chunk: int = 10**9, others: Any = (None, None)) -> list[bytes]:
    """The blocks of all segments, the running one last."""
    stream, blocks, found = Stream(), blocks_class(), []
    for k in range(0, len(rows[0]), chunk):
        part = [c[k : k + chunk] for c in rows]
        more = [None if c is None else c[k : k + chunk] for c in others]
        found += blocks.feed(*part, *more, stream.feed(*part)[0], stream.running)
    return [*found, blocks.look()]


def table(blocks: bytes) -> dict[str, npt.NDArray[np.float64]]:
    numbers = np.frombuffer(blocks)
    count = int(numbers[0])
    return dict(zip(BLOCK_FIELDS, numbers[5:].reshape(-1, count), strict=False))


def by_pairs(rows: Rows, first: int, last: int) -> dict[str, npt.NDArray[np.float64]]:
    """Whole rows, joined with their neighbours until there are few."""
    row = np.arange(first, last + 1)
    row = row[np.isfinite(rows[1][row]) & np.isfinite(rows[2][row])]
    time_s, volts, amperes = (column[row] for column in rows)
    step = np.diff(np.abs(volts), prepend=np.abs(volts[:1]))
    columns = {
        "row": (row.astype(float), None), "time_s": (time_s, None), "rows": (np.ones(row.size), np.add),
        "sum_V": (volts, np.add), "sum_A": (amperes, np.add), "lowest_V": (volts, np.minimum),
        "highest_V": (volts, np.maximum), "fall_V": (np.maximum(-step, 0), np.maximum),
        "rise_V": (np.maximum(step, 0), np.maximum),
    }  # fmt: skip
    found = {}
    for name, (column, join) in columns.items():
        while column.size > MOST:
            halved, whole = column[::2].copy(), column.size // 2
            if join is not None:
                halved[:whole] = join(column[: 2 * whole : 2], column[1::2])
            column = halved
        found[name] = column
    return found


TRACES = {
    "short": cycling(8, 7),
    "as many as blocks": cycling(4, 64),
    "one more": cycling(4, 65),
    "long": cycling(3, 9001),
    "flickering": with_flicker(cycling(12), 800, 1000),
}


@pytest.mark.parametrize("name", TRACES)
def test_blocks_are_neighbours_joined_two_by_two(blocks_class: Any, name: str) -> None:
    rows = TRACES[name]
    stream = Stream()
    segments = [*stream.feed(*rows)[0], *stream.finish()[0]]
    found = told(blocks_class, rows)
    assert len(found) == len(segments)
    for blocks, segment in zip(found, segments, strict=True):
        first, last = int(segment[0]), int(segment[SEGMENT_FIELDS.index("last_row")])
        for column, expected in by_pairs(rows, first, last).items():
            assert np.array_equal(table(blocks)[column], expected), column
        assert np.frombuffer(blocks)[1:5].tolist() == [
            rows[1][first], rows[2][first], rows[1][last], rows[2][last],
        ]  # fmt: skip


def odd_rows(seed: int, half_cycle_rows: int) -> tuple[Rows, Any]:
    """With rows that are missing, that belong to no segment, and of which temperature and pressure are known seldom."""
    rng = np.random.default_rng(seed)
    time_s, voltage_V, current_A = cycling(4, half_cycle_rows, seed=seed)
    n = len(time_s)
    voltage_V[rng.integers(0, n, 5)] = np.nan
    voltage_V[rng.integers(0, n, 5)] = -0.0
    current_A[rng.integers(0, n, 9)] *= -1
    at = int(rng.integers(0, n))
    current_A[at : at + 40] *= np.where(np.arange(len(current_A[at : at + 40])) % 2, 1, -1)  # no two agree
    known = np.where(rng.random(n) < 0.02, 25.0, np.nan)
    return (time_s, voltage_V, current_A), (known if seed % 2 else None, known * 1e6 if seed % 3 else None)


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 10**6), half_cycle_rows=st.integers(2, 400), chunk=st.integers(1, 700))
def test_any_chunks_give_the_same_bits_in_both_twins(seed: int, half_cycle_rows: int, chunk: int) -> None:
    rows, others = odd_rows(seed, half_cycle_rows)
    expected = told(_reference_blocks.RowBlocks, rows, others=others)
    for blocks_class in (_blocks.RowBlocks, _reference_blocks.RowBlocks):
        assert told(blocks_class, rows, chunk, others) == expected


def test_first_known_temperature_and_pressure(blocks_class: Any) -> None:
    rows = cycling(1, 100)
    degC, pressure_Pa = np.full(100, np.nan), np.full(100, np.nan)
    degC[[3, 70, 71]] = 20.0, 25.0, 30.0
    pressure_Pa[5] = 1e6
    last = table(told(blocks_class, rows, others=(degC, pressure_Pa))[-1])
    assert last["temperature_degC"][[1, 35]].tolist() == [20.0, 25.0]
    assert np.flatnonzero(np.isfinite(last["pressure_Pa"])).tolist() == [2]
    assert len(table(told(blocks_class, rows)[-1])) == len(BLOCK_FIELDS) - 2


def test_before_the_first_row_there_is_nothing(blocks_class: Any) -> None:
    blocks = blocks_class()
    assert blocks.look() == b""
    nothing = np.full(3, np.nan)
    assert blocks.feed(nothing, nothing, nothing, None, None, [], None) == []
    assert blocks.look() == b""


def test_lengths_must_agree(blocks_class: Any) -> None:
    with pytest.raises(ValueError, match="same length"):
        blocks_class().feed(np.zeros(3), np.zeros(2), np.zeros(3), None, None, [], None)


def test_what_is_kept_of_a_channel_is_at_most_sixteen_kilobytes() -> None:
    assert STATE_BYTES + _blocks.BLOCKS_BYTES <= 16 * 1024
