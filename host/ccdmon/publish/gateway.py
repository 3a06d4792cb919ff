"""Tells a broker of all runs: what is there when a connection begins, then what changes, until told to stop.

A connection that is lost is made anew, with the next birth number. What it had not acknowledged is sent again, from
the cursors on. The states of all rigs are sent at each birth: a broker that forgot them knows them again.
"""

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from ccdmon.errors import DeviceError
from ccdmon.publish.broker import Broker
from ccdmon.publish.connection import IN_FLIGHT, Connection
from ccdmon.publish.outbox import Outbox
from ccdmon.publish.runs import Run, Runs, fresh_answers
from ccdmon.publish.topics import (
    Topics,
    event_payload,
    gateway_payload,
    packed,
    state_payload,
    telemetry_payload,
)
from ccdmon.version import __version__

Read = TypeVar("Read")
ROUND_S, TELEMETRY_S = 0.1, 1.0
KEEP_S = 0.2  # a kill costs the events of that time, twice
STATES_S = 0.25  # they are asked for once a second
ALIVE_S = 2.0  # a message that must be acknowledged, and that heals a will which came too late
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.25, 2.0
LAST_WORDS_S, SHORT_S, MOST_SHORT = 2.0, 5.0, 3
FOR_STATES = 4  # of what may be on its way
assert FOR_STATES < IN_FLIGHT


@dataclass
class Counts:
    """What was done, for the metrics and the end."""

    connected: bool = False
    connections: int = 0
    events: int = 0
    states: int = 0
    telemetry: int = 0
    sent_bytes: int = 0


