"""The rig file: one TOML that says what cell sits behind which board, and what shall happen to it.

`ccdmon init` writes it commented, `record`, `arm`, `doctor`, `replay`, `calibrate` and `protocol` read it, and a run
folder keeps a copy. Everything is checked before anything is done: an unknown key is an error that names the nearest
known one. Physical names carry their unit.
"""

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from ccdmon.errors import InputError
from ccdmon.link import bounds
from ccdmon.model.front_end import FrontEnd
from ccdmon.model.kinds import SYMMETRIC, Configuration
from ccdmon.model.program import Program, Rests, build_program
from ccdmon.model.trace import Cell
from ccdmon.rig.problems import nearest, problems_of

SCHEMA = "ccdmon.rig/1"
MOST_BYTES = 1 << 20
Positive = Annotated[float, Field(gt=0)]
NotNegative = Annotated[float, Field(ge=0)]
Action = Literal["off", "inform", "warn", "trip"]


class Table(BaseModel):
    """One table of the file: its keys are its fields, no others; types as TOML has them, numbers are finite."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False, strict=True)


class CellTable(Table):
    """The cell, as in a trace's sidecar."""

    name: str | None = None
    electrode_area_cm2: Positive | None = None  # None: nothing area-specific can be computed
    configuration: Configuration = SYMMETRIC
    electrolyte: str | None = None
    electrodes: str | None = None


class ConditionsTable(Table):
    """What was set and is not measured."""

    temperature_degC: float | None = None
    pressure_Pa: NotNegative | None = None


class PortTable(Table):
    """Where the board is: a device path or URL that pyserial knows; `auto` takes the only board plugged in."""

    device: str = "auto"


class Calibration(Table):
    """Value = gain * nominal value + offset, in the channel's unit; `noise` is the residual standard deviation."""

    gain: Positive = 1.0
    offset: float = 0.0
    noise: NotNegative | None = None
    calibrated_at: str | None = None


class FrontEndTable(Table):
    """Nominal values at the converter's rails, and what two-point calibration made of them."""

    voltage_full_scale_V: Positive
    current_full_scale_A: Positive
    pressure_full_scale_Pa: Positive | None = None  # None: no pressure sensor
    voltage: Calibration = Calibration()
    current: Calibration = Calibration()
    pressure: Calibration = Calibration()
    temperature: Calibration = Calibration()
    converter_bits: Annotated[int, Field(ge=8, le=32)] = 12  # of voltage and current
    temperature_at: Literal["board", "cell"] = "board"  # where the board's sensor is


class LimitsTable(Table):
    """What the board cuts off at, and how it judges; the board refuses what lies beyond its compiled bounds."""

    voltage_V: Positive = 5.0  # of either sign
    voltage_min_V: float | None = None  # of a full cell, instead of -voltage_V
    current_A: Positive | None = None
    pressure_max_Pa: Positive | None = None
    pressure_min_Pa: NotNegative | None = None
    voltage_rate_V_s: Positive | None = None
    current_rate_A_s: Positive | None = None
    pressure_rate_Pa_s: Positive | None = None
    resistance_min_ohm: Positive | None = None  # of a symmetric cell, at any time
    settle_s: Positive | None = None  # None: the firmware's own default
    soft_persist_s: Positive | None = None
    confirm_samples: Annotated[int, Field(ge=1)] = 2

    @model_validator(mode="after")
    def _ordered(self) -> "LimitsTable":
        low, high = self.pressure_min_Pa, self.pressure_max_Pa
        if low is not None and high is not None and low >= high:
            raise ValueError("pressure_min_Pa must lie below pressure_max_Pa")
        return self


class SamplingTable(Table):
    """How often the board samples, and how many of the last 1024 may be late before it trips."""

    period_us: Annotated[int, Field(ge=100)] | None = None  # None: the board's own
    overrun_limit: Annotated[int, Field(ge=1)] | None = None


class GateTable(Table):
    """How the gate is driven and how the self-test before each arming sees that it follows."""

    drive: Literal["level", "pump"] = "level"
    feedback: Literal["none", "closes", "opens"] = "none"  # what the contact does when the gate closes
    # GP14: a loop that holds it to ground as long as all is well, or nothing that is looked at.
    external_trip: Literal["loop", "none"] = "loop"
    self_test_current_A: Positive | None = None  # must flow when the self-test closes the gate
    self_test_ms: Annotated[int, Field(ge=1)] | None = None


class TelemetryTable(Table):
    """What the board sends: every sample, blocks of minimum, maximum and mean, or events only."""

    mode: Literal["every_sample", "blocks", "events"] = "every_sample"
    samples_per_block: Annotated[int, Field(ge=1, le=255)] = 32


class RecordingTable(Table):
    """How a run is written down: a new file after so many megabytes."""

    rotate_MB: Positive | None = 1000.0
    keep_free_MB: NotNegative = 500.0  # below, a warning


class HostTripsTable(Table):
    """What the host may ask the board to trip on: only it sees whole half-cycles."""

    soft_short: bool = False  # one that persists
    fake_stable: bool = False
    contact_loss: bool = False
    persist_s: NotNegative = 60.0  # how long an event must stand before the host asks
    host_timeout_s: Positive | None = None  # the board trips when the host is silent for so long; None: never


class NotificationsTable(Table):
    """Whom to tell of a trip: addresses as apprise writes them (mail, chat, a web address)."""

    urls: Annotated[tuple[str, ...], Field(strict=False)] = ()  # TOML has lists


