"""What stands in series with the cell: resistance that grows in contacts and leads, and their breaks."""

from dataclasses import replace

import numpy as np

from ccdmon.simulation.draws import log_uniform
from ccdmon.simulation.injected.circuits import Altered, place, untouched
from ccdmon.simulation.injected.recording import Recording

LIMIT_V = 5.0  # where the cycler's compliance ends


def lost_contact(recording: Recording, rng: np.random.Generator) -> Altered:
    """A resistance in series that grows within half-cycles and from one to the next, up to the compliance."""
    base, rows = untouched(recording), len(recording.trace)
    begin = place(recording, rng, 0.2, 0.4)
    since = np.clip((np.arange(rows) - begin) / (rows - begin), 0, 1)
    factor = 1 + np.expm1(since * np.log(log_uniform(rng, 4, 60)))
    for stretch in recording.loaded:
        # Part of it comes back with the plating that follows a reversal.
        inside = np.linspace(0.6, 1.0, len(stretch))
        factor[stretch.rows] = 1 + (factor[stretch.rows] - 1) * inside
    voltage = recording.smooth_V * factor
    current = np.where(np.abs(voltage) > LIMIT_V, base.current_A * LIMIT_V / np.abs(voltage), base.current_A)
    voltage = np.clip(voltage, -LIMIT_V, LIMIT_V) + recording.noise_V
    row = int(np.argmax(factor >= 1.3))
    return replace(
        base,
        voltage_V=voltage,
        current_A=current,
        kind="contact_loss",
        row=row,
        begin_row=begin,
        accept=("limit",),
    )


def opened(recording: Recording, rng: np.random.Generator) -> Altered:
    """The circuit breaks: no current, the output at the rail that the current was to be driven to."""
    row, base = place(recording, rng, after=0.05), untouched(recording)
    gone = np.arange(len(base.time_s)) >= row
    rail = np.sign(base.current_A) * LIMIT_V
    floor_A = 1e-4 * float(np.max(np.abs(base.current_A)))
    current = np.where(gone, floor_A * rng.standard_normal(len(gone)), base.current_A)
    voltage = np.where(gone & (base.current_A != 0), rail + recording.noise_V, base.voltage_V)
    accept = ("limit", "sensor_fault")
    return replace(
        base, voltage_V=voltage, current_A=current, kind="contact_loss", row=row, begin_row=row, accept=accept
    )


def wire_off(recording: Recording, rng: np.random.Generator) -> Altered:
    """The voltage's lead comes off: the input drifts to a rail whatever the current, with pick-up on it."""
    row, base = place(recording, rng, after=0.05), untouched(recording)
    since_s = np.clip(base.time_s - base.time_s[row - 1], 0, None)
    rail = float(rng.choice((-1, 1))) * 2 * LIMIT_V
    floats = (
        rail + (base.voltage_V - rail) * np.exp(-since_s / 2.0) + 2e-3 * rng.standard_normal(len(since_s))
    )
    voltage = np.where(np.arange(len(since_s)) >= row, np.clip(floats, -abs(rail), abs(rail)), base.voltage_V)
    accept = ("contact_loss", "limit")
    return replace(base, voltage_V=voltage, kind="sensor_fault", row=row, begin_row=row, accept=accept)


def lost_capacity(recording: Recording, rng: np.random.Generator) -> Altered:
    """A resistance in series takes 10-40 % of what is left of a cell's last discharge or charge, from some row on.

    The cycler stops where the voltage passes the last one of that stretch: rows beyond it are not in the file.
    """
    stretch, base = recording.loaded[-1], untouched(recording)
    row = stretch.start + int(len(stretch) * rng.uniform(0.1, 0.5))
    smooth, rows = recording.smooth_V, np.arange(len(base.time_s))
    end_V = float(smooth[stretch.stop - 1])
    last_row = stretch.stop - 1 - int((stretch.stop - row) * rng.uniform(0.1, 0.4))
    shift_V = end_V - float(smooth[last_row])
    voltage = base.voltage_V + np.where(rows >= row, shift_V, 0.0)
    keep = rows <= last_row
    return replace(
        base,
        time_s=base.time_s[keep],
        voltage_V=voltage[keep],
        current_A=base.current_A[keep],
        kind="contact_loss",
        row=row,
        begin_row=row,
        accept=("limit",),
    )
