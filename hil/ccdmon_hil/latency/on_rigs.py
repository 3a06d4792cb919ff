"""Latency on rigs whose rows are played: samples on `unix`, the board's clock too on `board`. A row has no phase."""

import argparse
import random
from collections.abc import Mapping

from ccdmon.errors import DeviceError
from ccdmon_fw import limits
from ccdmon_hil.latency.report import Budgets, Latency, Measured, table_head, table_row
from ccdmon_hil.play.one_run import run_rows
from ccdmon_hil.rigs.open_rig import open_session
from ccdmon_hil.rigs.session import Session
from ccdmon_hil.rigs.target import Codes

LEAST_ROWS, MOST_ROWS = 30, 90  # of a healthy cell before the fault
AFTER = 5


def print_all(
    options: argparse.Namespace, healthy: Codes, faults: Mapping[str, Codes], budgets: Budgets
) -> Measured:
    """The latencies of all faults on the rig of the options; each fault is shown as it ends."""
    measured = {}
    print(table_head())
    with open_session(options.rig, image=options.image, port=options.port) as session:
        for fault, codes in faults.items():
            measured[fault] = measure(session, healthy, codes, options.phases, options.seed)
            print(table_row(fault, measured[fault], budgets), flush=True)
    return measured


def measure(session: Session, healthy: Codes, fault: Codes, repeats: int, seed: int) -> list[Latency]:
    """Latencies of a fault that comes with a row, from that row's sample to the pin's edge."""
    draw = random.Random(seed)
    return [_one(session, healthy, fault, draw.randint(LEAST_ROWS, MOST_ROWS)) for _ in range(repeats)]


def _one(session: Session, healthy: Codes, fault: Codes, before: int) -> Latency:
    rows = [healthy] * before + [fault] * AFTER
    result = run_rows(
        session, lambda row, _closed: rows[row] if row < len(rows) else None, list(limits.default_settings()),
        rows=len(rows), events=[(reason, before) for reason in limits.REASONS],
    )  # fmt: skip
    if result.trip_row is None:
        raise DeviceError(f"rig {session.target.name}: the gate stays closed {AFTER} rows after the fault")
    return Latency(None, result.trip_row - before, result.virtual_us, result.real_us)
