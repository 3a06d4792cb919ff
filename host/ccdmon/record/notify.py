"""Messages to people when a rig trips, by apprise (mail, chat, web hooks; the extra `ccdmon[notify]`).

Each address has a thread of its own: a slow or broken mail server delays neither the recording nor the other
addresses. What could not be sent is tried again, at longer and longer intervals, for a day; until then it is counted
in `not_sent`, which the terminal and the live page show, and every outcome is a line in the event log. What a recorder
that ended or was killed still owed, the one that goes on with the folder takes up (`run.untold`).
"""

import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from queue import Empty, SimpleQueue
from typing import Any

from ccdmon.errors import describe
from ccdmon.run.untold import Owed

NOTABLE = ("rule", "value", "limit", "trip_id", "sample", "host_time_s", "firmware_hash")
FIRST_RETRY_S, LONGEST_RETRY_S = 5.0, 600.0
GIVE_UP_S = 86400.0
CLOSING_LIMIT_S = 10.0  # so long the end of a recording waits for messages that are on their way
MOST_WAITING = 20  # messages for one address; of a rig that trips on and on the oldest say it all


@dataclass(frozen=True)
class _Message:
    trip_id: int | None
    title: str
    body: str
    since_s: float


@dataclass
class _Address:
    """One address: what waits for it, and the thread that sends."""

    index: int
    url: str
    waiting: deque[_Message] = field(default_factory=deque)
    wake: threading.Event = field(default_factory=threading.Event)
    thread: threading.Thread | None = None

    @property
    def name(self) -> str:
        """It may hold a password: it is named by its place and kind only."""
        return f"address {self.index} ({self.url.split(':', 1)[0]})"


class Notifier:
    """Tells every address of `urls` of a trip of `rig`. Nothing here raises or waits but `close`.

    `log` and `say` are called from `look` and `close` only, that is by the thread that records.
    """

    def __init__(
        self,
        urls: Sequence[str],
        rig: str,
        *,
        log: Callable[..., object],
        say: Callable[[str], object],
        first_retry_s: float = FIRST_RETRY_S,
    ) -> None:
        self._addresses = [_Address(index, url) for index, url in enumerate(urls, 1)]
        self._rig, self._log, self._say, self._first_retry_s = rig, log, say, first_retry_s
        self._news: SimpleQueue[tuple[str, _Address, int | None, str]] = SimpleQueue()
        self._closing = threading.Event()

    @property
    def not_sent(self) -> int:
        """Messages that wait to be sent, over all addresses."""
        return sum(len(address.waiting) for address in self._addresses)

    def trip(self, event: Mapping[str, Any]) -> None:
        """The gate has opened; `event` as in the event log."""
        if not self._addresses:
            return
        title, body = message(self._rig, event)
        told = _Message(event.get("trip_id"), title, body, time.monotonic())
        names = [address.name for address in self._addresses]
        self._log(action="notifying", trip_id=told.trip_id, addresses=names, title=title, body=body)
        for address in self._addresses:
            self._send(address, told)

    def take_up(self, owed: Iterable[Owed]) -> None:
        """What an earlier recorder of this folder did not send, to the addresses that there still are."""
        nowhere = 0
        for earlier in owed:
            told = _Message(earlier.trip_id, earlier.title, earlier.body, time.monotonic())
            known = [address for address in self._addresses if address.name in earlier.addresses]
            nowhere += not known
            for address in known:
                self._send(address, told)
        if nowhere:
            self._say(
                f"notifications: {nowhere} messages of before were never sent, and their addresses are not known; "
                "go on with the --rig-file that has them"
            )

    def _send(self, address: _Address, told: _Message) -> None:
        if told.trip_id is not None and told.trip_id in {known.trip_id for known in list(address.waiting)}:
            return  # a board repeats its trip to a recorder that begins
        if len(address.waiting) >= MOST_WAITING:
            self._news.put(("not_notified", address, told.trip_id, "too many messages wait already"))
            return
        address.waiting.append(told)
        address.wake.set()
        if address.thread is None:
            address.thread = threading.Thread(target=self._serve, args=(address,), name="notify", daemon=True)
            address.thread.start()

    def look(self) -> None:
        """Log and tell what became of messages since the last time."""
        while True:
            try:
                action, address, trip_id, text = self._news.get_nowait()
            except Empty:
                return
            self._log(action=action, trip_id=trip_id, address=address.name, cause=text)
            if action != "notified":
                self._say(f"notifications: {address.name}: {text}")

    def close(self) -> None:
        """Give what is on its way a last try, then say what nobody was told."""
        self._closing.set()
        until_s = time.monotonic() + CLOSING_LIMIT_S
        for address in self._addresses:
            address.wake.set()
            if address.thread is not None:
                address.thread.join(max(0.0, until_s - time.monotonic()))
        self.look()
        for address in self._addresses:
            for told in list(address.waiting):
                self._log(action="not_notified", trip_id=told.trip_id, address=address.name,
                          cause="the recording ended", title=told.title)  # fmt: skip
                self._say(f"notifications: {address.name}: nobody was told there: {told.title}")

    def _serve(self, address: _Address) -> None:
        """In the thread of an address: the oldest message until it is sent, then the next."""
        pause_s = self._first_retry_s
        while True:
            if not address.waiting:
                if self._closing.is_set():
                    return
                address.wake.wait(1.0)
                address.wake.clear()
                continue
            told = address.waiting[0]
            wrong = send(address.url, told.title, told.body)
            if wrong is None:
                address.waiting.popleft()
                self._news.put(("notified", address, told.trip_id, told.title))
                pause_s = self._first_retry_s
                continue
            if time.monotonic() - told.since_s > GIVE_UP_S:
                address.waiting.popleft()
                self._news.put(("not_notified", address, told.trip_id, f"{wrong}; given up"))
                continue
            if pause_s == self._first_retry_s:
                self._news.put(
                    ("not_yet_notified", address, told.trip_id, f"{wrong}; tried again until it is sent")
                )
            if self._closing.wait(pause_s):
                return
            pause_s = min(2 * pause_s, LONGEST_RETRY_S)


def message(rig: str, event: Mapping[str, Any]) -> tuple[str, str]:
    """(title, body) of the message about one trip."""
    rule = str(event.get("what", event.get("rule", "unknown reason").replace("_", " ")))
    known = [f"{key}: {event[key]}" for key in NOTABLE if event.get(key) is not None]
    return f"{rig}: cut off ({rule})", "The gate is open and stays open until it is reset.\n" + "\n".join(
        known
    )


def send(url: str, title: str, body: str) -> str | None:
    """Why a message could not be sent, in a few words; None: it was."""
    try:
        import apprise
    except ImportError:
        from ccdmon.extras import how_to_install  # which reads what is installed

        return f"apprise is missing: {how_to_install('notify')}"
    try:
        sender = apprise.Apprise()
        if not sender.add(url):
            return "not an address that apprise knows; mend [notifications] urls"
        return None if sender.notify(title=title, body=body) else "could not be reached"
    except Exception as error:  # noqa: BLE001  a plugin of the library must not end the recording's process
        return f"failed ({describe(error).split(':', 1)[0]})"
