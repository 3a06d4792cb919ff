"""The live page of one or more rigs: a Bokeh document for each browser that looks, all assets from this machine.

A thread follows the run folders; each page asks the followers four times a second what its part of the time axis looks
like now. Several rigs take turns within that time, so that a browser never has to draw all of them at once.
"""

import logging
import socket
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bokeh.document import Document
from bokeh.layouts import column, row
from bokeh.models import ColumnDataSource, CustomJS
from bokeh.models.widgets import Div, RadioButtonGroup
from bokeh.server.server import Server

from ccdmon.errors import DeviceError
from ccdmon.live.controls import RigControls, TokenCheck
from ccdmon.live.follower import Follower
from ccdmon.live.plots import RigPlots
from ccdmon.live.tables import RigTables
from ccdmon.live.words import readouts, title, trip_banner, verdict, weak_note
from ccdmon.run.folder import cell_of

UPDATE_MS, UPDATE_SEVERAL_MS = 250, 400  # a trip must be seen within a second
REPORT_S = 1.0  # tables are slow to draw
FOLLOW_PAUSE_S = 0.05
WINDOWS_S = {
    "all": None,
    "1 d": 86400.0,
    "1 h": 3600.0,
    "10 min": 600.0,
    "1 min": 60.0,
    "10 s": 10.0,
    "1 s": 1.0,
}
_STYLE = """
{% block postamble %}
<style>
  body { margin: 0; padding: 14px 18px; background: #f6f8fa;
         font-family: system-ui, "Segoe UI", "Liberation Sans", "DejaVu Sans", sans-serif; color: #1f2933; }
</style>
{% endblock %}
"""


_WRAP = {"flex-wrap": "wrap"}  # as many side by side as the window has room for

# A new `text` makes Bokeh lay out the whole page again, tables and plots with it: half of what the page cost with four
# rigs. Words that change at each update go straight into their place instead.
_WRITE = """
const place = Bokeh.index.find_one(div).shadow_el.querySelector(".words");
place.innerHTML = source.data.html[0];
"""


class LiveWords:
    """A `div` whose HTML may change at each update."""

    def __init__(self, name: str) -> None:
        self.div = Div(text="", name=name, sizing_mode="stretch_width")
        self._source = ColumnDataSource({"html": [""]}, name=f"{name}-words")
        write = CustomJS(args={"div": self.div, "source": self._source}, code=_WRITE)
        self._source.js_on_change("data", write)
        self.div.tags = [self._source]  # what nothing refers to does not reach the browser
        self._html = ""

    def put(self, html: str) -> None:
        """Show it."""
        if html == self._html:
            return
        if not self._html:
            self.div.text = f'<div class="words">{html}</div>'  # for the page that is just being built
        self._html = html
        self._source.data = {"html": [html]}


class Following:
    """Keeps followers up to date in one thread."""

    def __init__(self, followers: Sequence[Follower]) -> None:
        self._followers = followers
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="follow", daemon=True)

    def __enter__(self) -> "Following":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join(timeout=5.0)

    def _run(self) -> None:
        while not self._stop.is_set():
            came = [follower.poll() for follower in self._followers]
            if not any(came):
                self._stop.wait(FOLLOW_PAUSE_S)


