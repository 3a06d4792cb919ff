"""`ccdmon report`: the self-contained page and the JSON document of one trace or run folder."""

import argparse
from pathlib import Path

from ccdmon.cli.analyze import add_import_arguments, document_of, open_source, positive
from ccdmon.errors import EXIT_FINE, InputError
from ccdmon.report import write_reports


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("source", metavar="TRACE", help="a trace or cycler's file, or a run folder")
    add_import_arguments(parser)
    parser.add_argument(
        "--out", type=Path, metavar="DIR", help="where to write (default: the run folder itself)"
    )
    parser.add_argument(
        "--area-cm2", type=positive, metavar="A", help="electrode area; wins over the sidecar's"
    )
    parser.add_argument("--eis-before", type=Path, metavar="F", help="impedance before the test")
    parser.add_argument("--eis-after", type=Path, metavar="F", help="impedance after the test")


def run(args: argparse.Namespace) -> int:
    """Write `report.html` and `report.json`; prints where the page is."""
    folder = args.out or (Path(args.source) if Path(args.source).is_dir() else None)
    if folder is None:
        raise InputError(f"{args.source}: not a run folder; say with --out where the report shall go")
    source = open_source(args.source, args)
    write_reports(document_of(source, args), source.trace, folder, source.monitoring)
    print(folder / "report.html")
    return EXIT_FINE
