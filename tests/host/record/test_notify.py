"""Messages on a trip: sent by apprise to a web server on this machine; trouble is told, retried and never a wait."""

import time
from typing import Any

from ccdmon.record.notify import MOST_WAITING, Notifier, message
from tests.host.web_server import Server

EVENT = {"action": "trip", "rule": "hard_short", "value": 12, "limit": 26, "trip_id": 3, "host_time_s": 1.0}
WAIT_S = 30.0


class Told:
    """A notifier and what it logged and said."""

    def __init__(self, urls: list[str], retry_s: float = 0.05) -> None:
        self.logged: list[dict[str, Any]] = []
        self.said: list[str] = []
        self.notifier = Notifier(
            urls, "bay 3", log=lambda **e: self.logged.append(e), say=self.said.append, first_retry_s=retry_s
        )

    def until(self, sent: int) -> list[str]:
        """What was done by the time so many messages went."""
        until_s = time.monotonic() + WAIT_S
        while time.monotonic() < until_s:
            self.notifier.look()
            done = [e["action"] for e in self.logged]
            if done.count("notified") >= sent:
                return done
            time.sleep(0.02)
        raise AssertionError(f"not sent: {self.logged}")


def test_a_trip_is_told_and_the_caller_does_not_wait_for_it(web_server: Server) -> None:
    told = Told([web_server.url])
    told.notifier.trip(EVENT)
    assert told.notifier.not_sent == 1  # the server has not answered yet
    web_server.release.set()
    assert told.until(1) == ["notified"]
    told.notifier.close()
    (sent,) = web_server.received
    assert (sent["title"], told.said, told.notifier.not_sent) == ("bay 3: cut off (hard short)", [], 0)
    assert "trip_id: 3" in sent["message"]


def test_every_address_is_tried_and_trouble_is_a_line_without_the_secret(web_server: Server) -> None:
    web_server.release.set()
    urls = ["nonsense://user:secret@nowhere", "json://secret@127.0.0.1:1/", web_server.url]
    told = Told(urls, retry_s=5.0)
    told.notifier.trip(EVENT)
    told.until(1)
    told.notifier.close()
    assert len(web_server.received) == 1
    assert {line.split(":")[1] for line in told.said} == {" address 1 (nonsense)", " address 2 (json)"}
    assert [e["cause"] for e in told.logged if e["action"] == "not_notified"] == ["the recording ended"] * 2
    assert "secret" not in str(told.said) + str(told.logged)
    assert told.notifier.not_sent == 2, "what nobody was told stays to be seen"


def test_a_server_that_is_down_is_tried_until_it_is_up(web_server: Server) -> None:
    web_server.fail_first = 2
    web_server.release.set()
    told = Told([web_server.url])
    told.notifier.trip(EVENT)
    assert told.until(1) == ["not_yet_notified", "notified"]
    assert len(web_server.received) == 3


def test_a_rig_that_trips_on_and_on_fills_no_memory() -> None:
    told = Told(["json://127.0.0.1:1/"], retry_s=60.0)
    for _ in range(3 * MOST_WAITING):
        told.notifier.trip(EVENT)
    told.notifier.look()
    assert told.notifier.not_sent == MOST_WAITING
    assert [e["action"] for e in told.logged].count("not_notified") == 2 * MOST_WAITING


def test_without_addresses_nothing_happens() -> None:
    told = Told([])
    told.notifier.trip(EVENT)
    told.notifier.close()
    assert told.logged == []


def test_an_event_with_little_in_it_still_makes_a_message() -> None:
    assert message("bay 3", {})[0] == "bay 3: cut off (unknown reason)"
