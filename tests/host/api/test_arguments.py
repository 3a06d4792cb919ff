"""What is no column, no area, no path is refused in one line, of whatever type it is."""

from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

import ccdmon
from ccdmon.formats.bdf.write import write_bdf
from ccdmon.simulation.simulate import simulate

TIMES, VOLTS, AMPERES = [0.0, 1.0, 2.0], [1.0, 1.1, 1.2], [0.1, 0.1, 0.1]
LABELS = ("Test Time / s", "Voltage / V", "Current / A")
FRAME = dict(zip(LABELS, (TIMES, VOLTS, AMPERES), strict=True))


def refused(call: Callable[[], object]) -> str:
    with pytest.raises(ccdmon.errors.InputError) as caught:
        call()
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize(
    ("argument", "value", "told"),
    [
        ("time_s", (x for x in TIMES), "time_s: a generator is no column; give a list or an array"),
        ("voltage_V", 1.0, "voltage_V: a float is no column"),
        ("voltage_V", {1: 2.0}, "voltage_V: a dict is no column"),
        ("voltage_V", [1.0, True, 1.0], "voltage_V: holds bool, not numbers"),
        ("voltage_V", [1.0, 10**400, 1.0], "voltage_V: data row 1: 1000"),
        ("voltage_V", [1.0, Decimal("sNaN"), 1.0], "voltage_V: data row 1: Decimal('sNaN') is not a number"),
        ("voltage_V", [1.0, float("inf"), 1.0], "voltage_V: data row 1: inf is not a number"),
        ("time_s", [0.0, 1.0, float("inf")], "time_s: data row 2: inf is not a number"),
        ("pressure_Pa", [1e6], "different numbers of rows (test_time_s 3, "),
        ("configuration", np.array(["half", "full"]), "configuration is array(['half', 'full']"),
        ("electrolyte", ["LLZO"], "electrolyte is ['LLZO']; name it as text"),
        ("area_cm2", "0.785", "area_cm2 is '0.785'; an electrode area is a number above 0"),
        ("area_cm2", True, "area_cm2 is True; "),
        ("area_cm2", [1.0, 2.0], "area_cm2 is [1.0, 2.0]; "),
        ("area_cm2", 10**400, "area_cm2 is 1000"),
    ],
    ids=lambda value: value if isinstance(value, str) else type(value).__name__,  # the same in every process
)  # fmt: skip
def test_an_argument_of_a_trace(argument: str, value: object, told: str) -> None:
    given = {"time_s": TIMES, "voltage_V": VOLTS, "current_A": AMPERES, argument: value}
    assert told in refused(lambda: ccdmon.trace(**given))


@pytest.mark.parametrize("area_cm2", [np.float32(0.5), Decimal("0.5"), np.array(0.5)], ids=repr)
def test_an_area_of_any_kind_of_number_is_a_float_in_the_document(area_cm2: Any) -> None:
    area = ccdmon.analyze(FRAME, area_cm2=area_cm2).ccd["area_cm2"]
    assert (type(area), area) == (float, 0.5)


def doubled() -> list[Any]:
    pandas = pytest.importorskip("pandas")
    table = pa.table(FRAME).append_column("Voltage / V", pa.array(VOLTS))
    return [table, pandas.concat([pandas.DataFrame(FRAME)] * 2, axis=1)]


def test_a_column_that_is_there_twice_is_refused() -> None:
    for frame in doubled():
        assert "is there twice; keep one of them" in refused(lambda frame=frame: ccdmon.analyze(frame))


def test_columns_of_different_lengths_are_told() -> None:
    told = refused(lambda: ccdmon.analyze(FRAME | {"Current / A": AMPERES[:2]}))
    assert "Test Time / s 3, Voltage / V 3, Current / A 2" in told


def test_an_index_named_like_a_column_is_that_column() -> None:
    frame = pytest.importorskip("pandas").DataFrame(FRAME)
    whole = ccdmon.analyze(frame).document
    assert ccdmon.analyze(frame.set_index("Test Time / s")).document == whole
    assert ccdmon.analyze(frame.rename_axis("Test Time / s")).document == whole  # the column counts


def test_a_type_that_arrow_does_not_have_is_told() -> None:
    polars = pytest.importorskip("polars")
    if not hasattr(polars, "Int128"):
        pytest.skip("this polars has no Int128")
    frame = polars.DataFrame(FRAME).with_columns(polars.col("Test Time / s").cast(polars.Int128))
    assert "holds Int128" in refused(lambda: ccdmon.analyze(frame))


@pytest.mark.parametrize(
    ("argument", "value"),
    [("eis_before", 3), ("eis_after", FRAME), ("columns", {"time": "t"}), ("area_cm2", "1")],
)
def test_an_argument_of_an_analysis(argument: str, value: object) -> None:
    assert argument in refused(lambda: ccdmon.analyze("cell.csv", **{argument: value}))


@pytest.mark.parametrize("name", ["limit_V", "limit_A", "limit_Pa"])
@pytest.mark.parametrize("value", [0, -1.0, float("nan"), float("inf"), "5"])
def test_a_limit_of_a_replay_is_above_zero(name: str, value: Any) -> None:
    assert f"{name} is " in refused(lambda: ccdmon.replay(FRAME, **{name: value}))


def test_imperfections_are_text() -> None:
    assert "imperfect is a dict" in refused(lambda: ccdmon.replay(FRAME, imperfect={"noise_V": 1.0}))  # type: ignore[arg-type]


class _Path:
    def __init__(self, path: Path) -> None:
        self._path = path

    def __fspath__(self) -> str:
        return str(self._path)


def test_a_path_is_whatever_the_system_takes_for_one(tmp_path: Path) -> None:
    file = tmp_path / "cell.bdf.csv"
    write_bdf(simulate("healthy", 1).trace, file)
    assert len(ccdmon.read(_Path(file))) == len(ccdmon.read(file))  # type: ignore[arg-type]
    for none in (42, None, b"cell.bdf.csv"):
        assert "give the path" in refused(lambda none=none: ccdmon.read(none))
    assert "check the path" in refused(lambda: ccdmon.read("x" * 5000))
