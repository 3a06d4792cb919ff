"""An injected trace with its truth, and the recordings that stand ready where the project's shared data lie."""

import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ccdmon.errors import InputError
from ccdmon.formats.importer import read_trace
from ccdmon.model.trace import Cell, Trace
from ccdmon.simulation.injected import circuits, leads
from ccdmon.simulation.injected.circuits import Altered
from ccdmon.simulation.injected.recording import Recording
from ccdmon.simulation.ladder.truth import GRACE_ROWS, GRACE_SHARE, GRADUAL
from ccdmon.simulation.simulate import Simulated
from ccdmon.simulation.truth import TRUTH_SCHEMA

ELECTROLYTES = ("LLZO", "Al2O3-coated LLZO", "Li6PS5Cl", "NASICON", "PEO-LiTFSI", "polymer", "unknown", None)
# Recordings of the shared folder and which of their rows are healthy.
STOCK: dict[str, tuple[int, int | None]] = {
    "recorded/li_llzo_li_healthy_low_voltage.bdf.csv": (0, None),
    "recorded/na_nasicon_na_hard_short.bdf.csv": (0, 2240),
    "recorded/li_peo_polarisation_divergence.bdf.csv": (0, 2200),
    "import/arbin_workbook.xlsx": (0, None),
    "import/test.ndax": (0, None),
    "import/sample_data_novonix.csv": (0, None),
}


def _source(recording: Recording) -> bool:
    return recording.has_source and bool(circuits.charges(recording))


def _filled_before(recording: Recording) -> bool:
    return recording.has_source and bool(circuits.later_charges(recording))


def _no_source(recording: Recording) -> bool:
    return not recording.has_source


def _steady(recording: Recording) -> bool:
    return not recording.has_source and not recording.grows


def _any(recording: Recording) -> bool:  # noqa: ARG001
    return True


@dataclass(frozen=True)
class Injection:
    """One kind of injection, and which recordings can take it."""

    apply: Callable[[Recording, np.random.Generator], Altered]
    fits: Callable[[Recording], bool]
    help: str


def _control(recording: Recording, rng: np.random.Generator) -> Altered:  # noqa: ARG001
    return circuits.untouched(recording)


INJECTIONS: dict[str, Injection] = {
    "untouched": Injection(_control, _any, "the recording itself: nothing may be told"),
    "untouched_rest": Injection(circuits.rested, _source, "a rest put behind a charge: nothing may be told"),
    "hard": Injection(circuits.hard, _any, "V / (1 + g R), at once and for good"),
    "soft": Injection(circuits.soft, _no_source, "the same, switching, then gone"),
    "partial": Injection(circuits.partial, _no_source, "15-50 % of the resistance bridged"),
    "growing_leak": Injection(circuits.growing_leak, _no_source, "g grows over several half-cycles"),
    "lost_contact": Injection(leads.lost_contact, _steady, "resistance in series that grows"),
    "opened": Injection(leads.opened, _any, "no current, the voltage at the rail"),
    "wire_off": Injection(leads.wire_off, _any, "the voltage's lead comes off"),
    "lost_capacity": Injection(
        leads.lost_capacity, _filled_before, "resistance in series ends a half-cycle early"
    ),
    "micro": Injection(circuits.micro, _source, "drops of 20-200 mV that heal"),
    "sagged": Injection(circuits.sagged, _source, "a drop of 50 mV to 1 V that stays"),
    "endless": Injection(circuits.endless, _filled_before, "a charge that never ends"),
    "sag_in_rest": Injection(circuits.sag_in_rest, _source, "self-discharge in a rest"),
}


