"""The streaming core: segments and steps, the same bits from both twins in any chunks."""

import sys
import threading
import time
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ccd_fastcore import (
    SEGMENT_FIELDS,
    STATE_BYTES,
    STEP_FIELDS,
    ReferenceStream,
    Stream,
    _core,
    add_known,
)
from ccd_fastcore import _interpreted as reference
from tests.fastcore.made_up_rows import Rows, cycling, with_drop, with_flicker


def records(stream: Any, rows: Rows, chunk: int = 10**9) -> tuple[list[Any], list[Any]]:
    found: tuple[list[Any], list[Any]] = ([], [])
    for k in range(0, len(rows[0]), chunk):
        for known, new in zip(found, stream.feed(*(column[k : k + chunk] for column in rows)), strict=True):
            known.extend(new)
    for known, new in zip(found, stream.finish(), strict=True):
        known.extend(new)
    return found


def named(fields: tuple[str, ...], record: Any) -> dict[str, float]:
    return dict(zip(fields, record, strict=True))


TRACES = {
    "healthy": cycling(),
    "step": with_drop(cycling(), 500, 0.8),
    "hard": with_drop(cycling(), 700, 0.01),
    "flicker": with_flicker(cycling(12), 800, 1000),
}


def test_half_cycles_charge_and_resistance(stream_class: Any) -> None:
    segments, steps = records(stream_class(), cycling(noise=0.0))
    assert (len(segments), steps) == (8, [])
    first, second = (named(SEGMENT_FIELDS, s) for s in segments[:2])
    assert (first["first_row"], first["last_row"], first["rows"], first["sign"]) == (0, 119, 120, 1)
    assert (second["first_row"], second["sign"], second["current_A"]) == (120, -1, pytest.approx(-1e-3))
    assert first["charge_C"] == pytest.approx(1e-3 * 120, rel=0.01)
    assert second["charge_C"] == pytest.approx(1e-3 * 120, rel=0.01)
    assert first["end_V"] == pytest.approx(0.1, rel=0.01)


def test_a_step_is_found_at_its_row(stream_class: Any) -> None:
    _, steps = records(stream_class(), TRACES["step"])
    step = named(STEP_FIELDS, steps[0])
    assert abs(step["row"] - 500) <= 1
    assert step["after_V"] / step["before_V"] == pytest.approx(0.8, abs=0.05)
    assert -step["step_V"] > 10 * step["step_error_V"]


def test_a_rest_with_a_scan_is_one_or_more_small_segments_not_a_step(stream_class: Any) -> None:
    time_s, voltage_V, current_A = cycling(6)
    scan_A = 1e-4 * np.sin(np.arange(240) / 3)
    current_A[240:480] = scan_A
    voltage_V[240:480] = scan_A * 100
    segments, steps = records(stream_class(), (time_s, voltage_V, current_A))
    rest = [s for s in (named(SEGMENT_FIELDS, s) for s in segments) if s["sign"] == 0]
    assert [(s["first_row"], s["last_row"]) for s in rest] == [(240, 479)]
    assert not steps


@pytest.mark.parametrize("name", TRACES)
def test_twins_give_the_same_bits(name: str) -> None:
    compiled, plain = Stream(), ReferenceStream()
    assert repr(records(compiled, TRACES[name])) == repr(records(plain, TRACES[name]))
    assert compiled.save() == plain.save()


@pytest.mark.parametrize("mode", [0, 2])
@pytest.mark.parametrize("volts", ["noisy", "quantised", "dead", "stepping", "flickering"])
@pytest.mark.parametrize("amperes", ["constant", "noisy", "wandering"])
def test_long_half_cycles_give_the_same_bits(volts: str, amperes: str, mode: int) -> None:
    """Where nothing happens the compiled twin takes many rows at once, up to the row where something does."""
    time_s, voltage_V, current_A = cycling(3, 700, seed=7)
    wobble = np.random.default_rng(8).standard_normal(len(time_s))
    current_A *= {
        "constant": 1.0,
        "noisy": 1 + 0.003 * wobble,
        "wandering": 1 + 0.03 * np.sin(time_s / 50) + 0.001 * wobble,
    }[amperes]
    rows = time_s, voltage_V, current_A
    if volts == "quantised":
        rows = time_s, np.round(voltage_V / 5e-4) * 5e-4, current_A
    elif volts == "dead":
        rows = time_s, voltage_V * 0, current_A
    elif volts == "stepping":
        rows = with_drop(with_drop(rows, 400, 0.9), 1203, 0.8)
    elif volts == "flickering":
        rows = with_flicker(rows, 333, 555)
    plain = ReferenceStream(mode)
    expected = repr(records(plain, rows))
    for chunk in (10**9, 37):
        compiled = Stream(mode)
        assert repr(records(compiled, rows, chunk)) == expected
        assert compiled.save() == plain.save()


