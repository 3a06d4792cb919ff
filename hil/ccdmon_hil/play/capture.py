"""A recorded run becomes a scenario: `python -m ccdmon_hil.play.capture RUN --out NAME.scenario.toml`.

RUN is a folder that `ccdmon record` or `ccdmon replay --out` wrote. Its rows are written beside the scenario as
`NAME.bdf.csv`, and its front end, limits and actions stand in the scenario, so that the firmware sees the same codes
and judges them alike. The verdict expected is what it did in that run, unless `--expect` says otherwise.
"""

import argparse
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ccdmon.errors import EXIT_FINE, CcdmonError, InputError
from ccdmon.formats.bdf import toml_text
from ccdmon.formats.bdf.write import write_pieces
from ccdmon.run.stored_rows import RunRows
from ccdmon.run.trip_place import TripPlace
from ccdmon_hil.outputs import write_output
from ccdmon_hil.play.scenario import SUFFIX, ScenarioFile

# Keys of `[limits]` in a run folder: what a scenario calls them.
LIMITS = {
    "voltage_V": "voltage_limit_V",
    "voltage_min_V": "voltage_min_V",
    "current_A": "current_limit_A",
    "pressure_max_Pa": "pressure_limit_Pa",
    "pressure_min_Pa": "pressure_min_Pa",
    "settle_s": "settle_s",
    "confirm_samples": "confirm_samples",
}
MARGIN_ROWS = 2  # a replay may confirm that much earlier or later than the run did


def capture(run: RunRows, path: Path, verdict: str | None = None) -> Path:
    """Write the scenario and its trace. Raises `InputError` for a name or verdict that is none, or an existing file."""
    if not path.name.endswith(SUFFIX):
        raise InputError(f"{path}: a scenario's name ends in {SUFFIX}")
    if path.exists():
        raise InputError(f"{path}: exists already; choose another name with --out")
    trace_path = path.with_name(path.name.removesuffix(SUFFIX) + ".bdf.csv")
    document = scenario_of(run, trace_path.name, verdict)
    write_pieces((piece.trace for piece in run.pieces()), trace_path)
    write_output(path, toml_text.dumps(document))
    return path


def scenario_of(run: RunRows, trace_name: str, verdict: str | None = None) -> dict[str, Any]:
    """The scenario's tables."""
    trip = run.trip
    expect: dict[str, Any] = {"verdict": verdict or (str(trip["rule"]) if trip else "no-trip")}
    row = TripPlace.of(run).row if trip and verdict is None else None
    if row is not None:
        expect["trip_row"] = [max(0, row - MARGIN_ROWS), row + MARGIN_ROWS]
    document = {
        "title": f"recorded in {run.folder.name}",
        "play": {"trace": trace_name},
        "front_end": dict(run.config["front_end"]),
        "firmware": _firmware(run.config),
        "expect": expect,
    }
    ScenarioFile.model_validate(document)
    return document


def _firmware(config: Mapping[str, Any]) -> dict[str, Any]:
    """Limits and actions in force, of what `run.toml` says of them."""
    kept = config.get("limits", {})
    found = {ours: kept[theirs] for theirs, ours in LIMITS.items() if theirs in kept}
    rules = config.get("rules", {})
    return found | ({"actions": dict(rules)} if rules else {})


def main(arguments: list[str] | None = None) -> int:
    """Capture one run."""
    parser = argparse.ArgumentParser(
        prog="python -m ccdmon_hil.play.capture", description=__doc__.split("\n")[0]
    )
    parser.add_argument("run", type=Path, metavar="RUN", help="a run folder")
    parser.add_argument("--out", type=Path, required=True, metavar="NAME" + SUFFIX)
    parser.add_argument("--expect", metavar="VERDICT", help="a reason, trip or no-trip")
    options = parser.parse_args(arguments)
    try:
        print(capture(RunRows(options.run), options.out, options.expect))
    except CcdmonError as error:
        print(f"capture: {error}", file=sys.stderr)
        return error.exit_code
    except ValueError as error:
        print(f"capture: --expect {options.expect}: {' '.join(str(error).split())[:200]}", file=sys.stderr)
        return 2
    return EXIT_FINE


if __name__ == "__main__":
    sys.exit(main())
