"""Disarm, trip and reset-trip on the live page: only with the token, only after asking again, checked on the server.

The page carries no secret: whoever wants to act types the token, and the server compares. A session that has not been
unlocked can press what it likes, for every action asks the server's own note of it, not the page.
"""

import hmac
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bokeh.document import Document
from bokeh.layouts import column, row
from bokeh.models.widgets import Button, Div, PasswordInput

from ccdmon.errors import CcdmonError
from ccdmon.link.control_socket import ask

WRONG_TOKEN_PAUSE_S = 2.0  # between two attempts, whichever page they come from


class TokenCheck:
    """Compares tokens for all sessions of one server, slowly after a wrong one."""

    def __init__(self, token: str) -> None:
        self._token = token.encode()
        self._not_before_s = 0.0

    def right(self, offered: str) -> bool:
        """Whether it is the token; always no for a while after a wrong one."""
        now_s = time.monotonic()
        if now_s < self._not_before_s:
            return False
        right = hmac.compare_digest(offered.encode(), self._token)
        if not right:
            self._not_before_s = now_s + WRONG_TOKEN_PAUSE_S
        return right


class RigControls:
    """Buttons for one rig in one session. `latched_trip` tells the id of the latched trip, None: there is none."""

    def __init__(
        self,
        document: Document,
        folder: Path,
        name: str,
        check: TokenCheck,
        latched_trip: Callable[[], int | None],
    ) -> None:
        self._document, self._folder, self._check, self._latched_trip = document, folder, check, latched_trip
        self._unlocked = False
        self._wanted: dict[str, Any] | None = None
        self._token = PasswordInput(placeholder="control token", width=150, name=f"{name}-token")
        self._unlock = Button(label="Unlock", width=70, name=f"{name}-unlock")
        self._message = Div(text="", styles={"font-size": "13px"}, name=f"{name}-control-message")
        self._actions = [
            Button(label="Disarm", width=90, name=f"{name}-disarm"),
            Button(label="TRIP", button_type="danger", width=90, name=f"{name}-trip"),
            Button(label="Reset trip", button_type="warning", width=100, name=f"{name}-reset-trip"),
        ]
        self._yes = Button(label="Yes", button_type="danger", width=90, name=f"{name}-yes")
        self._no = Button(label="No", width=90, name=f"{name}-no")
        self._unlock.on_click(self._try_unlock)
        for button, act in zip(self._actions, ("disarm", "trip", "reset_trip"), strict=True):
            button.on_click(lambda act=act: self._want(act))
        self._yes.on_click(self._confirmed)
        self._no.on_click(self._rest)
        self.layout = column(
            row(self._token, self._unlock), row(*self._actions), row(self._yes, self._no), self._message
        )
        self._rest()

    def _rest(self) -> None:
        """Show what can be done now, and nothing else."""
        self._wanted = None
        for widget in (self._token, self._unlock):
            widget.visible = not self._unlocked
        for button in self._actions:
            button.visible = self._unlocked
        self._yes.visible = self._no.visible = False

    def _try_unlock(self) -> None:
        offered, self._token.value = self._token.value, ""
        self._unlocked = self._check.right(offered)
        self._message.text = "" if self._unlocked else "That is not the token; wait two seconds."
        self._rest()

    def _want(self, act: str) -> None:
        if not self._unlocked:
            return
        wanted: dict[str, Any] = {"do": act}
        if act == "reset_trip":
            trip_id = self._latched_trip()
            if trip_id is None:
                self._message.text = "No trip is latched."
                return
            wanted["trip_id"] = trip_id
        self._wanted = wanted
        for button in self._actions:
            button.visible = False
        asked = {
            "disarm": "Open the gate and end the run?",
            "trip": "Open the gate, latched?",
            "reset_trip": f"Clear trip {wanted.get('trip_id')}?",
        }
        self._message.text = asked[act]
        self._yes.visible = self._no.visible = True

    def _confirmed(self) -> None:
        wanted = self._wanted
        if not self._unlocked or wanted is None:
            return
        self._rest()
        self._message.text = "asked the board …"
        threading.Thread(target=self._carry_out, args=(wanted,), daemon=True).start()

    def _carry_out(self, wanted: dict[str, Any]) -> None:
        """In a thread: the board may take its time to answer."""
        from html import escape

        try:
            ask(self._folder, wanted)
            said = f"{wanted['do'].replace('_', ' ')}: done"
        except CcdmonError as error:
            said = escape(str(error))
        self._document.add_next_tick_callback(lambda: setattr(self._message, "text", said))
