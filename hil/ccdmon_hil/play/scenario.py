"""A scenario: what is played to the firmware and what must come out, in a file `NAME.scenario.toml`.

[play]
trace = "cell.bdf.csv"        # beside this file; or: simulate = "hard_short" and seed = 1
rows = [2200, 2300]           # only these; or around_fault = [80, 40], rows before and after a simulated fault
[front_end]                   # as in a rig file; without it, ranges that fit the trace
voltage_full_scale_V = 5.0
current_full_scale_A = 0.01
[firmware]                    # limits and actions, as `limits.detector_settings` takes them
voltage_limit_V = 5.0
[expect]
verdict = "hard_short"        # a reason, "trip" or "no-trip"
trip_row = [55, 58]           # first and last row allowed, counted from the first that [play] names
[latency_budget]              # each is checked where the rig measures it
samples = 3
virtual_us = 600.0
real_us = 600.0
"""

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from ccdmon.errors import InputError
from ccdmon.model.front_end import FrontEnd
from ccdmon.model.trace import Trace
from ccdmon.rig.rig_file import FrontEndTable, Table
from ccdmon_fw import limits
from ccdmon_hil.play.imperfect import Imperfect
from ccdmon_hil.play.result import ReplayResult
from ccdmon_hil.rigs.checked_toml import read_checked
from ccdmon_hil.rigs.session import Session
from ccdmon_hil.rigs.wiring import LatencyTable

SUFFIX = ".scenario.toml"
Pair = Annotated[tuple[int, int], Field(strict=False)]  # TOML has lists


class PlayTable(Table):
    """Where the rows come from: a recorded trace, or the simulator."""

    trace: str | None = None
    simulate: str | None = None
    seed: int = 1
    options: dict[str, Any] = Field(default_factory=dict)  # of the simulator
    rows: Pair | None = None
    around_fault: Pair | None = None
    optional: bool = False  # a recording that may be missing: skipped then

    @model_validator(mode="after")
    def _one_source(self) -> "PlayTable":
        if (self.trace is None) == (self.simulate is None):
            raise ValueError("name either a trace or what to simulate")
        return self


class FirmwareTable(Table):
    """Limits and actions, in physical units."""

    voltage_limit_V: float | None = None
    voltage_min_V: float | None = None
    current_limit_A: float | None = None
    pressure_limit_Pa: float | None = None
    pressure_min_Pa: float | None = None
    settle_s: float | None = None
    confirm_samples: int | None = None
    actions: dict[str, Literal["off", "inform", "warn", "trip"]] | None = None


class ExpectTable(Table):
    """The verdict, and where."""

    verdict: str
    trip_row: Pair | None = None

    @model_validator(mode="after")
    def _known(self) -> "ExpectTable":
        known = ("trip", "no-trip", *limits.REASONS[1:])
        if self.verdict not in known:
            raise ValueError(f"verdict must be one of {', '.join(known)}")
        return self


class ScenarioFile(Table):
    """The file."""

    title: str = ""
    play: PlayTable
    front_end: FrontEndTable | None = None
    firmware: FirmwareTable = FirmwareTable()
    expect: ExpectTable
    latency_budget: LatencyTable = LatencyTable()


class MissingTraceError(InputError):
    """The scenario's recording, an optional one, is not on this machine."""


@dataclass(frozen=True)
class Scenario:
    """A scenario read from its file."""

    path: Path
    file: ScenarioFile

    @property
    def name(self) -> str:
        """Its file's name without the suffix."""
        return self.path.name.removesuffix(SUFFIX)

    def trace(self) -> tuple[Trace, int | None]:
        """(rows to play, the one where something happens, None: nowhere). `MissingTraceError`: it is missing."""
        if self.file.play.simulate is not None:
            return _simulated(self.file.play)
        return _recorded(self.file.play, self.path.parent), (self.file.expect.trip_row or (None,))[0]

    def front_end(self, trace: Trace) -> FrontEnd:
        """What stands between the cell and the firmware."""
        table = self.file.front_end
        return FrontEnd.for_trace(trace) if table is None else FrontEnd.from_table(table.model_dump())


@dataclass(frozen=True)
class Outcome:
    """What a scenario gave on a rig. `problems`: why it failed, one line each; none: it passed.

    Of `trace` the rows from `first_row` on were played; those in the result count from the trace's first.
    """

    scenario: Scenario
    trace: Trace
    first_row: int
    result: ReplayResult
    problems: tuple[str, ...]


