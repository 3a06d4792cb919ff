"""What a run on a rig counts: the rows that were played, and nothing behind them."""

from typing import Any

import pytest

from ccdmon.model.front_end import FrontEnd
from ccdmon_hil.play import one_run as bench
from ccdmon_hil.rigs.session import Session
from ccdmon_hil.rigs.target import Edge, Target

ROWS = 30


def test_a_trip_behind_the_last_row_is_none(unix: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    """Zeros follow the last row: a full cell that is taken away looks shorted, which is no verdict on it."""
    plain, front_end = bench._collect, FrontEnd(5.0, 1e-3)
    opened: list[bool] = []

    def collect(session: Session, *arguments) -> None:  # type: ignore[no-untyped-def]
        plain(session, *arguments)
        while session.target.edges[-1].closed:
            session.pump()
        opened.append(True)

    monkeypatch.setattr(bench, "_collect", collect)
    full = front_end.code_of(3.3, 5e-4)
    result = bench.run_rows(
        unix, lambda row, _closed: full if row < ROWS else None,
        bench.settings_for(front_end, 1.0, "full"), rows=ROWS,
    )  # fmt: skip
    assert opened, "the firmware does trip on the zeros"
    assert (result.tripped, result.gate_closed, result.rows, result.dropped) == (False, True, ROWS, 0)


class LateNews:
    """A rig that tells of its pin only when it is asked, behind the samples."""

    def __init__(self, target: Target) -> None:
        self._target = target
        self.edges: list[Edge] = []

    def await_pins(self) -> None:
        self.edges = self._target.edges

    def __getattr__(self, name: str) -> Any:
        return getattr(self._target, name)


def test_a_pin_whose_news_come_behind_the_samples_is_waited_for(
    unix: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(unix, "target", LateNews(unix.target))
    front_end = FrontEnd(5.0, 1e-3)
    healthy, shorted = front_end.code_of(0.1, 5e-4), front_end.code_of(0.0, 5e-4)
    result = bench.run_rows(
        unix, lambda row, _closed: (healthy if row < ROWS else shorted) if row < ROWS + 5 else None,
        bench.settings_for(front_end, 1.0), rows=ROWS + 5,
    )  # fmt: skip
    assert (result.reason, result.trip_row) == ("hard_short", ROWS + 1)