def test_a_record_is_a_sequence_of_floats(stream_class: Any) -> None:
    (record, other), _ = (found[:2] for found in records(stream_class(), cycling(2)))
    assert len(record) == len(SEGMENT_FIELDS) == len(list(record))
    assert record[5] == record[5 - len(SEGMENT_FIELDS)] == list(record)[5] == 1.0
    assert record[3:6] == tuple(record)[3:6] and isinstance(record[0], float)
    assert record == record and record != other and np.array(record).shape == (len(SEGMENT_FIELDS),)
    for beyond in (len(SEGMENT_FIELDS), -len(SEGMENT_FIELDS) - 1):
        with pytest.raises(IndexError):
            record[beyond]


@settings(max_examples=25, deadline=None)
@given(
    seed=st.integers(0, 10**6), chunk=st.integers(1, 300), at=st.integers(1, 900), share=st.floats(0.0, 1.2)
)
def test_any_chunks_and_a_saved_state_give_the_same_bits(
    seed: int, chunk: int, at: int, share: float
) -> None:
    rows = with_drop(cycling(seed=seed), at, share)
    whole = records(Stream(), rows)
    assert repr(records(Stream(), rows, chunk)) == repr(whole)
    first = Stream()
    head = first.feed(*(c[:at] for c in rows))
    second = ReferenceStream()
    second.restore(first.save())
    tail = records(second, tuple(c[at:] for c in rows))  # type: ignore[arg-type]
    assert repr(tuple(a + b for a, b in zip(head, tail, strict=True))) == repr(whole)


# Powers of two scale floats exactly, so even the bits of every decision must stay.
@pytest.mark.parametrize("name", TRACES)
@pytest.mark.parametrize("scale_V, scale_A", [(2.0**-10, 1.0), (2.0**7, 2.0**-9), (2.0**-8, 2.0**6)])
def test_scale_changes_nothing_but_units(
    stream_class: Any, name: str, scale_V: float, scale_A: float
) -> None:
    time_s, voltage_V, current_A = TRACES[name]
    plain = records(stream_class(), (time_s, voltage_V, current_A))
    scaled = records(stream_class(), (time_s, voltage_V * scale_V, current_A * scale_A))
    assert [s[:6] for s in scaled[0]] == [s[:6] for s in plain[0]]
    assert [s[0] for s in scaled[1]] == [s[0] for s in plain[1]]
    assert [s[2] for s in scaled[1]] == [s[2] * scale_V for s in plain[1]]


@pytest.mark.parametrize("name", TRACES)
def test_sign_and_start_of_time_change_nothing(stream_class: Any, name: str) -> None:
    time_s, voltage_V, current_A = TRACES[name]
    plain = records(stream_class(), (time_s, voltage_V, current_A))
    mirrored = records(stream_class(), (time_s, -voltage_V, -current_A))
    shifted = records(stream_class(), (time_s + 2.0**20, voltage_V, current_A))
    for other in (mirrored, shifted):
        assert [s[:3] for s in other[0]] == [s[:3] for s in plain[0]]
        assert [(s[0], *s[2:5]) for s in other[1]] == [(s[0], *s[2:5]) for s in plain[1]]


ODD = st.one_of(
    st.floats(-1e3, 1e3), st.sampled_from([0.0, -0.0, np.nan, np.inf, -np.inf, 1e308, -1e308, 5e-324])
)


@settings(max_examples=60, deadline=None)
@given(rows=st.lists(st.tuples(st.floats(0, 1e9), ODD, ODD), max_size=200), mode=st.integers(0, 2))
def test_any_rows_are_taken_and_both_twins_agree(rows: list[tuple[float, float, float]], mode: int) -> None:
    time_s = np.cumsum([r[0] for r in rows]) if rows else np.empty(0)
    columns = (time_s, np.array([r[1] for r in rows]), np.array([r[2] for r in rows]))
    with np.errstate(all="ignore"):
        assert repr(records(Stream(mode), columns)) == repr(records(ReferenceStream(mode), columns))


def test_the_running_segment(stream_class: Any) -> None:
    stream, rows = stream_class(), cycling(2, 100)
    assert stream.running is None
    stream.feed(*(c[:90] for c in rows))
    assert stream.running == (0, 89)
    stream.feed(*(c[90:101] for c in rows))  # the first row of the other sign: it takes two
    assert stream.running == (0, 99)
    stream.feed(*(c[101:150] for c in rows))
    assert stream.running == (100, 149)


def test_constant_and_empty_input(stream_class: Any) -> None:
    assert records(stream_class(), (np.empty(0), np.empty(0), np.empty(0))) == ([], [])
    n = 500
    segments, steps = records(stream_class(), (np.arange(n) * 1.0, np.full(n, 0.1), np.full(n, 1e-3)))
    assert (len(segments), steps) == (1, [])
    segments, steps = records(stream_class(), (np.zeros(n), np.zeros(n), np.zeros(n)))
    assert (len(segments), steps) == (1, [])


def test_a_gap_of_a_billion_seconds_moves_no_charge(stream_class: Any) -> None:
    time_s, voltage_V, current_A = cycling(4)
    time_s[180:] += 1e9
    segments, steps = records(stream_class(), (time_s, voltage_V, current_A))
    assert sum(named(SEGMENT_FIELDS, s)["charge_C"] for s in segments) < 1.0
    assert not steps


