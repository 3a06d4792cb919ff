"""What `status` and `arm` say of a board: each number as it is, each reason by its name; other scales are told."""

from types import SimpleNamespace
from typing import Any

import pytest

from ccdmon.errors import DeviceError
from ccdmon.rig.gate_orders import arm, reason_name, scale_differences, status_document, wanted_settings
from ccdmon.rig.rig_file import Rig, check_rig
from ccdmon.rig.settings import settings_of
from ccdmon_fw import limits, wire

NUMBERS = {"trip_id": 0, "reason": 0, "self_test": 0, "run": 7, "sample": 11, "dropped": 13, "overruns": 17,
           "crc_errors": 19, "uptime_ms": 1_234_567, "temperature_dC": 253, "armed": 1, "gate": 1}  # fmt: skip
IDENTITY = {
    "board": "b",
    "id": "i",
    "version": "v",
    "micropython": "m",
    "sample_period_us": 500,
    "fault": None,
}


class Board:
    """A device that states what it is told to, and notes what it is ordered."""

    def __init__(self, identity: dict[str, Any] | None = None, **numbers: int) -> None:
        self.identity = {**IDENTITY, **(identity or {})}
        self.numbers, self.orders = {**NUMBERS, **numbers}, list[Any]()

    def status(self) -> dict[str, int]:
        return self.numbers

    def trip(self, trip_id: int) -> dict[str, int] | None:
        return None

    def identify(self) -> dict[str, Any]:
        return self.identity

    def settings(self) -> list[int]:
        return limits.default_settings()

    def configure(self, settings: list[int]) -> None:
        self.orders.append(settings)

    def arm(self) -> None:
        self.orders.append("arm")


def stated(identity: dict[str, Any] | None = None, **numbers: int) -> dict[str, Any]:
    board: Any = Board(identity, **numbers)
    return status_document(board)


def rig(**front_end: Any) -> Rig:
    scales = {"voltage_full_scale_V": 6.0, "current_full_scale_A": 0.01, **front_end}
    return check_rig({"front_end": scales}, "rig.toml")


def test_the_status_is_what_the_board_says() -> None:
    found = stated({"zero": [1, 2, 3]})
    assert isinstance(found.pop("weak"), list)
    assert found == {
        "schema": "ccdmon.status/1", "board": "b", "id": "i", "firmware": "v", "micropython": "m",
        "sample_period_us": 500, "fault": None, "voltage_zero_code": 1, "current_zero_code": 2, "current_on_units": 3,
        "armed": True, "gate": "closed", "trip_id": None, "reason": None, "what": None,
        "self_test": wire.SELF_TESTS[0], "run": 7, "samples": 11, "dropped": 13, "overruns": 17,
        "crc_errors": 19, "uptime_s": 1234.567, "temperature_degC": 25.3,
    }  # fmt: skip
    other = stated(gate=0, armed=0, trip_id=4, reason=1, temperature_dC=wire.NO_TEMPERATURE)
    assert (other["gate"], other["armed"], other["trip_id"], other["temperature_degC"]) == (
        "open",
        False,
        4,
        None,
    )
    assert other["reason"] == limits.REASONS[1] and other["voltage_zero_code"] is None


def test_a_reason_has_its_name_or_its_number() -> None:
    assert [reason_name({"reasons": ["none", "x"]}, code) for code in (0, 1, 2)] == [None, "x", "reason 2"]
    assert reason_name({}, 1) == limits.REASONS[1]


def test_arming_needs_converters_scales_and_a_gate_that_stays_closed() -> None:
    board: Any = Board({"fault": "ADS131M04"})
    with pytest.raises(DeviceError, match="converter does not start: ADS131M04"):
        arm(board, None)
    assert board.orders == []
    board = Board({"front_end": {"voltage_full_scale_V": 5.0}})
    with pytest.raises(
        DeviceError,
        match=r"^voltage_full_scale_V is 6 in the rig file and 5 on the board; mend \[front_end\]",
    ):
        arm(board, rig())
    assert board.orders == []
    board = Board()
    assert arm(board, None)["gate"] == "closed" and board.orders == ["arm"]
    board = Board()
    arm(board, rig())
    assert board.orders == [settings_of(rig(), 500e-6), "arm"]
    with pytest.raises(DeviceError, match=r"gate is open again: hard short \(trip 4\)$"):
        arm(Board(gate=0, trip_id=4, reason=1), None)  # type: ignore[arg-type]
    with pytest.raises(DeviceError, match=r"it states no reason \(trip None\)$"):
        arm(Board(gate=0), None)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("theirs", "lines"),
    [
        ({}, 0), ({"voltage_full_scale_V": None}, 0), ({"voltage_full_scale_V": 6.1}, 0),
        ({"voltage_full_scale_V": 5.89}, 0), ({"voltage_full_scale_V": 5.87}, 1), ({"voltage_full_scale_V": 6.13}, 1),
        ({"current_full_scale_A": 0.02}, 1), ({"pressure_full_scale_Pa": 5.0}, 0),
        ({"voltage_full_scale_V": 1.0, "current_full_scale_A": 1.0}, 2),
    ],
)  # fmt: skip
def test_scales_that_differ_by_more_than_a_fiftieth_are_told(theirs: dict[str, Any], lines: int) -> None:
    assert len(scale_differences(rig(), {"front_end": theirs})) == lines
    assert scale_differences(rig(), {"front_end": None}) == scale_differences(rig(), {}) == []
    assert (
        len(
            scale_differences(rig(pressure_full_scale_Pa=1e7), {"front_end": {"pressure_full_scale_Pa": 5.0}})
        )
        == 1
    )


def test_settings_that_no_board_takes_are_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    assert wanted_settings(rig(), {"sample_period_us": 500}) == settings_of(rig(), 500e-6)
    assert wanted_settings(rig(), {}) == settings_of(rig(), limits.SAMPLE_PERIOD_US * 1e-6)

    def refusing(*_: object) -> None:
        raise ValueError("too much")

    monkeypatch.setattr("ccdmon.rig.gate_orders.settings_of", refusing)
    with pytest.raises(DeviceError, match=r"limits do not fit this board: too much$"):
        wanted_settings(rig(), SimpleNamespace(get=lambda *_: 500))  # type: ignore[arg-type]
