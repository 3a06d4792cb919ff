"""Read, make, analyse and replay a trace: the verbs of the command line for a program or a notebook."""

import math
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

from ccdmon.analysis.impedance.comparison import Comparison, compare
from ccdmon.api.columns import floats, same_length, trace_of_frame
from ccdmon.api.report import Report
from ccdmon.errors import InputError
from ccdmon.formats.bdf.read import with_checked_time
from ccdmon.formats.impedance.files import read_pair
from ccdmon.model.front_end import VOLTAGE_LIMIT_V, FrontEnd
from ccdmon.model.kinds import CONFIGURATIONS, SYMMETRIC
from ccdmon.model.spectrum import Spectrum
from ccdmon.model.trace import Cell, Trace, joined
from ccdmon.rigs import load_rigs
from ccdmon.run.analysed import analysed
from ccdmon.run.sources import Source, TraceRows, source_of

SpectrumLike = Spectrum | str | Path | None


def read(path: str | Path, columns: str | None = None, area_cm2: float | None = None) -> Trace:
    """The trace in a file of any kind that the command line takes, or in a run folder.

    `columns` names those of a table that has other labels (`"time=t[h],voltage=U[mV],current=I[A]"`); `area_cm2` is the
    electrode's and wins over the sidecar's. Columns of the trace are float64 of shape (rows,), NaN where a cell was
    empty; `trace.notes` says what was assumed or left out. Raises `ccdmon.errors.InputError`, naming file, row and
    column, for what cannot be used.
    """
    if not isinstance(path, str | os.PathLike):
        raise InputError(f"{type(path).__name__}: give the path of a file or run folder")
    return _with_area(joined(list(_source(path, columns).traces())), area_cm2)


def trace(
    time_s: Any,
    voltage_V: Any,
    current_A: Any,
    pressure_Pa: Any = None,
    temperature_degC: Any = None,
    area_cm2: float | None = None,
    configuration: str = SYMMETRIC,
    electrolyte: str | None = None,
) -> Trace:
    """A trace of columns of numbers: arrays, lists, or columns of any data frame, each of shape (rows,).

    `time_s` is the test time in s, which never falls; a positive current plates lithium on the counter electrode. A
    missing value is NaN or None; a missing time is filled from its neighbours. `configuration`: `symmetric`, `half` or
    `full`. Without `area_cm2` results are in A and ohm. Raises `ccdmon.errors.InputError`.
    """
    if not isinstance(configuration, str) or configuration not in CONFIGURATIONS:
        raise InputError(f"configuration is {configuration!r:.40}; use one of {', '.join(CONFIGURATIONS)}")
    if not isinstance(electrolyte, str | None):
        raise InputError(f"electrolyte is {electrolyte!r:.40}; name it as text, or leave it out")
    given = {
        "test_time_s": floats(time_s, "time_s"),
        "voltage_V": floats(voltage_V, "voltage_V"),
        "current_A": floats(current_A, "current_A"),
        "pressure_Pa": None if pressure_Pa is None else floats(pressure_Pa, "pressure_Pa"),
        "temperature_degC": None
        if temperature_degC is None
        else floats(temperature_degC, "temperature_degC"),
    }
    same_length({name: column for name, column in given.items() if column is not None})
    made = Trace(**given, cell=Cell(None, configuration, electrolyte))  # type: ignore[arg-type]
    return _with_area(with_checked_time(made, "trace", 0, None), area_cm2)


def analyze(
    trace: Any,
    eis_before: SpectrumLike = None,
    eis_after: SpectrumLike = None,
    *,
    columns: str | None = None,
    area_cm2: float | None = None,
) -> Report:
    """Half-cycles, events, critical current density and verdict of one test.

    `trace`: a trace; the path of a file or run folder, as `read` takes it, a long one piece by piece; or a data frame
    of pandas, polars or pyarrow, or a mapping, with the columns of the Battery Data Format (`Test Time / s`,
    `Voltage / V`, `Current / A`), others ignored. `eis_before`, `eis_after`: impedance before and after the test, files
    or spectra; of several in a file, the first and the last.
    Raises `ccdmon.errors.InputError` for what cannot be used.
    """
    impedance, area_cm2 = _impedance(eis_before, eis_after), _checked(area_cm2)
    source = _source(trace, columns)
    found = analysed(source, impedance=impedance, area_cm2=area_cm2)
    return Report(found.document, _with_area(found.trace, area_cm2), impedance, source.run, found.trip_row)


