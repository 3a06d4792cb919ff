"""Payloads: one JSON document each, the same id however often a line is sent."""

import json
import math

from ccdmon.publish.topics import FIELDS, event_payload, telemetry_payload


def test_values_keep_what_the_converter_told_and_times_a_hundredth() -> None:
    answer = {
        "unix_s": 1796039952.8512,
        "voltage_V": 0.12345678901,
        "current_A": -1.5e-9,
        "samples": 123456789,
    }
    document = json.loads(telemetry_payload("gw", 1, 2.0, [("r", answer)]))
    values = dict(zip(document["fields"], document["rigs"]["r"], strict=True))
    assert tuple(document["fields"]) == FIELDS
    assert values["unix_s"] == 1796039952.85 and values["samples"] == 123456789
    assert math.isclose(values["voltage_V"], 0.12345678901, rel_tol=1e-6) and values["current_A"] == -1.5e-9
    assert values["pressure_Pa"] is None


def test_a_line_that_is_no_json_is_passed_on_as_it_is() -> None:
    document = json.loads(event_payload("gw", "r", "run-1", 5, 9, b"\xffto"))
    assert (document["id"], document["event"], document["unreadable"]) == ("run-1:5", None, "\ufffdto")
    whole = json.loads(event_payload("gw", "r", "run-1", 5, 9, b'{"action": "trip"}'))
    assert whole["event"] == {"action": "trip"} and "unreadable" not in whole
