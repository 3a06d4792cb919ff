"""What a population says in words and tables: shared by the terminal and the page."""

from collections.abc import Mapping
from typing import Any

Document = Mapping[str, Any]
DASH = "–"
METHODS = (
    "A cell that failed has its critical current density between the level it endured and the one in which it "
    "failed; one that did not fail above the level it endured; one found fake stable anywhere below the level "
    "in which that was seen. The curve is Turnbull's (1976), which assumes no shape; causes are told by their "
    "cumulative incidence (Hudgens 2001). Medians are of a log-normal distribution fitted to the intervals by "
    "maximum likelihood, their 95 % intervals of the profile likelihood, from ten cells and three failures "
    "on. Two groups are compared by the likelihood ratio of a common median, each with its own spread, and "
    "all comparisons together are corrected after Holm (1979). Cells of different protocols are never pooled: "
    "a critical current density belongs to a whole test (Lu et al. 2021, section 3.7)."
)


def left_out(document: Document) -> str:
    """How many say nothing, and why."""
    out = ", ".join(f"{number} {reason}" for reason, number in document["left_out"].items())
    return f"Left out: {out}." if out else "No cell was left out."


def group_rows(document: Document) -> list[tuple[str, ...]]:
    """A heading and a row for each group."""
    head = (
        *document["by"], "protocol", "cells", "failed", "median / mA cm⁻²", "95 % interval", "failed by",
    )  # fmt: skip
    return [head, *(_group_row(group) for group in document["groups"])]


def _group_row(group: Mapping[str, Any]) -> tuple[str, ...]:
    causes = ", ".join(f"{cause.replace('_', ' ')} {number}" for cause, number in group["causes"].items())
    return (
        *group["by"].values(),
        group["protocol"]["text"],
        str(group["cells"]),
        str(group["failed"]),
        DASH if group["median_mA_cm2"] is None else f"{group['median_mA_cm2']:.3g}",
        group["why_not"] or _interval(*group["interval_mA_cm2"]),
        causes or DASH,
    )


def _interval(low: float | None, high: float | None) -> str:
    if low is None or high is None:
        return (
            f"above {low:.3g}"
            if low is not None
            else f"below {high:.3g}"
            if high is not None
            else "not bounded"
        )
    return f"{low:.3g} to {high:.3g}"


def comparison_rows(document: Document) -> list[tuple[str, ...]]:
    """A heading and a row for each two groups."""
    head = ("group", "and group", "protocol", "ratio of medians", "p", "p after Holm", "result")
    return [
        head,
        *(
            (
                ", ".join(pair["a"].values()),
                ", ".join(pair["b"].values()),
                pair["protocol"]["text"],
                f"{pair['ratio']:.3g}",
                f"{pair['p']:.2g}",
                f"{pair['p_holm']:.2g}",
                "differ" if pair["differ"] else "not shown to differ",
            )
            for pair in document["comparisons"]
        ),
    ]