def replay(
    trace: Any,
    rig: str = "model",
    *,
    port: str | None = None,
    imperfect: str = "",
    limit_V: float = VOLTAGE_LIMIT_V,
    limit_A: float | None = None,
    limit_Pa: float | None = None,
) -> dict[str, Any]:
    """What the firmware does when each row of a test is a sample of its converters: the document of `replay --json`.

    `trace`: as for `analyze`. `rig`: `model` (the firmware on CPython), `unix`, `pico` (emulated) or `board` at `port`.
    `imperfect`: errors of the front end, as `"noise_V=0.001,voltage_gain=1.01"`. The gate opens above the limits.
    Raises `ccdmon.errors.InputError`, and `DeviceError` where the rig fails.
    """
    limit_V = _above_zero(limit_V, "limit_V", _LIMIT)
    given = {}
    for name, key, value in (
        ("limit_A", "current_limit_A", limit_A), ("limit_Pa", "pressure_limit_Pa", limit_Pa),
    ):  # fmt: skip
        if value is not None:
            given[key] = _above_zero(value, name, _LIMIT)
    _text(imperfect, "imperfect", "noise_V=0.001,voltage_gain=1.01")
    whole = joined(list(_source(trace, None).traces()))
    front_end = FrontEnd.for_trace(whole, voltage_limit_V=limit_V)
    result = load_rigs().replay(
        whole, rig, port=port, front_end=front_end, imperfect=imperfect, voltage_limit_V=limit_V, **given
    )
    document: dict[str, Any] = result.document()
    return document


_LIMIT = "a limit is a number above 0"


def _source(trace: Any, columns: str | None) -> Source:
    if columns is not None:
        _text(columns, "columns", "time=t[h],voltage=U[mV],current=I[A]")
    if isinstance(trace, str | os.PathLike):
        return source_of(os.fsdecode(trace), columns=columns)
    if columns is not None:
        raise InputError("columns: names those of a file; rename the columns of what is in memory")
    return TraceRows(trace if isinstance(trace, Trace) else trace_of_frame(trace))


def _impedance(before: SpectrumLike, after: SpectrumLike) -> Comparison:
    for name, given in (("eis_before", before), ("eis_after", after)):
        if not isinstance(given, Spectrum | str | os.PathLike | None):
            raise InputError(f"{name} is a {type(given).__name__}; give a file or a ccdmon.Spectrum")
    pair = read_pair(
        None if isinstance(before, Spectrum) else before, None if isinstance(after, Spectrum) else after
    )
    first, last = (
        given if isinstance(given, Spectrum) else read
        for given, read in zip((before, after), pair[:2], strict=True)
    )
    return compare(first, last, pair.series)


def _with_area(trace: Trace, area_cm2: float | None) -> Trace:
    area_cm2 = _checked(area_cm2)
    return (
        trace if area_cm2 is None else replace(trace, cell=replace(trace.cell, electrode_area_cm2=area_cm2))
    )


def _checked(area_cm2: float | None) -> float | None:
    if area_cm2 is None:
        return None
    return _above_zero(area_cm2, "area_cm2", "an electrode area is a number above 0, in cm2")


def _above_zero(value: Any, name: str, rule: str) -> float:
    """A number of any kind as a float; `InputError` with the `rule` for what is none above 0."""
    try:
        number = math.nan if isinstance(value, bool | str | bytes) else float(value)
    except (TypeError, ValueError, OverflowError):
        number = math.nan
    if not (math.isfinite(number) and number > 0):
        shown = f"{value!r:.40}" if math.isnan(number) else f"{number:g}"
        raise InputError(f"{name} is {shown}; {rule}")
    return number


def _text(value: Any, name: str, example: str) -> None:
    if not isinstance(value, str):
        raise InputError(f'{name} is a {type(value).__name__}; give text, as "{example}"')
