"""`ccdmon validate`: whether files are traces that ccdmon can use, without analysing them."""

import argparse
import json
from pathlib import Path
from typing import Any

from ccdmon.cli.options import add_impedance_arguments, add_import_arguments
from ccdmon.cli.traces import pieces_of
from ccdmon.errors import EXIT_FINE, EXIT_NEGATIVE, InputError
from ccdmon.formats.cyclers.dialect import IMPEDANCE_LINE
from ccdmon.formats.impedance.files import read_eis
from ccdmon.formats.opening import read_head
from ccdmon.model.trace import COLUMN_FIELDS
from ccdmon.report.words import duration
from ccdmon.run.folder import is_run_folder


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "traces", nargs="+", metavar="TRACE", help="a trace or cycler's file, a run folder, or - for stdin"
    )
    add_import_arguments(parser)
    add_impedance_arguments(parser)
    parser.add_argument("--json", action="store_true", help="one JSON document on stdout")


def run(args: argparse.Namespace) -> int:
    """One line for each file; exit 1 when any is no usable trace, 2 when one cannot be read at all."""
    for name in args.traces:
        _openable(name)
    results = [_check(name, args) for name in args.traces]
    if args.json:
        print(json.dumps({"schema": "ccdmon.validate/1", "files": results}))
    else:
        for result in results:
            print(_line(result))
    return EXIT_FINE if all(result["valid"] for result in results) else EXIT_NEGATIVE


def _openable(name: str) -> None:
    """Raises `InputError` for what is not there, a folder of something else, a pipe, or what may not be read."""
    path = Path(name)
    if name == "-":
        return
    if not path.is_dir():
        read_head(path, 2)
    elif not is_run_folder(path):
        raise InputError(f"{name}: a folder without frames.bin; name a trace file or a run folder")


def _check(name: str, args: argparse.Namespace) -> dict[str, Any]:
    rows, begin_s = 0, None
    try:
        for trace in pieces_of(name, args):
            rows += len(trace)
            begin_s = float(trace.test_time_s[0]) if begin_s is None else begin_s
    except InputError as error:
        if args.eis_columns is not None or IMPEDANCE_LINE in str(error):
            return _check_spectra(name, args)
        return {"source": name, "valid": False, "error": str(error)}
    assert begin_s is not None  # a trace has rows, or reading it raised
    return {
        "source": name,
        "valid": True,
        "format": trace.cell.metadata.get("import", {}).get("format", "Battery Data Format"),
        "rows": rows,
        "duration_s": float(trace.test_time_s[-1]) - begin_s,
        "columns": [column for column in COLUMN_FIELDS if getattr(trace, column) is not None],
        "electrode_area_cm2": trace.cell.electrode_area_cm2,
        "notes": list(trace.notes),
    }


def _check_spectra(name: str, args: argparse.Namespace) -> dict[str, Any]:
    try:
        read = read_eis(name, args.eis_columns)
    except InputError as error:
        return {"source": name, "valid": False, "error": str(error)}
    points = [len(spectrum) for spectrum in read.spectra]
    return {"source": name, "valid": True, "format": "impedance", "points": points, "notes": read.notes}


def _line(result: dict[str, Any]) -> str:
    if not result["valid"]:
        return f"invalid  {result['error']}"
    if "points" in result:
        points = result["points"]
        return f"valid    {result['source']}: impedance, {len(points)} spectra, {sum(points)} points"
    area = result["electrode_area_cm2"]
    return f"valid    {result['source']}: {result['rows']} rows, {duration(result['duration_s'])}, " + (
        f"{area:g} cm²" if area is not None else "no electrode area (no sidecar)"
    )
