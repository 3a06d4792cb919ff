"""Messages to people that a recording owes: written to the event log before they are sent, crossed out once they are.

    {"action": "notifying", "trip_id": 3, "addresses": ["address 1 (mailto)"], "title": ..., "body": ...}
    {"action": "notified", "trip_id": 3, "address": "address 1 (mailto)", ...}

So what a killed recorder had not sent is known to the page, and to the one that goes on with the folder.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

MOST_OWED = 1000


@dataclass
class Owed:
    """One message, and the addresses that it has not reached."""

    trip_id: int | None
    title: str
    body: str
    addresses: set[str] = field(default_factory=set)


def untold(events: Iterable[Mapping[str, Any]]) -> list[Owed]:
    """What is owed by the lines of an event log, the oldest first; lines that make no sense are passed over."""
    owed: dict[int | None, Owed] = {}
    for event in events:
        trip_id, action = event.get("trip_id"), event.get("action")
        if trip_id is not None and type(trip_id) is not int:
            continue
        if action == "notifying" and len(owed) < MOST_OWED:
            owed.setdefault(trip_id, Owed(trip_id, "", "")).addresses |= _names(event.get("addresses"))
            owed[trip_id].title, owed[trip_id].body = str(event.get("title")), str(event.get("body"))
        elif action == "notified" and trip_id in owed:
            owed[trip_id].addresses.discard(str(event.get("address")))
    return [message for message in owed.values() if message.addresses]


def _names(value: Any) -> set[str]:
    return {str(name) for name in value} if isinstance(value, list) else set()
