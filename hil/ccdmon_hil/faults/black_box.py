"""Reads a black box back from a firmware and compares it with the samples that were streamed."""

from collections.abc import Mapping

from ccdmon.link.device import RefusedError
from ccdmon_fw import wire
from ccdmon_hil.rigs.session import Session

Codes = tuple[int, ...]  # voltage, current, pressure, verdict


def read_box(session: Session, trip_id: int) -> tuple[dict[str, int], dict[int, Codes]]:
    """(head of the box, its samples by number in the run). `RefusedError` where it is not kept."""
    session.box_pieces.clear()
    total = session.command(wire.GET_BLACKBOX, wire.pack(wire.GET_BLACKBOX, trip_id))
    codes: dict[int, Codes] = {}

    def whole() -> bool:
        for piece in session.box_pieces[1:]:
            codes.update(enumerate(piece.items, piece.fields["first_sample"] + piece.fields["index"]))
        return bool(session.box_pieces) and len(codes) >= total

    session.device.wait(whole, "the whole black box")
    return session.box_pieces[0].fields, codes


def streamed(session: Session) -> dict[int, Codes]:
    """The samples of this run that came over the wire, by number."""
    return {
        part.first_sample + n: tuple(codes)
        for part in session.samples
        for n, codes in enumerate(part.codes.tolist())
    }


def compare_box(session: Session, trip_id: int, known: Mapping[int, Codes]) -> str:
    """In words: how many samples of the box are as `known`, which were streamed.

    The trip must be latched, and cleared by its id only.
    """
    if session.status()["trip_id"] != trip_id:
        return "not latched"
    try:
        session.device.reset_trip(trip_id + 1)
        return "cleared by another id"
    except RefusedError:
        head, codes = read_box(session, trip_id)
    same = sum(known.get(number) == seen for number, seen in codes.items())
    before = sum(number <= head["sample"] for number in codes)
    if (same, before) != (head["total"], 256):
        return f"{same} of {head['total']} as streamed, {before} before"
    return f"{same} samples as streamed"
