"""`ccdmon simulate`: writes a labelled ground-truth trace from the cell model."""

import argparse
import json
import sys
from dataclasses import fields
from pathlib import Path
from typing import Any

from ccdmon.cli.options import refuse_two_documents
from ccdmon.errors import EXIT_FINE, InputError

_HELP = {
    "protocol": "time_control, capacity_control, endurable_time or long_cycling",
    "configuration": "symmetric, half or full",
    "area_cm2": "electrode area",
    "row_interval_s": "time between rows",
    "half_cycle_s": "duration of a half-cycle",
    "levels": "number of current levels",
    "first_mA_cm2": "current density of the first level",
    "step_mA_cm2": "rise per level",
    "cycles_per_level": "cycles at each level",
    "polarisation_V": "polarisation at the first level",
    "noise": "voltage noise over the polarisation of the first level",
    "rests": "rests between half-cycles, or none",
    "pressure": "a pressure column, or none",
    "max_rows": "about how many rows at most",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The verb's options; what is not given, the seed decides."""
    parser.add_argument("--list", action="store_true", help="list the scenarios and stop")
    parser.add_argument("--scenario", metavar="NAME", help="what happens to the cell (see --list)")
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="same seed, same trace (default 0)")
    parser.add_argument(
        "--out", metavar="F", help="trace to write (.bdf.csv, .bdf.csv.gz, .bdf.parquet); - is stdout"
    )
    parser.add_argument(
        "--eis", action="store_true", help="also write impedance spectra before and after the test"
    )
    parser.add_argument("--json", action="store_true", help="print the truth document on stdout")
    group = parser.add_argument_group("instead of the seed's choice")
    for name, text in _HELP.items():
        flag = "--" + name.replace("_", "-").lower()
        if name in ("rests", "pressure"):
            group.add_argument(
                flag, dest=name, action=argparse.BooleanOptionalAction, default=None, help=text
            )
        else:
            group.add_argument(flag, dest=name, type=_kind(name), default=None, metavar="X", help=text)


def _kind(name: str) -> type:
    if name in ("levels", "cycles_per_level", "max_rows"):
        return int
    return str if name in ("protocol", "configuration") else float


def run(args: argparse.Namespace) -> int:
    """Simulate and write trace, sidecar and truth file. Raises InputError."""
    if args.list:
        return _list(args.json)
    if not args.scenario or not args.out:
        raise InputError("--scenario NAME and --out F are needed (--list shows the scenarios)")
    if args.seed < 0:
        raise InputError(f"--seed must not be negative, not {args.seed}")
    refuse_two_documents(args.out, args.json)
    from ccdmon.simulation.simulate import Options, simulate

    chosen = {item.name: getattr(args, item.name) for item in fields(Options)}
    result = simulate(args.scenario, args.seed, **chosen)
    written = _write(result, args.out, args.eis)
    if args.json:
        print(json.dumps(result.truth, indent=1))
    elif args.out != "-":
        found = ", ".join(f"{e['kind']} from row {e['row']}" for e in result.truth["events"]) or "no event"
        print(f"{len(result.trace)} rows, {found}: {', '.join(map(str, written))}", file=sys.stderr)
    return EXIT_FINE


def truth_path(trace_path: Path) -> Path:
    """`NAME.truth.json` beside `NAME.bdf.csv`."""
    return trace_path.with_name(_stem(trace_path) + ".truth.json")


def _stem(path: Path) -> str:
    name = path.name
    for ending in (".csv.gz", ".csv", ".parquet"):
        name = name.removesuffix(ending)
    return name.removesuffix(".bdf")


def _write(result: Any, out: str, with_eis: bool) -> list[str]:
    """Trace with sidecar, truth, and the pair of spectra; what was written."""
    from ccdmon.formats.bdf.write import write_bdf
    from ccdmon.formats.impedance.csv import write_eis_csv

    if out != "-":
        spectra = result.eis if with_eis or result.truth["class"] == "fake_stable" else {}
        names = {when: Path(out).with_name(f"{_stem(Path(out))}.eis-{when}.csv") for when in spectra}
        result.truth["eis"] = {when: path.name for when, path in names.items()}
    write_bdf(result.trace, out)
    if out == "-":
        return ["stdout"]
    truth_path(Path(out)).write_text(json.dumps(result.truth, indent=1) + "\n")
    for when, path in names.items():
        write_eis_csv(spectra[when], path)
    return [out, str(truth_path(Path(out))), *map(str, names.values())]


def _list(as_json: bool) -> int:
    from ccdmon.simulation.scenarios import SCENARIOS

    if as_json:
        print(
            json.dumps({name: {"class": s.class_, "help": s.help} for name, s in SCENARIOS.items()}, indent=1)
        )
        return EXIT_FINE
    width = max(map(len, SCENARIOS))
    for name, scenario in SCENARIOS.items():
        print(f"{name:<{width}}  {scenario.help}")
    return EXIT_FINE