def read_scenario(path: Path) -> Scenario:
    """Read and check a scenario file; raises `InputError` in one line."""
    return Scenario(path, read_checked(ScenarioFile, path, "name a scenario file"))


def run_scenario(
    scenario: Scenario, session: Session, most_rows: int | None = None, wired: int | None = None
) -> Outcome:
    """Play a scenario on a rig that runs; `most_rows`: no more of it, around what happens in it (`window`).

    `wired`: through the wiring as it is built (`as_wired.py`), the one of this number. Raises `InputError`, or
    `DeviceError` where the rig fails.
    """
    from ccdmon_hil.play.as_wired import as_wired
    from ccdmon_hil.play.replay import replay_on

    trace, event_row = scenario.trace()
    start, stop = window(len(trace), event_row, most_rows)
    physical = scenario.file.firmware.model_dump(exclude_none=True)
    front_end, errors = scenario.front_end(trace), Imperfect()
    if wired is not None:
        front_end, errors, calibrated = as_wired(
            trace,
            wired,
            front_end if scenario.file.front_end else None,
            physical.get("voltage_limit_V", math.inf),
        )
        physical = calibrated | physical
    result = replay_on(
        session, trace, start=start, stop=stop, front_end=front_end, imperfect=errors, **physical
    )
    return Outcome(scenario, trace, start, result, tuple(problems_of(scenario.file, result)))


def window(rows: int, event_row: int | None, most_rows: int | None) -> tuple[int, int]:
    """[first, stop) of at most so many rows: two thirds before what happens and one after it; else the first."""
    if most_rows is None or rows <= most_rows:
        return 0, rows
    start = max(0, (event_row or 0) - most_rows * 2 // 3)
    start = min(start, rows - most_rows)
    return start, start + most_rows


def problems_of(file: ScenarioFile, result: ReplayResult) -> list[str]:
    """Why a result is not what the scenario wants. Lost samples leave a verdict undecided, which is no pass."""
    problems = []
    if result.samples_received < result.rows or result.crc_errors:
        problems.append(
            f"undecided: {result.dropped} of {result.rows} samples lost, {result.crc_errors} frames damaged"
        )
    if not result.meets(file.expect.verdict):
        happened = result.reason if result.tripped else "no trip"
        problems.append(f"expected {file.expect.verdict}, but: {happened}")
    if result.tripped == result.gate_closed:
        problems.append("the gate's pin and the verdict disagree")
    if file.expect.trip_row and result.trip_row is not None:
        first, last = file.expect.trip_row
        if not first <= result.trip_row <= last:
            problems.append(f"tripped at row {result.trip_row}, allowed are {first} to {last}")
    return problems + list(_over_budget(file.latency_budget, result))


def _over_budget(budget: LatencyTable, result: ReplayResult) -> list[str]:
    latency = result.document()["latency"]
    allowed = budget.model_dump(exclude_none=True)
    return [
        f"latency of {latency[name]:g} {name} is over the budget of {limit:g}"
        for name, limit in allowed.items()
        if latency[name] is not None and latency[name] > limit
    ]


def _recorded(play: PlayTable, folder: Path) -> Trace:
    from ccdmon.formats.bdf.read import read_bdf

    assert play.trace is not None
    path = folder / play.trace
    if not path.exists():
        kind = MissingTraceError if play.optional else InputError
        raise kind(f"{path}: this recording is not here")
    trace = read_bdf(path)
    return trace.rows(*play.rows) if play.rows else trace


def _simulated(play: PlayTable) -> tuple[Trace, int | None]:
    from ccdmon.simulation.simulate import SCENARIOS, simulate

    assert play.simulate is not None
    if play.simulate not in SCENARIOS:
        raise InputError(f"[play] simulate: no scenario {play.simulate!r}; one of {', '.join(SCENARIOS)}")
    simulated = simulate(play.simulate, play.seed, **play.options)
    fault = simulated.truth["first_faulty_row"]
    rows = play.rows or (0, len(simulated.trace))
    if play.around_fault:
        before, after = play.around_fault
        rows = (max(0, fault - before), fault + after) if fault is not None else (0, before + after)
    return simulated.trace.rows(*rows), None if fault is None else max(0, fault - rows[0])
