"""`ccdmon protocol`: the rig file's test as a file for the cycler."""

import argparse
import json
import sys
from pathlib import Path

from ccdmon.cli.options import refuse_two_documents
from ccdmon.errors import EXIT_FINE

SPECTRA = {
    "none": "",
    "before_after": ", a spectrum before and after",
    "each_level": ", a spectrum before and after each level",
}
SCHEMA = "ccdmon.protocol/1"
CYCLERS = ("biologic", "neware", "tomato", "pybamm", "unicycler")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("rig", type=Path, metavar="RIG", help="rig file with a [protocol] (see ccdmon init)")
    parser.add_argument("--cycler", choices=CYCLERS, required=True, help="whose file to write")
    parser.add_argument(
        "--out", metavar="F", help="the file (default: the rig file's name with the cycler's ending)"
    )
    parser.add_argument("--json", action="store_true", help="one JSON document on stdout")


def run(args: argparse.Namespace) -> int:
    """Write the cycler's file; `--out -` is stdout."""
    refuse_two_documents(args.out, args.json)
    from ccdmon.report.words import duration
    from ccdmon.rig.cycler_protocol import ENDINGS, write_protocol
    from ccdmon.rig.rig_file import read_rig

    rig = read_rig(args.rig)
    out = args.out or str(args.rig.with_name(f"{args.rig.stem}.{args.cycler}{ENDINGS[args.cycler]}"))
    text = write_protocol(rig, args.cycler, None if out == "-" else Path(out))
    assert rig.protocol is not None, "or writing would have been refused"
    program = rig.protocol.program()
    if out == "-":
        sys.stdout.write(text)
    elif args.json:
        about = {"path": out, "cycler": args.cycler, "duration_s": program.duration_s}
        print(json.dumps({"schema": SCHEMA, **about, "protocol": rig.document()["protocol"]}))
    else:
        print(out)
        print(
            f"{program.kind.replace('_', ' ')}, {len(program.levels_mA_cm2)} levels, {duration(program.duration_s)}"
            + SPECTRA[rig.protocol.impedance],
            file=sys.stderr,
        )
    return EXIT_FINE
