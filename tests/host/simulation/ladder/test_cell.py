"""The ladder cell: its direct-current resistance, a leak's share, what contacts and sources do."""

from dataclasses import replace

import numpy as np
import pytest

from ccdmon.simulation.ladder.cell import LadderCell, LadderParameters, arc
from ccdmon.simulation.ladder.open_circuit import LAYERED_OXIDE, Cathode, ForeignMetal

STEADY = LadderParameters(
    area_cm2=1.0,
    ohmic_ohm=50.0,
    transfer_ohm=30.0,
    transfer_s=0.1,
    transfer_exponent=0.8,
    tail_ohm=20.0,
    tail_s=60.0,
    tail_exponent=0.6,
    wander=0.0,
)


def cell(source=None, **changes) -> LadderCell:
    return LadderCell(replace(STEADY, **changes), np.random.default_rng(0), source)


def test_an_arc_holds_its_resistance_and_spreads_with_its_exponent() -> None:
    ohm, _ = arc(30.0, 1.0, 0.6)
    narrow, _ = arc(30.0, 1.0, 0.95)
    assert ohm.sum() == pytest.approx(30.0)
    # A constant phase element of 0.95 is nearly one time constant, one of 0.6 covers decades.
    assert np.sort(narrow)[-2:].sum() > np.sort(ohm)[-2:].sum() + 5.0


def test_voltage_goes_from_the_ohmic_part_to_the_whole_resistance() -> None:
    tried = cell()
    first, _ = tried.step(1e-3, 1e-7)
    last, _ = tried.step(1e-3, 1e7)
    assert first == pytest.approx(0.050, rel=0.01)
    assert last == pytest.approx(0.100, rel=0.01)


@pytest.mark.parametrize("share", [0.2, 1.0, 50.0])
def test_a_leak_leaves_its_share_of_the_resistance(share: float) -> None:
    tried = cell()
    tried.leak_S = share / STEADY.whole_ohm
    voltage, current = tried.step(1e-3, 1e7)
    assert voltage == pytest.approx(0.1 / (1 + share), rel=0.01)
    assert current == 1e-3
    # What the ions carry is the rest of the current: a leak moves no lithium.
    assert tried.ionic_A == pytest.approx(1e-3 / (1 + share), rel=0.01)


def test_stripping_beyond_the_supply_takes_the_contact_and_the_compliance_bounds_the_voltage() -> None:
    tried = cell(supply_mA_cm2=0.1, contact_mAh_cm2=0.1, compliance_V=1.0)
    voltages = [tried.step(1e-3, 5.0)[0] for _ in range(200)]
    assert voltages[0] < 0.1
    assert max(voltages) == 1.0
    assert tried.limited
    assert tried.contact[0] < 0.05
    assert tried.contact[1] == 1.0


def test_an_open_cell_goes_to_the_rail_without_a_current() -> None:
    tried = cell()
    tried.opened = True
    assert tried.step(1e-3, 1.0) == (5.0, 0.0)
    assert tried.step(-1e-3, 1.0) == (-5.0, 0.0)


def test_temperature_and_pressure_lower_the_resistance() -> None:
    warm, pressed = cell(), cell()
    warm.temperature_degC, pressed.relative_pressure = 45.0, 4.0
    assert warm.direct_ohm() < 0.6 * STEADY.whole_ohm
    assert pressed.direct_ohm() == pytest.approx(50.0 + 50.0 * 4.0**-0.3)


def test_a_full_cell_follows_its_charge_and_a_leak_discharges_it() -> None:
    source = Cathode(LAYERED_OXIDE, capacity_C=3600.0, hysteresis_V=0.0, charge=0.5)
    tried = cell(source)
    tried.leak_S = 1e-3
    voltage, _ = tried.step(0.0, 10.0)
    # In a rest the leak's own current flows through the cell and lowers the voltage by R of what it lets through.
    assert voltage < 3.83
    tried.step(0.0, 36000.0)
    assert source.charge < 0.5


def test_a_held_voltage_is_held_and_its_current_decays() -> None:
    tried = cell(Cathode(LAYERED_OXIDE, capacity_C=3.6, hysteresis_V=0.0, charge=0.9))
    first = tried.hold(4.2, 1.0)
    for _ in range(50):
        last = tried.hold(4.2, 20.0)
    assert first[0] == last[0] == 4.2
    assert 0 < last[1] < first[1]


def test_copper_gives_back_less_than_was_plated() -> None:
    metal = ForeignMetal(0.05, 0.01, efficiency=0.9)
    metal.move(1e-3, 1000.0)
    assert metal.plated_C == pytest.approx(0.9)
    assert metal.voltage_V(-1e-3) == pytest.approx(0.0, abs=1e-3)
    metal.move(-1e-3, 900.0)
    assert metal.voltage_V(-1e-3) < -1.0  # all of it is stripped
