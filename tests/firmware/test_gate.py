"""The gate by itself: every pin level it sets, in order."""

from ccdmon_fw import limits
from ccdmon_fw.gate import Gate


def test_a_latched_gate_does_not_close_whoever_asks() -> None:
    levels: list[int] = []
    gate = Gate(levels.append)
    assert gate.close() is True
    gate.trip(limits.HARD_SHORT)
    assert gate.close() is False
    gate.open()
    assert gate.close() is False
    assert levels == [0, 1, 0, 0]
    assert (gate.closed, gate.armed) == (False, False)


def test_the_first_reason_stays_until_cleared() -> None:
    gate = Gate(lambda level: None)
    gate.trip(limits.HARD_SHORT)
    gate.trip(limits.LIMIT)
    assert gate.reason == limits.HARD_SHORT
    gate.clear()
    assert (gate.reason, gate.closed) == (0, False)
    assert gate.close() is True
