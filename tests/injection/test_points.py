"""A share of the injection campaign: a few calls of each kind fail, each in a way of its own."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.injection.__main__ import ERRORS, KINDS, LIBRARY, compiled, judged, points_of
from tests.injection.scenario import FRAMES, PER_FRAME, Outcome

ROOT = Path(__file__).parents[2]


def test_every_call_fails_with_every_error_once_and_for_ever() -> None:
    points = points_of([2, 0, 1, 0, 0, 0, 0], every=1)
    assert len(points) == 3 * len(ERRORS) * 2 == len(set(points))
    assert {point.kind for point in points} == {"open", "fsync"}
    assert len(points_of([10] * len(KINDS), every=4)) == len(KINDS) * 3 * len(ERRORS) * 2


@pytest.mark.parametrize(
    ("outcome", "found", "fine"),
    [
        (Outcome(acknowledged=FRAMES * PER_FRAME), FRAMES * PER_FRAME, True),
        (Outcome(acknowledged=64), 32, False),
        (Outcome(acknowledged=32), 32, False),
        (Outcome(acknowledged=32, dropped_bytes=100), 32, True),
        (Outcome(bug="Traceback"), FRAMES * PER_FRAME, False),
        (Outcome(refused="one line"), 0, True),
        (Outcome(refused="two\nlines"), 0, False),
    ],
)
def test_what_counts_as_right(outcome: Outcome, found: int, fine: bool) -> None:
    assert judged(outcome, found)[1] is fine


def test_a_share_of_the_points(tmp_path: Path) -> None:
    library = compiled(tmp_path)
    if library is None:
        pytest.skip("no C compiler for tests/injection/faults.c: apt-get install gcc")
    environment = os.environ | {"LD_PRELOAD": str(library), LIBRARY: str(library)}
    done = subprocess.run(
        [sys.executable, "-m", "tests.injection", "--every", "150"],
        cwd=ROOT, env=environment, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert " 0 wrong" in done.stdout.splitlines()[-1]
