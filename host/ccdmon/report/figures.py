"""Which figures a test has, and their files for a paper."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ccdmon.errors import InputError
from ccdmon.model.trace import Trace
from ccdmon.report.context import Context, comparison_of
from ccdmon.report.drawing import Drawing
from ccdmon.report.peers import nyquist, peers
from ccdmon.report.plot import overview, zoom

Document = Mapping[str, Any]


def write_figures(
    document: Document, trace: Trace, folder: Path, trip_row: int | None, context: Context
) -> list[Path]:
    """Every figure as SVG and PNG for a paper; raises `InputError` where the folder cannot be written."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        drawings = drawings_of(document, trace, trip_row, context)
        return [path for drawing in drawings for path in drawing.save_for_paper(folder)]
    except OSError as error:
        raise InputError(
            f"{folder}: cannot write ({error.strerror}); choose another folder with --out"
        ) from error


def drawings_of(document: Document, trace: Trace, trip_row: int | None, context: Context) -> list[Drawing]:
    """The figures that this test has; `trip_row` as in `report_plot.overview`."""
    drawings = [overview(trace, document, trip_row)]
    short = next((event for event in document["events"] if event["kind"] == "hard_short"), None)
    if short is not None:
        drawings.append(zoom(trace, short["row"], trip_row))
    if any(context.impedance.spectra):
        drawings.append(nyquist(*context.impedance.spectra, document["ccd"]["area_cm2"]))
    if comparison_of(document, trace.cell):
        drawings.append(peers(document, trace.cell))
    return drawings