class Gateway:
    """`run` in one thread; `runs` is kept up to date by another."""

    def __init__(self, runs: Runs, broker: Broker, name: str, say: Callable[[str], object]) -> None:
        self._runs, self._broker, self.name, self._say = runs, broker, name, say
        self._topics = Topics(broker.prefix, name)
        self.counts = Counts()
        self._outboxes: dict[Run, Outbox] = {}
        self._connection: Connection | None = None
        self._birth = 0
        self._states: dict[str, bytes] = {}  # as sent, by rig
        self._telemetry_due_s = self._alive_due_s = self._states_due_s = 0.0
        self._look_due_s = self._keep_due_s = 0.0
        self._busy: list[Outbox] = []  # that may have a line to send
        self._cannot_keep = False
        self._begun_s, self._short = 0.0, 0  # connections that ended at once, one after the other

    @property
    def target(self) -> str:
        """What a cursor is of."""
        return f"{self._broker.target}/{self.name}"

    @property
    def waiting_bytes(self) -> int:
        """Of all logs, what the broker has not acknowledged."""
        return sum(outbox.waiting_bytes for outbox in list(self._outboxes.values()))

    def begin(self) -> None:
        """Connect. Raises `DeviceError`."""
        self._take_runs()
        known = max((outbox.cursor.birth for outbox in self._outboxes.values()), default=0)
        self._birth = max(int(time.time()), 1 + max(known, self._birth))
        will = gateway_payload(self.name, self._birth, False, __version__)
        self._connection = Connection(self._broker, f"ccdmon-{self.name}", (self._topics.gateway, will))
        for outbox in self._outboxes.values():
            outbox.cursor.birth = self._birth
            outbox.begin()
            outbox.cursor.keep()
        self.counts.connected, self.counts.connections = True, self.counts.connections + 1
        self._begun_s = time.monotonic()
        self._states.clear()
        self._telemetry_due_s = self._alive_due_s = self._states_due_s = 0.0

    def run(self, stop: threading.Event, *, until_sent: bool = False) -> None:
        """Serve until told to stop, or until all events are acknowledged."""
        pause_s, told = FIRST_PAUSE_S, ""
        while not stop.is_set():
            try:
                if self._connection is None:
                    self.begin()
                    pause_s = FIRST_PAUSE_S
                self._round(self._connection)
                if told and time.monotonic() - self._begun_s > SHORT_S:
                    told = ""
                    self._say(f"{self._broker.target}: connected again")
                if until_sent and self._all_sent():
                    break
            except DeviceError as error:
                self._lose()
                line = f"{error}{self._thrown_out()}; tried again, the events wait in their folders"
                if line != told:
                    told = line
                    self._say(line)
                stop.wait(pause_s)
                pause_s = min(2 * pause_s, LONGEST_PAUSE_S)
        self._end()

    def _round(self, connection: Connection | None) -> None:
        assert connection is not None
        now_s = time.monotonic()
        self._take_runs()
        if now_s >= self._alive_due_s:
            self._alive_due_s = now_s + ALIVE_S
            self._deliver(self._topics.gateway, gateway_payload(self.name, self._birth, True, __version__))
        if now_s >= self._states_due_s and self._send_states(connection):
            self._states_due_s = now_s + STATES_S
        self._send_events(connection, now_s)
        if now_s >= self._telemetry_due_s:
            self._telemetry_due_s = now_s + TELEMETRY_S
            self._send_telemetry(connection)
        connection.work(ROUND_S)
        if now_s >= self._keep_due_s:
            self._keep_due_s = now_s + KEEP_S
            self._keep_cursors()

    def _take_runs(self) -> None:
        for run in self._runs.all:
            if run not in self._outboxes:
                outbox = self._outboxes[run] = Outbox(run, self.target)
                self._of_log(outbox, outbox.cursor.identify)
                outbox.begin()

    def _of_log(self, outbox: Outbox, read: Callable[[], Read]) -> Read | None:
        """What is read of a run's log; None where it cannot be, which is told once."""
        try:
            found, outbox.unreadable = read(), None
            return found
        except OSError as error:
            if outbox.unreadable is None:
                self._say(f"{outbox.run.folder}: its events cannot be read ({error.strerror}); tried again")
            outbox.unreadable = error
            return None

    @property
    def unreadable(self) -> list[Run]:
        """Runs whose events cannot be read."""
        return [outbox.run for outbox in self._outboxes.values() if outbox.unreadable is not None]

    def _deliver(self, topic: str, payload: bytes) -> None:
        assert self._connection is not None
        self._connection.deliver(topic, payload, retain=True)
        self.counts.sent_bytes += len(payload)

    def _send_states(self, connection: Connection) -> bool:
        """Those that changed; whether there was room for all."""
        for rig, run in self._runs.current().items():
            if connection.room <= 0:
                return False
            known: Mapping[str, Any] = {**run.state, "run": self._outboxes[run].cursor.run}
            packed_state = packed(known)
            if run.state and self._states.get(rig) != packed_state:
                self._states[rig] = packed_state
                self._deliver(self._topics.state(rig), state_payload(self.name, self._birth, rig, known))
                self.counts.states += 1
        return True

    def _send_events(self, connection: Connection, now_s: float) -> None:
        """A line of each run in turn, as long as there is room; who has none is looked at again in a while."""
        if now_s >= self._look_due_s:
            self._look_due_s = now_s + ROUND_S
            self._busy = list(self._outboxes.values())
        while self._busy and connection.room > FOR_STATES:
            self._busy = [outbox for outbox in self._busy if self._send_event(outbox, connection)]

    def _send_event(self, outbox: Outbox, connection: Connection) -> bool:
        if connection.room <= FOR_STATES:
            return True
        taken = self._of_log(outbox, outbox.take)
        if taken is None:
            return False
        (offset, end, text), done = taken
        rig, run = outbox.run.rig, outbox.cursor.run or ""
        payload = event_payload(self.name, rig, run, offset, end, text)

        def acknowledged() -> None:
            done()
            self.counts.events += 1

        connection.deliver(self._topics.event(rig), payload, then=acknowledged)
        self.counts.sent_bytes += len(payload)
        return True

    def _send_telemetry(self, connection: Connection) -> None:
        answers = fresh_answers(self._runs.current())
        payload = telemetry_payload(self.name, self._birth, time.time(), answers)
        connection.send(self._topics.telemetry, payload)
        self.counts.telemetry += 1
        self.counts.sent_bytes += len(payload)

    def _all_sent(self) -> bool:
        under_way = self._busy or any(outbox.under_way for outbox in self._outboxes.values())
        return not under_way and len(self._states) == len(self._runs.current())

    def _keep_cursors(self) -> None:
        for outbox in self._outboxes.values():
            outbox.keep()
        failed = next((o for o in self._outboxes.values() if o.cursor.error is not None), None)
        if failed is not None and not self._cannot_keep:
            self._say(
                f"{failed.run.folder}: how far its events are sent cannot be kept "
                f"({failed.cursor.error}); the next publisher sends them again"
            )
        self._cannot_keep = failed is not None

    def _lose(self) -> None:
        if self._connection is not None:
            self._connection.abandon()
            lasted_s = time.monotonic() - self._begun_s
            self._short = self._short + 1 if lasted_s < SHORT_S else 0
        self._connection = None
        self.counts.connected = False

    def _thrown_out(self) -> str:
        """Two clients of one name throw each other out for ever; not every broker says so."""
        if self._short < MOST_SHORT:
            return ""
        return f" (again and again: is there another publisher called '{self.name}'? give each its own --gateway)"

    def _end(self) -> None:
        """Part in good order, so that nobody takes us for lost; what was not acknowledged waits in its folder."""
        if self._connection is None:
            return
        try:
            self._deliver(self._topics.gateway, gateway_payload(self.name, self._birth, False, __version__))
            self._connection.drain(LAST_WORDS_S)
            self._connection.close()
        except DeviceError as error:
            self._say(str(error))
        self._keep_cursors()
        self.counts.connected = False
