"""What is written as TOML is read back the same by the standard library."""

import tomllib

from hypothesis import given
from hypothesis import strategies as st

from ccdmon.formats.bdf.toml_text import dumps

plain = st.one_of(
    st.booleans(),
    st.integers(-(2**62), 2**62),
    st.floats(allow_nan=False),
    st.text(st.characters(exclude_categories=["Cs"])),
    st.lists(st.integers(-9, 9)),
)
tables = st.recursive(
    plain, lambda inner: st.dictionaries(st.text('ab .-ü"', max_size=4), inner), max_leaves=12
)


@given(st.dictionaries(st.text("abc", min_size=1), tables))
def test_round_trip(document: dict[str, object]) -> None:
    assert tomllib.loads(dumps(document)) == document


def test_none_is_left_out_and_tables_follow_plain_keys() -> None:
    assert dumps({"t": {"x": 1, "y": None}, "a": "b"}) == 'a = "b"\n\n[t]\nx = 1\n'
