"""`ccdmon init`: writes a commented rig file, the one place where a rig is described."""

import argparse
import json
import sys
from dataclasses import asdict
from importlib.resources import files
from pathlib import Path
from string import Template
from typing import TYPE_CHECKING

from ccdmon.cli.options import positive, refuse_two_documents
from ccdmon.errors import EXIT_FINE, InputError
from ccdmon.model.kinds import CONFIGURATIONS, SYMMETRIC

if TYPE_CHECKING:
    from ccdmon.rig.sizing import Sizing

SCHEMA = "ccdmon.init/1"
RELAY = "relay"
WIRINGS = (RELAY, "biologic", "gamry")  # as drawn by ccdmon.rig.schematic, imported where one is wanted
QUESTIONS = (
    ("current", "largest current of the test, A"),
    ("voltage", "largest voltage of the cell, V"),
    ("pressure", "largest pressure on a load cell, Pa"),
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "file", nargs="?", default="rig.toml", metavar="FILE", help="default rig.toml; - is stdout"
    )
    parser.add_argument("--name", default="rig-1", metavar="NAME", help="what the rig is called in reports")
    parser.add_argument(
        "--port", default="auto", metavar="P", help="the board's port (default: the only one)"
    )
    parser.add_argument("--area-cm2", type=positive, metavar="A", help="electrode area")
    parser.add_argument("--configuration", choices=CONFIGURATIONS, default=SYMMETRIC, help="of the cell")
    parser.add_argument("--electrolyte", metavar="NAME", help="LLZO, Li6PS5Cl, PEO-LiTFSI, ...")
    parser.add_argument(
        "--voltage-full-scale",
        type=positive,
        metavar="V",
        help="default 5.27: the divider of firmware/README.md; 3.3: the finer one",
    )
    parser.add_argument("--current-full-scale", type=positive, metavar="A", help="default 0.01")
    sizing = parser.add_argument_group(
        "shunt and gain",
        "from the test's largest values; on a terminal they are asked; a full scale that is said counts",
    )
    sizing.add_argument("--current", type=positive, metavar="A", help="the largest that will flow")
    sizing.add_argument("--voltage", type=positive, metavar="V", help="the largest that the cell will reach")
    sizing.add_argument(
        "--pressure", type=positive, metavar="PA", help="the largest on a load cell, where there is one"
    )
    sizing.add_argument(
        "--bits",
        type=int,
        choices=range(8, 33),
        default=12,
        metavar="N",
        help="of the converter (default 12: the Pico's)",
    )
    parser.add_argument(
        "--voltage-limit",
        type=positive,
        metavar="V",
        help="cut off beyond (default 5, or what the divider shows)",
    )
    drawn = parser.add_argument_group("wiring", "a figure, and the parts on stderr (ccdmon[schematic])")
    drawn.add_argument("--schematic", type=Path, metavar="FILE.svg", help="draw it there")
    drawn.add_argument(
        "--wiring",
        choices=WIRINGS,
        default=RELAY,
        help="a relay in the cell's path (default), or a potentiostat's stop",
    )
    parser.add_argument("--force", action="store_true", help="replace a file that is there")
    parser.add_argument("--json", action="store_true", help="one JSON document on stdout")


def run(args: argparse.Namespace) -> int:
    """Write the file; it is read back and checked before this says that it is there."""
    refuse_two_documents(args.file, args.json)
    _ask(args)
    sizing = _sizing(args)
    text = rig_text(args, sizing)
    if args.schematic is not None:
        _draw(args, sizing)
    if args.file == "-":
        sys.stdout.write(text)
        return EXIT_FINE
    path = Path(args.file)
    if path.exists() and not args.force:
        raise InputError(f"{path}: is there already; choose another name, or replace it with --force")
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise InputError(f"{path}: cannot write ({error.strerror}); choose another folder") from error
    from ccdmon.rig.rig_file import read_rig

    rig = read_rig(path)
    if args.json:
        sized = {} if sizing is None else {"sizing": asdict(sizing)}
        print(json.dumps({"schema": SCHEMA, "path": str(path), "rig": rig.document(), **sized}))
    else:
        print(path)
        for line in [] if sizing is None else sizing.lines():
            print(line, file=sys.stderr)
    return EXIT_FINE


def _ask(args: argparse.Namespace) -> None:
    """For the test's largest values, where somebody sits there and none was said; nothing: it is left as it is."""
    said = (args.current, args.current_full_scale)
    if (
        args.json
        or args.file == "-"
        or args.wiring != RELAY
        or said != (None, None)
        or not (sys.stdin.isatty() and sys.stderr.isatty())
    ):
        return
    for name, question in QUESTIONS:
        if getattr(args, name) is None:
            setattr(args, name, _answer(f"{question} (Enter: leave it): "))
        if args.current is None:
            return


