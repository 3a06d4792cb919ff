"""Codes of a slow converter, and one that falls silent."""

import pytest

from ccdmon_fw.drivers.common import DEAD, SlowChannel, first_fault, put_pressure, unipolar


@pytest.mark.parametrize(("raw", "code"), [(1000, 0), (900, 0), (1000 + 256, 1), (0x7FFFFF, 32764)])
def test_readings_that_only_grow(raw: int, code: int) -> None:
    assert unipolar(raw, 1000, 8) == code


class Bridge:
    """A slow converter: what it gives, or an OSError."""

    answer: int | OSError | None = None
    asked = 0

    def reading(self) -> int | None:
        self.asked += 1
        if isinstance(self.answer, OSError):
            raise self.answer
        return self.answer


def code(channel: SlowChannel, now_us: int) -> int:
    memory = [0, 0, 0, now_us]
    put_pressure(memory, channel.state)
    return memory[2]


def slow() -> tuple[Bridge, SlowChannel]:
    bridge = Bridge()
    return bridge, SlowChannel(bridge.reading, zero=0, shift=8, poll_us=1_000, stale_us=100_000)


def test_dead_before_the_first_reading_and_when_it_is_old() -> None:
    bridge, channel = slow()
    assert code(channel, 0) == DEAD
    bridge.answer = 256 * 77
    channel.poll(5_000)
    assert code(channel, 5_000) == 77
    for answer in (None, OSError(5)):
        bridge.answer = answer
        channel.poll(50_000)
        assert code(channel, 105_000) == 77
        assert code(channel, 105_001) == DEAD
    assert channel.errors == 0, "the second poll came too early"
    channel.poll(60_000)
    assert channel.errors == 1


def test_time_wraps() -> None:
    bridge, channel = slow()
    bridge.answer = 256
    channel.poll(0x3FFFFFF0)
    assert code(channel, 90_000) == 1
    assert code(channel, 110_000) == DEAD


def test_it_is_asked_no_more_often_than_said() -> None:
    bridge, channel = slow()
    for now_us in range(0, 10_000, 100):
        channel.poll(now_us)
    assert bridge.asked == 9


def test_the_first_fault_of_the_converters() -> None:
    def fails() -> None:
        raise OSError("nobody there")

    def starts() -> None: ...

    assert first_fault(("adc", starts)) is None
    assert first_fault(("adc", starts), ("bridge", fails), ("third", starts)) == "bridge: nobody there"
