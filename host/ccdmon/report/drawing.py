"""How figures look and become files: one style, SVG text for the page, SVG and PNG files for a paper.

A drawing is a function that fills an empty figure, so that the same lines serve every size.
"""

import io
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

import matplotlib
from matplotlib.figure import Figure

from ccdmon.report.colours import INK

PAPER_WIDTH_IN = 6.7  # two columns of a journal, 170 mm
PAPER_FONT = 7.5
PAPER_DPI = 600
GRID, MUTED, FAINT = "#e4e7eb", "#616e7c", "#aab4c0"
GAP_COLOUR = "#eceff2"
# Okabe and Ito's palette, told apart by colour-blind readers.
VOLTAGE_COLOUR, CURRENT_COLOUR, PRESSURE_COLOUR, TEMPERATURE_COLOUR = (
    "#0072b2",
    "#52606d",
    "#009e73",
    "#cc79a7",
)
START_COLOUR, END_COLOUR = "#56b4e9", "#0b4f7a"
# Of an SVG within a page: HTML knows no RDF.
_NO_METADATA = dict.fromkeys(("Date", "Creator", "Format", "Type"))
# Where an SVG names or refers to an id.
_ID = re.compile(r'(\bid="|href="#|url\(#)')
_STYLE: dict[Any, Any] = {
    "svg.fonttype": "none",  # text stays text: sharp, selectable, small
    "svg.hashsalt": "ccdmon",  # the same report gives the same bytes
    "font.family": "sans-serif",
    "font.sans-serif": ["Inter", "Segoe UI", "Helvetica Neue", "Arial", "DejaVu Sans"],
    "font.size": 10,
    "axes.edgecolor": MUTED,
    "axes.labelcolor": INK,
    "axes.linewidth": 0.8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.color": GRID,
    "grid.linewidth": 0.8,
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "text.color": INK,
    "legend.frameon": False,
}


@dataclass(frozen=True)
class Drawing:
    """One figure: a name for its file, what the reader is told, how it is drawn, and its size on the page in inches."""

    name: str
    caption: str
    draw: Callable[[Figure], None]
    size_in: tuple[float, float]

    def svg(self) -> str:
        """The figure as an `<svg>` element, the same bytes for the same data, its ids no other figure's."""
        with _styled({}):
            sink = io.StringIO()
            self._figure(self.size_in).savefig(sink, format="svg", metadata=_NO_METADATA)
        text = sink.getvalue()
        owned = _ID.sub(lambda found: f"{found[1]}{self.name}-", text[text.index("<svg") :])
        said = f' role="img" aria-label="{escape(self.caption)}"' if self.caption else ""
        return owned.replace("<svg", f"<svg{said}", 1)

    def figure(self) -> str:
        """The `<svg>` with its caption, as a `<figure>` of a page."""
        caption = f"<figcaption>{escape(self.caption)}</figcaption>"
        return f'<figure class="{self.name}" tabindex="0">{self.svg()}{caption}</figure>'

    def save_for_paper(self, folder: Path) -> list[Path]:
        """`NAME.svg` and `NAME.png` at the width of a page of a journal; returns both."""
        width, height = self.size_in
        size = (PAPER_WIDTH_IN * min(1.0, width / 11), PAPER_WIDTH_IN * min(1.0, width / 11) * height / width)
        # Text becomes outlines, so that it looks the same in every program.
        with _styled({"font.size": PAPER_FONT, "legend.fontsize": PAPER_FONT, "svg.fonttype": "path"}):
            paths = [folder / f"{self.name}.svg", folder / f"{self.name}.png"]
            figure = self._figure(size)
            figure.savefig(paths[0], format="svg", metadata={"Date": None, "Creator": None})
            figure.savefig(paths[1], format="png", dpi=PAPER_DPI, metadata={"Software": None})
        return paths

    def _figure(self, size_in: tuple[float, float]) -> Figure:
        figure = Figure(figsize=size_in, layout="constrained")
        self.draw(figure)
        return figure


@contextmanager
def _styled(more: dict[Any, Any]) -> Iterator[None]:
    with matplotlib.rc_context({**_STYLE, **more}):
        yield
