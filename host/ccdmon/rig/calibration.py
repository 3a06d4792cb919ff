"""Two-point calibration of a channel: two known values and the codes the board reads at them give gain and offset.

Value = gain * nominal value + offset, the nominal value being what the rig file's full scale makes of a code.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import tomlkit

from ccdmon.errors import DeviceError, InputError
from ccdmon.link.decoder import Event, Message, Samples
from ccdmon.link.device import Device
from ccdmon.model.front_end import CODE_ZERO, FrontEnd
from ccdmon.model.trace import FloatArray
from ccdmon.rig.rig_file import Rig, read_rig
from ccdmon_fw import wire

CHANNELS = ("voltage", "current", "pressure")
UNITS = {"voltage": "V", "current": "A", "pressure": "Pa", "temperature": "°C"}
RAILS = (16, 65519)  # the outermost 12-bit readings
LEAST_APART_K = 10.0  # of two temperatures
TEMPERATURES = 8  # of so many statuses, half a second apart
LEAST_APART = 2000  # codes, 3 % of the range: the error of a gain is that of a code over it
SILENCE_LIMIT_S = 10.0
ALIVE_INTERVAL_S = 0.5  # the rig file may let the board trip where its host is silent for a second
LARGEST_CORRECTION = 0.5  # a gain further from 1 is a wrong full scale or a swapped channel
EXPECTED_CORRECTION = (
    0.03  # resistors of 1 % at both ends of a divider, or of a shunt and a gain: rarely more
)
SAME_CODES = 64  # so little, or six deviations of the noise, is no answer to another value
SAME_DEVIATIONS = 6.0


@dataclass(frozen=True)
class Reading:
    """Mean and standard deviation of the codes at one known value; of the temperature, the board's own degrees."""

    known: float
    code: float
    code_noise: float | None = None  # None: the code was typed, its noise nobody knows


@dataclass(frozen=True)
class Result:
    """Gain, offset and residual noise in the channel's unit."""

    channel: str
    gain: float
    offset: float
    noise: float | None  # None: not known


def read_codes(
    device: Device,
    channel: str,
    samples: int,
    arm: Callable[[Device], object],
    waiting: Callable[[], bool] = lambda: False,
) -> Reading:
    """Close the gate with `arm`, average `samples` codes once nobody is `waiting` any more, open it again.

    The current to be measured flows through the relay, so the board is armed meanwhile and may trip: `DeviceError`.
    """
    if device.status()["armed"]:
        raise DeviceError("the board is armed; end the recording and disarm it first (`ccdmon disarm`)")
    arm(device)
    try:
        _wait(device, waiting)
        read = _codes(device, CHANNELS.index(channel), samples)
    finally:
        device.command(wire.DISARM)
    return Reading(float("nan"), float(read.mean()), float(read.std()))


def read_temperature(device: Device) -> Reading:
    """The board's temperature as it tells it, degC; the gate stays as it is."""
    tenths = list[int]()
    for _ in range(TEMPERATURES):
        tenths.append(device.status()["temperature_dC"])
        time.sleep(0.5)
    if wire.NO_TEMPERATURE in tenths:
        raise DeviceError("the board does not measure a temperature; there is none to calibrate")
    return Reading(float("nan"), float(np.mean(tenths)) / 10, float(np.std(tenths)) / 10)


def _wait(device: Device, waiting: Callable[[], bool]) -> None:
    """Take in what comes, and let the board know that somebody is there."""
    due_s = 0.0
    while waiting():
        for event in device.pump():
            _look_for_a_trip(event)
        if time.monotonic() >= due_s:
            due_s = time.monotonic() + ALIVE_INTERVAL_S
            device.command(wire.KEEP_ALIVE)


def _look_for_a_trip(event: Event) -> None:
    if isinstance(event, Message) and event.name == "trip":
        raise DeviceError("the board tripped while it was read; see `ccdmon status`, then clear the trip")


def _codes(device: Device, column: int, samples: int) -> FloatArray:
    codes, last_s = list[FloatArray](), time.monotonic()
    while sum(map(len, codes)) < samples:
        for event in device.pump():
            if isinstance(event, Samples) and len(event.codes):
                codes.append(event.codes[:, column].astype(np.float64))
                last_s = time.monotonic()
            _look_for_a_trip(event)
        if time.monotonic() - last_s > SILENCE_LIMIT_S:
            raise DeviceError("no samples arrive; is the telemetry mode every_sample?")
    return np.concatenate(codes)[:samples]


