"""`ccdmon replay`: a recorded trace into the firmware on a rig, and whether it cut off as it should."""

import argparse
import json
import math
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ccdmon.cli.options import add_import_arguments
from ccdmon.errors import EXIT_FINE, EXIT_NEGATIVE
from ccdmon.rigs import RIGS, load_rigs
from ccdmon_fw import limits

if TYPE_CHECKING:
    from ccdmon.model.trace import Trace

DEFAULT_LIMIT_V = limits.VOLTAGE_LIMIT_UV * 1e-6
Hooks = tuple[dict[str, Any], Callable[[dict[str, Any]], None]]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of the verb."""
    add = parser.add_argument
    add("trace", metavar="TRACE", help="a trace or cycler's file, - for stdin")
    add_import_arguments(parser)
    add("--rig", choices=RIGS, default="unix", help="where the firmware runs (default: %(default)s)")
    add(
        "--port", metavar="P",
        help="serial port or wiring file of --rig board; `emulated`: an emulated Pico, `emulated-pair`: "
        "with a second as its stimulus",
    )  # fmt: skip
    add(
        "--expect", choices=("trip", "no-trip", *limits.REASONS[1:]), metavar="WHAT",
        help="exit 1 unless this happens: trip, no-trip, or a reason (%s)" % ", ".join(limits.REASONS[1:]),
    )  # fmt: skip
    add("--rows", type=_rows, default=(0, None), metavar="A:B", help="play only rows A to B-1, from 0")
    add("--image", type=Path, metavar="FILE", help="MicroPython image of --rig pico (see ccdmon image)")
    add(
        "--range-V",
        type=_positive,
        metavar="V",
        help="voltage channel's full scale (default: fits the trace)",
    )
    add(
        "--range-A",
        type=_positive,
        metavar="A",
        help="current channel's full scale (default: fits the trace)",
    )
    add("--rig-file", type=Path, metavar="FILE", help="front end, limits and rules as the rig has them")
    add(
        "--limit-V",
        type=_positive,
        metavar="V",
        help=f"trip above this |voltage| (default: {DEFAULT_LIMIT_V:g} V)",
    )
    add("--limit-A", type=_positive, metavar="A", help="trip above this |current| (default: none)")
    add("--limit-Pa", type=_positive, metavar="P", help="trip above this stack pressure (default: none)")
    add(
        "--imperfect", default="", metavar="KEY=VALUE,...",
        help="errors of the front end: voltage_zero_V, current_zero_A, voltage_gain, current_gain, noise_V, noise_A; "
        "dead, frozen or open=CHANNEL@ROW (CHANNEL voltage, current or pressure)",
    )  # fmt: skip
    add("--out", type=Path, metavar="DIR", help="record the run into this folder")
    add("--json", action="store_true", help="print one JSON document")


def run(args: argparse.Namespace) -> int:
    """Exit 1 where --expect is not met, else 0; 2 for an unusable input, 3 for a failed rig."""
    from ccdmon.formats.importer import read_trace

    trace = read_trace(args.trace, columns=args.columns, salvage=args.salvage)
    front_end, physical = _limits(args, trace)
    start, stop = args.rows
    with _recording(args.out, args, trace) as (hooks, note), _progress() as show:
        result = load_rigs().replay(
            trace, args.rig, image=args.image, port=args.port, start=start, stop=stop, front_end=front_end,
            on_progress=show, imperfect=args.imperfect, **physical, **hooks,
        )  # fmt: skip
        note(result.document())
    print(json.dumps(result.document()) if args.json else _sentence(result))
    if args.expect and not result.meets(args.expect):
        happened = result.reason if result.tripped else "no trip"
        print(f"ccdmon replay: expected {args.expect}, but: {happened} ({args.trace})", file=sys.stderr)
        return EXIT_NEGATIVE
    return EXIT_FINE


def _limits(args: argparse.Namespace, trace: Any) -> tuple[Any, dict[str, Any]]:
    """Front end and physical limits: the options', else the rig file's, else what fits the trace."""
    from ccdmon.model.front_end import FrontEnd

    given = {
        "voltage_limit_V": args.limit_V,
        "current_limit_A": args.limit_A,
        "pressure_limit_Pa": args.limit_Pa,
    }
    physical = {name: value for name, value in given.items() if value is not None}
    if args.rig_file is None:
        physical.setdefault("voltage_limit_V", DEFAULT_LIMIT_V)
        return FrontEnd.for_trace(trace, args.range_V, args.range_A, physical["voltage_limit_V"]), physical
    from ccdmon.rig.rig_file import read_rig
    from ccdmon.rig.settings import physical_limits

    rig = read_rig(args.rig_file)
    return rig.front_end_scales(), {**physical_limits(rig), **physical}


def _sentence(result: Any) -> str:
    document = result.document()
    counts = f"{document['dropped']} samples dropped, {document['crc_errors']} frames damaged"
    head = f"{document['rig']}: {document['rows']} rows"
    if not result.tripped:
        return f"{head}, no trip, gate {document['gate']}; {counts}"
    row, latency = document["trip_row"], document["latency"]
    virtual_us = latency["virtual_us"]
    virtual = "" if virtual_us is None else f" ({virtual_us:.0f} us of the emulator's time)"
    return (
        f"{head}, {document['reason']} seen from row {row - latency['samples']}, cut off at row {row} (test time "
        f"{document['trip_time_s']:g} s), {latency['samples']} later{virtual}; gate {document['gate']} (the rows that "
        f"follow are the recording's, which knows nothing of the gate); {counts}"
    )


@contextmanager
def _recording(folder: Path | None, args: argparse.Namespace, trace: Any) -> Iterator[Hooks]:
    """Callbacks that record the run into `folder`, and one for the result; the trace is derived at the end."""
    if folder is None:
        yield {}, lambda _document: None
        return
    from dataclasses import asdict

    from ccdmon.link.firmware import firmware_hash
    from ccdmon.record.recorder import Recorder
    from ccdmon.run.folder import create, firmware_tables
    from ccdmon.run.lock import FolderLock
    from ccdmon.run.stored_rows import derive_trace
    from ccdmon.version import __version__

    cell = {"electrode_area_cm2": trace.cell.electrode_area_cm2, "configuration": trace.cell.configuration,
            "electrolyte": trace.cell.electrolyte}  # fmt: skip
    recorder: list[Recorder] = []
    early: list[bytes] = []  # what came before the run's configuration was known

    def on_bytes(data: bytes) -> None:
        if recorder:
            recorder[0].feed(data)
        else:
            early.append(data)

    def on_start(identity: dict[str, Any], settings: list[int], front_end: Any, interval_s: float) -> None:
        held.enter_context(closing(FolderLock(folder)))
        create(folder, {
            "made_by": "replay",
            "rig": {"kind": args.rig, "trace": str(args.trace), "first_row": args.rows[0]},
            "cell": cell,
            "conditions": _conditions(trace),
            "front_end": asdict(front_end),
            "time": {"seconds_per_sample": interval_s},
            "versions": {"ccdmon": __version__, "firmware_hash": firmware_hash()},
            **firmware_tables(identity, settings, front_end, interval_s),
        })  # fmt: skip
        recorder.append(held.enter_context(closing(Recorder(folder, firmware_hash=firmware_hash()))))
        for data in early:
            recorder[0].feed(data)

    def note(document: dict[str, Any]) -> None:
        latency = {f"latency_{key}": value for key, value in document["latency"].items()}
        recorder[0].log(action="gate_observed", gate=document["gate"], rule=document["reason"], **latency)
        recorder[0].log_end()

    with ExitStack() as held:
        yield {"on_bytes": on_bytes, "on_start": on_start}, note
    derive_trace(folder)


@contextmanager
def _progress() -> Iterator[Callable[[int, int | None, bool], None] | None]:
    """A bar on stderr, on a terminal only."""
    if not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("replaying", total=None)
        yield lambda row, rows, closed: bar.update(
            task, completed=row, total=rows, description="gate closed" if closed else "gate open"
        )


def _rows(text: str) -> tuple[int, int | None]:
    first, colon, last = text.partition(":")
    try:
        start, stop = int(first or 0), int(last) if last else None
    except ValueError:
        start, stop, colon = 0, 0, ""
    if not colon or start < 0 or (stop is not None and stop <= start):
        raise argparse.ArgumentTypeError(f"{text!r} is not A:B with 0 <= A < B")
    return start, stop


def _positive(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not (math.isfinite(value) and value > 0):
        raise argparse.ArgumentTypeError(f"{text!r} is not a positive number")
    return value


def _conditions(trace: "Trace") -> dict[str, float]:
    """The temperature that the trace tells: no rig of a replay measures the cell's."""
    import numpy as np

    measured, stated = trace.temperature_degC, trace.cell.stated_temperature_degC
    known = None if measured is None else measured[np.isfinite(measured)]
    if known is not None and known.size:
        return {"temperature_degC": float(f"{np.median(known):.4g}")}
    return {} if stated is None else {"temperature_degC": stated}
