"""Half-cycles of a made-up cell in blocks, for tests of the level: a resistance with one relaxation."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ccd_fastcore import SEGMENT_FIELDS, RowBlocks, Summary

FloatArray = npt.NDArray[np.float64]
CURRENT_A, OHM = 1e-3, 100.0
THRESHOLDS = {
    "least_A": 1e-30, "most_ohm": 1e30, "fall": 0.075, "spike_noise": 8.0, "hard_remains": 0.38,
    "unknown": 0.25,
}  # fmt: skip
OF_KEPT = {
    "least": 0.03, "sure": 5.0, "most": 0.75, "grown": 1.3, "sudden": 0.6, "fall": 0.075, "least_rows": 8,
}  # fmt: skip


@dataclass
class HalfCycle:
    """A row of `volts` every second from `start_s` on."""

    start_s: float
    current_A: float
    volts: FloatArray
    noise_V: float = 1e-6
    flows: bool = True
    after_gap: bool = False

    def given(self) -> tuple[Summary, bytes, bool]:
        """What `Level.feed` takes."""
        rows, n = RowBlocks(), self.volts.size
        time_s = self.start_s + np.arange(float(n))
        rows.feed(time_s, self.volts, np.full(n, self.current_A), None, None, [], (0, n - 1))
        record = dict.fromkeys(SEGMENT_FIELDS, 0.0)
        record.update(
            last_row=n - 1, start_s=self.start_s, end_s=self.start_s + n - 1, sign=np.sign(self.current_A),
            current_A=self.current_A, charge_C=abs(self.current_A) * n, noise_V=self.noise_V,
            after_gap=self.after_gap,
        )  # fmt: skip
        return Summary(list(record.values()), rows.look()), rows.look(), self.flows


def half_cycles(
    count: int,
    share: Callable[[int, FloatArray], FloatArray] = lambda k, t: np.ones(t.size),
    rows: int = 120,
    noise_V: float = 0.0,
) -> list[HalfCycle]:
    """Of alternating sign; `share(k, t)` of the resistance is there in half-cycle k at t seconds in it."""
    rng, t = np.random.default_rng(1), np.arange(float(rows))
    found = []
    for k in range(count):
        current_A = CURRENT_A if k % 2 == 0 else -CURRENT_A
        volts = current_A * OHM * (1 - (0.6 if k else 0.3) * np.exp(-t / 10)) * share(k, t)
        volts += noise_V * rng.standard_normal(rows)
        found.append(HalfCycle(k * float(rows), current_A, volts, max(noise_V, 1e-6)))
    return found
