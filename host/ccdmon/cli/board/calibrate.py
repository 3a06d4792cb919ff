"""`ccdmon calibrate`: two-point calibration of one channel, written into the rig file.

ccdmon calibrate rig.toml --port P --channel voltage --point 0 --point 3     asks for each value, then reads it
ccdmon calibrate rig.toml --port P --channel current --point 0 --point 1e-3  closes the gate, then asks for each
ccdmon calibrate --port P --channel voltage --read --json                    reads one point, for scripts
ccdmon calibrate rig.toml --channel voltage --point 0=32771.4 --point 3=51424.0   from points read before
ccdmon calibrate rig.toml --port P --channel temperature --point 22.4        against a thermometer
"""

import argparse
import json
import math
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

from ccdmon.errors import EXIT_FINE, InputError

if TYPE_CHECKING:
    from ccdmon.rig.calibration import Reading

SCHEMA = "ccdmon.calibrate/1"
SAMPLES = 2000
ASKED_EVERY_S = 0.02


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("rig", type=Path, nargs="?", metavar="RIG", help="rig file to write the result into")
    parser.add_argument(
        "--port", metavar="P", help="serial port of the board (default: the rig file's, else the only Pico)"
    )
    parser.add_argument("--channel", choices=("voltage", "current", "pressure", "temperature"), required=True)
    parser.add_argument(
        "--point", action="append", default=[], metavar="VALUE[=CODE]",
        help="a known value in V, A, Pa or degC (twice; a temperature once will do); with a code, for a "
        "temperature the board's own degC, it is not read from the board",
    )  # fmt: skip
    parser.add_argument(
        "--read", action="store_true", help="only read: mean code and noise at what is applied now"
    )
    parser.add_argument(
        "--samples", type=int, default=SAMPLES, metavar="N", help=f"to average (default {SAMPLES})"
    )
    parser.add_argument(
        "--far-off", action="store_true", help="write a gain that resistors of 1 %% do not explain, too"
    )
    parser.add_argument("--yes", action="store_true", help="do not ask before each reading")
    parser.add_argument("--json", action="store_true", help="one JSON document on stdout")


def run(args: argparse.Namespace) -> int:
    """Read what has no code yet, then write gain, offset and noise."""
    if args.samples < 1:
        raise InputError(f"--samples {args.samples}: at least one is needed")
    if args.read:
        reading = _read(args)
        document = {
            "schema": SCHEMA,
            "channel": args.channel,
            "code": reading.code,
            "code_noise": reading.code_noise,
        }
        print(json.dumps(document) if args.json else f"{reading.code:.2f} ± {reading.code_noise:.2f}")
        return EXIT_FINE
    return _calibrate(args)


def _calibrate(args: argparse.Namespace) -> int:
    from ccdmon.rig.calibration import UNITS, calibrate, write_calibration
    from ccdmon.rig.rig_file import read_rig

    enough = (1, 2) if args.channel == "temperature" else (2,)
    if args.rig is None or len(args.point) not in enough:
        raise InputError("name the rig file and two --point values, or use --read")
    rig = read_rig(args.rig)
    if args.channel == "pressure" and rig.front_end.pressure_full_scale_Pa is None:
        raise InputError(
            f"{args.rig}: [front_end] pressure_full_scale_Pa is missing; there is no pressure to calibrate"
        )
    readings = [_reading(point, args) for point in args.point]
    result = calibrate(args.channel, readings, rig.front_end_scales(), far_off=args.far_off)
    write_calibration(args.rig, result, time.strftime("%Y-%m-%dT%H:%M:%S%z"))
    unit = UNITS[args.channel]
    document = {"schema": SCHEMA, "channel": args.channel, "gain": result.gain, "offset": result.offset,
                "noise": result.noise, "rig": str(args.rig)}  # fmt: skip
    noise = "not known (its codes were typed)" if result.noise is None else f"{result.noise:.3g} {unit}"
    line = f"{args.channel}: gain {result.gain:.6g}, offset {result.offset:.4g} {unit}, noise {noise}"
    print(json.dumps(document) if args.json else line)
    return EXIT_FINE


def _reading(point: str, args: argparse.Namespace) -> "Reading":
    from ccdmon.rig.calibration import UNITS, Reading

    value, equals, code = point.partition("=")
    try:
        known, given = float(value), float(code) if equals else math.nan
    except ValueError:
        known = math.nan
    if not math.isfinite(known) or (equals and not math.isfinite(given)):
        raise InputError(f"--point {point}: should read VALUE or VALUE=CODE, for example 3.0 or 3.0=52440")
    if equals:
        return Reading(known, given)
    wanted = "" if args.yes else f"{known:g} {UNITS[args.channel]}"
    read = _read(args, wanted)
    return Reading(known, read.code, read.code_noise)


class _Asked:
    """A question to whoever is at the keyboard."""

    def __init__(self, what: str) -> None:
        print(f"{what} and press Enter", file=sys.stderr)
        self._answer: list[str] = []
        self._thread = threading.Thread(target=lambda: self._answer.append(sys.stdin.readline()), daemon=True)
        self._thread.start()

    def waiting(self) -> bool:
        """Whether nobody has pressed it yet. Raises `InputError` where nobody can."""
        self._thread.join(ASKED_EVERY_S)
        if self._answer == [""]:
            raise InputError("nobody at the keyboard; use --yes, or --read and --point VALUE=CODE")
        return not self._answer

    def wait(self) -> None:
        """Until it is pressed."""
        while self.waiting():
            pass


def _read(args: argparse.Namespace, wanted: str = "") -> "Reading":
    """A reading. `wanted` is asked for once the board answers; a current once its gate is closed, for it needs that."""
    from ccdmon.link.port import find_board
    from ccdmon.rig.calibration import read_codes, read_temperature
    from ccdmon.rig.gate_orders import arm, open_device
    from ccdmon.rig.rig_file import read_rig

    rig = None if args.rig is None else read_rig(args.rig)
    with open_device(find_board(args.port or (rig.port.device if rig else None))) as device:
        if wanted and args.channel != "current":
            _Asked(f"have {wanted} there").wait()
        if args.channel == "temperature":
            return read_temperature(device)
        asked = list[_Asked]()

        def waiting() -> bool:
            if not asked:
                asked.append(_Asked(f"the gate is closed: let {wanted} flow"))
            return asked[0].waiting()

        ask = waiting if wanted and args.channel == "current" else lambda: False
        return read_codes(device, args.channel, args.samples, lambda board: arm(board, rig), ask)
