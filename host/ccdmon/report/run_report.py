"""The report of a run folder, written into it: what `ccdmon record` and `ccdmon demo` leave behind."""

from pathlib import Path
from typing import Any

from ccdmon.report.context import Context
from ccdmon.report.page import write_reports
from ccdmon.run.analysed import analysed
from ccdmon.run.monitoring import monitoring_of
from ccdmon.run.sources import FolderRows
from ccdmon.run.stored_rows import RunRows


def write_run_report(folder: Path) -> dict[str, Any]:
    """Analyse the recording at bounded memory, write `report.html` and `report.json`; the analysis.

    Raises `InputError` where nothing was recorded or the folder takes no files.
    """
    run = RunRows(folder)
    found = analysed(FolderRows(run))
    monitoring, context = monitoring_of(run, found.trip_row), Context(config=run.config)
    write_reports(found.document, found.trace, folder, monitoring, context)
    return found.document
