"""What a cycler's own way of writing tables is: how its file is recognised, and what its labels do not tell.

Names and units are the business of `tables`; a dialect adds only what is the maker's habit. Where a label tells no unit
and the maker always writes the same one, that is assumed and said.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from ccdmon.formats.tables.layout import Layout
from ccdmon.model.trace import FloatArray

REQUIRED = ("test_time_s", "voltage_V", "current_A")
IMPEDANCE_LINE = "impedance, not a test in time; give it to analyze with --eis-before or --eis-after"
Lines = Sequence[str]


@dataclass(frozen=True)
class Dialect:
    """One kind of text file."""

    kind: str
    fits: Callable[[Lines, Layout], bool] = lambda _lines, _layout: False
    header_line: Callable[[Lines], int | None] | None = (
        None  # where the file itself tells the line of its labels
    )
    units: Mapping[str, str] = field(default_factory=dict)  # by role, where a label tells none
    names: Mapping[str, tuple[str, ...]] = field(
        default_factory=dict
    )  # by role, preferred to the general ones
    row_begin: str = ""  # rows begin so, and nothing else does
    resting: Callable[[Lines], bool] = lambda _lines: False  # whether the file says that no current flowed
    only_impedance: Callable[[Lines], bool] = lambda _lines: False  # whether all it holds is spectra
    controlled_on: Callable[[Lines], str | None] = lambda _lines: (
        None
    )  # 'Ewe', 'Ewe-Ece': where the file says it


@dataclass
class Columns:
    """What was read: columns by trace field, all of shape (rows,), and what had to be left out or assumed."""

    values: dict[str, FloatArray]
    notes: list[str]


def has_names(*wanted: str) -> Callable[[Lines, Layout], bool]:
    """Whether the labels include all of these (as `key_of` writes them)."""
    from ccdmon.formats.tables.vocabulary import key_of

    def fits(_lines: Lines, layout: Layout) -> bool:
        keys = {key_of(label.name) for label in layout.labels} | {
            key_of(label.text) for label in layout.labels
        }
        return all(any(name in keys for name in one.split("|")) for one in wanted)

    return fits
