"""`ccdmon demo`: a simulated cell shorts, the real firmware cuts it off, the run is recorded and reported."""

import argparse
import json
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ccdmon.errors import EXIT_FINE, EXIT_NEGATIVE, InputError

if TYPE_CHECKING:
    from ccdmon.demo import OnRow

RIGS = ("pico", "unix")
RIG_TEXT = {
    "pico": "an emulated Raspberry Pi Pico running unmodified MicroPython",
    "unix": "MicroPython's unix port",
}
DEFAULT_SEED = 2


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--rig", choices=RIGS, help="default: pico when its image is at hand, else unix")
    parser.add_argument("--image", type=Path, metavar="FILE", help="MicroPython for the emulated Pico (UF2)")
    parser.add_argument(
        "--seed", type=int, default=DEFAULT_SEED, metavar="N", help="which cell (default %(default)s)"
    )
    parser.add_argument(
        "--out", type=Path, metavar="DIR", help="run folder (default ./ccdmon-runs/demo-TIME)"
    )
    parser.add_argument("--json", action="store_true", help="one JSON document on stdout")


def run(args: argparse.Namespace) -> int:
    """Run the demo; exit 1 when the firmware did not cut the short off."""
    from ccdmon.demo import Demo
    from ccdmon.rigs import load_rigs

    if args.seed < 0:
        raise InputError(f"--seed {args.seed}: a seed is a whole number from 0")
    rigs = load_rigs()
    rig = args.rig or rigs.best_rig(args.image)
    image = rigs.find_image(args.image) if rig == "pico" else None
    folder = args.out or Path("ccdmon-runs") / time.strftime("demo-%Y%m%d-%H%M%S")
    print(f"rig {rig}: {RIG_TEXT[rig]}{_why_unix(args, rig)}", file=sys.stderr)
    started_s = time.monotonic()
    with _progress(rig) as on_row:
        document = Demo(folder, rig, args.seed, image, on_row).run()
    if args.json:
        print(json.dumps(document, allow_nan=False))
    else:
        print("\n".join(ending(document)))
        print(f"took       {time.monotonic() - started_s:.0f} s", file=sys.stderr)
    return EXIT_FINE if document["replay"]["tripped"] else EXIT_NEGATIVE


def ending(document: dict[str, Any]) -> list[str]:
    """What the demo says in the end, from the documents alone."""
    from ccdmon.report.words import ccd_sentence

    run_dir = document["run_dir"]
    return [
        *_cutoff(document["replay"], document["report"]),
        f"analysis   {document['report']['verdict']}: {ccd_sentence(document['report'])}",
        f"truth      {_truth(document['truth']['ccd'])}",
        f"link       {_link(document['replay'])}",
        f"run        {run_dir}",
        f"report     {run_dir}/report.html",
    ]


def _cutoff(replay: dict[str, Any], report: dict[str, Any]) -> list[str]:
    from ccdmon.report.words import count

    if not replay["tripped"]:
        return ["not tripped: the firmware saw no short"]
    density = next((abs(e["current_density_mA_cm2"]) for e in report["events"]), None)
    at = f" at {density:.3g} mA cm⁻²" if density is not None else ""
    latency = replay["latency"]
    after = f"{count(latency['samples'], 'sample')} after the first shorted one"
    if latency["virtual_us"] is not None:
        after += f" ({latency['virtual_us'] / 1000:.2f} ms on the emulated chip's clock)"
    reason = replay["reason"].replace("_", " ")
    return [
        f"tripped    {reason}{at}, sample {replay['trip_row']}",
        f"cut off    the gate opened {after}",
    ]


def _truth(ccd: dict[str, Any]) -> str:
    endured, failed = ccd["endured_mA_cm2"], ccd["failed_at_mA_cm2"]
    return f"the simulated cell endures {endured or 0:.3g} and fails at {failed or 0:.3g} mA cm⁻²"


def _link(replay: dict[str, Any]) -> str:
    samples, lost, damaged = replay["samples_received"], replay["dropped"], replay["crc_errors"]
    return f"{samples} samples, {lost} lost, {damaged} damaged frames"


def _why_unix(args: argparse.Namespace, rig: str) -> str:
    if rig == "unix" and args.rig is None:
        return " (no image for the emulated Pico is at hand: see `ccdmon image`)"
    return ""


@contextmanager
def _progress(rig: str) -> "Iterator[OnRow | None]":
    """A line that lives on stderr while the rig runs; nothing where stderr is no terminal."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    from ccdmon.demo import RAMP

    per_area = 1e3 / RAMP["area_cm2"]
    console = Console(stderr=True)
    if not console.is_terminal:
        yield None
        return
    columns = TextColumn("{task.description}"), BarColumn(30), TimeElapsedColumn()
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task(f"starting {rig}", total=None)

        def on_row(row: Any, gate_closed: bool, rows: int) -> None:
            gate = "gate closed" if gate_closed else "[bold red]gate open[/]"
            values = f"{row.current_A * per_area:+6.2f} mA cm⁻²  {row.voltage_V * 1e3:+8.2f} mV  cycle {row.cycle:2d}"
            text = f"{gate}  {values}"
            progress.update(task, description=text, total=rows, advance=1)

        yield on_row
