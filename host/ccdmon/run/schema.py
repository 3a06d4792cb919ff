"""The one schema of `run.toml`. Whoever opens a run folder (analyze, report, watch, record --resume) passes `checked`.

The recorder writes it, but people copy and edit it, and everything in it scales what was measured: a value of another
type, out of range, not finite, nested too deep or of a later version is refused with its place, never guessed at.
Keys that no table knows may be there; they are carried along.
"""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ccdmon.errors import InputError
from ccdmon.link import bounds
from ccdmon.model.kinds import SYMMETRIC, Configuration
from ccdmon.rig.problems import problems_of

SCHEMA = "ccdmon.run/1"
LONGEST_SAMPLE_S = 86400.0
LARGEST_SCALE = 1e12

Text = Annotated[str, Field(max_length=1000)]
Scale = Annotated[float, Field(gt=0, le=LARGEST_SCALE)]
Offset = Annotated[float, Field(ge=-LARGEST_SCALE, le=LARGEST_SCALE)]
Setting = Annotated[int, Field(ge=-(1 << 31), lt=1 << 31)]


class RunTable(BaseModel):
    """Types as TOML has them: no text is taken for a number."""

    model_config = ConfigDict(strict=True, extra="allow", allow_inf_nan=False)


class RunCell(RunTable):
    """The cell, as in a trace's sidecar."""

    name: Text | None = None
    electrode_area_cm2: Scale | None = None
    configuration: Configuration = SYMMETRIC
    electrolyte: Text | None = None


class RunConditions(RunTable):
    """What was set and not measured."""

    temperature_degC: Annotated[float, Field(ge=-273.15, le=3000)] | None = None
    pressure_Pa: Annotated[float, Field(ge=0, le=LARGEST_SCALE)] | None = None


class RunChannel(RunTable):
    """What calibration knows of a channel."""

    gain: Scale = 1.0
    offset: Offset = 0.0


class RunFrontEnd(RunTable):
    """What the codes mean."""

    voltage_full_scale_V: Scale
    current_full_scale_A: Scale
    pressure_full_scale_Pa: Scale | None = None
    voltage: RunChannel = RunChannel()
    current: RunChannel = RunChannel()
    pressure: RunChannel = RunChannel()
    temperature: RunChannel = RunChannel()
    temperature_at: Literal["board", "cell"] = "board"
    assumed: bool = False  # no rig file: the board's own scales replace these


class RunTimeTable(RunTable):
    """How samples become seconds."""

    seconds_per_sample: Annotated[float, Field(gt=0, le=LONGEST_SAMPLE_S)]
    segments: Literal["joined"] | None = None  # None: the last one is the trace


class RunFirmware(RunTable):
    """Who watched."""

    version: Text | None = None
    micropython: Text | None = None
    board: Text | None = None
    temperature: bool = False


class RunConfig(RunTable):
    """A whole `run.toml`."""

    schema_: Annotated[Literal["ccdmon.run/1"], Field(alias="schema")] = "ccdmon.run/1"
    made_by: Literal["record", "replay", "demo"] | None = None  # None: an earlier ccdmon's
    rig: Text | dict[str, Any] | None = None
    name: Text | None = None
    source: Text | None = None
    cell: RunCell = RunCell()
    conditions: RunConditions = RunConditions()
    front_end: RunFrontEnd
    time: RunTimeTable
    firmware: RunFirmware = RunFirmware()
    versions: dict[str, Text] = {}
    settings: dict[str, Setting] = {}
    limits: dict[str, float] = {}
    rules: dict[str, Text] = {}
    host_trips: dict[str, bool | float] = {}
    protocol: dict[str, Any] = {}


def checked(document: Mapping[str, Any], path: object) -> Mapping[str, Any]:
    """The document itself where it keeps to the schema; raises `InputError`: file, table and key, what to do."""
    stated = document.get("schema", SCHEMA)
    if stated != SCHEMA:
        raise InputError(
            f"{path}: schema {str(stated)[:40]!r} is not {SCHEMA}; open it with the ccdmon of it"
        )
    try:
        RunConfig.model_validate(
            {"front_end": {}, "time": {}, **document}
        )  # the keys are named, not the tables
    except ValidationError as error:
        raise InputError(f"{path}: {next(iter(problems_of(error, RunConfig)))}") from None
    if (wrong := bounds.problem(document)) is not None:
        raise InputError(f"{path}: {wrong}; mend it")
    return document
