"""All rigs of all gateways as the messages tell them: who is there, who is silent, and what that is judged by.

Three rules of whoever reads the topics:

1. `birth` counts a gateway's connections. A message of a lower one than is known is of the past: a will that comes
   late, after the gateway is back, says nothing.
2. A rig is there while telemetry names it. Silence is measured by the reader's own clock.
3. A retained state of a lower birth than its gateway's is of a rig that the gateway does not publish any more.
"""

import json
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ccdmon.publish.topics import EVENT, GATEWAY, STATE, TELEMETRY

SILENT_S = 5.0
MOST_GATEWAYS, MOST_RIGS = 1000, 20_000
MOST_BYTES = 1 << 20
RED, AMBER, GREY, GREEN = "red", "amber", "grey", "green"


@dataclass
class _Gateway:
    birth: int = -1
    online: bool = False


@dataclass
class _Rig:
    state: Mapping[str, Any] = field(default_factory=dict)
    birth: int = -1
    values: Mapping[str, Any] = field(default_factory=dict)
    heard_s: float | None = None  # when telemetry last named it


@dataclass(frozen=True)
class Row:
    """One rig as it is shown; `why` says what is wrong, the worst first."""

    gateway: str
    rig: str
    colour: str
    why: tuple[str, ...]
    silent_s: float | None  # since telemetry last named it; None: never
    state: Mapping[str, Any]
    values: Mapping[str, Any]


class Overview:
    """Takes messages from any thread; whatever is no message of ours is counted and left."""

    def __init__(self, clock_s: Callable[[], float] = time.monotonic) -> None:
        self._clock_s = clock_s
        self._lock = threading.Lock()
        self._gateways: dict[str, _Gateway] = {}
        self._rigs: dict[tuple[str, str], _Rig] = {}
        self.events = self.stale = self.refused = 0

    def take(self, topic: str, payload: bytes) -> None:
        """One message."""
        try:
            document = json.loads(payload) if len(payload) <= MOST_BYTES else None
        except (ValueError, RecursionError):
            document = None
        with self._lock:
            if payload == b"" and topic.endswith("/state"):
                self._forget(topic)
            elif not isinstance(document, dict) or not self._understood(document):
                self.refused += 1

    def rows(self) -> list[Row]:
        """All rigs, what needs somebody first."""
        with self._lock:
            rows = [self._row(*names, rig) for names, rig in self._rigs.items()]
        return sorted(rows, key=lambda row: (_ORDER[row.colour], row.gateway, row.rig))

    def _understood(self, document: Mapping[str, Any]) -> bool:
        name, birth, schema = document.get("gateway"), document.get("birth", 0), document.get("schema")
        if not isinstance(name, str) or type(birth) is not int:
            return False
        if schema == EVENT:
            self.events += 1
            return True
        gateway = self._gateways.get(name)
        if gateway is None:
            if len(self._gateways) >= MOST_GATEWAYS:
                return False
            gateway = self._gateways[name] = _Gateway()
        if birth < gateway.birth and schema != STATE:
            self.stale += 1
            return True
        if birth > gateway.birth:
            gateway.birth, gateway.online = birth, True
        if schema == GATEWAY:
            gateway.online = document.get("online") is True
        elif schema == TELEMETRY:
            gateway.online = True  # a will of this birth that came before it was not true
            self._take_telemetry(name, document)
        elif schema == STATE:
            self._take_state(name, birth, document)
        else:
            return False
        return True

    def _take_state(self, gateway: str, birth: int, document: Mapping[str, Any]) -> None:
        rig = self._rig(gateway, document.get("rig"))
        if rig is not None and birth >= rig.birth:
            rig.state, rig.birth = document, birth

    def _take_telemetry(self, gateway: str, document: Mapping[str, Any]) -> None:
        fields, rigs = document.get("fields"), document.get("rigs")
        if not isinstance(fields, list) or not isinstance(rigs, dict):
            return
        now_s = self._clock_s()
        for name, values in rigs.items():
            rig = self._rig(gateway, name)
            if rig is not None and isinstance(values, list):
                rig.values = dict(zip(map(str, fields), values, strict=False))
                rig.heard_s = now_s

    def _rig(self, gateway: str, name: object) -> _Rig | None:
        if not isinstance(name, str):
            return None
        known = self._rigs.get((gateway, name))
        if known is None and len(self._rigs) < MOST_RIGS:
            known = self._rigs[gateway, name] = _Rig()
        return known

    def _forget(self, topic: str) -> None:
        """A state that somebody emptied: the rig is gone for good."""
        parts = topic.split("/")
        if len(parts) >= 4:
            self._rigs.pop((parts[-4], parts[-2]), None)

    def _row(self, gateway: str, name: str, rig: _Rig) -> Row:
        silent_s = None if rig.heard_s is None else self._clock_s() - rig.heard_s
        silent = silent_s is None or silent_s > SILENT_S
        ended = rig.state.get("recording") is False
        known = self._gateways[gateway]
        why = list(_wrong(rig.state))
        if not known.online:
            why.insert(0, "its gateway is away")
        elif rig.state and rig.birth < known.birth:
            why.insert(0, "its gateway does not publish it any more")
        elif silent and not ended:
            why.insert(0, "silent")
        colour = RED if why else (GREY if ended else _calm(rig.state))
        return Row(gateway, name, colour, tuple(why), silent_s, rig.state, rig.values)


_ORDER = {RED: 0, AMBER: 1, GREEN: 2, GREY: 3}


def _wrong(state: Mapping[str, Any]) -> list[str]:
    """What the state itself says needs somebody."""
    trip = state.get("trip")
    told = trip if isinstance(trip, dict) else {}
    what = told.get("what") or str(told.get("rule") or "unknown").replace("_", " ")
    found = [
        (bool(trip), f"tripped: {what}"),
        (state.get("recording") is True and state.get("answers") is False, "its recorder does not answer"),
        (state.get("ended") == "broken off", "its recorder broke off"),
        (state.get("link") == "lost", "link lost"),
        (bool(state.get("disk")), "disk full"),
        (bool(state.get("moved")), "its folder was moved"),
        (bool(state.get("analysis")), "its analysis stopped"),
        (bool(state.get("not_notified")), "messages to people not sent"),
    ]
    return [text for wrong, text in found if wrong]


def _calm(state: Mapping[str, Any]) -> str:
    return GREEN if state.get("gate") == "closed" else AMBER
