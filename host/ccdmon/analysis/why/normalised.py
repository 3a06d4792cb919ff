"""A test brought to one temperature and pressure: what they make of the cell, and its current density at 25 degC.

Arrhenius' law: review, section 3.5; pressure: 3.6; U/I against the impedance, at any temperature: 2.3.2.
"""

import math
from collections.abc import Sequence

import numpy as np

from ccdmon.analysis.arrhenius import KELVIN, inverse_eV
from ccdmon.analysis.order_statistics import middle
from ccdmon.analysis.why.half_cycle_rows import HalfCycleRows
from ccdmon.analysis.why.response import Response
from ccdmon.analysis.why.stripping import Onset
from ccdmon.analysis.why.subject import Subject, Told, plain, told

KJ_MOL_PER_eV = 96.485
MOST_degC = 1000.0


def activation(found: Response) -> Told | None:
    """The activation energy, where the temperature moved."""
    if not found.knows_temperature:
        return None
    e, error = found.activation_eV, found.activation_error_eV
    text = f"{plain(e)} ± {plain(error, 'eV', 2)}, of the whole resistance"
    text += f", over {plain(found.span_K, 'K')}"
    return told("3.5", text, activation_eV=e, activation_error_eV=error, activation_kJ_mol=e * KJ_MOL_PER_eV,
                span_K=found.span_K)  # fmt: skip


def pressure(test: Subject, found: Response, onset: Onset | None) -> Told | None:
    """The exponent of the pressure, of the whole and of the interface, where the pressure moved; where voids began."""
    if not found.knows_pressure:
        return None
    eis = test.eis.before
    share = eis.interface_ohm / eis.total_ohm if eis is not None and eis.trustworthy else None
    interface = found.exponent / share if share else None
    critical_MPa = _pressure_at(test, onset.row) if onset is not None and onset.row is not None else None
    text = f"resistance goes with pressure to {plain(-found.exponent)} ± {plain(found.exponent_error, '', 2)}"
    text += (
        f", the interface's to {plain(-interface)} (1/2: circular contacts)" if interface is not None else ""
    )
    text += (
        f"; below {plain(critical_MPa, 'MPa')} voids outrun the supply" if critical_MPa is not None else ""
    )
    return told(
        "3.6", text, exponent=-found.exponent, exponent_error=found.exponent_error, pressure_ratio=found.pressure_ratio,
        interface_exponent=None if interface is None else -interface,
        interface_exponent_error=found.exponent_error / share if share else None, critical_pressure_MPa=critical_MPa,
    )  # fmt: skip


def _pressure_at(test: Subject, row: int) -> float | None:
    """Stack pressure in the half-cycle that begins with this row, MPa."""
    s = next((s for s in test.stretches if s.first_row == row), None)
    known = s.blocks.pressure_Pa[np.isfinite(s.blocks.pressure_Pa)] if s is not None else np.zeros(0)
    return middle(known) / 1e6 if known.size else None


def at_25_degC(test: Subject, found: Response) -> Told | None:
    """The endured current density as it were at 25 degC: supply and resistances follow Arrhenius' law alike."""
    endured, degC = test.ccd["endured_mA_cm2"], test.ambient.temperature_degC
    if endured is None or degC is None or not -KELVIN < degC < MOST_degC:
        return None
    away = inverse_eV(degC)
    brought = endured * math.exp(-found.activation_eV * away)
    error = brought * math.expm1(min(abs(away) * found.activation_error_eV, 10.0))
    by = f"{plain(found.activation_eV)} ± {plain(found.activation_error_eV, 'eV', 2)}"
    by += ", measured" if found.knows_temperature else ", what is usual"
    text = (
        f"{plain(endured)} mA cm-2 at {plain(degC)} degC are {plain(brought)} ± {plain(error, 'mA cm-2', 2)} "
    )
    text += f"at 25 degC ({by})"
    return told("3.5", text, ccd_25degC_mA_cm2=brought, ccd_25degC_error_mA_cm2=error, temperature_degC=degC,
                activation_eV=found.activation_eV, activation_measured=found.knows_temperature)  # fmt: skip


def dc_over_impedance(test: Subject, found: Response, rows: Sequence[HalfCycleRows]) -> Told | None:
    """U/I of the first half-cycles, brought to the 25 degC spectra are taken at, over the impedance before the test."""
    eis, degC = test.eis.before, test.ambient.temperature_degC
    if eis is None or not eis.trustworthy or degC is None or not rows or test.with_ocv:
        return None
    first = rows[0].blocks.temperature_degC
    known = first[np.isfinite(first)]
    degC = middle(known) if known.size else degC
    away = inverse_eV(degC)
    dc_ohm = middle([middle(h.ohm[h.ohm.size // 2 :]) for h in rows[:4]]) * math.exp(
        found.activation_eV * away
    )
    ratio = dc_ohm / eis.total_ohm
    spread = math.hypot(abs(away) * found.activation_error_eV, eis.total_error_ohm / eis.total_ohm, 0.05)
    low, high = ratio * math.exp(-2 * spread), ratio * math.exp(2 * spread)
    alike = (
        "of one magnitude"
        if high > 0.5 and low < 2
        else "far below: a leak carries current"
        if ratio < 1
        else "far above"
    )
    text = (
        f"U/I brought to 25 degC is {plain(ratio)} ± {plain(ratio * spread, '', 2)} of the impedance: {alike}"
    )
    return told(
        "2.3.2", text, ratio=ratio, ratio_error=ratio * spread, dc_25degC_ohm=dc_ohm,
        impedance_ohm=eis.total_ohm, temperature_degC=degC,
    )  # fmt: skip
