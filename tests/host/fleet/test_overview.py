"""What the overview believes: births, silence, and what a state says needs somebody."""

import json
from typing import Any

import pytest

from ccdmon.fleet.overview import AMBER, GREEN, GREY, RED, SILENT_S, Overview
from ccdmon.publish.topics import Topics, gateway_payload, state_payload, telemetry_payload

TOPICS = Topics("ccdmon", "gw")
WELL = {"recording": True, "answers": True, "gate": "closed", "link": "up", "trip": None}


class Told:
    """An overview, a clock, and a gateway that speaks."""

    def __init__(self) -> None:
        self.now_s = 0.0
        self.overview = Overview(lambda: self.now_s)

    def gateway(self, birth: int, online: bool = True) -> None:
        self.overview.take(TOPICS.gateway, gateway_payload("gw", birth, online, "1"))

    def state(self, birth: int, rig: str = "r", **more: Any) -> None:
        self.overview.take(TOPICS.state(rig), state_payload("gw", birth, rig, {**WELL, **more}))

    def values(self, birth: int, *rigs: str) -> None:
        answers = [(rig, {"voltage_V": 1.0}) for rig in rigs or ("r",)]
        self.overview.take(TOPICS.telemetry, telemetry_payload("gw", birth, 0.0, answers))

    def row(self) -> tuple[str, tuple[str, ...]]:
        (row,) = self.overview.rows()
        return row.colour, row.why


@pytest.fixture
def told() -> Told:
    told = Told()
    told.gateway(5)
    told.state(5)
    told.values(5)
    assert told.row() == (GREEN, ())
    return told


def test_a_will_says_that_all_rigs_of_its_gateway_are_out_of_sight(told: Told) -> None:
    told.gateway(5, online=False)
    assert told.row() == (RED, ("its gateway is away",))


def test_a_will_that_comes_late_is_ignored(told: Told) -> None:
    told.gateway(6)
    told.state(6)
    told.gateway(5, online=False)
    assert told.row() == (GREEN, ()) and told.overview.stale == 1


@pytest.mark.parametrize("order", [("will", "state"), ("state", "will")])
def test_whoever_comes_anew_finds_a_late_will_and_is_not_deceived(order: tuple[str, str]) -> None:
    told = Told()
    for kind in order:
        told.gateway(5, online=False) if kind == "will" else told.state(6)
    told.values(6)
    assert told.row() == (GREEN, ())


def test_silence_is_red_by_the_readers_own_clock(told: Told) -> None:
    told.now_s = SILENT_S - 0.1
    assert told.row()[0] == GREEN
    told.now_s = SILENT_S + 0.1
    assert told.row() == (RED, ("silent",))
    told.values(5, "another")
    assert {row.rig: row.colour for row in told.overview.rows()}["r"] == RED
    told.values(5)
    assert {row.rig: row.colour for row in told.overview.rows()}["r"] == GREEN


def test_a_rig_that_its_gateway_does_not_publish_any_more(told: Told) -> None:
    told.gateway(6)
    told.values(6, "other")
    rows = {row.rig: row.why for row in told.overview.rows()}
    assert rows["r"] == ("its gateway does not publish it any more",)
    told.overview.take(TOPICS.state("r"), b"")  # somebody emptied it: gone for good
    assert [row.rig for row in told.overview.rows()] == ["other"]


@pytest.mark.parametrize(
    ("more", "colour", "why"),
    [
        ({"gate": "open"}, AMBER, ""),
        ({"trip": {"trip_id": 1, "rule": "hard_short"}, "gate": "open"}, RED, "tripped: hard short"),
        ({"link": "lost"}, RED, "link lost"),
        ({"answers": False}, RED, "does not answer"),
        ({"disk": "full"}, RED, "disk full"),
        ({"not_notified": 2}, RED, "not sent"),
        ({"recording": False, "ended": "broken off"}, RED, "broke off"),
        ({"recording": False, "ended": "in order"}, GREY, ""),
    ],
)
def test_what_a_state_says(more: dict[str, Any], colour: str, why: str, told: Told) -> None:
    told.state(5, **more)
    found, said = told.row()
    assert found == colour and why in "; ".join(said)


def test_an_ended_run_is_not_silent(told: Told) -> None:
    told.state(5, recording=False, ended="in order")
    told.now_s = 100.0
    assert told.row() == (GREY, ())


@pytest.mark.parametrize(
    "payload",
    [
        b"", b"\xff", b"[]", b"{}", b'{"gateway": 1, "birth": 1}', b'{"gateway": "g", "birth": "x"}',
        b'{"gateway": "g", "birth": 1, "schema": "another/1"}', b"[" * 100_000, b"1" * (2 << 20),
    ],
)  # fmt: skip
def test_what_is_no_message_of_ours_is_counted_and_left(payload: bytes, told: Told) -> None:
    told.overview.take("any/topic", payload)
    assert told.row() == (GREEN, ()) and told.overview.refused == 1


def test_odd_contents_end_nothing(told: Told) -> None:
    for odd in ({"fields": 1, "rigs": 2}, {"fields": [], "rigs": {"x": 3}}):
        document = {"schema": "ccdmon.telemetry/1", "gateway": "gw", "birth": 5, **odd}
        told.overview.take(TOPICS.telemetry, json.dumps(document).encode())
    told.state(5, trip=[1], cell=7, not_notified="x")
    assert {row.rig: row.colour for row in told.overview.rows()}["r"] == RED