class RigPanel:
    """One rig on one page: everything about it, brought up to date by `update`."""

    def __init__(
        self, document: Document, follower: Follower, name: str, compact: bool, check: TokenCheck | None
    ) -> None:
        self._follower = follower
        self._cell = cell_of(follower.config)
        self.plots = RigPlots(follower, name, compact)
        self.tables = RigTables(name, compact, self._cell.electrode_area_cm2 is not None)
        self._title, self._banner, self._verdict = (
            Div(text="", name=f"{name}-{what}", sizing_mode="stretch_width")
            for what in ("title", "banner", "verdict")
        )
        self._readouts = LiveWords(f"{name}-readouts")
        self._windows = RadioButtonGroup(labels=list(WINDOWS_S), active=None, name=f"{name}-window")
        self._windows.on_change("active", self._window_chosen)
        for end in ("start", "end"):
            self.plots.x_range.on_change(end, self._range_moved)
        self._moving = False  # the server moves the range, not the reader
        self._shown: tuple[Any, ...] = ()
        self._reported: Any = None
        self._report_due_s = 0.0
        controls = [] if check is None else [
            RigControls(document, follower.folder, name, check, self._latched_trip).layout
        ]  # fmt: skip
        side = column(self._readouts.div, self._verdict, *controls, width=250 if compact else 330)
        plots = column(*self.plots.figures, sizing_mode="stretch_width", styles={"flex": "1 1 320px"})
        arranged = column if compact else row
        tables = arranged(
            self.tables.half_cycle_table, self.tables.event_table, sizing_mode="stretch_width", spacing=12
        )
        body = [row(plots, side, sizing_mode="stretch_width", styles=_WRAP), tables]
        self.layout = column(
            self._title, self._banner, self._windows, *body, sizing_mode="stretch_width",
            styles={"background": "#fff", "border": "1px solid #d0d7de", "border-radius": "8px",
                    "padding": "12px 14px", "margin": "0 10px 14px 0", "flex": "1 1 620px"},
        )  # fmt: skip
        self._windows.active = self._first_window()

    def update(self) -> None:
        """Bring the panel up to date."""
        follower = self._follower
        with follower.lock:
            self._follow()
            start_s, end_s = self.plots.visible_s
            wanted = (follower.live.rows, start_s, end_s)
            view = follower.history.view(start_s, end_s, self.plots.points) if wanted != self._shown else None
            report, newest, counts = follower.live.report, follower.live.newest(), follower.reader.counts
            trips = list(follower.trips)
        if view is not None:
            self._shown = wanted
            self.plots.show(view)
        now_s = time.monotonic()
        if report is not None and report is not self._reported and now_s >= self._report_due_s:
            self._reported, self._report_due_s = report, now_s + REPORT_S
            self.plots.show_report(report, trips)
            self.tables.show(report)
        trip = self._trip(trips)
        _put(
            self._title,
            title(follower.folder.name, self._cell.metadata["cell"], follower.state, trip is not None),
        )
        banner = trip_banner(trip) + weak_note(follower.state.get("weak") or ())
        _put(self._banner, banner)
        self._banner.visible = banner != ""
        self._readouts.put(
            readouts(follower.state, newest, counts, follower.declared_degC(), follower.sensor_at_cell)
        )
        _put(self._verdict, verdict(report))

    def _first_window(self) -> int:
        """All of a short test, the last ten minutes of a long one."""
        begin_s, end_s = self._follower.history.span_s
        return list(WINDOWS_S).index("all" if end_s - begin_s < 600.0 else "10 min")

    def _follow(self) -> None:
        """Move the time axis with the test, where a window is chosen."""
        if self._windows.active is None:
            return
        window_s = list(WINDOWS_S.values())[self._windows.active]
        begin_s, end_s = self._follower.history.span_s
        start_s = begin_s if window_s is None else max(begin_s, end_s - window_s)
        self._moving = True
        self.plots.x_range.update(start=start_s, end=max(end_s, start_s + (window_s or 1e-3)))
        self._moving = False

    def _window_chosen(self, _attr: str, _old: object, _new: object) -> None:
        self._shown = ()

    def _range_moved(self, _attr: str, _old: object, _new: object) -> None:
        if not self._moving:
            self._windows.active = None  # the reader looks at a part of his own

    def _trip(self, trips: list[dict[str, Any]]) -> dict[str, Any] | None:
        """The latched trip: the recorder knows, else the last one that was recorded."""
        state = self._follower.state
        if not state.get("recording"):
            return trips[-1] if trips else None
        latched = state.get("trip")
        if latched is None:
            newest = trips[-1] if trips else None
            fresh = newest is not None and newest["seen_s"] > self._follower.state_at_s
            return newest if fresh else None
        known = next((trip for trip in trips if trip["trip_id"] == latched["trip_id"]), None)
        return known or dict(latched)

    def _latched_trip(self) -> int | None:
        trip = self._follower.state.get("trip")
        return None if trip is None else int(trip["trip_id"])


def _put(div: Div, text: str) -> None:
    if div.text != text:
        div.text = text


def fill(document: Document, followers: Sequence[Follower], check: TokenCheck | None) -> None:
    """Build the page for one session."""
    compact = len(followers) > 1
    panels = [RigPanel(document, follower, f"rig{n}", compact, check) for n, follower in enumerate(followers)]
    for panel in panels:
        panel.update()
    document.add_root(row(*(panel.layout for panel in panels), sizing_mode="stretch_width", styles=_WRAP))
    document.title = "ccdmon: " + ", ".join(follower.folder.name for follower in followers)
    document.template = _STYLE  # type: ignore[assignment]  # a text is compiled with Bokeh's own environment
    turn = iter(_turns(panels))
    document.add_periodic_callback(
        lambda: next(turn).update(), (UPDATE_SEVERAL_MS if compact else UPDATE_MS) // len(panels)
    )


def _turns(panels: list[RigPanel]) -> Any:
    while True:
        yield from panels


class WatchServer:
    """Serves the page at `url` until `run` is interrupted."""

    def __init__(
        self, folders: Sequence[Path], *, address: str = "127.0.0.1", port: int = 0, token: str | None = None
    ) -> None:
        """Raises `InputError` for a folder that cannot be watched, `DeviceError` for an address that is taken."""
        self.followers = [Follower(folder) for folder in folders]
        check = None if token is None else TokenCheck(token)
        logging.getLogger("bokeh.server.views.ws").setLevel(
            logging.ERROR
        )  # a page that was closed is no news
        try:
            port = port or _free_port(address)
            self._server = Server(
                {"/": lambda document: fill(document, self.followers, check)},
                address=address,
                port=port,
                allow_websocket_origin=[f"{name}:{port}" for name in {address, "127.0.0.1", "localhost"}],
            )
        except OSError as error:
            raise DeviceError(
                f"{address}:{port}: cannot be listened on ({error.strerror}); choose another with --http-port"
            ) from error
        self.url = f"http://{address}:{port}/"

    def run(self) -> None:
        """Serve; returns when the loop is stopped."""
        with Following(self.followers):
            self._catch_up()
            self._server.start()
            self._server.io_loop.start()

    def stop(self) -> None:
        """End `run`, from any thread."""
        self._server.io_loop.add_callback(self._server.io_loop.stop)

    def _catch_up(self) -> None:
        """A short folder is read before the first page is shown; a long one fills in."""
        until_s = time.monotonic() + 2.0
        while time.monotonic() < until_s and not all(follower.caught_up for follower in self.followers):
            time.sleep(0.02)


def _free_port(address: str) -> int:
    with socket.socket() as probe:
        probe.bind((address, 0))
        return int(probe.getsockname()[1])
