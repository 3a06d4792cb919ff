"""`ccdmon convert`: a trace or a cycler's file into the Battery Data Format with its sidecar; impedance into
`.eis.csv`."""

import argparse
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ccdmon.cli.options import add_impedance_arguments, add_import_arguments, positive, refuse_two_documents
from ccdmon.cli.traces import open_file, pieces_of
from ccdmon.errors import EXIT_FINE
from ccdmon.formats.bdf.read import has_standard_columns, read_table
from ccdmon.formats.bdf.sidecar import write_cell
from ccdmon.formats.bdf.write import write_bdf, write_pieces, write_table
from ccdmon.formats.impedance.csv import write_eis_csv
from ccdmon.formats.impedance.files import read_eis
from ccdmon.formats.importer import is_long
from ccdmon.model.trace import Trace

SCHEMA = "ccdmon.convert/1"
BDF: dict[str, Any] = {"format": "Battery Data Format", "notes": []}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "source", metavar="TRACE", help="a trace or cycler's file, a run folder, or - for stdin"
    )
    parser.add_argument(
        "target",
        metavar="OUT",
        help=".bdf.csv, .bdf.csv.gz or .bdf.parquet, .eis.csv for impedance, or - for CSV on stdout",
    )
    add_import_arguments(parser)
    add_impedance_arguments(parser)
    parser.add_argument("--area-cm2", type=positive, metavar="A", help="electrode area, for the sidecar")
    parser.add_argument("--json", action="store_true", help="one JSON document on stdout")


def run(args: argparse.Namespace) -> int:
    """Check the trace, then write it; columns that BDF does not know are kept where the source is BDF, too."""
    refuse_two_documents(args.target, args.json)
    about = BDF
    if args.target.endswith(".eis.csv"):
        rows, about = _convert_spectra(args)
    elif args.source != "-" and Path(args.source).is_dir():
        rows = write_pieces(pieces_of(args.source, args), args.target)
    else:
        rows, about = _convert_file(args)
    if args.json:
        told = {"source": args.source, "path": args.target, "rows": rows, "notes": about["notes"]}
        print(json.dumps({"schema": SCHEMA, "format": about["format"], **told}))
    return EXIT_FINE


def _convert_file(args: argparse.Namespace) -> tuple[int, dict[str, Any]]:
    """(rows, what the file was); what BDF calls by no name is kept where the source is BDF and not very long."""
    if args.source != "-" and not args.salvage and is_long(Path(args.source)):
        return _convert_long(args)
    trace = open_file(args.source, args)
    imported = trace.cell.metadata.get("import")
    if args.source == "-" or imported is not None or not has_standard_columns(args.source):
        write_bdf(trace, args.target)
    else:
        write_table(read_table(args.source, keep_unknown=True), args.target)
        if args.target != "-":
            write_cell(trace.cell, Path(args.target))
    return len(trace), imported or BDF


def _convert_long(args: argparse.Namespace) -> tuple[int, dict[str, Any]]:
    """As `_convert_file`, piece by piece."""
    about: dict[str, Any] = {}

    def pieces() -> Iterator[Trace]:
        for piece in pieces_of(args.source, args):
            seen = piece.cell.metadata.get("import", BDF)
            about.update(seen, notes=list(dict.fromkeys([*about.get("notes", []), *piece.notes])))
            yield piece

    return write_pieces(pieces(), args.target), about


def _convert_spectra(args: argparse.Namespace) -> tuple[int, dict[str, Any]]:
    """(points, what was assumed): all spectra of the file, in its order."""
    read = read_eis(args.source, args.eis_columns)
    for note in read.notes:
        print(f"{args.source}: note: {note}", file=sys.stderr)
    write_eis_csv(read.spectra, Path(args.target))
    return sum(map(len, read.spectra)), {"format": "impedance", "notes": read.notes}
