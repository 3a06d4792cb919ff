"""All scenarios of a folder, and all faults, on one or more rigs.

    python -m ccdmon_hil.campaign --rig unix --rig pico --rig board --port emulated --faults --out DIR

Prints a line for each run, then one table of all rigs. `--out` leaves `campaign.html` (self-contained),
`campaign.json`, `campaign.xml` (JUnit) and `summary.md` there. `--wired` plays each scenario a second time, through
tolerances, offsets, noise and full scales of the wiring that firmware/README.md prescribes. Where a row is dear, on an
emulator, a scenario plays `--emulated-rows` around what happens in it. Exit code 1 if something is not as expected, 3
if a rig is not there.
"""

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from ccdmon.errors import EXIT_FINE, EXIT_NEGATIVE, CcdmonError, InputError
from ccdmon.link.firmware import firmware_hash
from ccdmon.rigs import RIGS
from ccdmon_hil.campaign.junit import junit
from ccdmon_hil.campaign.summary import CLOCKS, Record, markdown, summaries
from ccdmon_hil.outputs import output_folder, write_output
from ccdmon_hil.play.scenario import SUFFIX, MissingTraceError, Outcome, Scenario, read_scenario, run_scenario
from ccdmon_hil.rigs.open_rig import JOBS_HELP, PORT_HELP, count, open_session
from ccdmon_hil.rigs.session import Session

SCENARIOS_DIR = Path(__file__).parents[2] / "scenarios"
SCHEMA = "ccdmon.campaign/2"
EMULATED_ROWS = 200
WIRED = ", as wired"  # behind a scenario's name
BEFORE_TRIP, AFTER_TRIP = 60, 20  # rows in the plot


def main(arguments: list[str] | None = None) -> int:
    """Play, print, write what there is even where a rig failed."""
    options = _parser().parse_args(arguments)
    runs: list[Record] = []
    try:
        if options.out:
            output_folder(options.out)
        code = _play(options.rig or ["unix"], options, runs)
        print(f"\n{markdown(summaries(runs))}\nfirmware {firmware_hash()}")
        if options.out:
            write(options.out, runs)
    except CcdmonError as error:
        return _told(error)
    passed = bool(runs) and all(record["outcome"] != "failed" for record in runs)
    return code or (EXIT_FINE if passed else EXIT_NEGATIVE)


def _play(rigs: Sequence[str], options: argparse.Namespace, runs: list[Record]) -> int:
    """Scenarios, then faults, into `runs` as each ends; exit code of a rig that failed."""
    scenarios = [read_scenario(path) for path in sorted(options.folder.glob("*" + SUFFIX))]
    if not scenarios and not options.faults:
        raise InputError(f"{options.folder}: no scenario (*{SUFFIX}) in this folder; name another")
    print(_row("rig", "scenario", "verdict", "rows", "row", "samples", "virtual us", "real us", "outcome"))
    try:
        for rig in rigs:
            for record in play_all(rig, scenarios, options):
                runs.append(record)
                print(table_row(record), flush=True)
        if options.faults:
            bring_about_all(rigs, options, runs)
    except CcdmonError as error:
        return _told(error)
    return EXIT_FINE


def _told(error: CcdmonError) -> int:
    print(f"campaign: {error}", file=sys.stderr)
    return error.exit_code


def play_all(rig: str, scenarios: Sequence[Scenario], options: argparse.Namespace) -> Iterator[Record]:
    """The scenarios on one rig, each as it ends."""
    with open_session(rig, image=options.image, port=options.port) as session:
        most_rows = options.emulated_rows if session.target.clock == "virtual" else None
        for number, scenario in enumerate(scenarios):
            yield _record(rig, scenario, session, most_rows)
            if options.wired:
                record = _record(rig, scenario, session, most_rows, wired=number)
                yield record | {"name": record["name"] + WIRED, "title": record["title"] + WIRED}


def bring_about_all(rigs: Sequence[str], options: argparse.Namespace, runs: list[Record]) -> None:
    """The faults that the rigs can bring about, each shown as it ends; with `--jobs`, the rigs at the same time.

    Raises `CcdmonError` where a rig failed, with all that was told until then in `runs`.
    """
    from ccdmon_hil.faults import fault

    print(f"\n{fault.table_head()}")
    with ThreadPoolExecutor(len(rigs) if options.jobs > 1 else 1) as pool:  # their processes do the work
        told = [list[Record]() for _ in rigs]
        ended = [
            pool.submit(records.extend, _faults_of(rig, options))
            for rig, records in zip(rigs, told, strict=True)
        ]
    runs.extend(record for records in told for record in records)
    for each in ended:
        each.result()


