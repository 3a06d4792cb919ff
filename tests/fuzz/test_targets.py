"""Damaged samples at every fuzz target, bounded; `python -m tests.fuzz` goes on by coverage, for as long as wanted."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.fuzz.targets import TARGETS

EXAMPLES = 60


@pytest.mark.parametrize("name", TARGETS)
def test_sound_samples_and_no_bytes_at_all(name: str) -> None:
    target, samples = TARGETS[name]
    for data in [b"", *samples()]:
        target(data)


@pytest.mark.parametrize("name", TARGETS)
def test_damaged_samples(name: str) -> None:
    target, samples = TARGETS[name]
    known = samples()

    @settings(max_examples=EXAMPLES, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
    @given(st.data())
    def damaged(draw: st.DataObject) -> None:
        data = bytearray(draw.draw(st.sampled_from(known)))
        for _ in range(draw.draw(st.integers(1, 4))):
            at = draw.draw(st.integers(0, max(0, len(data) - 1)))
            end = min(len(data), at + draw.draw(st.integers(0, 40)))
            data[at:end] = draw.draw(
                st.one_of(st.binary(max_size=20), st.just(bytes(data[at:end]) * 2), st.sampled_from(ODD))
            )
        target(bytes(data))

    damaged()


# What text readers stumble over.
ODD = (
    b"nan",
    b"1e999",
    b"-",
    b",,,,",
    b"\x00",
    b"\xff\xfe",
    b"\n\n",
    b'"',
    b"\xef\xbb\xbf",
    b"9" * 30,
    "µ".encode(),
)
