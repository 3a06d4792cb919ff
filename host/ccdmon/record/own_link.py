"""The link to the board of this recording: another one that answers at its port is refused, and sent no order.

Whoever opens the port anew is asked who he is; what he sends meanwhile is held, and taken into the run only where he
is the board that `run.toml` names (its chip's own number). A run that knows no board yet takes the first.
"""

import time
from collections.abc import Callable, Mapping
from typing import Any, Protocol

from ccdmon.link.decoder import Decoder, Identity
from ccdmon.link.retries import Attempts, command_numbers
from ccdmon_fw import wire

HELD_S = 20.0  # a board that never says who it is is taken then: its samples are worth more than its name
MOST_BYTES_HELD = 1 << 20
MOST_TOLD = 10


class Link(Protocol):
    """What it needs of `SerialLink`."""

    name: str
    broke: str
    opening: int
    taken: int

    @property
    def up(self) -> bool: ...
    def take(self, timeout_s: float) -> bytes: ...
    def send(self, data: bytes) -> None: ...
    def refuse(self, why: str) -> None: ...
    def close(self) -> None: ...


class _Stranger:
    """Who has come to the port in this opening, and what he sent so far."""

    def __init__(self, opening: int, now_s: float) -> None:
        self.opening, self.since_s, self.held = opening, now_s, bytearray()
        self._decoder, self._number = Decoder(), next(command_numbers())
        self._attempts: Attempts | None = None

    def question(self, now_s: float) -> bytes:
        """What to send now."""
        if self._attempts is None:
            self._attempts = Attempts(now_s)
        elif not self._attempts.again(now_s):
            return b""
        return b"\0" + bytes(wire.encode(wire.IDENTIFY, self._number, b""))

    def feed(self, data: bytes) -> Mapping[str, Any] | None:
        """Who he says he is, once he does."""
        self.held += data
        said = [event.document for event in self._decoder.feed(data) if isinstance(event, Identity)]
        return said[-1] if said else None


class OwnLink:
    """As `SerialLink`, `up` only while the own board is there. `own()`: its id, None: any.

    `on_refused` gets the id of another board and one line on it, once each.
    """

    def __init__(
        self, link: Link, own: Callable[[], str | None], on_refused: Callable[[str, str], object]
    ) -> None:
        self._link, self._own, self._on_refused = link, own, on_refused
        self._admitted = -1  # the newest opening of the port whose board is the own one
        self._refused = -1  # the newest that was another's
        self._stranger: _Stranger | None = None
        self._told: set[str] = set()
        self.name = link.name

    @property
    def up(self) -> bool:
        """Whether the own board is there."""
        return self._link.up and (self._own() is None or self._link.opening <= self._admitted)

    @property
    def broke(self) -> str:
        """Why it is not."""
        return self._link.broke or f"port {self.name}: the board there has not said yet who it is"

    def take(self, timeout_s: float) -> bytes:
        """What the own board sent."""
        now_s, opening = time.monotonic(), self._link.opening
        if self._link.up and opening > self._admitted and self._own() is not None:
            self._link.send(self._stranger_of(opening, now_s).question(now_s))
        data = self._link.take(timeout_s)
        taken = self._link.taken  # the port may have been opened anew meanwhile
        if self._own() is None:
            self._admitted = max(self._admitted, opening, taken)
        if taken <= self._admitted:
            return data
        if taken <= self._refused:
            return b""
        stranger = self._stranger_of(taken, now_s)
        return self._judged(stranger, stranger.feed(data), now_s)

    def send(self, data: bytes) -> None:
        """To the own board only."""
        if self.up:
            self._link.send(data)

    def close(self) -> None:
        """Give the port back."""
        self._link.close()

    def _stranger_of(self, opening: int, now_s: float) -> _Stranger:
        if self._stranger is None or self._stranger.opening != opening:
            self._stranger = _Stranger(opening, now_s)
        return self._stranger

    def _judged(self, stranger: _Stranger, said: Mapping[str, Any] | None, now_s: float) -> bytes:
        """What was held, where it is the own board's."""
        own, id_ = self._own(), None if said is None else said.get("id")
        if said is not None and id_ not in (None, own):
            self._refuse(str(said.get("board")), str(id_))
            return b""
        waited = now_s - stranger.since_s > HELD_S or len(stranger.held) > MOST_BYTES_HELD
        if said is None and not waited:
            return b""
        self._admitted, self._stranger = stranger.opening, None
        return bytes(stranger.held)

    def _refuse(self, board: str, id_: str) -> None:
        self._refused, self._stranger = self._link.taken, None
        why = (
            f"port {self.name}: refused board {id_} ({board[:40]}): this recording is of board {self._own()}"
        )
        self._link.refuse(why)
        if id_ not in self._told and len(self._told) < MOST_TOLD:
            self._told.add(id_)
            self._on_refused(id_, f"{why}; nothing of it is recorded, waiting for the other")
