"""Kinds of events and configurations of cells: the names that documents, files and firmware use, each listed once."""

from typing import Literal, get_args

EventKind = Literal[
    "hard_short", "partial_short", "soft_short", "contact_loss", "fake_stable", "sensor_fault", "limit"
]
EVENT_KINDS: tuple[EventKind, ...] = get_args(EventKind)
# What can go wrong with a cell; the others say that it could not be seen, or that the test was at an end.
CELL_FAULTS: tuple[EventKind, ...] = EVENT_KINDS[:5]
# Those in which lithium or a leak carries the current.
SHORTS: tuple[EventKind, ...] = ("hard_short", "partial_short", "soft_short", "fake_stable")
# Those that a rule of the firmware tells by itself: fake stability takes whole half-cycles.
EDGE_KINDS: tuple[EventKind, ...] = tuple(kind for kind in EVENT_KINDS if kind != "fake_stable")
# Those that take whole half-cycles, so that the host may ask the board to trip on them.
HOST_KINDS: tuple[EventKind, ...] = ("soft_short", "fake_stable", "contact_loss")

Configuration = Literal["symmetric", "half", "full"]
CONFIGURATIONS: tuple[Configuration, ...] = get_args(Configuration)
SYMMETRIC: Configuration = "symmetric"
