"""`ccdmon analyze`: verdict, events and critical current density of recorded traces or run folders."""

import argparse
import json
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ccdmon.analysis.document import Options
from ccdmon.analysis.impedance.comparison import Comparison, compare
from ccdmon.cli.options import add_impedance_arguments, add_import_arguments, positive, share
from ccdmon.cli.traces import open_rows, told_of, with_area
from ccdmon.errors import EXIT_FINE, EXIT_NEGATIVE, InputError
from ccdmon.model.trace import Trace
from ccdmon.run.analysed import analysed

if TYPE_CHECKING:  # what only a run folder or a report needs is imported where there is one
    from ccdmon.formats.impedance.pairing import Paired
    from ccdmon.report.context import Context
    from ccdmon.run.monitoring import Monitoring
    from ccdmon.run.stored_rows import RunRows

REPORTS_SCHEMA = "ccdmon.reports/1"


@dataclass(frozen=True)
class Subject:
    """One thing analysed: a trace file, or a run folder with what was monitored."""

    name: str
    trace: Trace  # of what was read piece by piece: the rows that figures need
    document: dict[str, Any]  # the analysis
    monitoring: "Monitoring | None" = None
    run: "RunRows | None" = None
    impedance: Comparison = field(default_factory=lambda: compare(None, None))

    @property
    def context(self) -> "Context":
        """The spectra of the command line and the configuration of a run folder, for the report."""
        from ccdmon.report.context import Context

        return Context(self.impedance, self.run.config if self.run else {})


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "traces", nargs="+", metavar="TRACE", help="a trace or cycler's file, a run folder, or - for stdin"
    )
    add_analysis_arguments(parser)
    parser.add_argument("--out", type=Path, metavar="DIR", help="write report.html and report.json there")
    parser.add_argument("--json", action="store_true", help="one JSON document on stdout")
    group = parser.add_argument_group(
        "many, of which a bad one is a row with its error; TRACE may be folders"
    )
    group.add_argument("--catalogue", type=Path, metavar="DIR", help="a row for each of DIR/runs.parquet")
    group.add_argument("--jobs", type=int, default=1, metavar="N", help="processes (default 1)")
    group.add_argument("--cluster", metavar="ADDRESS|local:N", help="on dask.distributed (ccdmon[cluster])")
    group.add_argument(
        "--again",
        choices=("changed", "all"),
        default="changed",
        help="judge what is new or changed (default), or all",
    )


def add_analysis_arguments(parser: argparse.ArgumentParser) -> None:
    """How a source is read and judged: what `open_source` and `options_of` ask for."""
    add_import_arguments(parser)
    parser.add_argument(
        "--area-cm2", type=positive, metavar="A", help="electrode area; wins over the sidecar's"
    )
    parser.add_argument("--eis-before", type=Path, metavar="F", help="impedance before the test")
    parser.add_argument("--eis-after", type=Path, metavar="F", help="impedance after the test")
    parser.add_argument(
        "--eis",
        type=Path,
        metavar="F_OR_DIR",
        help="both: first and last spectrum of a file, or of a folder's files; `why` follows all of them",
    )
    add_impedance_arguments(parser)
    parser.add_argument(
        "--min-probability",
        type=share,
        default=0.0,
        metavar="P",
        help="tell no event less likely than that, 0 to 1",
    )


def run(args: argparse.Namespace) -> int:
    """Analyse everything named; exit 1 when any cell failed."""
    if args.catalogue is not None:
        from ccdmon.cli.many import run_many

        return run_many(args)
    if args.out is not None:
        _refuse_overwriting(args.out, args.traces)
    options = options_of(args)
    sources = [open_source(name, args, options, drawn=args.out is not None) for name in args.traces]
    documents = [source.document for source in sources]
    if args.out is not None:
        _write(args, sources, documents)
    if args.json:
        print(json.dumps(_joined(sources, documents), allow_nan=False))
    else:
        _print(sources, documents)
    return EXIT_NEGATIVE if any(document["verdict"] == "failed" for document in documents) else EXIT_FINE