def inject(kind: str, seed: int, recordings: Sequence[Recording]) -> Simulated | None:
    """The injection that a seed stands for; None where no recording can take it.

    Direction, declared configuration and the electrolyte's name are drawn, too. Raises InputError for an unknown kind.
    """
    if kind not in INJECTIONS:
        raise InputError(f"unknown injection {kind!r}: one of {', '.join(INJECTIONS)}")
    fitting = [recording for recording in recordings if INJECTIONS[kind].fits(recording)]
    if not fitting:
        return None
    rng = np.random.default_rng([seed, zlib.crc32(kind.encode()), 3])
    recording = fitting[int(rng.integers(len(fitting)))]
    if not recording.has_source and rng.uniform() < 0.5:
        recording = recording.mirrored()
    altered = INJECTIONS[kind].apply(recording, rng)
    declared: tuple[str, ...] = ("half", "full") if recording.has_source else ("symmetric", "half")
    if recording.trace.cell.configuration in ("full", "half") and recording.has_source:
        declared = (recording.trace.cell.configuration,)
    cell = _cell(recording, str(rng.choice(declared)), ELECTROLYTES[int(rng.integers(len(ELECTROLYTES)))])
    trace = Trace(altered.time_s, altered.voltage_V, altered.current_A, cell=cell)
    return Simulated(trace, _truth(kind, seed, recording, altered, cell))


def _cell(recording: Recording, configuration: str, electrolyte: str | None) -> Cell:
    area_cm2 = recording.trace.cell.electrode_area_cm2 or 1.0
    about = {"electrode_area_cm2": area_cm2, "configuration": configuration, "electrolyte": electrolyte}
    source = f"injected into {recording.name}"
    return Cell(area_cm2, configuration, electrolyte, {"cell": about, "source": source})


def _truth(kind: str, seed: int, recording: Recording, altered: Altered, cell: Cell) -> dict[str, Any]:
    begin_row = altered.begin_row
    if altered.kind in GRADUAL:  # it began to grow with this half-cycle
        begin_row = next((t.start for t in recording.stretches if t.start <= begin_row < t.stop), begin_row)
    event = {
        "kind": altered.kind,
        "row": altered.row,
        "begin_row": begin_row,
        "start_s": float(altered.time_s[altered.row]),
        "recovered": altered.recovered,
        "rows_into_half_cycle": 10,
        "settles_rows": altered.settles_rows,
    }
    return {
        "schema": TRUTH_SCHEMA,
        "world": "injected",
        "scenario": kind,
        "seed": seed,
        "recording": recording.name,
        "configuration": cell.configuration,
        "electrolyte": cell.electrolyte,
        "class": altered.kind or "healthy",
        "rows": len(altered.time_s),
        "first_suspect_row": begin_row if altered.kind else None,
        "levels_passed": 0,
        "cycles_seen": 0,
        "settling_rows": 0,
        "grace_rows": max(GRACE_ROWS, round(GRACE_SHARE * max(len(t) for t in recording.loaded))),
        "undecidable": None,
        "events": [event] if altered.kind else [],
        "accept": list(altered.accept),
        # A polarisation that grows by itself: voids or a limiting current are a fair reading.
        "tolerated": ["contact_loss", "limit"] if recording.grows else [],
        "ccd": None,
        "protocol": {"kind": "unknown"},
    }


def stock(traces: Path) -> list[Recording]:
    """The healthy recordings of a shared folder of traces, those that are there."""
    found = [(traces / name, rows) for name, rows in STOCK.items() if (traces / name).exists()]
    return [_recording(path, *rows) for path, rows in found]


def recording_of(text: str) -> Recording:
    """The recording that `TRACE` or `TRACE@FROM:TO` names, rows counted from 0. Raises InputError."""
    name, found, rows = text.rpartition("@")
    if not found:
        return _recording(Path(text), 0, None)
    first, colon, last = rows.partition(":")
    if not (colon and first.isdigit() and (last.isdigit() or not last)):
        raise InputError(f"{text}: rows are written TRACE@FROM:TO, as in cell.bdf.csv@0:2240")
    return _recording(Path(name), int(first), int(last) if last else None)


def _recording(path: Path, start: int, stop: int | None) -> Recording:
    try:
        return Recording.of(path.name, read_trace(path), start, stop)
    except ValueError as error:
        raise InputError(str(error)) from error
