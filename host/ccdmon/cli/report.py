"""`ccdmon report`: the self-contained page and the JSON document of one trace or run folder."""

import argparse
import json
from pathlib import Path

from ccdmon.cli.analyze import add_analysis_arguments, open_source, options_of
from ccdmon.errors import EXIT_FINE, InputError

SCHEMA = "ccdmon.report-files/1"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("source", metavar="TRACE", help="a trace or cycler's file, or a run folder")
    add_analysis_arguments(parser)
    parser.add_argument(
        "--out", type=Path, metavar="DIR", help="where to write (default: the run folder itself)"
    )
    parser.add_argument(
        "--figures", action="store_true", help="also every figure as SVG and PNG, for a paper"
    )
    parser.add_argument("--json", action="store_true", help="one JSON document on stdout")


def run(args: argparse.Namespace) -> int:
    """Write `report.html` and `report.json`; prints where the page is."""
    from ccdmon.report.figures import write_figures
    from ccdmon.report.page import write_reports  # matplotlib takes half a second

    folder = args.out or (Path(args.source) if Path(args.source).is_dir() else None)
    if folder is None and not Path(args.source).exists() and args.source != "-":
        raise InputError(f"{args.source}: there is no such file or run folder; check the path")
    if folder is None:
        raise InputError(f"{args.source}: not a run folder; say with --out where the report shall go")
    source = open_source(args.source, args, options_of(args), drawn=True)
    document, context = source.document, source.context
    write_reports(document, source.trace, folder, source.monitoring, context)
    trip_row = source.monitoring.trip_row if source.monitoring else None
    figures = []
    if args.figures:
        figures = write_figures(document, source.trace, folder / "figures", trip_row, context)
    page = folder / "report.html"
    if args.json:
        written = {
            "page": str(page),
            "document": str(folder / "report.json"),
            "figures": [str(f) for f in figures],
        }
        print(json.dumps({"schema": SCHEMA, **written, "report": document}, allow_nan=False))
    else:
        print(page, *figures, sep="\n")
    return EXIT_FINE
