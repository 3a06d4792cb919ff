"""`ccdmon image`: MicroPython for the emulated Pico, found or built; a board's image for one drag."""

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from ccdmon.errors import EXIT_FINE, InputError
from ccdmon.link.firmware import PICO
from ccdmon.rigs import load_rigs


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of the verb."""
    parser.add_argument(
        "--image", type=Path, metavar="FILE", help="check this UF2 file instead of looking for one"
    )
    parser.add_argument(
        "--build",
        action="store_true",
        help="build it from Debian's packages (a few minutes) and keep it in the cache",
    )
    parser.add_argument(
        "--frozen",
        action="store_true",
        help="with --build: put the firmware into it, for a board whose flash file system stays empty",
    )
    parser.add_argument(
        "--work-dir", type=Path, metavar="DIR", help="with --build: build here and leave the log"
    )
    parser.add_argument(
        "--uf2",
        action="store_true",
        help="MicroPython and the firmware in one file: copy it to a Pico plugged in with BOOTSEL held",
    )
    parser.add_argument(
        "--board", default=PICO, metavar="NAME", help=f"with --uf2: as of `ccdmon flash` (default: {PICO})"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON document")


def run(args: argparse.Namespace) -> int:
    """Print the image's path; exit 3 where there is none, 2 where the named file is not one."""
    if args.frozen and not args.build:
        raise InputError("--frozen: only with --build, which builds such an image")
    rigs = load_rigs()
    if args.uf2:
        return _for_one_drag(args, rigs)
    if args.build:
        path = rigs.build_into_cache(lambda line: print(line, file=sys.stderr), args.work_dir, args.frozen)
    else:
        path = rigs.find_image(args.image)
    digest, pinned = rigs.vouched(path)
    if args.json:
        about = {"image": str(path), "bytes": path.stat().st_size, "sha256": digest, "pinned": pinned}
        print(json.dumps(about))
        return EXIT_FINE
    print(path)
    said = {None: "not pinned", True: "as pinned", False: "another than the pinned one of that name"}[pinned]
    print(f"SHA-256 {digest}, {said}", file=sys.stderr)
    return EXIT_FINE


def _for_one_drag(args: argparse.Namespace, rigs: Any) -> int:
    if args.build:
        raise InputError("--uf2 and --build: first build, then make the image for one drag of it")
    path, digest = rigs.drag_image(args.board, args.image)
    if args.json:
        print(
            json.dumps(
                {"image": str(path), "bytes": path.stat().st_size, "sha256": digest, "board": args.board}
            )
        )
        return EXIT_FINE
    print(path)
    print(f"SHA-256 {digest}; settings and trips that a board keeps go with it", file=sys.stderr)
    return EXIT_FINE
