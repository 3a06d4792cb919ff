"""All scenarios of a folder on one or more rigs: `python -m ccdmon_hil.campaign [--rig R]... [--out DIR] [FOLDER]`.

Prints one table; with `--out` it leaves `campaign.html` (self-contained) and `campaign.json` there. Exit code 1 if a
scenario failed, 3 if a rig is not there and was asked for.
"""

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from ccdmon.errors import EXIT_FINE, EXIT_NEGATIVE, CcdmonError
from ccdmon.firmware_hash import firmware_hash
from ccdmon_fw import limits
from ccdmon_hil.rigs import RIGS, open_session
from ccdmon_hil.scenario import SUFFIX, MissingTraceError, Outcome, Scenario, read_scenario, run_scenario
from ccdmon_hil.session import Session

SCENARIOS_DIR = Path(__file__).parent.parent / "scenarios"
SCHEMA = "ccdmon.campaign/1"


def main(arguments: list[str] | None = None) -> int:
    """Play, print, write."""
    options = _parser().parse_args(arguments)
    records: list[dict[str, Any]] = []
    try:
        scenarios = [read_scenario(path) for path in sorted(options.folder.glob("*" + SUFFIX))]
        print(_row("rig", "scenario", "verdict", "row", "samples", "virtual us", "real us", "outcome"))
        for rig in options.rig or ["unix"]:
            with open_session(rig, image=options.image, port=options.port) as session:
                for scenario in scenarios:
                    records.append(_record(rig, scenario, session))
                    print(table_row(records[-1]), flush=True)
    except CcdmonError as error:
        print(f"campaign: {error}", file=sys.stderr)
        return error.exit_code
    failed = [record for record in records if record["outcome"] == "failed"]
    print(f"{len(records)} runs, {len(failed)} failed, firmware {firmware_hash()}")
    if options.out:
        write(options.out, records)
    return EXIT_NEGATIVE if failed or not records else EXIT_FINE


def write(folder: Path, records: list[dict[str, Any]]) -> None:
    """The records as one page and one document."""
    from ccdmon_hil.campaign_page import page

    folder.mkdir(parents=True, exist_ok=True)
    (folder / "campaign.html").write_text(page(records, firmware_hash()), encoding="utf-8")
    kept = [{name: value for name, value in record.items() if name != "plot"} for record in records]
    document = {"schema": SCHEMA, "firmware_hash": firmware_hash(), "runs": kept}
    (folder / "campaign.json").write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")


def table_row(record: dict[str, Any]) -> str:
    """One run as a line of the table."""
    latency = record.get("latency", {})
    return _row(
        record["rig"], record["scenario"], record.get("verdict", "-"), _shown(record.get("trip_row")),
        *(_shown(latency.get(name)) for name in ("samples", "virtual_us", "real_us")),
        record["outcome"] + "".join(f": {problem}" for problem in record["problems"]),
    )  # fmt: skip


def _record(rig: str, scenario: Scenario, session: Session) -> dict[str, Any]:
    base = {"rig": rig, "scenario": scenario.name, "title": scenario.file.title}
    try:
        return base | _told(run_scenario(scenario, session))
    except MissingTraceError as error:
        return base | {"outcome": "skipped", "problems": [str(error)]}


def _told(outcome: Outcome) -> dict[str, Any]:
    """What is kept of a run: the replay document, the limits in force, and the trace around the trip."""
    from ccdmon.front_end import FrontEnd
    from ccdmon_hil.replay import detector_settings

    result, trace = outcome.result, outcome.trace
    physical = outcome.scenario.file.firmware.model_dump(exclude_none=True)
    document = result.document()
    settings = detector_settings(trace, FrontEnd.for_trace(trace), **physical)
    row = result.trip_row if result.trip_row is not None else len(trace) - 1
    window = trace.rows(max(0, row - 60), min(len(trace), row + 20))
    return {
        "outcome": "failed" if outcome.problems else "passed",
        "problems": list(outcome.problems),
        "expected": outcome.scenario.file.expect.verdict,
        "verdict": document["reason"] or "no trip",
        **{
            key: document[key]
            for key in ("rows", "dropped", "crc_errors", "trip_row", "gate", "latency", "firmware")
        },
        "limits": dict(zip(limits.SETTINGS, settings, strict=True)),
        "plot": (window.test_time_s, window.voltage_V, window.current_A, result.trip_row is not None and row),
    }


def _row(*cells: str) -> str:
    widths = (6, 28, 14, 7, 8, 11, 9)
    return "".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=False)) + cells[-1]


def _shown(value: float | None) -> str:
    return "-" if value is None else f"{value:g}"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m ccdmon_hil.campaign", description=__doc__.split("\n")[0])
    parser.add_argument("folder", nargs="?", type=Path, default=SCENARIOS_DIR, metavar="FOLDER")
    parser.add_argument("--rig", action="append", choices=RIGS, help="where; more than once (default: unix)")
    parser.add_argument("--port", help="serial port or wiring file of --rig board")
    parser.add_argument("--image", type=Path, help="MicroPython image of --rig pico")
    parser.add_argument("--out", type=Path, metavar="DIR", help="leave page and document there")
    return parser


if __name__ == "__main__":
    sys.exit(main())
