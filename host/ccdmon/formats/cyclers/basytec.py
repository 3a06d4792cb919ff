"""Basytec text exports: comment lines beginning with '~', the last of them '~Time[s]', 'U[V]', 'I[A]', ..."""

from collections.abc import Sequence

from ccdmon.formats.cyclers.dialect import Dialect


def _header_line(lines: Sequence[str]) -> int | None:
    if not lines or not lines[0].startswith("~Resultfile from Basytec"):
        return None
    return next((at for at, line in enumerate(lines) if line.startswith("~Time")), None)


DIALECT = Dialect(
    kind="Basytec text export",
    header_line=_header_line,
    units={"step": "1"},
    names={"voltage": ("u",), "current": ("i",), "step": ("line",), "cycle": ("cyc count",)},
)
