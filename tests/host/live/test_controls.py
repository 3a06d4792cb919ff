"""The buttons of the page, without browser or server: nothing without the token, nothing without a yes."""

import threading
from pathlib import Path
from typing import Any

import pytest
from bokeh.document import Document

from ccdmon.errors import DeviceError
from ccdmon.live import controls
from ccdmon.live.controls import (
    FREE_TRIES,
    MOST_AT_ONCE,
    MOST_CLIENTS,
    WRONG_TOKEN_PAUSE_S,
    RigControls,
    TokenCheck,
)
from tests.host.record.test_recording import wait_for

ACTIONS = ("disarm", "trip", "reset-trip")


class Rig:
    """The controls of one rig on one page, and what its recorder is asked."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.asked: list[dict[str, Any]] = []
        self.trip_id: int | None = None
        self.answer = threading.Event()
        self.answer.set()
        self.refuses = ""
        monkeypatch.setattr(controls, "ask", self._ask)
        self.document = Document()
        self.controls = RigControls(self.document, Path("/r"), "rig0", "key", lambda: self.trip_id)
        self.document.add_root(self.controls.layout)

    def _ask(self, folder: Path, wanted: dict[str, Any]) -> None:
        self.asked.append(wanted)
        self.answer.wait(10)
        if self.refuses:
            raise DeviceError(self.refuses)

    def named(self, name: str) -> Any:
        return self.document.get_model_by_name(f"rig0-{name}")

    def click(self, name: str) -> None:
        self.named(name)._trigger_event(_Click(self.named(name)))

    def seen(self) -> set[str]:
        names = (*ACTIONS, "yes", "no", "token", "unlock")
        return {name for name in names if self.named(name).visible}

    @property
    def message(self) -> str:
        return str(self.named("control-message").text)

    def answered(self) -> str:
        """What the page says once the recorder has answered."""
        wait_for(lambda: self.document.session_callbacks, "an answer")
        for callback in self.document.session_callbacks:
            callback.callback()  # which takes itself away
        return self.message


def _Click(button: Any) -> Any:
    from bokeh.events import ButtonClick

    return ButtonClick(button)


@pytest.fixture
def rig(monkeypatch: pytest.MonkeyPatch) -> Rig:
    return Rig(monkeypatch)


def test_locked_there_is_a_field_and_nothing_else_does_anything(rig: Rig) -> None:
    assert rig.seen() == {"token", "unlock"}
    for name in ACTIONS:
        rig.click(name)
        rig.click("yes")
    assert rig.asked == [] and rig.seen() == {"token", "unlock"} and rig.message == ""
    rig.controls.unlock("That is <not> it.")
    assert rig.message == "That is &lt;not&gt; it." and rig.seen() == {"token", "unlock"}
    rig.controls.unlock("")
    assert rig.seen() == set(ACTIONS) and rig.message == ""
    rig.controls.unlock("wrong")
    assert rig.seen() == set(ACTIONS), "who is in stays in"


@pytest.mark.parametrize(
    ("name", "asked", "question", "done"),
    [
        ("disarm", {"do": "disarm"}, "Open the gate and end the run?", "disarm: done"),
        ("trip", {"do": "trip"}, "Open the gate, latched?", "trip: done"),
        ("reset-trip", {"do": "reset_trip", "trip_id": 5}, "Clear trip 5?", "reset trip: done"),
    ],
)
def test_an_order_needs_a_yes(rig: Rig, name: str, asked: dict[str, Any], question: str, done: str) -> None:
    rig.trip_id = 5
    rig.controls.unlock("")
    rig.click(name)
    assert (rig.message, rig.seen(), rig.asked) == (question, {"yes", "no"}, [])
    rig.click("no")
    assert rig.seen() == set(ACTIONS)
    rig.click("yes")
    assert rig.asked == []
    rig.click(name)
    rig.answer.clear()
    rig.click("yes")
    assert rig.message == "asked the board …" and rig.seen() == set(ACTIONS)
    wait_for(lambda: rig.asked, "the order")
    rig.click("yes")
    assert rig.asked == [asked]
    rig.answer.set()
    assert rig.answered() == done


def test_without_a_latched_trip_there_is_none_to_clear(rig: Rig) -> None:
    rig.controls.unlock("")
    rig.click("reset-trip")
    assert rig.message == "No trip is latched." and rig.seen() == set(ACTIONS)


def test_a_refusal_is_text_and_the_next_order_goes(rig: Rig) -> None:
    rig.controls.unlock("")
    rig.refuses = "<b>no</b>"
    rig.click("disarm")
    rig.click("yes")
    assert rig.answered() == "&lt;b&gt;no&lt;/b&gt;"


def test_a_board_that_does_not_answer_is_asked_a_few_times_but_always_to_trip(rig: Rig) -> None:
    rig.controls.unlock("")
    rig.answer.clear()
    for _ in range(MOST_AT_ONCE + 2):
        rig.click("disarm")
        rig.click("yes")
    wait_for(lambda: len(rig.asked) == MOST_AT_ONCE, "the orders")
    assert rig.message == "the board has not answered yet"
    rig.click("trip")
    rig.click("yes")
    wait_for(lambda: rig.asked[-1] == {"do": "trip"}, "the trip")
    rig.answer.set()
    wait_for(lambda: len(rig.document.session_callbacks) == MOST_AT_ONCE + 1, "all answers")
    rig.click("disarm")
    rig.click("yes")
    wait_for(lambda: len(rig.asked) == MOST_AT_ONCE + 2, "room again")


def test_a_run_that_nobody_records_has_no_controls(rig: Rig) -> None:
    for live in (False, True, True, False):
        rig.controls.show(live)
        assert rig.controls.layout.visible is live


def test_who_is_wrong_waits_from_the_third_time_on_and_his_number_is_bounded() -> None:
    assert (FREE_TRIES, WRONG_TOKEN_PAUSE_S, MOST_AT_ONCE, MOST_CLIENTS) == (
        3,
        2.0,
        4,
        4096,
    )  # as the documents say
    now_s = 50.0
    check = TokenCheck("the-token", lambda: now_s)
    for tried in range(1, FREE_TRIES + 1):
        assert not check.right("nonsense", "he")
        assert check.wait_s("he") == (WRONG_TOKEN_PAUSE_S if tried == FREE_TRIES else 0.0)
    assert not check.right("the-token", "he") and check.wait_s("she") == 0.0
    now_s += WRONG_TOKEN_PAUSE_S
    assert check.wait_s("he") == 0.0 and not check.right("nonsense", "he")
    assert check.wait_s("he") == WRONG_TOKEN_PAUSE_S, "each wrong one costs it again"
    now_s += WRONG_TOKEN_PAUSE_S
    assert check.right("the-token", "he")
    assert not check.right("nonsense", "he") and check.wait_s("he") == 0.0, "a right one forgets"
    for number in range(MOST_CLIENTS + 5):
        check.right("nonsense", f"client {number}")
    assert len(check._wrong) == MOST_CLIENTS and "client 0" not in check._wrong
    assert not check.right("\ud800", "odd") and not check.right("", "odd")
