"""BioLogic .mpt (EC-Lab and BT-Lab ASCII): the header tells its own number of lines, the last of them the labels.

It also says on which voltage the test was controlled, and by the technique's name whether the cell rested.
"""

import re
from collections.abc import Sequence

from ccdmon.formats.cyclers.dialect import Dialect


def header_line(lines: Sequence[str]) -> int | None:
    """Index of the labels' line; None for another file."""
    if not lines or not lines[0].lstrip("\ufeff").startswith(("EC-Lab ASCII", "BT-Lab ASCII")):
        return None
    told = re.search(r"Nb header lines\s*:\s*(\d+)", "\n".join(lines[:5]))
    return int(told[1]) - 1 if told and 0 < int(told[1]) <= len(lines) else None


def _rests(lines: Sequence[str]) -> bool:
    return any(
        line.strip().lower() in ("open circuit voltage", "ocv", "open circuit potential")
        for line in lines[:12]
    )


def controlled_on(lines: Sequence[str]) -> str | None:
    """'Ewe', 'Ewe-Ece', ...: what the header says of the potential control."""
    for line in lines:
        if line.lower().startswith("potential control"):
            return line.partition(":")[2].strip()
    return None


DIALECT = Dialect(
    kind="BioLogic .mpt",
    header_line=header_line,
    names={"cycle": ("cycle number",), "step": ("ns",)},
    resting=_rests,
    controlled_on=controlled_on,
)
