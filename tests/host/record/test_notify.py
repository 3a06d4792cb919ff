"""Messages on a trip: sent by apprise to a web server on this machine; trouble is one line and never a wait."""

from ccdmon.record.notify import message, on_trip
from tests.host.web_server import Server

EVENT = {"action": "trip", "rule": "hard_short", "value": 12, "limit": 26, "trip_id": 3, "host_time_s": 1.0}


def test_a_trip_is_told_and_the_caller_does_not_wait_for_it(web_server: Server) -> None:
    problems: list[str] = []
    thread = on_trip([web_server.url], "bay 3", EVENT, on_problem=problems.append)
    assert thread is not None and thread.is_alive()  # the server has not answered yet
    web_server.release.set()
    thread.join(20)
    assert problems == []
    (sent,) = web_server.received
    assert sent["title"] == "bay 3: cut off (hard short)"
    assert "trip_id: 3" in sent["message"]


def test_every_address_is_tried_and_trouble_is_a_line_without_the_secret(web_server: Server) -> None:
    web_server.release.set()
    problems: list[str] = []
    urls = ["nonsense://user:secret@nowhere", "json://secret@127.0.0.1:1/", web_server.url]
    thread = on_trip(urls, "bay 3", EVENT, on_problem=problems.append)
    assert thread is not None
    thread.join(30)
    assert len(web_server.received) == 1
    assert [line.split(":")[1][:10] for line in problems] == [" address 1", " address 2"]
    assert not any("secret" in line for line in problems)


def test_without_addresses_nothing_happens() -> None:
    assert on_trip([], "bay 3", EVENT) is None


def test_an_event_with_little_in_it_still_makes_a_message() -> None:
    assert message("bay 3", {})[0] == "bay 3: cut off (unknown reason)"