def test_lengths_must_agree(stream_class: Any) -> None:
    with pytest.raises(ValueError, match="same length"):
        stream_class().feed(np.zeros(3), np.zeros(2), np.zeros(3))


def test_a_state_of_another_size_is_refused(stream_class: Any) -> None:
    with pytest.raises(ValueError, match="bytes"):
        stream_class().restore(b"short")


def test_state_is_at_most_two_kilobytes(stream_class: Any) -> None:
    assert len(stream_class().save()) == STATE_BYTES <= 2048


def test_add_known() -> None:
    column = np.array([1.0, np.nan, 2.0, np.inf, 0.1])
    assert add_known(column, 0.5) == reference.add_known(column, 0.5) == (0.5 + 1.0 + 2.0 + 0.1, 3)


@pytest.mark.parametrize("mode", [0, 1, 2])
def test_pressure_of_a_segment(stream_class: Any, mode: int) -> None:
    rows = cycling(2)
    pressure_Pa = np.linspace(1e6, 2e6, len(rows[0]))
    stream = stream_class(mode)
    (first,) = stream.feed(*rows, pressure_Pa)[0]
    assert named(SEGMENT_FIELDS, first)["pressure_start_Pa"] == pytest.approx(1.015e6, rel=0.01)
    assert named(SEGMENT_FIELDS, first)["pressure_end_Pa"] == pytest.approx(1.48e6, rel=0.02)


def test_many_channels_are_as_many_streams(stream_class: Any) -> None:
    module = _core if stream_class is _core.Stream else reference
    traces = [cycling(seed=k) for k in range(5)]
    columns = [np.stack([t[c] for t in traces]) for c in range(3)]
    found = module.feed_many([stream_class() for _ in traces], *columns)
    assert repr(found) == repr([stream_class().feed(*t) for t in traces])
    with pytest.raises(ValueError, match="shape"):
        module.feed_many([stream_class()], *columns)


@pytest.mark.parametrize(
    "shape",
    [
        lambda x: x.tolist(),
        lambda x: np.stack([x, x], axis=1)[:, 0],
        lambda x: x.astype(">f8"),
        lambda x: x.astype(np.float32),
        lambda x: memoryview(x.copy()),
        lambda x: np.frombuffer(x.tobytes()),  # read-only
    ],
)
def test_columns_of_any_kind_are_taken(stream_class: Any, shape: Any) -> None:
    rows = tuple(c.astype(np.float32).astype(float) for c in cycling(2))
    assert repr(records(stream_class(), tuple(map(shape, rows)))) == repr(records(stream_class(), rows))  # type: ignore[arg-type]


def test_what_is_no_column_is_refused(stream_class: Any) -> None:
    for bad in (np.zeros((2, 3)), ["x"] * 2, 3.0, None):
        with pytest.raises((TypeError, ValueError)):
            stream_class().feed(np.zeros(2), bad, np.zeros(2))


def test_another_thread_runs_while_rows_are_taken() -> None:
    """The interpreter lock is free meanwhile."""
    rows = cycling(2000)
    turns = 0
    done = threading.Event()

    def count() -> None:
        nonlocal turns
        while not done.is_set():
            turns += 1
            time.sleep(0)  # gives the lock back

    thread = threading.Thread(target=count)
    switch_s = sys.getswitchinterval()
    sys.setswitchinterval(1000.0)  # nobody is asked to give it back: only who does so himself lets others run
    try:
        thread.start()
        before = turns
        for _ in range(20):
            Stream().feed(*rows)
        counted = turns - before
    finally:
        done.set()
        sys.setswitchinterval(switch_s)
        thread.join()
    assert counted >= 20


SPOTS = st.lists(st.tuples(st.integers(0, 719), st.integers(0, 2), ODD), max_size=8)


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 99),
    spots=SPOTS,
    gap=st.tuples(st.integers(1, 719), st.sampled_from([0.0, 30.0, 1e9])),
    volts=st.sampled_from([1.0, 1e-3, 1e303, 1e-312, 0.0]),
    amperes=st.sampled_from([1.0, 1e6, 1e306, 1e-312]),
    mode=st.integers(0, 2),
    chunk=st.integers(1, 400),
)
def test_a_cycling_cell_with_odd_rows_gaps_and_scales(
    seed: int, spots: Any, gap: tuple[int, float], volts: float, amperes: float, mode: int, chunk: int
) -> None:
    columns = cycling(6, seed=seed)
    columns[0][gap[0] :] += gap[1]
    scaled = [columns[0], columns[1] * volts, columns[2] * amperes]
    for row, column, value in spots:
        scaled[column][row] = value
    rows = (scaled[0], scaled[1], scaled[2])
    with np.errstate(all="ignore"):
        expected = repr(records(ReferenceStream(mode), rows))
    assert repr(records(Stream(mode), rows)) == expected
    assert repr(records(Stream(mode), rows, chunk)) == expected