class ProtocolTable(Table):
    """The test the cycler runs, by the review's four protocols; `ccdmon protocol` writes the cycler's file from it."""

    kind: Literal["time_control", "capacity_control", "endurable_time", "long_cycling"]
    levels_mA_cm2: Annotated[tuple[Positive, ...], Field(min_length=1, strict=False)]
    half_cycle_s: Positive | None = None
    half_cycle_mAh_cm2: Positive | None = None
    cycles_per_level: Annotated[int, Field(ge=1)] = 1
    rest_initial_s: NotNegative = 0.0
    rest_between_half_cycles_s: NotNegative = 0.0
    rest_between_cycles_s: NotNegative = 0.0
    row_interval_s: Positive = 1.0  # how often the cycler writes a row
    impedance: Literal["none", "before_after", "each_level"] = (
        "none"  # spectra that the cycler takes, at rest
    )
    impedance_amplitude_V: Positive = 0.01
    impedance_from_Hz: Annotated[float, Field(ge=1e-5, le=1e7)] = 1e6
    impedance_to_Hz: Annotated[float, Field(ge=1e-5, le=1e7)] = 0.1
    impedance_points_per_decade: Annotated[int, Field(ge=1)] = 10
    impedance_rest_s: NotNegative = 60.0  # before each

    @model_validator(mode="after")
    def _sized(self) -> "ProtocolTable":
        if self.impedance_from_Hz <= self.impedance_to_Hz:
            raise ValueError("impedance_from_Hz must lie above impedance_to_Hz")
        self.program()
        return self

    def program(self) -> Program:
        """The segments of the test. ValueError where the size of a half-cycle is missing."""
        rests = Rests(self.rest_initial_s, self.rest_between_half_cycles_s, self.rest_between_cycles_s)
        return build_program(
            self.kind,
            self.levels_mA_cm2,
            half_cycle_s=self.half_cycle_s,
            half_cycle_mAh_cm2=self.half_cycle_mAh_cm2,
            cycles_per_level=self.cycles_per_level,
            rests=rests,
        )


class Rig(Table):
    """A whole rig file. `rules` maps a rule of the firmware to what it does when it fires."""

    schema_: Annotated[Literal["ccdmon.rig/1"], Field(alias="schema")] = "ccdmon.rig/1"
    name: str = "rig"
    cell: CellTable = CellTable()
    conditions: ConditionsTable = ConditionsTable()
    port: PortTable = PortTable()
    front_end: FrontEndTable
    limits: LimitsTable = LimitsTable()
    rules: Mapping[str, Action] = {}
    sampling: SamplingTable = SamplingTable()
    gate: GateTable = GateTable()
    telemetry: TelemetryTable = TelemetryTable()
    recording: RecordingTable = RecordingTable()
    host_trips: HostTripsTable = HostTripsTable()
    notifications: NotificationsTable = NotificationsTable()
    protocol: ProtocolTable | None = None

    def cell_declared(self) -> Cell:
        """The cell as traces and reports know it."""
        cell = self.cell.model_dump(exclude_none=True)
        return Cell(
            self.cell.electrode_area_cm2, self.cell.configuration, self.cell.electrolyte, {"cell": cell}
        )

    def front_end_scales(self) -> FrontEnd:
        """Codes to volts, amperes and pascals, calibration included."""
        return FrontEnd.from_table(self.front_end.model_dump())

    def document(self) -> dict[str, Any]:
        """Plain tables for `run.toml`, None values left out."""
        return self.model_dump(mode="json", by_alias=True, exclude_none=True)


def read_rig(path: Path) -> Rig:
    """Read and check a rig file. Raises `InputError`: file, table and key, what to do."""
    try:
        with path.open("rb") as file:
            text = file.read(MOST_BYTES + 1)  # of a device there is no end
        if len(text) > MOST_BYTES:
            raise InputError(
                f"{path}: larger than {MOST_BYTES} bytes; name a rig file, `ccdmon init` writes one"
            )
        document = tomllib.loads(text.decode("utf-8"))
    except IsADirectoryError as error:
        raise InputError(f"{path}: is a folder; name a rig file, `ccdmon init` writes one") from error
    except OSError as error:
        raise InputError(f"{path}: {error.strerror or error}; write one with 'ccdmon init {path}'") from error
    except (ValueError, RecursionError) as error:
        raise InputError(
            f"{path}: not a readable TOML file ({' '.join(str(error).split())}); mend it"
        ) from error
    return check_rig(document, str(path))


def check_rig(document: Mapping[str, Any], name: str) -> Rig:
    """A rig from plain tables. Raises `InputError` as `read_rig` does."""
    try:
        rig = Rig.model_validate(document)
    except ValidationError as error:
        problems = list(problems_of(error, Rig))
        more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
        raise InputError(f"{name}: {problems[0]}{more}") from None
    if (wrong := bounds.problem(document)) is not None:
        raise InputError(f"{name}: {wrong}; mend it")
    unknown = next((rule for rule in rig.rules if rule not in rule_names()), None)
    if unknown is not None:
        raise InputError(f"{name}: [rules] {unknown}: unknown rule{nearest(unknown, rule_names())}")
    return rig


def rule_names() -> tuple[str, ...]:
    """Rules of the firmware whose action can be chosen."""
    from ccdmon_fw import limits

    return tuple(limits.RULES)
