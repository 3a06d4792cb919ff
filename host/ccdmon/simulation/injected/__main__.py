"""Injects failures into recordings of healthy cells and writes the traces, each with sidecar and truth."""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from ccdmon.errors import EXIT_FINE, InputError, told_in_one_line
from ccdmon.formats.bdf.write import write_bdf
from ccdmon.simulation.injected.generate import INJECTIONS, inject, recording_of


@told_in_one_line
def main(argv: Sequence[str] | None = None) -> int:
    """One trace for each kind of injection and seed that one of the recordings can take."""
    parser = argparse.ArgumentParser(prog="python -m ccdmon.simulation.injected", description=__doc__)
    parser.add_argument(
        "traces", nargs="*", metavar="TRACE[@FROM:TO]", help="a healthy recording, or its healthy rows"
    )
    parser.add_argument("--list", action="store_true", help="list the kinds of injection and stop")
    parser.add_argument("--kind", action="append", metavar="NAME", help="only these (default: all)")
    parser.add_argument("--seeds", type=int, default=1, metavar="N", help="traces of each kind (default 1)")
    parser.add_argument("--first-seed", type=int, default=0, metavar="N")
    parser.add_argument("--out", metavar="DIR", type=Path, help="folder to write into")
    args = parser.parse_args(argv)
    if args.list:
        print("\n".join(f"{name:<15} {injection.help}" for name, injection in INJECTIONS.items()))
        return EXIT_FINE
    _write(args)
    return EXIT_FINE


def _write(args: argparse.Namespace) -> None:
    if not args.traces or args.out is None:
        raise InputError("a TRACE and --out DIR are needed (--list shows the kinds of injection)")
    recordings = [recording_of(text) for text in args.traces]
    args.out.mkdir(parents=True, exist_ok=True)
    for kind in args.kind or INJECTIONS:
        for seed in range(args.first_seed, args.first_seed + args.seeds):
            made = inject(kind, seed, recordings)
            if made is None:
                print(f"{kind}: none of these recordings can take it", file=sys.stderr)
                break
            stem = f"{kind}_s{seed}"
            write_bdf(made.trace, args.out / f"{stem}.bdf.csv")
            truth = json.dumps(made.truth, indent=1) + "\n"
            (args.out / f"{stem}.truth.json").write_text(truth, encoding="utf-8")


if __name__ == "__main__":
    raise SystemExit(main())