def _answer(question: str) -> float | None:
    while True:
        print(question, end="", file=sys.stderr, flush=True)
        text = sys.stdin.readline().strip()
        try:
            return positive(text) if text else None
        except argparse.ArgumentTypeError as error:
            print(error, file=sys.stderr)


def _sizing(args: argparse.Namespace) -> "Sizing | None":
    if args.current is None:
        other = next((n for n in ("voltage", "pressure") if getattr(args, n) is not None), None)
        if other is not None and args.wiring == RELAY:
            raise InputError(f"--{other} sizes a front end together with --current; say that, too")
        if other is None:
            return None
    if args.wiring != RELAY:
        raise InputError(
            f"--current, --voltage and --pressure size a shunt and dividers, and --wiring {args.wiring} takes the "
            "instrument's monitors: say --current-full-scale instead (firmware/README.md has it for an I range)"
        )
    assert args.current is not None
    from ccdmon.rig.sizing import size

    return size(
        args.current,
        args.voltage,
        args.pressure,
        args.bits,
        current_full_scale_A=args.current_full_scale,
        voltage_full_scale_V=args.voltage_full_scale,
    )


def _draw(args: argparse.Namespace, sizing: "Sizing | None") -> None:
    from ccdmon.rig.schematic import draw
    from ccdmon.rig.sizing import DIVIDERS

    if args.schematic.exists() and not args.force:
        raise InputError(
            f"{args.schematic}: is there already; choose another name, or replace it with --force"
        )
    shunt, gain = (None, None) if sizing is None else sizing.shunt_and_gain()
    full_V = sizing.voltage_full_scale_V if sizing else args.voltage_full_scale
    if args.wiring == RELAY and full_V is not None and full_V not in DIVIDERS:
        known = " or ".join(f"{value:g}" for value in DIVIDERS)
        raise InputError(
            f"--schematic: a divider is drawn for +-{known} V; +-{full_V:g} V is a front end of your own"
        )
    for pieces, what, where in draw(args.wiring, args.schematic, shunt, gain, full_V):
        print(f"{pieces} x {what} ({where})", file=sys.stderr)


def rig_text(args: argparse.Namespace, sizing: "Sizing | None" = None) -> str:
    """The commented file with what the command line says filled in."""
    from ccdmon.rig.sizing import OPEN_ENDED_V, voltage_limit_V

    full_Pa = None if sizing is None else sizing.pressure_full_scale_Pa
    full_V = sizing.voltage_full_scale_V if sizing else args.voltage_full_scale or OPEN_ENDED_V
    limit_V = args.voltage_limit or voltage_limit_V(full_V)
    if limit_V >= full_V:
        raise InputError(
            f"--voltage-limit {limit_V:g}: the converter ends at {full_V:g} V, and its rail trips first"
        )
    if args.voltage is not None and limit_V < args.voltage:
        raise InputError(f"--voltage {args.voltage:g}: beyond the limit of {limit_V:g} V; see --voltage-limit and "
                         "--voltage-full-scale")  # fmt: skip
    full_A = sizing.current_full_scale_A if sizing else args.current_full_scale or 0.01
    template = Template(files("ccdmon").joinpath("data/rig.toml").read_text(encoding="utf-8"))
    return template.substitute(
        name=json.dumps(args.name),
        electrode_area_cm2=_or_example("electrode_area_cm2", args.area_cm2, 0.785),
        configuration=json.dumps(args.configuration),
        electrolyte=_or_example("electrolyte", args.electrolyte, "LLZO"),
        port=json.dumps(args.port),
        sizing="".join(f"# {line}\n" for line in ([] if sizing is None else sizing.lines())),
        voltage_full_scale_V=full_V,
        current_full_scale_A=full_A,
        pressure_full_scale_Pa=_or_example("pressure_full_scale_Pa", full_Pa, 1.0e7),
        converter_bits=_or_example("converter_bits", None if args.bits == 12 else args.bits, 12),
        voltage_limit_V=limit_V,
        # Examples within what the converters show.
        current_limit_A=f"{0.9 * full_A:.3g}",
        self_test_current_A=f"{1e-3 * full_A:.3g}",
        voltage_min_V=f"{min(2.5, 0.5 * full_V):.3g}",
        pressure_max_Pa=f"{0.8 * (full_Pa or 1e7):.3g}",
        pressure_min_Pa=f"{0.01 * (full_Pa or 1e7):.3g}",
    )


def _or_example(key: str, value: float | str | None, example: float | str) -> str:
    """`key = value`, or a commented example where nothing was said."""
    return f"{key} = {json.dumps(value)}" if value is not None else f"# {key} = {json.dumps(example)}"
