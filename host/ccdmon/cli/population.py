"""`ccdmon population`: the critical current density of a catalogue's cells, what is censored treated as such."""

import argparse
import json
from pathlib import Path

from ccdmon.cli.tables import print_table
from ccdmon.errors import EXIT_FINE


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "catalogue", type=Path, metavar="DIR", help="what `ccdmon analyze FOLDER --catalogue DIR` wrote"
    )
    parser.add_argument(
        "--by",
        default="",
        metavar="NAME,...",
        help="compare groups: electrolyte, temperature_degC, any column or key of the sidecars",
    )
    parser.add_argument("--out", type=Path, metavar="FILE", help="the page (default DIR/population.html)")
    parser.add_argument("--json", action="store_true", help="one JSON document on stdout")


def run(args: argparse.Namespace) -> int:
    """Write the page and print the table or the document."""
    from ccdmon.population.cells import read_population
    from ccdmon.population.page import PAGE, write_page
    from ccdmon.population.summary import needs_scipy, summary
    from ccdmon.population.words import comparison_rows, group_rows, left_out

    needs_scipy()
    by = [name.strip() for name in args.by.split(",") if name.strip()]
    document = summary(args.catalogue, read_population(args.catalogue, by))
    page = args.out or args.catalogue / PAGE
    write_page(document, page)
    if args.json:
        print(json.dumps(document, allow_nan=False))
        return EXIT_FINE
    print_table(group_rows(document))
    if document["comparisons"]:
        print()
        print_table(comparison_rows(document))
    print(f"\n{left_out(document)}\n{page}")
    return EXIT_FINE
