"""What prefixes told and the whole does not: counted on a document that changes its mind, then on real traces."""

from ccdmon.simulation.campaign import prefixes
from ccdmon.simulation.campaign.prefixes import main, vanished_of
from ccdmon.simulation.simulate import simulate


def event(kind: str, row: int, provisional: bool = False) -> dict:
    return {"kind": kind, "row": row, "provisional": provisional}


def changing(monkeypatch, *events: list[dict]) -> None:
    """Each prefix tells these events in turn."""
    told = [(10 * (k + 1), {"events": list(found)}) for k, found in enumerate(events)]
    monkeypatch.setattr(prefixes, "documents", lambda made, count: iter(told))


MADE = simulate("healthy", 1, max_rows=300)


def test_an_event_that_goes_and_one_that_changes_kind_are_counted(monkeypatch) -> None:
    hard, soft = event("hard_short", 5), event("soft_short", 500)
    changing(monkeypatch, [hard, soft], [event("partial_short", 6), soft], [event("partial_short", 6)])
    count, gone = vanished_of(MADE, "model", 3)
    assert count == 3
    assert [(v.kind, v.told_at_rows, v.gone_at_rows, v.instead) for v in gone] == [
        ("hard_short", 10, 20, ("partial_short",)),
        ("soft_short", 10, 30, ()),
    ]


def test_what_was_provisional_may_go_and_a_row_may_move_a_little(monkeypatch) -> None:
    changing(
        monkeypatch, [event("contact_loss", 5, True), event("soft_short", 100)], [event("soft_short", 120)]
    )
    assert vanished_of(MADE, "model", 2) == (1, [])


def test_an_event_that_becomes_provisional_again_is_still_told(monkeypatch) -> None:
    changing(monkeypatch, [event("soft_short", 5)], [event("soft_short", 5, True)])
    assert vanished_of(MADE, "model", 2) == (1, [])


def test_prefixes_of_a_real_trace_keep_what_they_told() -> None:
    count, gone = vanished_of(simulate("partial_short", 30003, max_rows=1500), "model", 10)
    assert count >= 1
    assert gone == []


def test_the_command_counts(capsys) -> None:
    main(["--seeds", "1", "--prefixes", "3", "--jobs", "1", "--max-rows", "400"])
    assert "13 traces, 3 prefixes each" in capsys.readouterr().out
