"""Novonix UHPC files: a [Summary], a [Protocol], and after '[Data]' a table with run time in hours."""

from collections.abc import Sequence

from ccdmon.formats.cyclers.dialect import Dialect


def _header_line(lines: Sequence[str]) -> int | None:
    if not any("Novonix" in line for line in lines[:5]):
        return None
    return next((at + 1 for at, line in enumerate(lines[:-1]) if line.startswith("[Data]")), None)


DIALECT = Dialect(
    kind="Novonix file", header_line=_header_line, names={"time": ("run time",), "voltage": ("potential",)}
)