def _faults_of(rig: str, options: argparse.Namespace) -> Iterator[Record]:
    from ccdmon_hil.faults import bring_about

    for kind, outcome, problem in bring_about.bring_about_each(rig, options):
        record: Record = {"kind": "fault", "rig": rig, "name": kind.name, "title": kind.name}
        if outcome is None:
            yield record | _outcome([problem])
        else:
            yield record | vars(outcome) | _outcome([f"expected {problem}"] if problem else [])


def write(folder: Path, records: Sequence[Record]) -> None:
    """The records as a page, a document, JUnit's XML and the summary's table."""
    from ccdmon_hil.campaign.page import page

    kept = [{name: value for name, value in record.items() if name != "plot"} for record in records]
    document = {
        "schema": SCHEMA,
        "firmware_hash": firmware_hash(),
        "summary": summaries(records),
        "runs": [record for record in kept if record["kind"] == "scenario"],
        "faults": [record for record in kept if record["kind"] == "fault"],
    }
    for name, text in (
        ("campaign.html", page(records, firmware_hash())),
        ("campaign.json", json.dumps(document, indent=1) + "\n"),
        ("campaign.xml", junit(kept, firmware_hash())),
        ("summary.md", markdown(summaries(records))),
    ):
        write_output(folder / name, text)


def table_row(record: Record) -> str:
    """One scenario as a line of the table."""
    latency = record.get("latency", {})
    return _row(
        record["rig"], record["name"], record.get("verdict", "-"), _shown(record.get("rows")),
        _shown(record.get("trip_row")), *(_shown(latency.get(name)) for name in CLOCKS),
        record["outcome"] + "".join(f": {problem}" for problem in record["problems"]),
    )  # fmt: skip


def _record(
    rig: str, scenario: Scenario, session: Session, most_rows: int | None, wired: int | None = None
) -> Record:
    base: Record = {"kind": "scenario", "rig": rig, "name": scenario.name, "title": scenario.file.title}
    missed = session.decoder.counts.missing_samples
    try:
        told = _kept(run_scenario(scenario, session, most_rows, wired))
    except MissingTraceError as error:
        return base | {"outcome": "skipped", "problems": [str(error)]}
    except CcdmonError as error:
        return base | _outcome([str(error)])
    counted = session.decoder.counts.missing_samples - missed
    return base | told | {"uncounted": max(0, told["dropped"] - counted)}


def _kept(outcome: Outcome) -> Record:
    """What is kept of a run: the replay document, the limits in force, and the trace around the trip."""
    from ccdmon_fw import limits
    from ccdmon_hil.play.replay import detector_settings

    result, trace = outcome.result, outcome.trace
    physical = outcome.scenario.file.firmware.model_dump(exclude_none=True)
    document = result.document()
    settings = detector_settings(trace, outcome.scenario.front_end(trace), **physical)
    stop = outcome.first_row + result.rows
    row = result.trip_row if result.trip_row is not None else stop - 1
    start = max(outcome.first_row, row - BEFORE_TRIP)
    shown = trace.rows(start, min(stop, row + AFTER_TRIP))
    kept = ("rows", "dropped", "crc_errors", "trip_row", "gate", "latency", "firmware")
    return {
        **_outcome(list(outcome.problems)),
        "expected": outcome.scenario.file.expect.verdict,
        "verdict": document["reason"] or "no trip",
        **{name: document[name] for name in kept},
        "first_row": outcome.first_row,
        "rows_in_trace": len(trace),
        "limits": dict(zip(limits.SETTINGS, settings, strict=True)),
        "plot": (shown, None if result.trip_row is None else row - start),
    }


def _outcome(problems: list[str]) -> Record:
    return {"outcome": "failed" if problems else "passed", "problems": problems}


def _row(*cells: str) -> str:
    return "".join(map(str.ljust, cells, (6, 38, 14, 8, 7, 9, 11, 9, 0)))


def _shown(value: float | None) -> str:
    return "-" if value is None else f"{value:g}"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m ccdmon_hil.campaign", description=__doc__.split("\n")[0])
    parser.add_argument("folder", nargs="?", type=Path, default=SCENARIOS_DIR, metavar="FOLDER")
    parser.add_argument("--rig", action="append", choices=RIGS, help="where; more than once (default: unix)")
    parser.add_argument("--faults", action="store_true", help="bring about the faults of these rigs, too")
    parser.add_argument(
        "--wired", action="store_true",
        help="each scenario a second time, through the wiring of firmware/README.md as it is built",
    )  # fmt: skip
    parser.add_argument("--port", help=PORT_HELP)
    parser.add_argument("--jobs", type=count, default=1, metavar="N", help=JOBS_HELP)
    parser.add_argument("--image", type=Path, help="MicroPython image of the emulated Pico")
    parser.add_argument(
        "--emulated-rows", type=count, default=EMULATED_ROWS, metavar="N",
        help="most rows of a scenario on an emulator (default: %(default)s)",
    )  # fmt: skip
    parser.add_argument("--out", type=Path, metavar="DIR", help="leave page and documents there")
    return parser
