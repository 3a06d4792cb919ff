"""Any table in a random dialect is read right or refused; a share of what `python -m tests.host.formats.any_table`
counts."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.host.formats.any_table import LABELS, spectrum_case, trace_case


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 2**32))
def test_a_table_is_read_right_or_refused(seed: int, tmp_path: Path) -> None:
    trace_case(seed, tmp_path / "t.txt")
    spectrum_case(seed, tmp_path / "s.txt")


def test_most_tables_are_read(tmp_path: Path) -> None:
    """A reader that refuses everything is never wrong either."""
    told = [trace_case(seed, tmp_path / "t.txt") for seed in range(40)]
    told += [spectrum_case(seed, tmp_path / "t.txt") for seed in range(40)]
    assert told.count("read") > 50


def test_there_are_two_hundred_real_labels() -> None:
    assert sum(len({label for label, _ in labels}) for labels in LABELS.values()) >= 200


@pytest.mark.parametrize("role", ["time", "voltage", "current", "frequency", "real", "imaginary", "minus"])
def test_each_real_label_has_its_role_and_its_unit(role: str) -> None:
    from ccdmon.formats.tables.labels import split_label
    from ccdmon.formats.tables.units import scale_of
    from ccdmon.formats.tables.vocabulary import QUANTITY
    from tests.host.formats.any_table import FACTORS

    wanted = "minus_imaginary" if role == "minus" else role
    for text, unit in LABELS[role]:
        label = split_label(text)
        assert wanted in label.roles, text
        if unit is None:
            assert label.unit is None, text
            continue
        scale = scale_of(QUANTITY[wanted], label.unit or "")
        assert scale is not None and scale.factor == pytest.approx(FACTORS[unit]), text
