"""The result of an analysis, as Python sees it."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from ccdmon.analysis.impedance.comparison import Comparison
from ccdmon.model.trace import Trace

if TYPE_CHECKING:
    from ccdmon.report.context import Context
    from ccdmon.run.monitoring import Monitoring
    from ccdmon.run.stored_rows import RunRows


class Report:
    """What `ccdmon.analyze` found. A notebook shows it with its figure; `write` makes the whole page.

    `document` is what `ccdmon analyze --json` prints, `trace` the rows that figures need (of a long test, chosen ones).
    """

    def __init__(
        self,
        document: dict[str, Any],
        trace: Trace,
        impedance: Comparison,
        run: "RunRows | None" = None,
        trip_row: int | None = None,
    ) -> None:
        self.document, self.trace = document, trace
        self._impedance, self._run, self._trip_row = impedance, run, trip_row

    @property
    def verdict(self) -> str:
        """`healthy`, `suspect`, `failed`, or `not_judged` where no current flowed long enough."""
        return str(self.document["verdict"])

    @property
    def ccd(self) -> dict[str, Any]:
        """The critical current density and what it means nothing without; see the document's `ccd`."""
        ccd: dict[str, Any] = self.document["ccd"]
        return ccd

    @property
    def events(self) -> list[dict[str, Any]]:
        """What happened to the cell, in the order of its rows, each with the numbers that decided it."""
        events: list[dict[str, Any]] = self.document["events"]
        return events

    @property
    def half_cycles(self) -> pa.Table:
        """One row for each half-cycle, null where the document has none; units are in the names.

        A `pyarrow.Table`: `.to_pandas()`, `polars.from_arrow(...)`.
        """
        from ccdmon.report.tables import table_of

        return table_of(self.document, "half_cycles")

    def write(self, folder: str | Path) -> Path:
        """Write `report.html` and `report.json` into a folder, which is made; the page's path. Raises `InputError`."""
        from ccdmon.report.page import write_reports

        write_reports(self.document, self.trace, Path(folder), self._monitoring, self._context)
        return Path(folder) / "report.html"

    def __repr__(self) -> str:
        from ccdmon.report.words import ccd_sentence

        return f"<ccdmon.Report: {self.verdict}. {ccd_sentence(self.document)}>"

    def _repr_html_(self) -> str:
        from ccdmon.report.notebook import fragment

        return fragment(self.document, self.trace, self._trip_row, self._context)

    @property
    def _context(self) -> "Context":
        from ccdmon.report.context import Context

        return Context(self._impedance, self._run.config if self._run else {})

    @property
    def _monitoring(self) -> "Monitoring | None":
        if self._run is None:
            return None
        from ccdmon.run.monitoring import monitoring_of

        return monitoring_of(self._run, self._trip_row)
