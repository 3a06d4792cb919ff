"""What a shorted spectrum after the test says beside the events that the trace shows."""

import numpy as np
import pytest

from ccdmon.analysis.events import Event
from ccdmon.analysis.fake_stable import told_already
from ccdmon.analysis.impedance.comparison import compare
from ccdmon.model.spectrum import Spectrum


def after_a_leak(ratio: float):
    """A resistor of 100 ohm before, `ratio` of it after, each with a capacitor beside it."""
    frequency_Hz = np.logspace(6, -1, 60)

    def of(ohm: float) -> Spectrum:
        return Spectrum(frequency_Hz, ohm / (1 + 2j * np.pi * frequency_Hz * ohm * 1e-10))

    return compare(of(100.0), of(100.0 * ratio))


def event(kind: str, ratio: float | None = None, **changes) -> Event:
    left = {} if ratio is None else {"resistance_before_ohm": 120.0, "resistance_after_ohm": 120.0 * ratio}
    return Event(kind, 1.0, 10, 1, 1e-3, evidence=left, **changes)


@pytest.mark.parametrize(
    "events, told",
    [
        ([event("hard_short")], True),
        ([event("partial_short", 0.5)], True),
        ([event("partial_short", 0.75), event("partial_short", 0.8)], True),
        ([event("partial_short", 0.5, provisional=True)], True),
        ([event("soft_short", 0.9)], True),
        ([event("soft_short", 0.9, provisional=True)], False),
        ([event("soft_short", 0.9, recovered=True)], False),
        ([event("partial_short", 0.5, recovered=True)], False),
        ([event("partial_short", 0.85)], False),  # more of it is gone than that took
        ([event("contact_loss", 1.5)], False),
        ([], False),
    ],
)
def test_a_leak_that_an_event_brought_and_left_is_told_once(events, told) -> None:
    eis = after_a_leak(0.49)
    assert eis.verdict == "shorted"
    assert told_already(events, eis) is told