def calibrate(
    channel: str, readings: Sequence[Reading], front_end: FrontEnd, *, far_off: bool = False
) -> Result:
    """Gain and offset from two readings. Raises `InputError` for points that cannot give any.

    `far_off`: also a gain that resistors alone do not explain.
    """
    if channel == "temperature":
        return _thermometer(readings)
    low, high = readings
    for reading in readings:
        if not RAILS[0] < reading.code < RAILS[1]:
            raise InputError(
                f"{channel} at {reading.known:g} {UNITS[channel]} reads code {reading.code:.0f}, the end of "
                "the range; choose a smaller value or mend the wiring"
            )
    if abs(high.code - low.code) < _same(low, high):
        raise InputError(
            f"{channel} reads code {low.code:.0f} at {low.known:g} {UNITS[channel]} and {high.code:.0f} at "
            f"{high.known:g}: the input did not follow. Was the second value there when it was read? Else look at the "
            "wire, the channel's pin and, for a current, its way through the relay"
        )
    if abs(high.code - low.code) < LEAST_APART:
        raise InputError(
            f"the two points lie {abs(high.code - low.code):.0f} codes apart, at least {LEAST_APART} are "
            "needed; choose values further apart"
        )
    nominal = [_nominal(channel, reading.code, front_end) for reading in readings]
    gain = (high.known - low.known) / (nominal[1] - nominal[0])
    if not abs(gain - 1) <= LARGEST_CORRECTION:
        raise InputError(
            f"{channel} would need a gain of {gain:.3g}; check the full scale in [front_end], the wiring "
            "and the channel"
        )
    if abs(gain - 1) > EXPECTED_CORRECTION and not far_off:
        raise InputError(
            f"{channel} would need a gain of {gain:.4g}, {abs(gain - 1):.1%} off: more than resistors of 1 % explain. "
            f"Check {_behind(channel)} in [front_end] against what is soldered, and the values that were applied; "
            "--far-off writes it all the same"
        )
    step = _nominal(channel, CODE_ZERO + 1.0, front_end) - _nominal(channel, float(CODE_ZERO), front_end)
    noises = [reading.code_noise for reading in readings if reading.code_noise is not None]
    noise = gain * step * float(np.sqrt(np.mean(np.square(noises)))) if noises else None
    return Result(channel, gain, low.known - gain * nominal[0], noise)


def _same(low: Reading, high: Reading) -> float:
    """Codes that lie closer were read of one value."""
    return max(SAME_CODES, SAME_DEVIATIONS * max(low.code_noise or 0.0, high.code_noise or 0.0))


def _behind(channel: str) -> str:
    """The full scale of a channel, as the rig file names it."""
    return f"{channel}_full_scale_{UNITS[channel]}"


def _thermometer(readings: Sequence[Reading]) -> Result:
    """One comparison with a thermometer gives the offset, two far apart also the gain."""
    first, last = readings[0], readings[-1]
    gain = 1.0
    if len(readings) == 2:
        if abs(last.code - first.code) < LEAST_APART_K:
            raise InputError(
                f"the two temperatures lie {abs(last.code - first.code):.1f} K apart, at least {LEAST_APART_K:g} "
                "are needed; give one --point for the offset alone"
            )
        gain = (last.known - first.known) / (last.code - first.code)
        if not abs(gain - 1) <= LARGEST_CORRECTION:
            raise InputError(
                f"temperature would need a gain of {gain:.3g}; check the thermometer and the points"
            )
    noises = [reading.code_noise for reading in readings if reading.code_noise is not None]
    noise = gain * max(noises) if noises else None
    return Result("temperature", gain, first.known - gain * first.code, noise)


def _nominal(channel: str, code: float, front_end: FrontEnd) -> float:
    if channel == "pressure":
        return code / (1 << 16) * (front_end.pressure_full_scale_Pa or float("nan"))
    full_scale = front_end.voltage_full_scale_V if channel == "voltage" else front_end.current_full_scale_A
    return (code - CODE_ZERO) / CODE_ZERO * full_scale


def write_calibration(path: Path, result: Result, at: str) -> Rig:
    """Put it into the rig file, comments kept; the checked file. `at`: when, for the record."""
    document = tomlkit.parse(path.read_text(encoding="utf-8"))
    table = tomlkit.table()
    for key, value in (("gain", result.gain), ("offset", result.offset), ("noise", result.noise)):
        if value is not None:
            table[key] = float(f"{value:.9g}")
    table["calibrated_at"] = at
    table.add(tomlkit.nl())
    document["front_end"][result.channel] = table
    before = path.read_text(encoding="utf-8")
    try:
        path.write_text(tomlkit.dumps(document), encoding="utf-8")
        return read_rig(path)
    except InputError:
        path.write_text(before, encoding="utf-8")
        raise
