"""The page of all rigs: what needs somebody first, everything escaped, no script but its own."""

from ccdmon.fleet.overview import GREEN, RED, Row
from ccdmon.fleet.page import RELOAD_S, page
from tests.web_pages import html_faults

EVIL = "<script>alert(1)</script>"


def test_it_says_how_many_need_somebody_and_what_it_is_of() -> None:
    values = {"voltage_V": 0.5, "current_A": 1e-3, "temperature_degC": 25.04, "test_time_s": 90061.0}
    rows = [
        Row("gw", "bad", RED, ("silent", "link lost"), None, {}, {}),
        Row("gw", "good", GREEN, (), 0.4, {"cell": {"name": "c7", "electrolyte": "LLZO"}}, values),
    ]
    text = page(rows, "mqtt://lab", None)
    for told in ("1 of 2 rigs need somebody", "silent; link lost", "c7 · LLZO", "500 mV", "1 mA", "25.0 °C",
                 "1d 01:01:01", "0 s ago", "never", "mqtt://lab"):  # fmt: skip
        assert told in text, told
    assert f'http-equiv="refresh" content="{RELOAD_S}"' in text and "what is shown is old</p>" not in text
    assert html_faults(text) == []


def test_what_comes_from_messages_is_escaped() -> None:
    state = {"cell": {"name": EVIL, "electrolyte": EVIL}}
    row = Row(EVIL, EVIL, RED, (EVIL,), 1.0, state, {"missing_samples": EVIL, "voltage_V": EVIL})
    text = page([row], EVIL, EVIL)
    assert text.count("<script") == 1 and EVIL not in text and html_faults(text) == []


def test_a_broker_that_is_away_is_said_and_no_rig_is_no_table_of_nothing() -> None:
    assert "what is shown is old" in page([], "mqtt://lab", "the connection is lost")
    assert "0 rigs" in page([], "x", None)
