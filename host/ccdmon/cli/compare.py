"""`ccdmon compare`: what a new version judges otherwise, cell by cell."""

import argparse
import json
from dataclasses import asdict
from pathlib import Path

from ccdmon.cli.tables import print_table
from ccdmon.errors import EXIT_FINE, EXIT_NEGATIVE

SCHEMA = "ccdmon.compare/1"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "catalogue",
        type=Path,
        metavar="DIR",
        help="a catalogue that both versions wrote into (--catalogue DIR)",
    )
    parser.add_argument(
        "--versions",
        nargs=2,
        required=True,
        metavar=("A", "B"),
        help="old and new: the version of ccdmon or the beginning of the core's hash (columns software, core)",
    )
    parser.add_argument("--json", action="store_true", help="one JSON document on stdout")


def run(args: argparse.Namespace) -> int:
    """Print each cell that is judged otherwise; exit 1 when there is one."""
    from ccdmon.catalogue.versions import compare

    found = compare(args.catalogue, *args.versions)
    if args.json:
        print(
            json.dumps({"schema": SCHEMA, "catalogue": str(args.catalogue), **asdict(found)}, allow_nan=False)
        )
        return EXIT_NEGATIVE if found.changes else EXIT_FINE
    lines = [
        (entry["file"], name, _plain(before), _plain(after))
        for entry in found.changes
        for name, (before, after) in entry["changed"].items()
    ]
    if lines:
        print_table([("file", "column", found.core_a, found.core_b), *lines])
        print()
    print(
        f"{len(found.changes)} judged otherwise, {found.same} alike; not compared: {found.only_a} by "
        f"{found.core_a} alone, {found.only_b} by {found.core_b} alone, {found.inputs_changed} that were edited between"
    )
    return EXIT_NEGATIVE if found.changes else EXIT_FINE


def _plain(value: object) -> str:
    return "–" if value is None else f"{value:.6g}" if isinstance(value, float) else str(value)
