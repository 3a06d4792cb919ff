"""`ccdmon merge`: a cycler's file and a rig's recording of the same test on one time axis."""

import argparse
import json
import sys
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path

from ccdmon.cli.options import add_import_arguments, refuse_two_documents
from ccdmon.cli.traces import pieces_of
from ccdmon.errors import EXIT_FINE
from ccdmon.formats.bdf.sidecar import write_cell
from ccdmon.formats.bdf.write import write_table
from ccdmon.model.trace import Cell, Trace, joined
from ccdmon.run.merge import align, current_steps
from ccdmon.run.merge_rows import merged_table
from ccdmon.run.sources import run_folder

SCHEMA = "ccdmon.merge/1"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("cycler", metavar="CYCLER_FILE", help="the cycler's own file, or any trace")
    parser.add_argument("rig", metavar="RUN", help="a run folder, or the trace made of one")
    parser.add_argument(
        "--out", required=True, metavar="F", help=".bdf.csv, .bdf.csv.gz or .bdf.parquet; - is stdout"
    )
    parser.add_argument(
        "--near-s", type=float, metavar="S", help="about where the cycler's zero lies on the rig's clock"
    )
    add_import_arguments(parser)
    parser.add_argument("--json", action="store_true", help="one JSON document on stdout")


def run(args: argparse.Namespace) -> int:
    """Align, say how well, write the cycler's rows with what the rig saw."""
    refuse_two_documents(args.out, args.json)
    cycler = joined(list(pieces_of(args.cycler, args)))
    rig, rig_cell = _rig(args)
    alignment = align(current_steps([cycler]), current_steps(rig()), near_s=args.near_s)
    time_s = alignment.rig_time_s(cycler.test_time_s)
    write_table(merged_table(cycler, rig(), time_s, opposite_signs=alignment.opposite_signs), args.out)
    cell = cycler.cell if cycler.cell.electrode_area_cm2 is not None else rig_cell
    cell = cell.with_stated_of(rig_cell)
    about = {"cycler": str(args.cycler), "rig": str(args.rig), **alignment.document()}
    if args.out != "-":
        write_cell(replace(cell, metadata={**cell.metadata, "merge": about}), Path(args.out))
    if args.json:
        print(json.dumps({"schema": SCHEMA, "path": args.out, **about}))
    else:
        a = alignment
        print(
            f"rig time = {a.offset_s:.6g} s + cycler time, {_drift(a.drift_ppm)}; {a.matched} of {a.steps} "
            f"current steps agree within {a.residual_s:.3g} s (1 sigma)"
            + (", currents of opposite sign: the rig's were turned" if a.opposite_signs else ""),
            file=sys.stderr,
        )
    return EXIT_FINE


def _drift(ppm: float) -> str:
    """How the cycler's clock runs against the rig's, as one would say it."""
    a_day_s = abs(ppm) * 86400e-6
    return f"the cycler's clock {'slow' if ppm > 0 else 'fast'} by {a_day_s:.2g} s a day ({ppm:+.1f} ppm)"


def _rig(args: argparse.Namespace) -> tuple[Callable[[], Iterable[Trace]], Cell]:
    """The rig's rows, as often as asked for: a run folder's are read anew each time, for they may not fit in memory."""
    run = run_folder(args.rig)
    if run is not None:
        return lambda: pieces_of(args.rig, args), run.cell
    whole = list(pieces_of(args.rig, args))
    return lambda: whole, whole[0].cell
