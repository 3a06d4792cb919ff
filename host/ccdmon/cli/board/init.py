"""`ccdmon init`: writes a commented rig file, the one place where a rig is described."""

import argparse
import json
import sys
from importlib.resources import files
from pathlib import Path
from string import Template

from ccdmon.cli.options import positive, refuse_two_documents
from ccdmon.errors import EXIT_FINE, InputError
from ccdmon.model.kinds import CONFIGURATIONS, SYMMETRIC

SCHEMA = "ccdmon.init/1"


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
        default=5.27,
        metavar="V",
        help="default 5.27: the divider of firmware/README.md",
    )
    parser.add_argument("--current-full-scale", type=positive, default=0.01, metavar="A", help="default 0.01")
    parser.add_argument(
        "--voltage-limit", type=positive, default=5.0, metavar="V", help="cut off beyond (default 5)"
    )
    parser.add_argument("--force", action="store_true", help="replace a file that is there")
    parser.add_argument("--json", action="store_true", help="one JSON document on stdout")


def run(args: argparse.Namespace) -> int:
    """Write the file; it is read back and checked before this says that it is there."""
    refuse_two_documents(args.file, args.json)
    text = rig_text(args)
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
        print(json.dumps({"schema": SCHEMA, "path": str(path), "rig": rig.document()}))
    else:
        print(path)
    return EXIT_FINE


def rig_text(args: argparse.Namespace) -> str:
    """The commented file with what the command line says filled in."""
    template = Template(files("ccdmon").joinpath("data/rig.toml").read_text(encoding="utf-8"))
    return template.substitute(
        name=json.dumps(args.name),
        electrode_area_cm2=_or_example("electrode_area_cm2", args.area_cm2, 0.785),
        configuration=json.dumps(args.configuration),
        electrolyte=_or_example("electrolyte", args.electrolyte, "LLZO"),
        port=json.dumps(args.port),
        voltage_full_scale_V=args.voltage_full_scale,
        current_full_scale_A=args.current_full_scale,
        voltage_limit_V=args.voltage_limit,
    )


def _or_example(key: str, value: float | str | None, example: float | str) -> str:
    """`key = value`, or a commented example where nothing was said."""
    return f"{key} = {json.dumps(value)}" if value is not None else f"# {key} = {json.dumps(example)}"
