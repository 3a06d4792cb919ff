"""Arrhenius' law, which bulk and interface follow (review, section 3.5)."""

from typing import TypeVar

from ccdmon.analysis.rows_in_blocks import Array

KELVIN = 273.15
ROOM_degC = 25.0
BOLTZMANN_eV_K = 8.617e-5
Celsius = TypeVar("Celsius", float, Array)


def inverse_eV(degC: Celsius) -> Celsius:
    """1/kT at 25 degC less that at T, per eV: rises with T, and ln R falls by the activation energy times it."""
    return (1 / (ROOM_degC + KELVIN) - 1 / (degC + KELVIN)) / BOLTZMANN_eV_K
