"""Messages on a trip: sent by apprise to a web server on this machine; trouble is told, retried and never a wait."""

import time
from typing import Any

import pytest

from ccdmon.record import notify
from ccdmon.record.notify import MOST_WAITING, Notifier, message
from ccdmon.run.untold import untold
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

    def until_said(self, lines: int) -> None:
        """Until so many outcomes were told."""
        until_s = time.monotonic() + WAIT_S
        while len(self.said) < lines and time.monotonic() < until_s:
            self.notifier.look()
            time.sleep(0.02)
        assert len(self.said) >= lines

    def until(self, sent: int) -> list[str]:
        """What was done by the time so many messages went."""
        until_s = time.monotonic() + WAIT_S
        while time.monotonic() < until_s:
            self.notifier.look()
            done = [e["action"] for e in self.logged if e["action"] != "notifying"]
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
    for trip_id in range(3 * MOST_WAITING):
        told.notifier.trip(EVENT | {"trip_id": trip_id})
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


def test_what_was_not_sent_is_taken_up_by_the_one_that_goes_on(web_server: Server) -> None:
    """The first recorder is killed while the server is down: nothing but its log is left."""
    web_server.fail_first = 1
    web_server.release.set()
    killed = Told([web_server.url, "json://127.0.0.1:1/"], retry_s=60.0)
    killed.notifier.trip(EVENT)
    killed.until_said(2)
    (owed,) = untold(killed.logged)
    assert owed.addresses == {"address 1 (json)", "address 2 (json)"} and owed.trip_id == 3
    went_on = Told([web_server.url])
    went_on.notifier.take_up(untold(killed.logged))
    went_on.notifier.trip(EVENT)  # the board repeats it: one message
    assert went_on.until(1) == ["notified"]
    went_on.notifier.close()
    assert [sent["title"] for sent in web_server.received] == ["bay 3: cut off (hard short)"] * 2
    (still,) = untold(killed.logged + went_on.logged)
    assert still.addresses == {"address 2 (json)"}
    nobody = Told([])
    nobody.notifier.take_up([still])
    assert "never sent" in nobody.said[0] and "--rig-file" in nobody.said[0]


@pytest.mark.parametrize(
    "line",
    [
        {"action": "notifying"},
        {"action": "notifying", "trip_id": [3], "addresses": ["x"]},
        {"action": "notifying", "trip_id": True, "addresses": ["x"]},
        {"action": "notifying", "trip_id": 3, "addresses": "x"},
        {"action": ["notifying"], "trip_id": 3, "addresses": ["x"]},
        {"action": "notified", "trip_id": 3, "address": "x"},
    ],
)
def test_an_edited_log_owes_nothing(line: dict[str, Any]) -> None:
    assert untold([line]) == []


def test_one_message_after_the_other_goes_and_what_is_given_up_holds_nobody_back(
    web_server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    web_server.release.set()
    told = Told([web_server.url])
    for trip_id in (1, 2):
        told.notifier.trip(EVENT | {"trip_id": trip_id})
    assert told.until(2) == ["notified", "notified"]
    time.sleep(0.1)  # the thread waits now
    told.notifier.trip(EVENT | {"trip_id": 3})
    told.until(3)
    monkeypatch.setattr(notify, "GIVE_UP_S", -1.0)
    web_server.fail_first = len(web_server.received) + 1
    for trip_id in (4, 5):
        told.notifier.trip(EVENT | {"trip_id": trip_id})
    told.until(4)
    told.notifier.close()
    done = [(e["action"], e["trip_id"]) for e in told.logged if e["action"] != "notifying"]
    assert done == [("notified", 1), ("notified", 2), ("notified", 3), ("not_notified", 4), ("notified", 5)]
    assert told.notifier.not_sent == 0 and "given up" in told.said[0]
