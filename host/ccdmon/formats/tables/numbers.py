"""Cells into numbers: decimal commas and points, separators of thousands, empty cells. What is no number is refused.

One mark is decimal in all of a table: a cell shows which ('0,5', '1.234,5'), or leaves it open ('1,234'). A cell that
does not fit what the others showed is no number.
"""

import re
from collections.abc import Iterable

import numpy as np

from ccdmon.formats.tables.layout import EMPTY
from ccdmon.model.trace import FloatArray

_OPEN = re.compile(r"^[+-]?[1-9]\d{0,2}([.,])\d{3}$")  # decimal, or thousands
_GROUPS = re.compile(r"^[+-]?\d{1,3}(?:([.,'’   ])\d{3})(?:\1\d{3})+$")  # thousands for sure
_SPACE = str.maketrans("", "", "'’   ")
_EXPONENT = r"(?:[eEdD][+-]?\d+)?"
# By decimal mark: a number with or without the other mark between its thousands.
_SHAPES = {
    ".": re.compile(rf"^[+-]?(?:\d{{1,3}}(?:,\d{{3}})+|\d*)(?:\.\d*)?{_EXPONENT}$"),
    ",": re.compile(rf"^[+-]?(?:\d{{1,3}}(?:\.\d{{3}})+|\d*)(?:,\d*)?{_EXPONENT}$"),
}
_OTHER = {".": ",", ",": "."}


class Marks:
    """What the cells seen so far say about the decimal mark."""

    def __init__(self, declared: str | None = None) -> None:
        self.shown: dict[str, str] = (
            {declared: "--columns"} if declared else {}
        )  # mark: the cell that shows it
        self.open: dict[str, str] = {}

    def see(self, cells: Iterable[str]) -> None:
        """Look at more cells."""
        for cell in cells:
            if "," in cell or "." in cell:
                self._see(cell.strip())

    def _see(self, cell: str) -> None:
        if groups := _GROUPS.match(cell):
            if groups[1] in _OTHER:
                self.shown.setdefault(_OTHER[groups[1]], cell)
        elif _OPEN.match(cell):
            self.open.setdefault(_OPEN.match(cell)[1], cell)  # type: ignore[index]
        else:
            mark = "," if cell.rfind(",") > cell.rfind(".") else "."
            if _SHAPES[mark].match(cell.translate(_SPACE)):
                self.shown.setdefault(mark, cell)

    @property
    def mark(self) -> str | None:
        """The decimal mark; None where cells leave it open and no other, or others that differ, show it."""
        if len(self.shown) == 1:
            return next(iter(self.shown))
        if self.shown:  # both, each beyond doubt
            return None if self.open else "."
        return None if "," in self.open else "."

    @property
    def doubt(self) -> str:
        """Why there is none, for a message."""
        cells = list((self.shown if self.shown else self.open).values())
        told = " and ".join(repr(cell) for cell in cells[:2])
        return f"{told} leave open which mark is decimal; add decimal=point or decimal=comma to --columns"


def number(cell: str, mark: str) -> float:
    """One cell; NaN for an empty one. ValueError for what is no number, and for infinities."""
    text = cell.strip()
    try:
        if mark == "." and "_" not in text:
            value = float(text)
            if value - value == 0:  # neither infinite nor NaN
                return value
    except ValueError:
        pass
    if text.lower() in EMPTY:
        return float("nan")
    text = text.translate(_SPACE).replace("−", "-")
    if not text.strip("+-.,eEdD"):
        raise ValueError(cell)
    if not _SHAPES[mark].match(text):
        mark = _OTHER[mark]  # beyond doubt with the other mark: '7,0E+003' among points
        if not _SHAPES[mark].match(text):
            raise ValueError(cell)
    value = float(text.replace(_OTHER[mark], "").replace(mark, ".").replace("D", "E").replace("d", "e"))
    if value - value != 0:
        raise ValueError(cell)
    return value


def numbers(cells: list[str], mark: str) -> FloatArray:
    """A column of cells. `NotANumber` names the place of the first that is none."""
    values = np.empty(len(cells))
    for place, cell in enumerate(cells):
        try:
            values[place] = number(cell, mark)
        except ValueError:
            raise NotANumberError(place, cell) from None
    return values


class NotANumberError(Exception):
    """The cell at `place` is no number."""

    def __init__(self, place: int, text: str) -> None:
        self.place, self.text = place, text
