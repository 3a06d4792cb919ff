"""Tests whose activation energy, stripping current and limiting step are known, and what is told of them."""

import math
import zlib
from collections.abc import Callable
from typing import Any

import numpy as np

from ccdmon.analysis.contact import is_polymer
from ccdmon.analysis.document import analyze
from ccdmon.analysis.impedance.comparison import compare
from ccdmon.simulation.draws import Options
from ccdmon.simulation.ladder.generate import generate
from ccdmon.simulation.ladder.kinds import KINDS
from ccdmon.simulation.scenarios import draw_setup
from ccdmon.simulation.simulate import Simulated, simulate
from tests.bench.why.starved import of_ladder, of_model

ROWS = 3000
GAS_J_MOL_K, J_MOL_PER_eV, KELVIN = 8.314462618, 96485.0, 273.15
UNSEEN = 1.03  # of the resistance: voids that made less of it nobody tells from the rows
SHORT_CLASSES = ("hard_short", "partial_short", "soft_short", "fake_stable")


def level_of(levels: list[float], density: float | None) -> int:
    """Index of the nearest; the number of them for None: none of them."""
    return len(levels) if density is None else int(np.argmin(np.abs(np.array(levels) - density)))


def stripped(world: str, seed: int) -> dict[str, Any]:
    """How many levels off the critical current of stripping is, and whether it could be seen."""
    made = of_model(seed, ROWS) if world == "model" else of_ladder(seed)
    truth, levels = made.truth["stripping"], made.truth["protocol"]["levels_mA_cm2"]
    found = analyze(made.trace)["why"]["stripping"]
    told = found["critical_mA_cm2"] if found else None
    off = level_of(levels, told) - level_of(levels, truth["critical_mA_cm2"])
    reached = truth["critical_mA_cm2"] is not None
    return {"off": off, "reached": reached, "seen": not reached or truth["growth"] >= UNSEEN}


def activation_eV(parts: list[tuple[float, float, float]], low_degC: float, high_degC: float) -> float:
    """Of resistances (at a temperature in degC) with their energies (J/mol) together, between two temperatures."""

    def x(degC: float) -> float:
        return 1 / (GAS_J_MOL_K * (degC + KELVIN))

    def ohm(degC: float) -> float:
        return sum(r * math.exp(energy * (x(degC) - x(at))) for r, energy, at in parts)

    return math.log(ohm(high_degC) / ohm(low_degC)) / (x(high_degC) - x(low_degC)) / J_MOL_PER_eV


def warmed(world: str, seed: int) -> dict[str, Any] | None:
    """The relative error of the activation energy; None without the column, or if the pressure moved unseen."""
    made = (
        simulate("healthy_warming", seed, max_rows=ROWS)
        if world == "model"
        else generate("temperature", seed)
    )
    degC = made.trace.temperature_degC
    if degC is None or made.trace.cell.configuration != "symmetric":
        return None
    parts = _of_model(seed) if world == "model" else _of_ladder(seed)
    if parts is None:
        return None
    truth = activation_eV(parts, float(np.nanmin(degC)), float(np.nanmax(degC)) + 1e-3)
    found = analyze(made.trace)["why"]["normalised"]["activation_energy"]
    if found is None:
        return {"off": None, "errors": None}
    off_eV = found["activation_eV"] - truth
    return {"off": off_eV / truth, "errors": off_eV / found["activation_error_eV"]}


def _of_model(seed: int) -> list[tuple[float, float, float]] | None:
    setup = draw_setup("healthy_warming", seed, Options(max_rows=ROWS))
    p = setup.cell
    if setup.chamber.ramp_pressure:
        return None
    interface = sum(p.interface_ohm_cm2) + p.slow_ohm_cm2
    return [(p.bulk_ohm_cm2, p.bulk_activation_J_mol, p.reference_degC),
            (interface, p.interface_activation_J_mol, p.reference_degC)]  # fmt: skip


def _of_ladder(seed: int) -> list[tuple[float, float, float]]:
    p = KINDS["temperature"].draw(np.random.default_rng([seed, zlib.crc32(b"temperature"), 2])).parameters
    return [(p.ohmic_ohm, p.bulk_activation_J_mol, 25.0),
            (p.transfer_ohm + p.tail_ohm, p.interface_activation_J_mol, 25.0)]  # fmt: skip


def _step_of(made: Simulated) -> set[str | None]:
    """The step that limited it, or those that are as good a reading; empty where nobody could tell."""
    truth = made.truth
    outrun = truth["stripping"]["critical_mA_cm2"] is not None
    voids = outrun and truth["stripping"]["growth"] >= 1.15
    if truth["class"] in SHORT_CLASSES:
        return {"plating", "stripping"} if voids else {"plating"}
    if truth["scenario"] == "limiting_current" and truth["class"] == "healthy":
        return {"transport"} | _larger(made)  # just below it
    if truth["class"] == "limit":
        return {"transport"}
    if truth["class"] == "contact_loss":
        return {"stripping", "contact_area"}
    if outrun and not voids:
        return set()
    return {"stripping"} if voids else _larger(made)


def _larger(made: Simulated) -> set[str | None]:
    """Of a cell that nothing limited the larger resistance, where there are spectra."""
    if not made.eis:
        return {None}
    cell = made.truth["parameters"]["cell"]
    interface = sum(cell["interface_ohm_cm2"]) + cell["slow_ohm_cm2"]
    share = cell["bulk_ohm_cm2"] / (cell["bulk_ohm_cm2"] + interface)
    return {"bulk", "contact_area"} if 0.4 < share < 0.6 else {"bulk"} if share > 0.5 else {"contact_area"}


def limited(make: Callable[[str, int], Simulated], kind: str, seed: int) -> bool | None:
    """Was the right step told? None where nobody could."""
    made = make(kind, seed)
    fair = _step_of(made)
    if not fair or made.truth.get("undecidable"):
        return None
    after = made.eis.get("after") if kind == "fake_stable" else None
    found = analyze(made.trace, impedance=compare(made.eis.get("before"), after))["why"]["limiting_step"]
    polymer_runs_away = found["step"] == "transport" and is_polymer(made.trace.cell.electrolyte)
    return bool(found["step"] in fair or (polymer_runs_away and made.truth["class"] == "contact_loss"))


def model(kind: str, seed: int) -> Simulated:
    """A test of the cell model."""
    return simulate(kind, seed, configuration="symmetric", max_rows=ROWS)
