"""The rows of a cycler's file with what a rig saw at the same time; the rig's rows come in pieces, as long as a week.

A rig's value is the mean of its rows around the cycler's row, half-way to its neighbours; interpolated where there is
one row or none, empty where the rig recorded nothing.
"""

from collections.abc import Iterable

import numpy as np
import pyarrow as pa

from ccdmon.formats.arrow_floats import column_of
from ccdmon.formats.bdf.write import table_of
from ccdmon.model.trace import FloatArray, Trace

NEAR = 2.0  # usual intervals of the rig's rows: what is farther from any of them lies in a gap


def usual_interval_s(time_s: FloatArray) -> float:
    """Median distance of rows, 0 for one."""
    return float(np.median(np.diff(time_s))) if len(time_s) > 1 else 0.0


class Around:
    """Means of one column around wanted times, which ascend; shape (wanted,)."""

    def __init__(self, wanted_s: FloatArray) -> None:
        self._wanted_s = wanted_s
        middles = (wanted_s[1:] + wanted_s[:-1]) / 2
        self._low_s = np.concatenate([wanted_s[:1], middles])
        self._high_s = np.concatenate([middles, wanted_s[-1:]])
        self._sums, self._counts = np.zeros(len(wanted_s)), np.zeros(len(wanted_s), dtype=np.int64)
        # (time, value) of the last row before each wanted time, and of the first at or behind it
        self._before, self._behind = np.full((2, 2, len(wanted_s)), np.nan)
        self._last = (np.nan, np.nan)
        self._reached = 0  # wanted times up to the last row
        self._usual_s = 0.0

    def feed(self, time_s: FloatArray, values: FloatArray) -> None:
        """Take the next rows; NaN values are none."""
        known = np.isfinite(values)
        time_s, values = time_s[known], values[known]
        if not len(time_s):
            return
        self._usual_s = self._usual_s or usual_interval_s(time_s)
        near = slice(
            int(np.searchsorted(self._high_s, time_s[0])),
            int(np.searchsorted(self._low_s, time_s[-1], "right")),
        )
        sums = np.concatenate([[0.0], np.cumsum(values)])
        low = np.searchsorted(time_s, self._low_s[near], side="left")
        high = np.maximum(np.searchsorted(time_s, self._high_s[near], side="right"), low)
        self._sums[near] += sums[high] - sums[low]
        self._counts[near] += high - low
        self._neighbours(time_s, values)

    def _neighbours(self, time_s: FloatArray, values: FloatArray) -> None:
        stop = int(np.searchsorted(self._wanted_s, time_s[-1], "right"))
        now = slice(self._reached, max(stop, self._reached))
        behind = np.searchsorted(time_s, self._wanted_s[now])
        extended = np.array([[self._last[0], *time_s], [self._last[1], *values]])
        self._before[:, now], self._behind[:, now] = extended[:, behind], extended[:, behind + 1]
        self._last, self._reached = (float(time_s[-1]), float(values[-1])), now.stop

    def means(self) -> FloatArray:
        """The values; NaN in gaps and outside of what was recorded."""
        self._before[:, self._reached :] = np.array(self._last)[:, None]
        (left_s, left), (right_s, right) = self._before, self._behind
        left_away_s, right_away_s = np.abs(self._wanted_s - left_s), np.abs(right_s - self._wanted_s)
        with np.errstate(invalid="ignore", divide="ignore"):
            share = np.where(right_s > left_s, left_away_s / (right_s - left_s), 0.0)
            between = np.where(
                np.isnan(left), right, np.where(np.isnan(right), left, left + share * (right - left))
            )
            near = np.fmin(left_away_s, right_away_s) <= NEAR * self._usual_s
            means = self._sums / self._counts
        return np.where(self._counts > 1, means, np.where(near, between, np.nan))


def merged_table(
    cycler: Trace, rig: Iterable[Trace], rig_time_s: FloatArray, *, opposite_signs: bool = False
) -> pa.Table:
    """The cycler's rows with the rig's pressure and temperature, and its voltage and current beside them.

    `rig_time_s`: the cycler's rows on the rig's clock, s.
    """
    sign = -1.0 if opposite_signs else 1.0
    columns: dict[str, Around] = {}
    for piece in rig:
        seen = {
            "Surface Pressure / Pa": piece.pressure_Pa,
            "Ambient Temperature / degC": piece.temperature_degC if cycler.temperature_degC is None else None,
            "Rig Voltage / V": sign * piece.voltage_V,
            "Rig Current / A": sign * piece.current_A,
            "Rig Time / s": piece.test_time_s,
        }
        for label, values in seen.items():
            if values is not None:
                columns.setdefault(label, Around(rig_time_s)).feed(piece.test_time_s, values)
    table = table_of(cycler)
    for label, around in columns.items():
        if label in table.column_names:
            table = table.drop_columns([label])
        table = table.append_column(label, column_of(around.means()))
    return table
