"""Reads, analyses and replays tests of solid-state battery cells: critical current density, shorts, contact loss.

    import ccdmon

    trace = ccdmon.read("cell.mpr", area_cm2=0.785)     # any file that the command line takes
    report = ccdmon.analyze(trace)
    report.verdict, report.ccd["endured_mA_cm2"]
    report.half_cycles                                  # a pyarrow.Table
    ccdmon.replay(trace)                                # what the firmware's detector makes of it

A name is imported when it is first used: `import ccdmon` itself takes some milliseconds. What a user can mend is raised
as one of `ccdmon.errors`, in one line.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from ccdmon.version import __version__

if TYPE_CHECKING:
    from ccdmon import errors
    from ccdmon.api.functions import analyze, read, replay, trace
    from ccdmon.api.report import Report
    from ccdmon.model.spectrum import Spectrum
    from ccdmon.model.trace import Cell, Trace

__all__ = [
    "Cell", "Report", "Spectrum", "Trace", "__version__", "analyze", "errors", "read", "replay", "trace",
]  # fmt: skip
_HOME = {
    **dict.fromkeys(("analyze", "read", "replay", "trace"), "ccdmon.api.functions"),
    "Report": "ccdmon.api.report",
    "Spectrum": "ccdmon.model.spectrum",
    **dict.fromkeys(("Cell", "Trace"), "ccdmon.model.trace"),
}


def __getattr__(name: str) -> Any:
    if name == "errors":
        return import_module("ccdmon.errors")
    if name not in _HOME:
        raise AttributeError(f"module 'ccdmon' has no attribute {name!r}")
    return getattr(import_module(_HOME[name]), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
