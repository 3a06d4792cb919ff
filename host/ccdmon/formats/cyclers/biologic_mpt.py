"""BioLogic .mpt (EC-Lab ASCII): the header tells its own number of lines, the last of them the labels."""

import re
from collections.abc import Sequence

from ccdmon.formats.cyclers.dialect import Dialect


def _header_line(lines: Sequence[str]) -> int | None:
    if not lines or not lines[0].startswith(("EC-Lab ASCII", "BT-Lab ASCII")):
        return None
    told = re.search(r"Nb header lines\s*:\s*(\d+)", "\n".join(lines[:5]))
    return int(told[1]) - 1 if told and 0 < int(told[1]) <= len(lines) else None


DIALECT = Dialect(
    kind="BioLogic .mpt",
    header_line=_header_line,
    names={
        "test_time_s": ("time",),
        "voltage_V": ("ewe", "ewe ece", "ecell"),
        "current_A": ("i", "control"),
        "cycle_count": ("cycle number",),
        "step_count": ("ns",),
        "temperature_degC": ("temperature",),
    },
    scan="freq",
)
