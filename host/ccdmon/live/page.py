"""The live page of one or more rigs: a Bokeh document for each browser that looks, all assets from this machine.

A thread follows each run folder; each page asks the followers four times a second what its part of the time axis
looks like now (`server`). Several rigs take turns, so that a browser never has to draw all of them at once.

A page that stands still must not look well. What the server knows to be wrong it says in red with since when
(`health`); that the server itself, or the way to it, is gone the page's own script says (`data/live.html`): it hears
`beat` four times a second. Who may have a page at all is `guard`'s.
"""

import time
from importlib.resources import files
from typing import Any

from bokeh.document import Document
from bokeh.layouts import column, row
from bokeh.models import ColumnDataSource, CustomJS
from bokeh.models.widgets import Div, RadioButtonGroup

from ccdmon.live.controls import RigControls
from ccdmon.live.export import buttons
from ccdmon.live.follower import Follower
from ccdmon.live.plots import DRAWN_FOR_LIGHT, WRAP, RigPlots
from ccdmon.live.tables import RigTables
from ccdmon.live.words import (
    readouts,
    state_complaints,
    title,
    trip_banner,
    verdict,
    weak_note,
    wrong_banner,
)
from ccdmon.run.folder import cell_of

PAGE_STALE_MS = 2500
LOCK_LIMIT_S, STUCK_LIMIT_S = 0.2, 0.02  # a follower that is stuck must not stop the page
REPORT_S = 1.0  # tables are slow to draw
WINDOWS_S = {
    "all": None,
    "1 d": 86400.0,
    "1 h": 3600.0,
    "10 min": 600.0,
    "1 min": 60.0,
    "10 s": 10.0,
    "1 s": 1.0,
}
TEMPLATE = (
    files("ccdmon")
    .joinpath("data/live.html")
    .read_text(encoding="utf-8")
    .replace("{{ stale_ms }}", str(PAGE_STALE_MS))
)

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


class Beat:
    """Tells the page's own script that the server is there."""

    def __init__(self) -> None:
        self._source = ColumnDataSource({"n": [0]}, name="beat")
        self._source.js_on_change("data", CustomJS(code="window.ccdmon_beat && window.ccdmon_beat();"))
        self.div = Div(text="", visible=False, tags=[self._source])
        self._n = 0

    def again(self) -> None:
        """One more."""
        self._n += 1
        self._source.data = {"n": [self._n]}


class RigPanel:
    """One rig on one page: everything about it, brought up to date by `update`."""

    def __init__(
        self, document: Document, follower: Follower, name: str, compact: bool, key: str | None
    ) -> None:
        """`key` of the page; None: nothing can be controlled from it."""
        self._follower = follower
        self._cell = cell_of(follower.config)
        self.plots = RigPlots(follower, name, compact)
        self.tables = RigTables(name, compact, self._cell.electrode_area_cm2 is not None)
        self._title, self._wrong, self._banner, self._verdict = (
            Div(text="", name=f"{name}-{what}", sizing_mode="stretch_width")
            for what in ("title", "wrong", "banner", "verdict")
        )
        self._readouts = LiveWords(f"{name}-readouts")
        self._windows = RadioButtonGroup(
            labels=list(WINDOWS_S), active=None, name=f"{name}-window", styles=DRAWN_FOR_LIGHT
        )
        self._windows.on_change("active", self._window_chosen)
        for end in ("start", "end"):
            self.plots.x_range.on_change(end, self._range_moved)
        self._moving = False  # the server moves the range, not the reader
        self._patience_s = LOCK_LIMIT_S
        self._shown: tuple[Any, ...] = ()
        self._reported: Any = None
        self._report_due_s = 0.0
        self.controls = (
            None if key is None else RigControls(document, follower.folder, name, key, self._latched_trip)
        )
        controls = [] if self.controls is None else [self.controls.layout]
        side = column(self._readouts.div, self._verdict, *controls, width=250 if compact else 330)
        plots = column(*self.plots.figures, sizing_mode="stretch_width", styles={"flex": "1 1 320px"})
        arranged = column if compact else row
        tables = arranged(
            self.tables.half_cycle_table, self.tables.event_table,
            sizing_mode="stretch_width", spacing=12, styles={} if compact else WRAP,
        )  # fmt: skip
        plots.name = f"{name}-plots"
        save = buttons(name, follower.folder.name, self.plots.rows, self.plots.figures)
        body = [row(plots, side, sizing_mode="stretch_width", styles=WRAP), tables]
        self.layout = column(
            self._title, self._wrong, self._banner, row(self._windows, *save, styles=WRAP), *body,
            sizing_mode="stretch_width",
            styles={"background": "var(--paper)", "border": "1px solid var(--line)", "border-radius": "8px",
                    "padding": "12px 14px", "margin": "0 10px 14px 0", "flex": "1 1 620px", "color": "var(--ink)"},
        )  # fmt: skip
        self._windows.active = self._first_window()

    def update(self) -> None:
        """Bring the panel up to date."""
        self._show_state()
        follower = self._follower
        if not follower.lock.acquire(timeout=self._patience_s):
            self._patience_s = STUCK_LIMIT_S
            return  # it says itself that it is not followed
        self._patience_s = LOCK_LIMIT_S
        try:
            self._follow()
            start_s, end_s = self.plots.visible_s
            wanted = (follower.live.rows, start_s, end_s)
            view = follower.history.view(start_s, end_s, self.plots.points) if wanted != self._shown else None
            report, newest, counts = follower.live.report, follower.live.newest(), follower.reader.counts
            trips = list(follower.trips)
        finally:
            follower.lock.release()
        if view is not None:
            self._shown = wanted
            self.plots.show(view)
        now_s = time.monotonic()
        if report is not None and report is not self._reported and now_s >= self._report_due_s:
            self._reported, self._report_due_s = report, now_s + REPORT_S
            self.plots.show_report(report, trips)
            self.tables.show(report)
        self._readouts.put(
            readouts(follower.state, newest, counts, follower.declared_degC(), follower.sensor_at_cell)
        )
        _put(self._verdict, verdict(report))

    def _show_state(self) -> None:
        """What must be right even where the rows cannot be had: the trip, the gate, and what is wrong."""
        follower = self._follower
        complaints = follower.health.complaints()
        trip = self._trip(list(follower.trips))
        state = follower.state
        _put(
            self._title,
            title(
                follower.folder.name,
                self._cell.metadata["cell"],
                state,
                trip is not None,
                well=not complaints,
            ),
        )
        _put(self._wrong, wrong_banner([*complaints, *state_complaints(state)]))
        self._wrong.visible = bool(self._wrong.text)
        _put(self._banner, trip_banner(trip) + weak_note(state.get("weak") or ()))
        self._banner.visible = bool(self._banner.text)
        if self.controls is not None:
            self.controls.show(bool(state.get("recording")))

    def _first_window(self) -> int:
        """All of a short test or a finished one, the last ten minutes of a long one that runs."""
        begin_s, end_s = self._follower.history.span_s
        whole = end_s - begin_s < 600.0 or not self._follower.state.get("recording")
        return list(WINDOWS_S).index("all" if whole else "10 min")

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
            fresh = newest is not None and newest["seen_s"] > self._follower.recorder.asked_s
            return newest if fresh else None
        known = next((trip for trip in trips if trip["trip_id"] == latched["trip_id"]), None)
        return known or dict(latched)

    def _latched_trip(self) -> int | None:
        trip = self._follower.state.get("trip")
        return None if trip is None else int(trip["trip_id"])


def _put(div: Div, text: str) -> None:
    if div.text != text:
        div.text = text
