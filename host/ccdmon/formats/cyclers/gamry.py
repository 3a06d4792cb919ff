"""Gamry .DTA files of a test in time (chronoamperometry, -potentiometry, charge-discharge, open circuit): tables CURVE.

Below the labels stands a line of units; rows begin with a tab; a decimal comma is read where the computer wrote one.
The current is as the instrument signs it. Each of several CURVE tables goes on where the one before ended. An open
circuit before the test (OCVCURVE) is the test only where there is no other.
"""

from collections.abc import Sequence

from ccdmon.formats.cyclers.dialect import Dialect


def _is_gamry(lines: Sequence[str]) -> bool:
    return bool(lines) and lines[0].strip() == "EXPLAIN"


def _header_line(lines: Sequence[str]) -> int | None:
    if not _is_gamry(lines):
        return None
    for begin in ("CURVE", "OCVCURVE"):
        for at, line in enumerate(lines[:-2]):
            if line.startswith(begin):
                return at + 1
    return None


def _only_impedance(lines: Sequence[str]) -> bool:
    """Whether a spectrum is in it and no test but perhaps the open circuit before."""
    begins = {line.split("\t")[0].rstrip("0123456789") for line in lines if line[:1].isalpha()}
    return _is_gamry(lines) and "ZCURVE" in begins and "CURVE" not in begins


def _rests(lines: Sequence[str]) -> bool:
    """An open circuit: its TAG says so, or only that curve is there."""
    return any(
        line.split("\t")[:2] in (["TAG", "CORPOT"], ["TAG", "OCP"]) or line.startswith("OCVCURVE")
        for line in lines
    )


DIALECT = Dialect(
    kind="Gamry file",
    header_line=_header_line,
    units={"time": "s", "voltage": "V", "current": "A"},
    names={"time": ("t", "time"), "voltage": ("vf", "vm"), "current": ("im",), "temperature": ("temp",)},
    row_begin="\t",
    resting=_rests,
    only_impedance=_only_impedance,
)
