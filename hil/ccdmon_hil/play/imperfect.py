"""A front end that is not perfect: zero and gain errors, noise, converters that die or freeze, wires that come off.

    imperfect = Imperfect.parse("voltage_zero_V=0.01,noise_V=0.002,dead=voltage@300")
    codes = imperfect.codes(front_end, trace)        # shape (rows, 3), as `FrontEnd.codes`
    idle = imperfect.idle(front_end, 256)            # what the converters read while no current flows

A reading is `gain * value + zero + noise`, in the channel's unit, before the converter's own steps. Noise is
drawn from a generator with a fixed seed: the same text and trace give the same codes.
"""

from dataclasses import dataclass, fields
from typing import Self

import numpy as np

from ccdmon.errors import InputError
from ccdmon.model.front_end import CODE_SHIFT, CODE_ZERO, READING_MAX, CodeArray, FrontEnd
from ccdmon.model.trace import Trace
from ccdmon_hil.rigs.target import OPEN_VOLTAGE_CODE

CHANNELS = ("voltage", "current", "pressure")
FAULTS = ("dead", "frozen", "open")
NOISE_SEED = 20210
CONVERTER_STEP = 1 << CODE_SHIFT  # one step of a 12-bit converter, in codes
DEAD_CODE = 12  # an amplifier without supply rests a few millivolts above ground: 12 of 65536 codes
# What `firmware/README.md` prescribes, its wire taken off. The current amplifier's input floats to its offset: no
# current. The load cell's amplifier is pulled to ground.
OPEN_CODES = {"voltage": OPEN_VOLTAGE_CODE, "current": CODE_ZERO, "pressure": 0}


@dataclass(frozen=True)
class Fault:
    """From data row `row` on the channel is dead, frozen or its wire is off."""

    kind: str
    channel: str
    row: int


@dataclass(frozen=True)
class Imperfect:
    """Errors of a front end, in volts and amperes (standard deviation for noise), and what breaks at which row."""

    voltage_zero_V: float = 0.0
    current_zero_A: float = 0.0
    voltage_gain: float = 1.0
    current_gain: float = 1.0
    noise_V: float = 0.0
    noise_A: float = 0.0
    faults: tuple[Fault, ...] = ()

    @classmethod
    def parse(cls, text: str) -> Self:
        """From `KEY=VALUE,...` as the command line takes it. `InputError` names what is wrong, and all keys."""
        values: dict[str, float] = {}
        faults: list[Fault] = []
        for part in filter(None, (piece.strip() for piece in text.split(","))):
            key, equals, value = part.partition("=")
            if equals and key in FAULTS:
                faults.append(_fault(key, value))
            elif equals and key in NUMBERS:
                values[key] = _number(key, value)
            else:
                raise InputError(
                    f"--imperfect: {part!r} is none of {', '.join(NUMBERS)}=NUMBER, dead|frozen|open=CHANNEL@ROW"
                )
        return cls(**values, faults=tuple(faults))

    def codes(self, front_end: FrontEnd, trace: Trace) -> CodeArray:
        """Codes of every row of the trace, shape (rows, 3)."""
        found = self._read(front_end.codes(trace), front_end, NOISE_SEED)
        for fault in self.faults:
            _break(found, fault)
        return found

    def idle(self, front_end: FrontEnd, rows: int) -> CodeArray:
        """What stands at the converters while the gate is open, shape (rows, 3): zero errors and noise alone."""
        still = np.full((rows, 3), CODE_ZERO, dtype=np.uint16)
        return self._read(still, front_end, NOISE_SEED + 1)

    def _read(self, ideal: CodeArray, front_end: FrontEnd, seed: int) -> CodeArray:
        noise = np.random.default_rng(seed).standard_normal((len(ideal), 2))
        read = ideal.copy()
        for index, (full_scale, gain, zero, deviation) in enumerate(
            (
                (front_end.voltage_full_scale_V, self.voltage_gain, self.voltage_zero_V, self.noise_V),
                (front_end.current_full_scale_A, self.current_gain, self.current_zero_A, self.noise_A),
            )
        ):
            if (gain, zero, deviation) == (1.0, 0.0, 0.0):
                continue
            code_per_unit = CODE_ZERO / full_scale
            value = (
                gain * (ideal[:, index].astype(float) - CODE_ZERO)
                + (zero + deviation * noise[:, index]) * code_per_unit
            )
            step = np.clip(np.rint((value + CODE_ZERO) / CONVERTER_STEP), 0, READING_MAX)
            read[:, index] = step.astype(np.uint16) * CONVERTER_STEP
        return read


NUMBERS = tuple(field.name for field in fields(Imperfect) if field.name != "faults")


def _number(key: str, text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = np.nan
    if not np.isfinite(value) or (key.startswith("noise") and value < 0):
        raise InputError(
            f"--imperfect: {key}={text} is no {'number from 0 on' if key.startswith('noise') else 'number'}"
        )
    return value


def _fault(kind: str, text: str) -> Fault:
    channel, at, row = text.partition("@")
    if channel not in CHANNELS or not at or not row.isdecimal():
        raise InputError(
            f"--imperfect: {kind}={text} is not CHANNEL@ROW, CHANNEL one of {', '.join(CHANNELS)}"
        )
    return Fault(kind, channel, int(row))


def _break(codes: CodeArray, fault: Fault) -> None:
    """Changes the codes from the fault's row on."""
    index = CHANNELS.index(fault.channel)
    rows = len(codes) - fault.row
    if rows <= 0:
        raise InputError(f"--imperfect: {fault.kind} at row {fault.row}, but the trace has {len(codes)}")
    flicker = np.random.default_rng(NOISE_SEED + 2 + index).integers(-1, 2, rows)
    if fault.kind == "frozen":
        last = int(codes[max(fault.row - 1, 0), index])
        broken = last + CONVERTER_STEP * (flicker > 0)
    elif fault.kind == "dead":
        broken = DEAD_CODE + flicker
    else:
        broken = OPEN_CODES[fault.channel] + CONVERTER_STEP * flicker
    codes[fault.row :, index] = np.clip(broken, 0, 65535).astype(np.uint16)
