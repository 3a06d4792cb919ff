"""Disarm, trip and reset-trip on the live page: only with the token, only after asking again, checked on the server.

The page carries no secret: whoever wants to act types the token into a field that is no part of the document, the
browser sends it beside Bokeh (`handlers.UnlockHandler`), and the server compares. A session that has not been unlocked
can press what it likes, for every action asks the server's own note of it, not the page.
"""

import hmac
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from html import escape
from pathlib import Path
from typing import Any, Literal

from bokeh.document import Document
from bokeh.layouts import column, row
from bokeh.models import CustomJS
from bokeh.models.widgets import Button, Div

from ccdmon.errors import CcdmonError
from ccdmon.link.control_socket import ask
from ccdmon.live.plots import DRAWN_FOR_LIGHT, WRAP

FREE_TRIES = 3  # a slip of the finger costs nothing
WRONG_TOKEN_PAUSE_S = 2.0  # after each further one, for who was wrong and nobody else
MOST_CLIENTS = 4096
_NEVER = (0, 0.0)  # wrong: how often, until when to wait
MOST_AT_ONCE = 4  # requests to a board under way from one page; a trip always goes

_FIELD = (
    '<input type="password" autocomplete="new-password" placeholder="control token" aria-label="control token" '
    'style="width:100%;box-sizing:border-box">'
)
# Bokeh's red and orange leave white words a contrast of 3 to 4.
_DARKER = """
.bk-btn-danger, .bk-btn-danger:hover { background-color: #b3161f; border-color: #b3161f; color: #fff; }
.bk-btn-warning, .bk-btn-warning:hover { background-color: #8a5200; border-color: #8a5200; color: #fff; }
"""
# The token leaves the field for the server only; what the server says comes back as words of the page.
_SEND = """
const field = Bokeh.index.find_one(place).shadow_el.querySelector("input");
const token = field.value;
field.value = "";
fetch("unlock", {method: "POST", body: JSON.stringify({page: key, token: token})})
  .then((answer) => { if (answer.status == 429) message.text = "Too many attempts; wait." })
  .catch(() => { message.text = "ccdmon watch does not answer." });
"""


class TokenCheck:
    """Compares tokens for all sessions of one server; who offers wrong ones is made to wait, and only he."""

    def __init__(self, token: str, clock_s: Callable[[], float] = time.monotonic) -> None:
        self._token, self._clock_s = token.encode(), clock_s
        self._wrong: OrderedDict[str, tuple[int, float]] = (
            OrderedDict()
        )  # by client: how often, until when to wait

    def wait_s(self, client: str) -> float:
        """How long this client is not listened to."""
        return max(0.0, self._wrong.get(client, _NEVER)[1] - self._clock_s())

    def right(self, offered: str, client: str) -> bool:
        """Whether it is the token; always no while the client has to wait."""
        if self.wait_s(client):
            return False
        if hmac.compare_digest(offered.encode(errors="replace"), self._token):
            self._wrong.pop(client, None)
            return True
        tries = self._wrong.pop(client, _NEVER)[0] + 1
        pause_s = WRONG_TOKEN_PAUSE_S if tries >= FREE_TRIES else 0.0
        self._wrong[client] = (tries, self._clock_s() + pause_s)
        if len(self._wrong) > MOST_CLIENTS:
            self._wrong.popitem(last=False)
        return False


class RigControls:
    """Buttons for one rig in one session, which is the page `key`.

    `latched_trip` tells the id of the latched trip, None: there is none.
    """

    def __init__(
        self,
        document: Document,
        folder: Path,
        name: str,
        key: str,
        latched_trip: Callable[[], int | None],
    ) -> None:
        self._document, self._folder, self._latched_trip = document, folder, latched_trip
        self._unlocked = False
        self._under_way = 0
        self._wanted: dict[str, Any] | None = None
        self._field = Div(text=_FIELD, width=150, name=f"{name}-token", styles=DRAWN_FOR_LIGHT)
        self._unlock = Button(label="Unlock", width=70, name=f"{name}-unlock", styles=DRAWN_FOR_LIGHT)
        self._message = Div(text="", styles={"font-size": "13px"}, name=f"{name}-control-message")
        self._actions = [
            Button(label="Disarm", width=90, name=f"{name}-disarm", styles=DRAWN_FOR_LIGHT),
            _coloured("TRIP", "danger", f"{name}-trip"),
            _coloured("Reset trip", "warning", f"{name}-reset-trip"),
        ]
        self._yes = _coloured("Yes", "danger", f"{name}-yes")
        self._no = Button(label="No", width=90, name=f"{name}-no", styles=DRAWN_FOR_LIGHT)
        said = {"place": self._field, "key": key, "message": self._message}
        self._unlock.js_on_click(CustomJS(args=said, code=_SEND))
        for button, act in zip(self._actions, ("disarm", "trip", "reset_trip"), strict=True):
            button.on_click(lambda act=act: self._want(act))
        self._yes.on_click(self._confirmed)
        self._no.on_click(self._rest)
        self.layout = column(
            row(self._field, self._unlock),
            row(*self._actions, styles=WRAP),
            row(self._yes, self._no),
            self._message,
            name=f"{name}-controls",
        )
        self._rest()

    def unlock(self, said: str) -> None:
        """The token was right (`said` is empty), or `said` why not."""
        self._unlocked = self._unlocked or not said
        self._message.text = escape(said)
        self._rest()

    def show(self, live: bool) -> None:
        """A run that nobody records has nothing to control."""
        if self.layout.visible != live:
            self.layout.visible = live

    def _rest(self) -> None:
        """Show what can be done now, and nothing else."""
        self._wanted = None
        for widget in (self._field, self._unlock):
            widget.visible = not self._unlocked
        for button in self._actions:
            button.visible = self._unlocked
        self._yes.visible = self._no.visible = False

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
        if self._under_way >= MOST_AT_ONCE and wanted["do"] != "trip":
            self._message.text = "the board has not answered yet"
            return
        self._under_way += 1
        self._message.text = "asked the board …"
        threading.Thread(target=self._carry_out, args=(wanted,), daemon=True).start()

    def _carry_out(self, wanted: dict[str, Any]) -> None:
        """In a thread: the board may take its time to answer."""
        try:
            ask(self._folder, wanted)
            said = f"{wanted['do'].replace('_', ' ')}: done"
        except CcdmonError as error:
            said = escape(str(error))
        self._under_way -= 1
        self._document.add_next_tick_callback(lambda: setattr(self._message, "text", said))


def _coloured(label: str, kind: Literal["danger", "warning"], name: str) -> Button:
    return Button(
        label=label, button_type=kind, width=100, name=name, styles=DRAWN_FOR_LIGHT, stylesheets=[_DARKER]
    )
