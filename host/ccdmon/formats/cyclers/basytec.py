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
    names={
        "test_time_s": ("~time",),
        "voltage_V": ("u",),
        "current_A": ("i",),
        "cycle_count": ("cyc count", "cycle"),
        "step_count": ("line",),
        "temperature_degC": ("t1",),
    },
)