def _refuse_overwriting(out: Path, traces: list[str]) -> None:
    """A run folder takes the report of its own recording only, and none while it is recorded."""
    from ccdmon.run.folder import is_run_folder
    from ccdmon.run.lock import is_recorded_now

    for name, folder in zip(traces, _folders(out, traces), strict=True):
        if not folder.is_dir() or not is_run_folder(folder):
            continue
        if Path(name).resolve() != folder.resolve():
            raise InputError(f"--out {folder}: holds another recording and its report; choose another folder")
        if is_recorded_now(folder):
            raise InputError(
                f"--out {folder}: is being recorded and gets its report then; choose another folder"
            )


def open_source(name: str, args: argparse.Namespace, options: Options, *, drawn: bool) -> Subject:
    """A trace or cycler's file, `-`, or a run folder; a given area replaces its own. Raises `InputError` for others.

    A run folder and a long file are read piece by piece, at bounded memory: if it is to be `drawn`, the trace holds the
    rows that figures need.
    """
    source = open_rows(name, args)
    found = analysed(source, drawn=drawn, **options)
    monitoring = _monitoring(source.run, found.trip_row) if source.run else None
    told = told_of(source)
    for note in found.document["notes"]:
        if note not in told:
            print(f"{name}: note: {note}", file=sys.stderr)
    trace = with_area(found.trace, args)
    return Subject(name, trace, found.document, monitoring, source.run, options["impedance"])


def _monitoring(run: "RunRows", trip_row: int | None) -> "Monitoring":
    from ccdmon.run.monitoring import monitoring_of

    return monitoring_of(run, trip_row)


def options_of(args: argparse.Namespace) -> Options:
    """The options of the analysis on the command line; the spectra are read and compared here, once."""
    given: Options = {"area_cm2": args.area_cm2, "min_probability": args.min_probability}
    before, after = args.eis_before, args.eis_after
    notes: tuple[str, ...] = ()
    between: tuple[Path, ...] = ()
    if args.eis is not None:
        before, after, notes, between = _paired(args)
    if before is None and after is None:
        return {**given, "impedance": compare(None, None)}
    from ccdmon.formats.impedance.files import read_pair

    pair = read_pair(before, after, args.eis_columns, args.eis_select, between)
    for note in (*notes, *pair.notes):
        print(f"note: {note}", file=sys.stderr)
    return {**given, "impedance": compare(pair.before, pair.after, pair.series)}


def _paired(args: argparse.Namespace) -> "Paired":
    """The files of `--eis`. Raises `InputError` beside other spectra, or for several traces."""
    if args.eis_before is not None or args.eis_after is not None:
        raise InputError(
            "--eis finds the spectra before and after by itself; leave --eis-before and --eis-after out"
        )
    traces = args.traces if hasattr(args, "traces") else [args.source]
    if len(traces) > 1:
        raise InputError("--eis: one cell's spectra; analyze one trace at a time")
    from ccdmon.formats.impedance.pairing import paired

    return paired(args.eis, None if traces[0] == "-" else Path(traces[0]), args.eis_columns)


def _joined(sources: list[Subject], documents: list[dict[str, Any]]) -> dict[str, Any]:
    if len(documents) == 1:
        return documents[0]
    reports = [{"source": s.name, "report": d} for s, d in zip(sources, documents, strict=True)]
    return {"schema": REPORTS_SCHEMA, "reports": reports}


def _write(args: argparse.Namespace, sources: list[Subject], documents: list[dict[str, Any]]) -> None:
    """One report goes into `--out` itself, several each into a folder of the trace's name."""
    from ccdmon.report.page import write_reports  # matplotlib takes half a second
    from ccdmon.run.stored_rows import derive_trace

    folders = _folders(args.out, [source.name for source in sources])
    for source, document, folder in zip(sources, documents, folders, strict=True):
        write_reports(document, source.trace, folder, source.monitoring, source.context)
        if source.run is not None and folder.resolve() == source.run.folder.resolve():
            derive_trace(folder)
        print(f"report: {folder / 'report.html'}", file=sys.stderr)


def _folders(out: Path, traces: list[str]) -> list[Path]:
    if len(traces) == 1:
        return [out]
    names = [Path(name).name.split(".bdf")[0] for name in traces]
    return [
        out / (name if names.count(name) == 1 else f"{index:02d}-{name}") for index, name in enumerate(names)
    ]


def _print(sources: list[Subject], documents: list[dict[str, Any]]) -> None:
    from ccdmon.report.terminal import print_report

    for index, (source, document) in enumerate(zip(sources, documents, strict=True)):
        if index:
            print()
        print_report(document, source.trace.cell, source.name, remarks=source.context.remarks)
