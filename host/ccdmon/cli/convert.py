"""`ccdmon convert`: a trace or a cycler's file into the Battery Data Format, with its sidecar."""

import argparse
import json
from pathlib import Path

from ccdmon.cli.analyze import open_source
from ccdmon.cli.options import add_import_arguments, positive, refuse_two_documents
from ccdmon.errors import EXIT_FINE
from ccdmon.formats.bdf import read_table, write_bdf, write_table
from ccdmon.formats.sidecar import write_cell

SCHEMA = "ccdmon.convert/1"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "source", metavar="TRACE", help="a trace or cycler's file, a run folder, or - for stdin"
    )
    parser.add_argument(
        "target", metavar="OUT", help=".bdf.csv, .bdf.csv.gz or .bdf.parquet, or - for CSV on stdout"
    )
    add_import_arguments(parser)
    parser.add_argument("--area-cm2", type=positive, metavar="A", help="electrode area, for the sidecar")
    parser.add_argument("--json", action="store_true", help="one JSON document on stdout")


def run(args: argparse.Namespace) -> int:
    """Check the trace, then write it; columns that BDF does not know are kept where the source is BDF, too."""
    refuse_two_documents(args.target, args.json)
    trace = open_source(args.source, args).trace
    about = trace.cell.metadata.get("import")
    if args.source == "-" or Path(args.source).is_dir() or about is not None:
        write_bdf(trace, args.target)
    else:
        write_table(read_table(args.source, keep_unknown=True), args.target)
        if args.target != "-":
            write_cell(trace.cell, Path(args.target))
    if args.json:
        known = about or {"format": "Battery Data Format", "notes": []}
        told = {"source": args.source, "path": args.target, "rows": len(trace), "notes": known["notes"]}
        print(json.dumps({"schema": SCHEMA, "format": known["format"], **told}))
    return EXIT_FINE
