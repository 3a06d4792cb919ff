"""How a state is printed: what a recorder knows from its board alone is of when that was last heard."""

import argparse
import time
from typing import Any

import pytest

from ccdmon.cli.board.options import show

STATE = {
    "voltage_V": 0.1, "armed": True, "link": "lost", "gate": "unknown", "samples": 7, "heard_unix_s": 1e9,
    "silent_s": 42.4, "trip": {"trip_id": 3, "rule": "limit", "what": "limit: pressure 1 Pa below 2 Pa"},
}  # fmt: skip


def _shown(capsys: pytest.CaptureFixture[str], **more: Any) -> dict[str, str]:
    show(argparse.Namespace(json=False), {**STATE, **more})
    lines = capsys.readouterr().out.splitlines()
    return {name: rest.strip() for name, _, rest in (line.partition(" ") for line in lines)}


def test_what_was_heard_last_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    shown = _shown(capsys)
    of_then = f"(last heard {time.strftime('%H:%M:%S', time.localtime(1e9))}, 42 s ago)"
    assert shown["voltage_V"] == f"0.1  {of_then}"
    assert shown["armed"] == f"True  {of_then}"
    assert shown["trip"] == f"3: limit: pressure 1 Pa below 2 Pa  {of_then}"
    assert (shown["gate"], shown["samples"], shown["link"]) == ("unknown", "7", "lost")


def test_a_board_that_is_heard_is_as_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    assert "(" not in "".join(_shown(capsys, link="up", silent_s=0.4).values())
    assert "last heard" in _shown(capsys, link="up", silent_s=60.0)["armed"], "a board that says nothing more"


def test_one_that_was_never_heard(capsys: pytest.CaptureFixture[str]) -> None:
    assert "(never heard)" in _shown(capsys, silent_s=None, heard_unix_s=None)["armed"]


def test_rows_that_stay_out_are_of_then_though_the_board_is_heard(capsys: pytest.CaptureFixture[str]) -> None:
    shown = _shown(capsys, link="up", silent_s=0.4, no_samples_s=70.0, sampled_unix_s=1e9)
    assert "(last heard " in shown["voltage_V"] and "70 s ago" in shown["voltage_V"]
    assert shown["armed"] == "True"
