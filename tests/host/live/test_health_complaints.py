"""What is wrong, since when, and for how long it is said; by clocks of the test's own."""

import pytest

from ccdmon.live import health
from ccdmon.live.health import STALE_S, Complaint, Health


class Clocks:
    """The two clocks of a machine; the wall's is another's."""

    def __init__(self) -> None:
        self.now_s = 100.0

    def monotonic(self) -> float:
        return self.now_s

    def time(self) -> float:
        return 1e9 + self.now_s


@pytest.fixture
def clocks(monkeypatch: pytest.MonkeyPatch) -> Clocks:
    made = Clocks()
    monkeypatch.setattr(health, "time", made)
    return made


def test_a_complaint_stays_with_its_first_time_until_the_part_is_well(clocks: Clocks) -> None:
    seen = Health()
    assert seen.complaints() == []
    seen.wrong("files", "gone")
    clocks.now_s += 1.0
    seen.wrong("files", "still\n  gone")
    assert seen.complaints() == [Complaint("files", "still gone", 1e9 + 100.0)], (
        "one line, since the first time"
    )
    seen.set("files", "x" * 500)
    assert seen.complaints() == [Complaint("files", "x" * 300, 1e9 + 100.0)]
    seen.set("files", None)
    seen.right("never wrong")
    assert seen.complaints() == []
    seen.set("files", "again")
    assert seen.complaints() == [Complaint("files", "again", 1e9 + 101.0)]


def test_the_oldest_comes_first(clocks: Clocks) -> None:
    seen = Health()
    for part in ("b", "a", "c"):
        seen.wrong(part, part)
        clocks.now_s += 0.5
    seen.wrong("b", "more")
    assert [complaint.part for complaint in seen.complaints()] == ["b", "a", "c"]


def test_a_folder_that_is_not_followed_is_old_from_when_it_last_was(clocks: Clocks) -> None:
    assert STALE_S == 2.0, "red within three seconds"
    seen = Health()
    clocks.now_s += STALE_S
    assert seen.complaints() == [], "just in time"
    seen.polled()
    clocks.now_s += 1.0
    seen.wrong("files", "gone")
    clocks.now_s += 1.25
    page, files = seen.complaints()
    assert (page.part, page.since_unix_s, files.part) == ("page", 1e9 + 102.0, "files")
    assert "not followed" in page.text
    seen.polled()
    assert [complaint.part for complaint in seen.complaints()] == ["files"]
