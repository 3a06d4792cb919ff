"""What a report says of the rig that watched: its name, and which rule cut the cell off."""

from types import SimpleNamespace
from typing import Any

from ccdmon.run.monitoring import monitoring_of

COUNTS = SimpleNamespace(samples=0, missing_samples=0, crc_errors=0)
FRONT_END = {"voltage_full_scale_V": 6.0, "current_full_scale_A": 0.01, "pressure_full_scale_Pa": 1e7}


def _of(config: dict[str, Any], trip: dict[str, Any] | None = None) -> Any:
    run: Any = SimpleNamespace(
        config={"front_end": FRONT_END, **config},
        trip=trip,
        events=[],
        counts=COUNTS,
        segments=[],
        clock=None,
    )
    return monitoring_of(run, None)


def test_a_rig_is_called_by_its_name_first() -> None:
    assert _of({"name": "bay-3", "rig": "/dev/ttyACM0"}).rig == "bay-3, /dev/ttyACM0"
    assert _of({"rig": "/dev/ttyACM0"}).rig == "/dev/ttyACM0"
    assert _of({"name": "bay-3"}).rig == "bay-3"
    assert _of({}).rig == "–"
    played = {"name": "bay-3", "rig": {"kind": "pico", "trace": "cell.bdf.csv"}}
    assert _of(played).rig == "pico, replaying cell.bdf.csv"


def test_a_cutoff_says_which_limit_by_the_settings_in_force() -> None:
    settings = {"settings": {"pressure_min_code": 13107}}
    trip = {"rule": "limit", "value": 7930, "limit": 13107}
    assert _of(settings, trip).trip_what == "limit: pressure 1.21 MPa below 2 MPa (pressure_min_Pa)"
    assert _of({}, trip).trip_what == "limit"
    assert _of(settings, {"rule": "soft_short"}).trip_what == "soft short", (
        "of a host's trip there are no codes"
    )
    assert _of(settings).trip_what is None
