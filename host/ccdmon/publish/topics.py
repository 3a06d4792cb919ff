"""The topics and what is sent on them; `host/PUBLISH.md` describes both for whoever reads them.

PREFIX/GATEWAY/gateway             retained, QoS 1; the will of the connection
PREFIX/GATEWAY/telemetry           once a second, QoS 0, all rigs
PREFIX/GATEWAY/rig/RIG/state       retained, QoS 1, when it changes
PREFIX/GATEWAY/rig/RIG/event       QoS 1, each line of `events.ndjson`
"""

import json
from collections.abc import Iterable, Mapping
from typing import Any

GATEWAY, TELEMETRY, STATE, EVENT = (
    f"ccdmon.{name}/1" for name in ("gateway", "telemetry", "rig-state", "event")
)
FIELDS = (
    "unix_s", "test_time_s", "voltage_V", "current_A", "pressure_Pa", "temperature_degC", "samples",
    "missing_samples",
)  # fmt: skip
DIGITS = 7  # of a value's 12 bits none is lost; times need more
LONGEST_NAME = 64


def level(name: str) -> str:
    """A name as one level of a topic, and as a label."""
    kept = "".join(c if c.isascii() and (c.isalnum() or c in "-_.") else "-" for c in name)
    return kept[:LONGEST_NAME] or "-"


class Topics:
    """The topics of one gateway."""

    def __init__(self, prefix: str, gateway: str) -> None:
        base = f"{prefix}/{gateway}"
        self.gateway, self.telemetry = f"{base}/gateway", f"{base}/telemetry"
        self._rig = f"{base}/rig"

    def state(self, rig: str) -> str:
        """The state of a rig."""
        return f"{self._rig}/{rig}/state"

    def event(self, rig: str) -> str:
        """The events of a rig."""
        return f"{self._rig}/{rig}/event"


def packed(document: Mapping[str, Any]) -> bytes:
    """JSON without spaces."""
    return json.dumps(document, separators=(",", ":"), allow_nan=False, default=str).encode()


def gateway_payload(gateway: str, birth: int, online: bool, version: str) -> bytes:
    """That it is there, or, as the will, that it is not. `birth` counts its connections."""
    return packed(
        {"schema": GATEWAY, "gateway": gateway, "birth": birth, "online": online, "version": version}
    )


def state_payload(gateway: str, birth: int, rig: str, state: Mapping[str, Any]) -> bytes:
    """What changes seldom, of one rig."""
    return packed({"schema": STATE, "gateway": gateway, "birth": birth, "rig": rig, **state})


def telemetry_payload(
    gateway: str, birth: int, unix_s: float, answers: Iterable[tuple[str, Mapping[str, Any]]]
) -> bytes:
    """The newest values of each rig that answers, in the order of `fields`."""
    rigs = {rig: [_short(answer.get(name)) for name in FIELDS] for rig, answer in answers}
    return packed(
        {
            "schema": TELEMETRY, "gateway": gateway, "birth": birth, "unix_s": round(unix_s, 3),
            "fields": FIELDS, "rigs": rigs,
        }
    )  # fmt: skip


def event_payload(gateway: str, rig: str, run: str, offset: int, end: int, line: bytes) -> bytes:
    """One line of the log; `id` is the same however often it is sent."""
    known = {"schema": EVENT, "id": f"{run}:{offset}", "gateway": gateway, "rig": rig, "run": run,
             "offset": offset, "end": end}  # fmt: skip
    try:
        event = json.loads(line)
    except (ValueError, RecursionError):  # torn by a kill: that it is there is told
        return packed({**known, "event": None, "unreadable": line[:1000].decode(errors="replace")})
    return packed({**known, "event": event})


def _short(value: Any) -> Any:
    if isinstance(value, float):
        return float(f"{value:.{DIGITS}g}") if abs(value) < 1e5 else round(value, 2)
    return value
