"""Block telemetry: minimum, maximum and mean as plain Python computes them, on both interpreters; gaps."""

import struct

import numpy as np
import pytest

from ccdmon_fw import limits, wire
from tests.firmware.fake_board import Bench


def blocks(bench: Bench) -> list[tuple[dict, np.ndarray]]:
    return [
        (fields, np.frombuffer(rest, "<u2").reshape(-1, 10))
        for name, fields, rest in bench.messages(300, 5_000)
        if name == "blocks"
    ]


@pytest.mark.parametrize("size", [1, 7, 100, 255])
def test_blocks_are_what_their_samples_are(size: int) -> None:
    bench = Bench()
    assert bench.ask(wire.STREAM, wire.BLOCK_SUMMARY, size)["result"] == wire.OK
    bench.ask(wire.ARM)
    draw = np.random.default_rng(size)
    codes = draw.integers(20000, 45000, (700, 3))
    codes[:, 2] = draw.integers(0, 60000, 700)
    for row in codes.tolist():
        bench.play(*row)
    found = blocks(bench)
    items = np.concatenate([items for _, items in found])
    assert [fields["first_sample"] for fields, _ in found] == list(
        np.cumsum([0] + [len(items) * size for _, items in found])[:-1]
    )
    assert len(items) == 700 // size
    for block, item in enumerate(items):
        rows = codes[block * size : (block + 1) * size]
        for channel in range(3):
            low, high, mean = item[3 * channel : 3 * channel + 3]
            assert (low, high) == (rows[:, channel].min(), rows[:, channel].max())
            assert abs(mean - rows[:, channel].mean()) <= 0.5


def test_the_verdict_of_a_block_is_its_strongest() -> None:
    bench = Bench()
    bench.ask(wire.STREAM, wire.BLOCK_SUMMARY, 100)
    bench.ask(wire.ARM)
    bench.play(40000, 40000, count=150)
    bench.play(65535, 40000, count=1)
    bench.play(32768, 32768, count=149)
    verdicts = [int(item[9]) for _, items in blocks(bench) for item in items]
    assert [verdict & 0x18FF for verdict in verdicts] == [0, 0x1800 | limits.SENSOR_FAULT, 0]


def test_a_host_that_does_not_read_costs_counted_drops_in_blocks_too() -> None:
    bench = Bench()
    bench.ask(wire.STREAM, wire.BLOCK_SUMMARY, 50)
    bench.ask(wire.ARM)
    bench.board.room = 0
    for _ in range(60):
        bench.play(40000, 40000, count=50)
        bench.app.step()
    bench.board.room = 1 << 20
    bench.play(40000, 40000, count=50)
    found = blocks(bench)
    told = sum(len(items) * 50 for _, items in found)
    last, items = found[-1]
    waiting = 3050 - last["first_sample"] - len(items) * 50
    assert last["dropped"] > 1000
    assert told + last["dropped"] + waiting == 3050
    assert waiting < 50
    for fields, items in found:  # a gap lies between frames, never inside one
        assert (items[:, 2] == 40000).all()
        assert fields["samples_per_block"] == 50


def test_a_block_of_no_samples_is_refused() -> None:
    assert Bench().ask(wire.STREAM, wire.BLOCK_SUMMARY, 0)["result"] == wire.BAD_VALUE
    assert struct.calcsize(wire.MESSAGES[wire.BLOCKS][3]) == 20
