"""What a shorted spectrum after the test says beside the events that the trace shows."""

from types import SimpleNamespace

import numpy as np
import pytest

from ccdmon.analysis.events import Event
from ccdmon.analysis.fake_stable import find_fake_stable, told_already
from ccdmon.analysis.impedance.comparison import Comparison, compare
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


def before_only() -> Comparison:
    """A spectrum of 100 ohm before the test and none after."""
    return compare(after_a_leak(1.0).spectra[0], None)


@pytest.mark.parametrize(
    ("ohms", "degC", "told"),
    [
        ([100, 98, 97, 96, 9, 9, 9], None, 4),  # within a half-cycle
        ([12, 11, 12, 11], None, 0),  # from the start
        ([100, 98, 97, 60, 45, 45, 45], None, None),  # where no temperature is known warming does that
        ([100, 98, 97, 60, 45, 45, 45], 26.0, 4),
        ([12, 11, 12, 11], 60.0, None),  # 0.8 eV take 0.96 of it
        ([0.5, 0.5, 0.5, 0.5], 60.0, 0),
        ([30, 29, 30, 29], -10.0, 0),  # the cold takes nothing
        ([100, 98, 97, 96], None, None),
    ],
)
def test_what_is_below_the_impedance_before_is_told_where_no_warming_explains_it(ohms, degC, told) -> None:
    rows = [
        SimpleNamespace(
            rows=50,
            end_V=0.1,
            resistance_end_ohm=float(ohm),
            start_s=float(k),
            first_row=k,
            cycle=k // 2,
            current_A=1e-3,
        )
        for k, ohm in enumerate(ohms)
    ]
    found = find_fake_stable(rows, before_only(), 0, degC)  # type: ignore[arg-type]
    assert [event.row for event in found] == ([] if told is None else [told])
