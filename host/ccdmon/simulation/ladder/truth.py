"""What really happened in a test of this world, read from the true values of its rows."""

from typing import Any

import numpy as np
import numpy.typing as npt

from ccdmon.simulation.ladder.cycler import Record
from ccdmon.simulation.ladder.draws import Test
from ccdmon.simulation.truth import TRUTH_SCHEMA

GROWN = 1.3  # contact loss begins, for the truth, where the cell's resistance is up by this factor
GRADUAL = ("contact_loss", "fake_stable", "sensor_fault")
# An onset may be told so many rows too early, or that share of a half-cycle: what is judged in blocks of rows.
GRACE_ROWS, GRACE_SHARE = 12, 0.03
COMPLETE = 0.75  # of a half-cycle's time: a logger may stop a little before the end


def truth_document(test: Test, record: Record, kind: str, seed: int) -> dict[str, Any]:
    """The truth as `simulation.truth` writes it, with `accept` (kinds that are as good a reading) beside."""
    event = _event(test, record)
    loaded = [n for n in sorted(set(record.step)) if test.plan.steps[n].loaded]
    ramp = bool(test.plan.levels_mA_cm2) and test.configuration == "symmetric" and not test.lead_off
    return {
        "schema": TRUTH_SCHEMA,
        "world": "ladder",
        "scenario": kind,
        "seed": seed,
        "class": event["kind"] if event else "healthy",
        "rows": len(record),
        "first_faulty_row": event["row"] if event else None,
        "first_suspect_row": event["begin_row"] if event else None,
        "levels_passed": len({test.plan.steps[n].level for n in loaded}) - 1,
        "cycles_seen": test.plan.steps[loaded[-1]].cycle + 1 if loaded and ramp else 0,
        "settling_rows": 3,
        "grace_rows": max(GRACE_ROWS, round(GRACE_SHARE * len(record) / max(len(loaded), 1))),
        "undecidable": None
        if event or test.fault is None
        else "the fault had not begun, or not grown, by the last row",
        "events": [event] if event else [],
        "accept": list(test.fault.accept) if test.fault else [],
        "tolerated": list(test.tolerated),
        "ccd": _ccd(test, record, event) if ramp else None,
        "ccd_exact": test.fault is None or test.fault.tells_share == 0.0,
        "stripping": _stripping(test, record),
        "protocol": {"kind": test.plan.protocol, "levels_mA_cm2": list(test.plan.levels_mA_cm2)},
        "configuration": test.configuration,
    }


def _stripping(test: Test, record: Record) -> dict[str, Any]:
    """The first level that stripped more than was supplied, None if none did, its row, and what voids made of R."""
    rows, p = np.flatnonzero(record.outrun), test.parameters
    lost = 0.5 / min(record.contact) - 0.5  # of one interface of two
    growth = 1 + lost * (p.transfer_ohm + p.tail_ohm) / p.whole_ohm
    if not rows.size:
        return {"critical_mA_cm2": None, "row": None, "growth": growth}
    current_A = test.plan.steps[record.step[rows[0]]].current_A
    return {"critical_mA_cm2": 1e3 * abs(current_A) / p.area_cm2, "row": int(rows[0]), "growth": growth}


def _event(test: Test, record: Record) -> dict[str, Any] | None:
    """The fault's begin, and the first row in which a reader is asked to see it; None if it never came so far."""
    fault = test.fault
    if fault is None or fault.began_s is None:
        return None
    after = np.array(record.time_s) > fault.began_s + 1e-9
    begin_row = int(np.argmax(after)) if after.any() else None
    tells = _telling_rows(test, record) & after
    if begin_row is None or not tells.any():
        return None
    row = int(np.argmax(tells))
    step = record.step[row]
    into = row - record.step.index(step)
    if fault.kind in GRADUAL:  # it began to grow with this half-cycle
        begin_row = record.step.index(record.step[begin_row])
    return {
        "kind": fault.kind,
        "row": row,
        "begin_row": begin_row,
        "start_s": record.time_s[row],
        "recovered": fault.kind == "soft_short" and record.leak_S[-1] == 0.0 and _over(record),
        "cycle": test.plan.steps[step].cycle,
        "level": test.plan.steps[step].level,
        "rows_into_half_cycle": into,
        "reached_limit": bool(np.array(record.limited)[begin_row:].any()),
        "settles_s": fault.settles_s,
    }


def _telling_rows(test: Test, record: Record) -> npt.NDArray[np.bool_]:
    assert test.fault is not None
    loaded = np.array([test.plan.steps[n].loaded for n in record.step], dtype=bool)
    if test.configuration == "full":
        loaded[:] = True  # a full cell shows a leak in its rests, too
    if test.fault.kind == "contact_loss":
        grown = np.array(record.own_ohm) > GROWN * _own_before(test, record)
        return np.asarray(loaded & (grown | np.array(record.limited)), dtype=bool)
    if test.fault.tells_share:
        shares = np.array(record.leak_S) * _own_before(test, record)
        return np.asarray(loaded & (shares >= test.fault.tells_share), dtype=bool)
    return loaded


def _own_before(test: Test, record: Record) -> float:
    assert test.fault is not None and test.fault.began_s is not None
    before = np.searchsorted(record.time_s, test.fault.began_s)
    return record.own_ohm[max(int(before) - 1, 0)]


def _over(record: Record) -> bool:
    """A leak that switches is over when the last tenth of the rows has none."""
    return not any(record.leak_S[-max(len(record) // 20, 5) :])


def _ccd(test: Test, record: Record, event: dict[str, Any] | None) -> dict[str, Any]:
    levels = test.plan.levels_mA_cm2
    if event and _ends(test, event):
        level = event["level"]
        if event["kind"] == "contact_loss":
            level = test.plan.steps[record.step[int(np.argmax(record.limited))]].level
        endured = levels[level - 1] if level > 0 else None
        return {"endured_mA_cm2": endured, "failed_at_mA_cm2": levels[max(level, 0)], "lower_bound": False,
                "limited_by": event["kind"]}  # fmt: skip
    return {
        "endured_mA_cm2": _endured(test, record),
        "failed_at_mA_cm2": None,
        "lower_bound": True,
        "limited_by": None,
    }


def _ends(test: Test, event: dict[str, Any]) -> bool:
    assert test.fault is not None
    if event["kind"] == "contact_loss":
        return bool(event["reached_limit"])
    return test.fault.ends_ramp and not event["recovered"]


def _endured(test: Test, record: Record) -> float | None:
    """The last level whose last half-cycle is in the recording, or nearly all of it."""
    levels, plan = test.plan.levels_mA_cm2, test.plan
    last = record.step[-1]
    level = plan.steps[last].level
    final = max(n for n in plan.loaded if plan.steps[n].level == level)
    times = [t for t, n in zip(record.time_s, record.step, strict=True) if n == final]
    complete = last > final or (times and times[-1] - times[0] >= COMPLETE * plan.steps[final].duration_s)
    index = level if complete else level - 1
    return levels[index] if index >= 0 else None
