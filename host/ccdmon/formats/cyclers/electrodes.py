"""The voltage of a cell with a reference electrode: of the working electrode against it, or between the two electrodes.

A file with Ewe and Ece may be controlled on either. Its header says which; else the voltage that follows the set
point, or
the one that is no converter's rail, tells; else it is Ewe, and that is said.
"""

import numpy as np

from ccdmon.model.trace import FloatArray

RAIL_V = 9.5  # an open reference input rests at the converter's end
CELL_V = 6.0  # no single cell has more


def cell_voltage(
    working_V: FloatArray, counter_V: FloatArray, told: str | None, asked_V: FloatArray | None = None
) -> tuple[FloatArray, list[str]]:
    """(voltage, notes). `told`: 'Ewe' or 'Ewe-Ece', where the file says it; `asked_V`: set points, NaN where none."""
    between_V = working_V - counter_V
    kind = (told or "").replace(" ", "").lower()
    if kind in ("ewe-ece", "we-ce", "ecell"):
        return between_V, ["the voltage is Ewe-Ece, on which the test was controlled"]
    if kind != "ewe":
        if asked_V is not None and (known := np.isfinite(asked_V) & np.isfinite(between_V)).sum() > 2:
            far = [float(np.median(np.abs(v[known] - asked_V[known]))) for v in (working_V, between_V)]
            if far[1] < 0.2 * far[0] and far[0] > 1e-3:
                return between_V, ["the voltage is Ewe-Ece: it follows the set point, Ewe does not"]
        typical, highest = zip(*(_typical_and_highest(v) for v in (working_V, between_V)), strict=True)
        if (typical[0] > CELL_V or highest[0] > RAIL_V) and highest[1] < CELL_V:
            return between_V, [
                f"the voltage is Ewe-Ece: Ewe alone goes to {highest[0]:.3g} V, which no cell has"
            ]
    if not np.isfinite(counter_V).any():
        return working_V, []
    low, high = float(np.nanmin(counter_V)), float(np.nanmax(counter_V))
    if max(abs(low), abs(high)) < 2e-3:
        return working_V, []
    return working_V, [f"the voltage is Ewe; Ece is there, too ({low:.3g} to {high:.3g} V): the whole cell has Ewe-Ece "
                       "(--columns voltage=Ewe-Ece)"]  # fmt: skip


def _typical_and_highest(voltage_V: FloatArray) -> tuple[float, float]:
    """Median (of ten thousand rows that stand for all) and maximum of the magnitude, V."""
    if not np.isfinite(voltage_V).any():
        return 0.0, 0.0
    some = np.abs(voltage_V[:: max(1, len(voltage_V) // 10_000)])
    return float(np.nanmedian(some)), float(max(np.nanmax(voltage_V), -np.nanmin(voltage_V)))
