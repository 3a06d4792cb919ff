"""A made-up board behind a real terminal: sends what the firmware would, answers commands, can be unplugged.

The path `name` is a link to the terminal of the moment, as `/dev/serial/by-id/...` is to a port.
"""

import contextlib
import json
import os
import struct
import threading
import time
import tty
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ccdmon_fw import limits, wire
from tests.host.wire_stream import Device, codes

SETTINGS = dict(zip(limits.SETTINGS, limits.default_settings(), strict=False))
# (first sample, count) -> codes of shape (count, 4); None ends the test
Source = Callable[[int, int], npt.NDArray[np.uint16] | None]


class PtyBoard:
    """`rate_Hz` samples a second, `speed` times faster than the clock; a context manager that plugs it in."""

    def __init__(
        self,
        name: Path,
        rate_Hz: float = 2000.0,
        source: Source = codes,
        speed: float = 1.0,
        extra: dict[str, Any] | None = None,
        temperature_dC: int = wire.NO_TEMPERATURE,
    ) -> None:
        self.name, self._rate_Hz, self._source, self._speed = name, rate_Hz, source, speed
        self._extra, self.temperature_dC = extra or {}, temperature_dC
        self.box_samples = 128
        self.commands: list[int] = []  # kinds, in the order carried out
        self.sample = 0
        self.settings = struct.pack(f"<{len(SETTINGS)}i", *SETTINGS.values())
        self.run, self.gate, self.trip_id, self.reason = 1, 1, 0, 0
        self._unacknowledged = False
        self._last: tuple[int, int] = (-1, -1)
        self._answer = b""
        self._trip_sample = 0
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._writing = threading.Lock()
        self._out, self._terminal = bytearray(), -1

    def __enter__(self) -> "PtyBoard":
        self.plug_in()
        return self

    def __exit__(self, *_: object) -> None:
        self.unplug()

    def plug_in(self, reset: bool = True) -> None:
        """Appear, after a reset: frame sequence from 0, a new arming from sample 0."""
        if reset:
            self._device, self._unframer = Device(), wire.Unframer()
            self.sample, self._last = 0, (-1, -1)
        ours, theirs = os.openpty()
        tty.setraw(theirs)
        os.set_blocking(ours, False)
        self.name.unlink(missing_ok=True)
        self.name.symlink_to(os.ttyname(theirs))
        self._stop.clear()
        self._thread = threading.Thread(target=self._serve, args=(ours, theirs), daemon=True)
        self._thread.start()

    def unplug(self) -> None:
        """Go away, as a cable that is pulled."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join()
        self.name.unlink(missing_ok=True)

    def not_fetched(self) -> bytes:
        """What lies in the terminal, which is emptied, and what waits to get into it: nobody has read that."""
        with self._writing:
            found = bytearray()
            os.set_blocking(self._terminal, False)
            with contextlib.suppress(BlockingIOError):
                while data := os.read(self._terminal, 1 << 16):
                    found += data
            return bytes(found + self._out)

    def trip(self, reason: int = limits.HARD_SHORT) -> None:
        """Open the gate, latched."""
        if self.trip_id == 0:
            self.trip_id, self.reason, self.gate, self._unacknowledged = 1, reason, 0, True
            self._trip_sample = max(self.sample - 1, 0)

    def _serve(self, ours: int, theirs: int) -> None:
        began_s, begin = time.monotonic(), self.sample
        self._began_s, self._begin_us = began_s, round(begin * 1e6 / self._rate_Hz)
        trip_due_s = 0.0
        out = self._out = bytearray()
        self._terminal = theirs
        try:
            while not self._stop.is_set():
                now_s = time.monotonic()
                with contextlib.suppress(BlockingIOError, OSError):
                    out += self._take(os.read(ours, 4096))
                due = begin + int((now_s - began_s) * self._rate_Hz * self._speed)
                with self._writing:
                    while due - self.sample >= 32 and len(out) < 1 << 16:
                        out += self._samples(32)
                    if self._unacknowledged and now_s >= trip_due_s:
                        trip_due_s = now_s + 0.1
                        out += self._trip_frame()
                    with contextlib.suppress(BlockingIOError):
                        del out[: os.write(ours, out)]
                time.sleep(0.002)
        finally:
            os.close(ours)
            os.close(theirs)

    def _samples(self, count: int) -> bytes:
        rows = self._source(self.sample, count)
        if rows is None:
            self.sample += count
            return b""
        head = wire.pack(
            wire.SAMPLES, self.sample % (1 << 30), 0, self.sample * 250 % (1 << 30), self.run, len(rows), 0
        )
        self.sample += count
        return self._device.frame(wire.SAMPLES, head + rows.astype("<u2").tobytes())

    def _trip_frame(self) -> bytes:
        known = {
            "trip_id": self.trip_id, "run": self.run, "reason": self.reason, "repeat": 1,
            "sample": self._trip_sample, "value": 1000, "limit": 4000,
        }  # fmt: skip
        return self._device.frame(
            wire.TRIP, wire.pack(wire.TRIP, *(known.get(name, 0) for name in wire.MESSAGES[wire.TRIP][2]))
        )

    def _take(self, data: bytes) -> bytes:
        out = b""
        for kind, number, body in self._unframer.feed(data):
            if (kind, number) != self._last:
                self._last = (kind, number)
                self.commands.append(kind)
                result, extra = self._carry_out(kind, body)
                self._answer = wire.pack(wire.ACK, number, kind, result, 0)
                out += extra
            out += self._device.frame(wire.ACK, self._answer)
        return out

    def _carry_out(self, kind: int, body: bytes) -> tuple[int, bytes]:
        if kind == wire.IDENTIFY:
            return wire.OK, self._identity()
        if kind == wire.GET_STATUS:
            known = {"sample": self.sample, "trip_id": self.trip_id, "run": self.run, "armed": self.gate,
                     "reason": self.reason, "gate": self.gate, "temperature_dC": self.temperature_dC}  # fmt: skip
            names = wire.MESSAGES[wire.STATUS][2]
            values = (known.get(name, 0) for name in names)
            return wire.OK, self._device.frame(wire.STATUS, wire.pack(wire.STATUS, *values))
        if kind == wire.GET_CLOCK:
            return wire.OK, self._clock()
        if kind == wire.FORCE_TRIP:
            self.trip(limits.COMMAND)
        elif kind == wire.ACK_TRIP:
            self._unacknowledged = False
        elif kind == wire.RESET_TRIP:
            if struct.unpack("<I", body)[0] != self.trip_id:
                return wire.WRONG_ID, b""
            self.trip_id = self.reason = 0
        elif kind == wire.ARM:
            if self.trip_id:
                return wire.LATCHED, b""
            self.gate = 1
        elif kind == wire.DISARM:
            self.gate = 0
        elif kind == wire.SET_CONFIG:
            self.settings = body[4:]
        elif kind == wire.GET_CONFIG:
            head = wire.pack(wire.CONFIG, 1, limits.SCHEMA, 0, len(self.settings) // 4)
            return wire.OK, self._device.frame(wire.CONFIG, head + self.settings)
        elif kind == wire.GET_BLACKBOX:
            return wire.OK, self._box()
        return wire.OK, b""

    def _clock(self) -> bytes:
        """Its clock counts the samples that are due, each `1 / rate_Hz` long on it."""
        us = int((time.monotonic() - self._began_s) * self._speed * 1e6) + self._begin_us
        names = wire.MESSAGES[wire.CLOCK][2]
        newest = max(self.sample - 1, 0)
        known = {"time_us": us % (1 << 30), "uptime_ms": us // 1000, "sample": newest % (1 << 30),
                 "sample_time_us": round(newest * 1e6 / self._rate_Hz) % (1 << 30)}  # fmt: skip
        return self._device.frame(wire.CLOCK, wire.pack(wire.CLOCK, *(known.get(name, 0) for name in names)))

    def _identity(self) -> bytes:
        document = {
            "board": "test", "version": limits.VERSION, "protocol": wire.PROTOCOL, "schema": limits.SCHEMA,
            "id": "x", "sample_period_us": round(1e6 / self._rate_Hz), "reasons": limits.REASONS,
            "settings": SETTINGS, "temperature": self.temperature_dC != wire.NO_TEMPERATURE, **self._extra,
        }  # fmt: skip
        text = json.dumps(document).encode()
        return self._device.frame(wire.IDENTITY, struct.pack("<H", len(text)) + text)

    def _box(self) -> bytes:
        first = max(0, self._trip_sample - 64)
        out = b""
        for index in range(0, max(self.box_samples, 1), 32):
            rows = self._source(first + index, min(32, self.box_samples))
            assert rows is not None
            head = wire.pack(wire.BLACKBOX, self.trip_id, first, index, self.box_samples)
            out += self._device.frame(wire.BLACKBOX, head + rows.astype("<u2").tobytes())
        return out
