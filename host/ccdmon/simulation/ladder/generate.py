"""A trace of this world with its truth."""

import math
import zlib

import numpy as np

from ccdmon.errors import InputError
from ccdmon.model.trace import Cell, FloatArray, Trace
from ccdmon.simulation.ladder.cell import LadderCell
from ccdmon.simulation.ladder.converters import (
    current_column,
    kept_rows,
    pressure_column,
    temperature_column,
    voltage_column,
)
from ccdmon.simulation.ladder.cycler import Record, Run
from ccdmon.simulation.ladder.draws import Test
from ccdmon.simulation.ladder.kinds import KINDS
from ccdmon.simulation.ladder.truth import truth_document
from ccdmon.simulation.simulate import Simulated

RAIL = 1.05  # of the compliance: where an open input drifts to


def generate(kind: str, seed: int) -> Simulated:
    """The trace a kind's seed stands for, and its truth. Raises InputError for an unknown kind."""
    if kind not in KINDS:
        raise InputError(f"unknown kind {kind!r}: one of {', '.join(KINDS)}")
    rng = np.random.default_rng([seed, zlib.crc32(kind.encode()), 2])
    return recorded(KINDS[kind].draw(rng), rng, kind, seed)


def recorded(test: Test, rng: np.random.Generator, kind: str, seed: int) -> Simulated:
    """The trace and the truth of a test that was drawn; kind and seed name it."""
    record = _in_file(played(test, rng), test, rng)
    return Simulated(
        _trace(test, record, rng, f"{kind}, seed {seed}"), truth_document(test, record, kind, seed)
    )


def played(test: Test, rng: np.random.Generator) -> Record:
    """The true values of a test, row by row."""
    cell = LadderCell(test.parameters, rng, test.open_circuit)

    def surround(acted_on: LadderCell) -> None:
        for surrounding in test.surroundings:
            surrounding(acted_on)

    return Run(cell, test.sampling, test.fault, surround, int(rng.integers(5, 60))).run(test.plan)


def _in_file(record: Record, test: Test, rng: np.random.Generator) -> Record:
    """The rows that the logger kept."""
    keep = np.flatnonzero(kept_rows(len(record), test.converters, rng))
    columns = {name: [values[k] for k in keep] for name, values in vars(record).items()}
    return Record(**columns)


def _trace(test: Test, record: Record, rng: np.random.Generator, source: str) -> Trace:
    how, time_s = test.converters, np.array(record.time_s)
    voltage_V = voltage_column(record, how, rng)
    if test.lead_off:
        voltage_V = _without_lead(voltage_V, time_s, test, rng)
    steps = np.array(record.step, dtype=np.float64)
    cycles = np.array([test.plan.steps[n].cycle for n in record.step], dtype=np.float64)
    cell = Cell(
        test.parameters.area_cm2,
        test.configuration,
        test.electrolyte,
        {
            "cell": {
                "electrode_area_cm2": test.parameters.area_cm2,
                "configuration": test.configuration,
                "electrolyte": test.electrolyte,
            },
            "test": {"voltage_limit_V": test.parameters.compliance_V},
            "source": f"simulated ladder: {source}",
        },
    )
    return Trace(
        time_s,
        test.sign * voltage_V,
        test.sign * current_column(record, how, rng),
        pressure_Pa=pressure_column(record, how, rng) if how.has_pressure else None,
        temperature_degC=temperature_column(record, rng) if how.has_temperature else None,
        cycle_count=cycles + 1,
        step_count=steps + 1,
        cell=cell,
    )


def _without_lead(
    voltage_V: FloatArray, time_s: FloatArray, test: Test, rng: np.random.Generator
) -> FloatArray:
    """An open input drifts to its rail within seconds, whatever the current, and picks up the mains."""
    assert test.fault is not None
    began_s = math.inf if test.fault.began_s is None else test.fault.began_s
    since_s = np.maximum(time_s - began_s, 0.0)
    rail_V = RAIL * test.parameters.compliance_V * float(rng.choice((-1, 1)))
    pick_up_V = 2e-3 * rng.standard_normal(len(time_s))
    floating = rail_V + (voltage_V - rail_V) * np.exp(-since_s / 3.0) + pick_up_V
    return np.where(since_s > 0, np.minimum(np.abs(floating), abs(rail_V)) * np.sign(floating), voltage_V)
