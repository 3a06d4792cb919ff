"""A run on disk: what is recorded (`frames.bin`, `events.ndjson`, `run.toml`) and what is derived from it.

`frames.bin` and its rotated parts are the truth; `run_rows` reads them back with the front end and the time per sample
that `run.toml` names.
"""

import json
import os
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from ccdmon.errors import InputError
from ccdmon.formats.bdf import toml_text
from ccdmon.model.front_end import FrontEnd
from ccdmon.model.kinds import SYMMETRIC
from ccdmon.model.trace import Cell, FloatArray, Trace
from ccdmon.rig.physical import physical_limits
from ccdmon.run.frame_files import CONFIG_FILE, FRAMES_FILE, read_parts
from ccdmon.run.frame_files import is_run_folder as is_run_folder
from ccdmon.run.rows import RowReader, Rows
from ccdmon.run.schema import SCHEMA, checked
from ccdmon.run.time_axis import CLOCK_FILE, RunTime
from ccdmon_fw import limits

EVENTS_FILE = "events.ndjson"
TRACE_FILE = "trace.bdf.parquet"
REPORT_HTML, REPORT_JSON = "report.html", "report.json"
MOST_CONFIG_BYTES = 1 << 20


def create(folder: Path, config: Mapping[str, Any]) -> None:
    """Make the folder and write `run.toml`; raises `InputError` where a recording already lies there.

    `config` has the tables `[cell]`, `[front_end]` (the fields of `FrontEnd`), `[time] seconds_per_sample`
    and whatever else describes the run; None values are left out.
    """
    if folder.is_dir() and is_run_folder(folder):
        raise InputError(f"{folder}: holds a recording already; choose another folder with --out")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        rewrite_config(folder, config)
    except OSError as error:
        raise InputError(f"{folder}: cannot write ({error.strerror}); choose another folder") from error


def remove_empty(folder: Path) -> None:
    """Take back a folder into which nothing intact was recorded, so that its name can be used again."""
    reader = RowReader()
    for data in read_parts(folder):
        batch = reader.feed(data)
        if batch.messages or batch.rows or batch.refused:
            return
    for name in (FRAMES_FILE, EVENTS_FILE, CLOCK_FILE, CONFIG_FILE):
        (folder / name).unlink(missing_ok=True)
    for emptied in (folder / "trace-parts", folder):
        with suppress(OSError):  # it holds something else, too
            emptied.rmdir()


def firmware_of(identity: Mapping[str, Any]) -> dict[str, Any]:
    """`[firmware]` of `run.toml`: who watched."""
    known = ("version", "micropython", "board", "id", "schema", "protocol", "sample_period_us", "temperature")
    return {key: identity[key] for key in known if key in identity}


def firmware_tables(
    identity: Mapping[str, Any], settings: Sequence[int], front_end: FrontEnd, sample_interval_s: float
) -> dict[str, Any]:
    """What the device says of itself, for `run.toml`.

    `[settings]` are the integers in force, `[limits]` what they mean, as in a rig file.
    """
    named = dict(zip(limits.SETTINGS, settings, strict=False))
    return {
        "firmware": firmware_of(identity),
        "limits": physical_limits(named, front_end, sample_interval_s),
        "settings": named,
    }


def rewrite_config(folder: Path, config: Mapping[str, Any]) -> None:
    """Replace `run.toml`, whole, by one that knows more (the firmware's answers, for example)."""
    _write_whole(folder / CONFIG_FILE, toml_text.dumps({"schema": SCHEMA, **config}))


def _write_whole(path: Path, text: str) -> None:
    """Write so that a kill leaves the old file or the new one, never half of one."""
    part = path.with_suffix(path.suffix + ".part")
    with part.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)


def read_config(folder: Path) -> Mapping[str, Any]:
    """`run.toml` of a folder, checked (`schema`). Raises `InputError` where the samples could not be scaled by it."""
    path = folder / CONFIG_FILE
    try:
        if not path.is_file() and path.exists():  # reading a pipe would wait for ever
            raise InputError(f"{path}: no regular file; put back the one that ccdmon wrote")
        if path.stat().st_size > MOST_CONFIG_BYTES:
            raise InputError(
                f"{path}: larger than {MOST_CONFIG_BYTES} bytes; it is not what ccdmon wrote, mend it"
            )
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(
            f"{path}: {error.strerror}; the scaling of the samples is not known without it"
        ) from error
    except (ValueError, RecursionError) as error:
        what = " ".join(str(error).split())[:200]
        raise InputError(f"{path}: not a readable TOML file ({what}); mend it") from error
    return checked(document, path)


def trace_of(rows: Rows, time: RunTime, config: Mapping[str, Any], folder: Path) -> Trace:
    """Rows in physical units on the run's time axis."""
    front_end = FrontEnd.from_table(config["front_end"])
    measured = front_end.pressure_full_scale_Pa is not None
    return Trace(
        test_time_s=time.test_time_s(rows),
        voltage_V=front_end.voltage_V(rows.codes[:, 0]),
        current_A=front_end.current_A(rows.codes[:, 1]),
        pressure_Pa=front_end.pressure_Pa(rows.codes[:, 2]) if measured else None,
        temperature_degC=_temperature_degC(rows, config, front_end),
        unix_time_s=time.unix_time_s(rows),
        cell=cell_of(config),
        source=folder,
    )


def measures_cell_temperature(config: Mapping[str, Any]) -> bool:
    """Whether a run's temperature is the one its board measures, not the declared one.

    It is where the rig file says that the board's sensor is at the cell (`[front_end] temperature_at`), or where
    nothing was declared. A board outside of the cell's oven must not overrule what was set there.
    """
    measured = bool(config.get("firmware", {}).get("temperature"))
    at_cell = config.get("front_end", {}).get("temperature_at") == "cell"
    return measured and (at_cell or "temperature_degC" not in config.get("conditions", {}))


def _temperature_degC(rows: Rows, config: Mapping[str, Any], front_end: FrontEnd) -> FloatArray | None:
    if rows.temperature_dC is None or not measures_cell_temperature(config):
        return None
    return front_end.temperature_degC(rows.temperature_dC)


def cell_of(config: Mapping[str, Any]) -> Cell:
    """The cell and what was set for it (`[conditions]`) as `run.toml` describes them."""
    cell, conditions = config.get("cell", {}), config.get("conditions", {})
    return Cell(
        cell.get("electrode_area_cm2"),
        cell.get("configuration", SYMMETRIC),
        cell.get("electrolyte"),
        {"cell": dict(cell)},
        conditions.get("temperature_degC"),
        conditions.get("pressure_Pa"),
    )


def read_events(path: Path) -> Iterator[Mapping[str, Any]]:
    """The event log's whole lines; the last may be torn, the file may be missing."""
    for line in path.read_bytes().split(b"\n") if path.is_file() else []:
        try:
            event = json.loads(line)
        except (ValueError, RecursionError):
            continue
        if isinstance(event, dict):
            yield event
