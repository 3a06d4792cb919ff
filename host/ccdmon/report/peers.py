"""Figures that set a cell beside others: Nyquist plot before and after, and published critical current densities."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

from ccdmon.model.electrolytes import kind_of_electrolyte
from ccdmon.model.spectrum import Spectrum
from ccdmon.model.trace import Cell
from ccdmon.report.colours import INK
from ccdmon.report.drawing import FAINT, MUTED, VOLTAGE_COLOUR, Drawing
from ccdmon.report.literature import TARGET_MA_CM2, peers_of, published, standards

Document = Mapping[str, Any]
NAMES_APART = 0.12  # of the width
BEFORE_COLOUR, AFTER_COLOUR = VOLTAGE_COLOUR, "#d55e00"  # Okabe and Ito's blue and vermilion


def nyquist(before: Spectrum | None, after: Spectrum | None, area_cm2: float | None) -> Drawing:
    """Impedance before and after the test in the complex plane."""

    def draw(figure: Figure) -> None:
        _draw_nyquist(figure, before, after, area_cm2)

    known = np.concatenate([s.impedance_ohm for s in (before, after) if s is not None])
    width, height = float(np.ptp(known.real)), float(np.ptp(known.imag))
    flat = min(max(height / width if width else 1.0, 0.3), 0.9)
    return Drawing("nyquist", "Impedance before and after the test.", draw, (6.5, 1.4 + 5.6 * flat))


def peers(document: Document, cell: Cell) -> Drawing:
    """This cell's critical current density among published ones."""
    near = "" if document["ccd"]["temperature_degC"] is None else " within 15 K"
    caption = (
        f"Published critical current densities (table 2 of Lu et al. 2021; filled: the same kind of electrolyte{near}) "
        "and the current densities that standards for vehicle cells ask for (its table 1)."
    )
    return Drawing("literature", caption, lambda figure: _draw_peers(figure, document, cell), (11, 3.6))


def _draw_nyquist(
    figure: Figure, before: Spectrum | None, after: Spectrum | None, area_cm2: float | None
) -> None:
    """-Im(Z) against Re(Z), equal axes, area-specific where the area is known; decades of frequency are named."""
    axes = figure.subplots()
    factor = area_cm2 or 1.0
    span = max(float(s.impedance_ohm.real.max()) for s in (before, after) if s is not None) * factor
    named: list[complex] = []
    for spectrum, colour, marker, label in (
        (before, BEFORE_COLOUR, "o", "before"),
        (after, AFTER_COLOUR, "s", "after"),
    ):
        if spectrum is not None:
            z = spectrum.impedance_ohm * factor
            axes.plot(z.real, -z.imag, color=colour, marker=marker, ms=3.5, lw=0.9, label=label)
            _name_decades(axes, spectrum, factor, colour, span, named)
    axes.axhline(0, color=MUTED, lw=0.6)
    axes.set_aspect("equal", adjustable="datalim")
    axes.set_xlabel("Re(Z) / Ω cm²" if area_cm2 else "Re(Z) / Ω")
    axes.set_ylabel("−Im(Z) / Ω cm²" if area_cm2 else "−Im(Z) / Ω")
    axes.legend(loc="best")


def _name_decades(
    axes: Axes, spectrum: Spectrum, factor: float, colour: str, span: float, named: list[complex]
) -> None:
    """Names the points nearest to full decades of frequency, as long as no name runs into one of `named`."""
    decades = np.log10(spectrum.frequency_Hz)
    for decade in range(int(np.ceil(decades.min())), int(np.floor(decades.max())) + 1):
        z = complex(spectrum.impedance_ohm[int(np.abs(decades - decade).argmin())]) * factor
        if all(abs(z - other) > NAMES_APART * span for other in named):
            named.append(z)
            # Names of the right end stand on their left, inside the axes.
            right = z.real > 0.85 * span
            axes.annotate(
                _frequency(decade), (z.real, -z.imag), xytext=(-5 if right else 4, 6), textcoords="offset points",
                ha="right" if right else "left", color=colour, fontsize="small",
            )  # fmt: skip


def _frequency(decade: int) -> str:
    value, unit = (10.0**decade, "Hz") if decade < 3 else (10.0 ** (decade - 3), "kHz")
    value, unit = (value, unit) if value < 1000 else (value / 1000, "MHz")
    return f"{value:g} {unit}"


def _draw_peers(figure: Figure, document: Document, cell: Cell) -> None:
    """Critical current densities of table 2 of the review, one row for each group; the conditions of its table 1."""
    axes = figure.subplots()
    ccd = document["ccd"]
    alike = set(peers_of(kind_of_electrolyte(cell.electrolyte), ccd["temperature_degC"]))
    groups = list(dict.fromkeys(row.group for row in published()))
    for level, group in enumerate(groups):
        _draw_group(axes, level, [row for row in published() if row.group == group], alike)
    densities = [row.current_density_mA_cm2 for row in standards()]
    axes.plot(densities, [len(groups)] * len(densities), "|", color=INK, ms=11, mew=1.2)
    axes.axvline(TARGET_MA_CM2, color=MUTED, lw=1.0, ls=(0, (4, 2)))
    axes.annotate(
        "target", (TARGET_MA_CM2, 1), xycoords=("data", "axes fraction"), xytext=(4, 4), textcoords="offset points",
        color=MUTED, fontsize="small",
    )  # fmt: skip
    axes.axvline(ccd["endured_mA_cm2"], color=AFTER_COLOUR, lw=1.6)
    axes.annotate(
        "this cell", (ccd["endured_mA_cm2"], 1), xycoords=("data", "axes fraction"), xytext=(-4, 4),
        textcoords="offset points", ha="right", color=AFTER_COLOUR, fontweight="bold",
    )  # fmt: skip
    axes.set_yticks(range(len(groups) + 1), [*groups, "conditions of vehicle standards"])
    axes.set_ylim(len(groups) + 0.6, -0.6)
    axes.grid(axis="y", visible=False)
    axes.set_xscale("log")
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.set_xlabel("critical current density / mA cm⁻²")


def _draw_group(axes: Axes, level: int, rows: list[Any], alike: set[Any]) -> None:
    """Filled: of the cell's kind at about its temperature. Spread downwards so that equal values stay apart."""
    spread = np.linspace(-0.28, 0.28, len(rows)) if len(rows) > 1 else np.zeros(1)
    for row, offset in zip(rows, spread, strict=True):
        filled = row in alike
        axes.plot(
            row.ccd_mA_cm2, level + offset, "o", ms=4.5, mew=0.9,
            color=VOLTAGE_COLOUR if filled else FAINT, mfc=VOLTAGE_COLOUR if filled else "white",
        )  # fmt: skip
