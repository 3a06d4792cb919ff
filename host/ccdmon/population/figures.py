"""Figures of a population: who endures what, the medians beside published values, and what the cells failed by."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

from ccdmon.model.electrolytes import kind_of_electrolyte
from ccdmon.report.colours import EVENT_COLOURS, INK
from ccdmon.report.drawing import FAINT, MUTED, Drawing
from ccdmon.report.literature import TARGET_MA_CM2, peers_of, standards

Group = Mapping[str, Any]
# Okabe and Ito's palette, told apart by colour-blind readers.
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#e69f00", "#52606d")
DENSITY = "current density / mA cm⁻²"


def label(group: Group) -> str:
    """What a group is called: its values of `--by`."""
    return ", ".join(group["by"].values()) or "all cells"


def curves(groups: Sequence[Group]) -> Drawing:
    """Groups of one protocol: share that endures, Turnbull's and the log-normal one."""
    return Drawing(
        f"endured-{_file(groups[0])}",
        f"Share of cells that endure a current density ({groups[0]['protocol']['text']}). Shaded: the step in which it "
        "falls, whose course no ramp shows. Line: log-normal distribution with the median given.",
        lambda figure: _draw_curves(figure, groups),
        (11, 4.2),
    )


def medians(groups: Sequence[Group]) -> Drawing:
    """Medians with their intervals above published cells of the same kind, standards and target."""
    height = 1.8 + 0.42 * (len(groups) + 2)
    caption = (
        "Medians with 95 % intervals, beside published cells of the same kind of electrolyte within 15 K (table 2 of "
        "Lu et al. 2021) and the current densities that standards for vehicle cells ask for (its table 1)."
    )
    return Drawing("medians", caption, lambda figure: _draw_medians(figure, groups), (11, height))


def causes(groups: Sequence[Group]) -> Drawing:
    """Cumulative incidence: the share that has failed by each cause."""
    return Drawing(
        f"causes-{_file(groups[0])}",
        f"Share of cells that failed by each cause up to a current density ({groups[0]['protocol']['text']}).",
        lambda figure: _draw_causes(figure, groups),
        (11, 3.4),
    )


def _file(group: Group) -> str:
    return "".join(c if c.isalnum() else "-" for c in group["protocol"]["text"].replace("⁻²", ""))


def _draw_curves(figure: Figure, groups: Sequence[Group]) -> None:
    axes = figure.subplots()
    most = 1.15 * max(_ends(groups), default=1.0)
    for group, colour in zip(groups, _colours(groups), strict=True):
        _draw_steps(axes, group["endured"], colour, most)
        if group["median_mA_cm2"] is not None:
            density = np.geomspace(most / 200, most, 200)
            axes.plot(density, _log_normal(density, group), color=colour, lw=1.2, ls=(0, (4, 2)))
        axes.plot([], [], color=colour, lw=2, label=f"{label(group)} (n = {group['cells']})")
    axes.set_xlim(0, most)
    axes.set_ylim(-0.02, 1.04)
    axes.set_xlabel(DENSITY)
    axes.set_ylabel("share that endures")
    axes.legend(loc="best")


def _ends(groups: Sequence[Group]) -> list[float]:
    return [
        end
        for g in groups
        for step in g["endured"]
        for end in (step["from_mA_cm2"], step["to_mA_cm2"])
        if end
    ]


def _colours(groups: Sequence[Group]) -> list[str]:
    return [COLOURS[k % len(COLOURS)] for k in range(len(groups))]


def _draw_steps(axes: Axes, steps: Sequence[Mapping[str, Any]], colour: str, most: float) -> None:
    """Flat where it is known, shaded where it falls."""
    share, at = 1.0, 0.0
    for step in steps:
        begin = step["from_mA_cm2"]
        axes.plot([at, begin], [share, share], color=colour, lw=2, solid_capstyle="butt")
        if step["to_mA_cm2"] is None:
            return
        at, after = step["to_mA_cm2"], step["share"]
        axes.fill_between([begin, at], after, share, color=colour, alpha=0.18, lw=0)
        share = after
    axes.plot([at, most], [share, share], color=colour, lw=2, solid_capstyle="butt")


def _log_normal(density: Any, group: Group) -> Any:
    from scipy.special import ndtr

    return ndtr(-np.log(density / group["median_mA_cm2"]) / group["spread"])


def _draw_medians(figure: Figure, groups: Sequence[Group]) -> None:
    axes = figure.subplots()
    names = []
    for level, (group, colour) in enumerate(zip(groups, _colours(groups), strict=True)):
        low, high = group["interval_mA_cm2"]
        middle = group["median_mA_cm2"]
        axes.plot([low or middle / 10, high or middle * 10], [level, level], color=colour, lw=2)
        axes.plot(middle, level, "o", color=colour, ms=7)
        names.append(f"{label(group)}, {group['protocol']['text']}")
    peers = {cell for group in groups for cell in _peers(group)}
    spread = np.linspace(-0.25, 0.25, len(peers)) if len(peers) > 1 else np.zeros(len(peers))
    for cell, offset in zip(sorted(peers, key=lambda peer: peer.ccd_mA_cm2), spread, strict=True):
        axes.plot(cell.ccd_mA_cm2, len(groups) + offset, "o", ms=4.5, color=FAINT)
    densities = [row.current_density_mA_cm2 for row in standards()]
    axes.plot(densities, [len(groups) + 1] * len(densities), "|", color=INK, ms=11, mew=1.2)
    axes.axvline(TARGET_MA_CM2, color=MUTED, lw=1.0, ls=(0, (4, 2)))
    axes.set_yticks(
        range(len(groups) + 2), [*names, "published, of this kind", "conditions of vehicle standards"]
    )
    axes.set_ylim(len(groups) + 1.6, -0.6)
    axes.grid(axis="y", visible=False)
    axes.set_xscale("log")
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.set_xlabel("critical " + DENSITY)


def _peers(group: Group) -> list[Any]:
    kinds = {kind_of_electrolyte(name) for name in group["electrolytes"]}
    return [cell for kind in kinds if kind is not None for cell in peers_of(kind, group["temperature_degC"])]


def _draw_causes(figure: Figure, groups: Sequence[Group]) -> None:
    shown = [group for group in groups if group["incidence"]]
    every = figure.subplots(1, len(shown), sharey=True, squeeze=False)[0]
    for axes, group in zip(every, shown, strict=True):
        for cause, steps in group["incidence"].items():
            density = [0.0, *(step["to_mA_cm2"] for step in steps)]
            share = [0.0, *(step["share"] for step in steps)]
            colour = EVENT_COLOURS.get(cause, MUTED)
            axes.step(density, share, where="post", color=colour, lw=1.8, label=cause.replace("_", " "))
        axes.set_title(label(group), fontsize="medium")
        axes.set_xlabel(DENSITY)
        axes.set_ylim(-0.02, 1.04)
        axes.legend(loc="best", fontsize="small")
    every[0].set_ylabel("share that failed")
