"""What a board may state of itself, at the edges of each range; and how large a document of others may be at all."""

import json
from typing import Any

import pytest

from ccdmon.link.bounds import DEEPEST, LARGEST_NUMBER, LONGEST_TEXT, MOST_VALUES, problem
from ccdmon.link.identity import checked

NAMES = ["n"] * 256
# The widest that is taken, each beside the narrowest that is not.
EDGES: list[tuple[str, Any, Any]] = [
    ("schema", 0, -1), ("schema", 255, 256), ("protocol", 0, -1), ("protocol", 65535, 65536),
    ("version", "x" * 200, "x" * 201), ("micropython", "x" * 200, "x" * 201), ("board", "x" * 200, "x" * 201),
    ("id", "x" * 200, "x" * 201), ("fault", "x" * 200, "x" * 201), ("id", None, 7),
    ("sample_period_us", 1, 0), ("sample_period_us", (1 << 32) - 1, 1 << 32), ("sample_period_us", None, 1.5),
    ("front_end", {"voltage_full_scale_V": 1e-9}, {"voltage_full_scale_V": 0.0}),
    ("front_end", {"current_full_scale_A": 1e-9}, {"current_full_scale_A": 0.0}),
    ("front_end", {"pressure_full_scale_Pa": None}, {"pressure_full_scale_Pa": 0.0}),
    ("temperature", True, 1), ("external_trip", True, 1), ("reasons", NAMES, [*NAMES, "n"]),
    ("rules", NAMES, [*NAMES, "n"]), ("compared", NAMES, [*NAMES, "n"]), ("rule_reasons", [0, 255], [256]),
    ("rule_reasons", [0] * 256, [0] * 257), ("rule_reasons", [0], [-1]),
    ("settings", {"a": (1 << 31) - 1}, {"a": 1 << 31}), ("settings", {"a": -(1 << 31)}, {"a": -(1 << 31) - 1}),
    ("settings", {str(n): 0 for n in range(256)}, {str(n): 0 for n in range(257)}),
]  # fmt: skip


@pytest.mark.parametrize(("key", "taken", "refused"), EDGES)
def test_each_range_ends_where_it_ends(key: str, taken: Any, refused: Any) -> None:
    assert checked(json.dumps({key: taken}).encode()) == {key: taken}
    with pytest.raises(ValueError, match=f"^{key}"):
        checked(json.dumps({key: refused}).encode())


def nested(levels: int) -> Any:
    value: Any = 1
    for _ in range(levels):
        value = [value]
    return value


@pytest.mark.parametrize(
    ("taken", "refused", "why"),
    [
        (nested(DEEPEST - 1), nested(DEEPEST), "nested deeper than 8 levels"),
        (LARGEST_NUMBER, LARGEST_NUMBER * 1.01, "not a usable number"),
        (-LARGEST_NUMBER, -LARGEST_NUMBER * 1.01, "not a usable number"),
        (0, float("inf"), "not a usable number"), (True, float("nan"), "not a usable number"),
        ("x" * LONGEST_TEXT, "x" * (LONGEST_TEXT + 1), "text longer than 4096 characters"),
        ("a\n\tb", "a\rb", "text with control characters"),
        ([0] * (MOST_VALUES - 2), [0] * (MOST_VALUES - 1), "more than 20000 values"),
        ({"b": 1}, {"b\x1b": 1}, "a key: text with control characters"),
        ({"b": {"c": ["x"]}}, {"b": {"c": ["x", 1e99]}}, "not a usable number"),
    ],
    ids=str,
)  # fmt: skip
def test_a_document_of_others_is_bounded(taken: Any, refused: Any, why: str) -> None:
    assert problem({"a": taken}) is None
    assert why in (problem({"a": refused}) or "")


def test_the_place_is_told() -> None:
    assert problem({"a": [0, {"b": "\x07"}]}) == "a.1.b: text with control characters"
    assert problem({"a": {"\x07": 0}}) == "a: a key: text with control characters"
    assert problem({"\x07": 0}) == "document: a key: text with control characters"


@pytest.mark.parametrize("text", [b"[]", b"3", b"NaN", b'{"a": -Infinity}', b"", b"{", b"\xff", b"[" * 9000])
def test_what_is_no_object_is_refused_in_a_few_words(text: bytes) -> None:
    with pytest.raises(ValueError, match=r"^[^\n]{1,200}$"):
        checked(text)
