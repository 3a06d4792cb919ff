"""`ccdmon convert`: a trace from one form of the Battery Data Format to another, every column kept."""

import argparse
from pathlib import Path

from ccdmon.errors import EXIT_FINE
from ccdmon.formats.bdf import read_bdf, read_table, write_bdf, write_table
from ccdmon.formats.sidecar import read_cell, write_cell
from ccdmon.run_folder import open_run


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("source", metavar="TRACE", help="a trace or a run folder, or - for CSV on stdin")
    parser.add_argument(
        "target", metavar="OUT", help=".bdf.csv, .bdf.csv.gz or .bdf.parquet, or - for CSV on stdout"
    )


def run(args: argparse.Namespace) -> int:
    """Check the trace, then write it with its sidecar; columns that BDF does not know are kept."""
    if args.source == "-":
        write_bdf(read_bdf("-"), args.target)
    elif Path(args.source).is_dir():
        write_bdf(open_run(Path(args.source)).trace, args.target)
    else:
        read_bdf(args.source)  # refuses what is not a trace, before anything is written
        write_table(read_table(args.source, keep_unknown=True), args.target)
        if args.target != "-":
            write_cell(read_cell(Path(args.source)), Path(args.target))
    return EXIT_FINE
