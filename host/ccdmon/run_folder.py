"""A run on disk: what is recorded (`frames.bin`, `events.ndjson`, `run.toml`) and what is derived from it.

`frames.bin` is the truth. The trace is decoded from it with the front end and the time per sample that
`run.toml` names, so a folder cut off at any byte still opens: a torn last frame is one the CRC refuses.
"""

import json
import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ccdmon.errors import InputError
from ccdmon.formats import toml_text
from ccdmon.formats.bdf import write_bdf
from ccdmon.front_end import FrontEnd
from ccdmon.link import Counts, Decoder, Samples
from ccdmon.trace import Cell, FloatArray, Trace

FRAMES_FILE, EVENTS_FILE, CONFIG_FILE = "frames.bin", "events.ndjson", "run.toml"
TRACE_FILE = "trace.bdf.parquet"
REPORT_HTML, REPORT_JSON = "report.html", "report.json"
SCHEMA = "ccdmon.run/1"
_READ_BYTES = 1 << 20


@dataclass(frozen=True)
class Run:
    """An opened run folder."""

    folder: Path
    config: Mapping[str, Any]  # run.toml
    trace: Trace
    samples: npt.NDArray[np.int64]  # the device's sample counter of each row
    verdicts: npt.NDArray[np.uint16]  # the firmware's verdict on each row
    counts: Counts
    events: tuple[Mapping[str, Any], ...]

    @property
    def trip(self) -> Mapping[str, Any] | None:
        """The first event that opened the gate."""
        return next((event for event in self.events if event.get("action") == "trip"), None)


def is_run_folder(path: Path) -> bool:
    """Whether the folder holds a recording."""
    return (path / FRAMES_FILE).is_file() or (path / CONFIG_FILE).is_file()


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


def rewrite_config(folder: Path, config: Mapping[str, Any]) -> None:
    """Replace `run.toml`, whole, by one that knows more (the firmware's answers, for example)."""
    _write_whole(folder / CONFIG_FILE, toml_text.dumps({"schema": SCHEMA, **config}))


def open_run(folder: Path) -> Run:
    """Decode a run folder, complete or cut off. Raises `InputError` where nothing can be had from it."""
    config = _read_config(folder / CONFIG_FILE)
    frames = folder / FRAMES_FILE
    if not frames.is_file():
        raise InputError(f"{frames}: missing; this folder holds no recording")
    blocks, counts = _read_samples(frames)
    if not blocks:
        raise InputError(f"{frames}: holds no whole frame with samples; nothing was recorded")
    codes, samples = _joined(blocks)
    trace = _trace(codes, samples, config, folder)
    events = tuple(_read_events(folder / EVENTS_FILE))
    return Run(folder, config, trace, samples, codes[:, 3], counts, events)


def derive_trace(run: Run) -> Path:
    """Write the trace and its sidecar into the folder; returns the trace's path."""
    path = run.folder / TRACE_FILE
    write_bdf(run.trace, path)
    return path


def _write_whole(path: Path, text: str) -> None:
    """Write so that a kill leaves the old file or the new one, never half of one."""
    part = path.with_suffix(path.suffix + ".part")
    with part.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)


def _read_config(path: Path) -> Mapping[str, Any]:
    try:
        config = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(
            f"{path}: {error.strerror}; the scaling of the samples is not known without it"
        ) from error
    except ValueError as error:
        raise InputError(f"{path}: not a readable TOML file ({error}); mend it") from error
    for table, key in (("front_end", "voltage_full_scale_V"), ("time", "seconds_per_sample")):
        if not isinstance(config.get(table, {}).get(key), int | float):
            raise InputError(f"{path}: [{table}] {key} is missing or no number; the samples cannot be scaled")
    return config


def _read_samples(path: Path) -> tuple[list[Samples], Counts]:
    """The sample blocks of the last run in the file."""
    decoder, blocks = Decoder(), list[Samples]()
    with path.open("rb") as file:
        while data := file.read(_READ_BYTES):
            blocks += [
                event for event in decoder.feed(data) if isinstance(event, Samples) and len(event.codes)
            ]
    last_run = blocks[-1].run if blocks else 0
    return [block for block in blocks if block.run == last_run], decoder.counts


def _joined(blocks: list[Samples]) -> tuple[npt.NDArray[np.uint16], npt.NDArray[np.int64]]:
    """Codes of shape (rows, 4) and sample counters; a block that came twice counts once."""
    codes = np.concatenate([block.codes for block in blocks])
    samples = np.concatenate([block.first_sample + np.arange(len(block.codes)) for block in blocks])
    samples, first = np.unique(samples, return_index=True)
    return codes[first], samples


def _trace(
    codes: npt.NDArray[np.uint16], samples: npt.NDArray[np.int64], config: Mapping[str, Any], folder: Path
) -> Trace:
    front_end = FrontEnd.from_table(config["front_end"])
    pressure = _declared(config, "pressure_Pa", len(codes))
    if front_end.pressure_full_scale_Pa is not None:
        pressure = front_end.pressure_Pa(codes[:, 2])
    return Trace(
        test_time_s=samples.astype(np.float64) * float(config["time"]["seconds_per_sample"]),
        voltage_V=front_end.voltage_V(codes[:, 0]),
        current_A=front_end.current_A(codes[:, 1]),
        pressure_Pa=pressure,
        temperature_degC=_declared(config, "temperature_degC", len(codes)),
        cell=_cell(config),
        source=folder,
    )


def _declared(config: Mapping[str, Any], name: str, rows: int) -> FloatArray | None:
    """A condition that was set and not measured (`[conditions]` in `run.toml`), as a constant column."""
    value = config.get("conditions", {}).get(name)
    return np.full(rows, float(value)) if isinstance(value, int | float) else None


def _cell(config: Mapping[str, Any]) -> Cell:
    cell = config.get("cell", {})
    area = cell.get("electrode_area_cm2")
    base = Cell(area, cell.get("configuration", "symmetric"), cell.get("electrolyte"))
    return replace(base, metadata={"cell": dict(cell)})


def _read_events(path: Path) -> list[Mapping[str, Any]]:
    """The event log's whole lines; the last may be torn."""
    events: list[Mapping[str, Any]] = []
    for line in path.read_bytes().split(b"\n") if path.is_file() else []:
        try:
            event = json.loads(line)
        except ValueError:
            continue
        if isinstance(event, dict):
            events.append(event)
    return events
