"""Messages to people when a rig trips, by apprise (mail, chat, web hooks; the extra `ccdmon[notify]`).

Sending runs in a thread of its own: a slow or broken mail server never delays or ends a recording. What could not be
sent is one line through `on_problem`.
"""

import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any

NOTABLE = ("rule", "value", "limit", "trip_id", "sample", "host_time_s", "firmware_hash")


def on_trip(
    urls: Sequence[str],
    rig: str,
    event: Mapping[str, Any],
    *,
    on_problem: Callable[[str], object] = lambda line: print(line, file=sys.stderr),
) -> threading.Thread | None:
    """Tell every address of `urls` that `rig` has opened its gate; returns the thread at work, None without addresses.

    `event`: the line of the event log. Never raises, never waits.
    """
    if not urls:
        return None
    title, body = message(rig, event)
    thread = threading.Thread(target=_send, args=(urls, title, body, on_problem), name="notify", daemon=True)
    thread.start()
    return thread


def message(rig: str, event: Mapping[str, Any]) -> tuple[str, str]:
    """(title, body) of the message about one trip."""
    rule = str(event.get("rule", "unknown reason")).replace("_", " ")
    known = [f"{key}: {event[key]}" for key in NOTABLE if event.get(key) is not None]
    return f"{rig}: cut off ({rule})", "The gate is open and stays open until it is reset.\n" + "\n".join(
        known
    )


def _send(urls: Sequence[str], title: str, body: str, on_problem: Callable[[str], object]) -> None:
    try:
        import apprise
    except ImportError:
        on_problem('notifications: apprise is missing, nobody was told; pip install "ccdmon[notify]"')
        return
    for index, url in enumerate(urls, 1):
        # An address may hold a password: it is named by its place only.
        where = f"notifications: address {index} ({url.split(':', 1)[0]})"
        try:
            sender = apprise.Apprise()
            if not sender.add(url):
                on_problem(f"{where}: not an address that apprise knows; mend [notifications] urls")
            elif not sender.notify(title=title, body=body):
                on_problem(f"{where}: could not be reached, nobody was told there")
        except Exception as error:  # noqa: BLE001  a plugin of the library must not end the recording's process
            on_problem(f"{where}: failed ({type(error).__name__})")
