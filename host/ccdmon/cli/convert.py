"""`ccdmon convert`: a trace or a cycler's file into the Battery Data Format, with its sidecar."""

import argparse
from pathlib import Path

from ccdmon.cli.analyze import add_import_arguments, open_source, positive
from ccdmon.errors import EXIT_FINE
from ccdmon.formats.bdf import read_table, write_bdf, write_table
from ccdmon.formats.sidecar import write_cell


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "source", metavar="TRACE", help="a trace or cycler's file, a run folder, or - for stdin"
    )
    parser.add_argument(
        "target", metavar="OUT", help=".bdf.csv, .bdf.csv.gz or .bdf.parquet, or - for CSV on stdout"
    )
    add_import_arguments(parser)
    parser.add_argument("--area-cm2", type=positive, metavar="A", help="electrode area, for the sidecar")


def run(args: argparse.Namespace) -> int:
    """Check the trace, then write it; columns that BDF does not know are kept where the source is BDF, too."""
    trace = open_source(args.source, args).trace
    imported = "import" in trace.cell.metadata
    if args.source == "-" or Path(args.source).is_dir() or imported:
        write_bdf(trace, args.target)
        return EXIT_FINE
    write_table(read_table(args.source, keep_unknown=True), args.target)
    if args.target != "-":
        write_cell(trace.cell, Path(args.target))
    return EXIT_FINE
