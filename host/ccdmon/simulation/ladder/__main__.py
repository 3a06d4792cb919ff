"""The command of this world: list its kinds, write one trace with sidecar and truth."""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from ccdmon.errors import EXIT_FINE, InputError, told_in_one_line
from ccdmon.formats.bdf.write import write_bdf
from ccdmon.simulation.ladder.generate import generate
from ccdmon.simulation.ladder.kinds import KINDS


@told_in_one_line
def main(argv: Sequence[str] | None = None) -> int:
    """Write the trace that a kind's seed stands for."""
    parser = argparse.ArgumentParser(prog="python -m ccdmon.simulation.ladder", description=__doc__)
    parser.add_argument("--list", action="store_true", help="list the kinds and stop")
    parser.add_argument("--kind", metavar="NAME", help="what the test is and what befalls it (see --list)")
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="same seed, same trace (default 0)")
    parser.add_argument("--out", metavar="F", help="trace to write (.bdf.csv, .bdf.csv.gz, .bdf.parquet)")
    args = parser.parse_args(argv)
    if args.list:
        print("\n".join(f"{name:<17} {kind.reads:<14} {kind.help}" for name, kind in KINDS.items()))
        return EXIT_FINE
    if not args.kind or not args.out:
        raise InputError("--kind NAME and --out F are needed (--list shows the kinds)")
    made = generate(args.kind, args.seed)
    write_bdf(made.trace, args.out)
    truth = Path(str(args.out).split(".bdf", maxsplit=1)[0] + ".truth.json")
    truth.write_text(json.dumps(made.truth, indent=1) + "\n", encoding="utf-8")
    print(f"{len(made.trace)} rows, {made.truth['class']}: {args.out}, {truth}", file=sys.stderr)
    return EXIT_FINE


if __name__ == "__main__":
    raise SystemExit(main())
