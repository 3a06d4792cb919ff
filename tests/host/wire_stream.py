"""Frames as a device would send them, for the tests of link, recorder and run folder."""

import json
import struct
from pathlib import Path
from typing import Any

import numpy as np

from ccdmon.run import folder as run_folder
from ccdmon_fw import wire

CONFIG: dict[str, Any] = {
    "rig": "unix",
    "cell": {"electrode_area_cm2": 0.785, "configuration": "symmetric", "electrolyte": "LLZO"},
    "time": {"seconds_per_sample": 0.5},
    "front_end": {
        "voltage_full_scale_V": 1.0, "current_full_scale_A": 0.01, "pressure_full_scale_Pa": None,
    },
}  # fmt: skip


class Device:
    """Numbers frames as the firmware does."""

    def __init__(self) -> None:
        self.sequence = 0

    def frame(self, kind: int, body: bytes = b"") -> bytes:
        frame = wire.encode(kind, self.sequence, body)
        self.sequence = (self.sequence + 1) & 0xFFFF
        return frame

    def identity(self, **more: Any) -> bytes:
        text = json.dumps({"board": "test", "reasons": ["none", "hard_short"], **more}).encode()
        return self.frame(wire.IDENTITY, struct.pack("<H", len(text)) + text)

    def status(self, temperature_dC: int = wire.NO_TEMPERATURE, **known: int) -> bytes:
        fields = dict.fromkeys(wire.MESSAGES[wire.STATUS][2], 0) | {"temperature_dC": temperature_dC} | known
        return self.frame(wire.STATUS, wire.pack(wire.STATUS, *fields.values()))

    def samples(self, first: int, count: int, run: int = 1, dropped: int = 0) -> bytes:
        head = wire.pack(wire.SAMPLES, first, dropped, first * 250 % (1 << 30), run, count, 0)
        return self.frame(wire.SAMPLES, head + codes(first, count).tobytes())

    def trip(self, trip_id: int, sample: int, repeat: int = 1, run: int = 1) -> bytes:
        names = wire.MESSAGES[wire.TRIP][2]
        known = {"trip_id": trip_id, "run": run, "reason": 1, "repeat": repeat, "sample": sample}
        return self.frame(wire.TRIP, wire.pack(wire.TRIP, *(known.get(name, 0) for name in names)))


def codes(first: int, count: int) -> Any:
    """Codes that tell their sample number: shape (count, 4)."""
    n = np.arange(first, first + count)
    columns = [32768 + n % 1000 * 16, 32768 - n % 1000 * 16, np.full(count, 32768), np.zeros(count)]
    return np.column_stack(columns).astype("<u2")


def stream(samples: int = 1000, per_frame: int = 32) -> bytes:
    """Identity, then `samples` samples, with one repeated trip at two thirds."""
    device, data = Device(), b""
    data += device.identity()
    for first in range(0, samples, per_frame):
        data += device.samples(first, min(per_frame, samples - first))
        if first >= samples * 2 // 3 > first - per_frame:
            data += device.trip(1, first, 1) + device.trip(1, first, 2)
    return data


def recorded_run(folder: Path, data: bytes | None = None) -> Path:
    """A run folder with `data` recorded into it."""
    from ccdmon.record.recorder import Recorder

    run_folder.create(folder, CONFIG)
    recorder = Recorder(folder)
    recorder.feed(stream() if data is None else data)
    recorder.close()
    return folder
