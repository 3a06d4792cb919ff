"""The runs that are published: which rig each is of, and how it stands, asked of its recorder once a second.

A rig is called as its rig file says, else as its port, never as its cell: cells come and go, a rig stays. Of several
runs of one rig the one that is recorded, else the newest, is its state; the events of all are sent.
"""

import json
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from ccdmon.errors import CcdmonError, DeviceError, InputError, describe
from ccdmon.link.control_socket import ask
from ccdmon.publish.topics import level
from ccdmon.run.folder import EVENTS_FILE, read_config
from ccdmon.run.frame_files import CONFIG_FILE, is_run_folder
from ccdmon.run.lock import is_recorded_now

ASK_EVERY_S = 1.0
ASK_LIMIT_S = 1.5  # a recorder of many answers within a round of 0.2 s
ASK_AT_ONCE = 32
FRESH_S = 3.0  # an answer is old after so long
LOOK_EVERY_S = 5.0  # for runs that were begun since
UNNAMED = "rig"  # what a rig file says that names none
LAST_LINE_BYTES = 4096
MOST_ACTIONS = 64  # a label must not have values without end
PLAYED = ("demo", "replay")  # what makes a run folder without a board
CELL = ("name", "electrolyte", "configuration", "electrode_area_cm2")


class Run:
    """One run folder. `answer` is what its recorder last said, `{}` where none answers."""

    def __init__(self, folder: Path) -> None:
        """Raises `InputError` where it holds no run."""
        self.folder = folder
        self.answer: Mapping[str, Any] = {}
        self.answered_s = -FRESH_S  # monotonic
        self.state: Mapping[str, Any] = {}
        self.events: Counter[str] = Counter()
        self._stamp = (0, 0)
        self._counted = 0
        self._learn()

    def poll(self) -> None:
        """Ask, and look at what changed. Raises `InputError`, `OSError`."""
        self._learn()
        recording, answers = True, True
        try:
            self.answer = dict(ask(self.folder, {"do": "state"}, ASK_LIMIT_S)["state"])
            self.answered_s = time.monotonic()
        except (DeviceError, KeyError, TypeError, ValueError, OSError):
            self.answer, answers = {}, False
            recording = is_recorded_now(self.folder)
        self._count_events()
        self.state = self._state(recording, answers)

    @property
    def fresh(self) -> bool:
        """Whether the newest values are of now."""
        return time.monotonic() - self.answered_s < FRESH_S

    @property
    def begun_s(self) -> float:
        """When its newest file of those that every run has was written: of several runs the newest counts."""
        return self._stamp[0] * 1e-9

    def _learn(self) -> None:
        status = (self.folder / CONFIG_FILE).stat() if (self.folder / CONFIG_FILE).exists() else None
        stamp = (0, 0) if status is None else (status.st_mtime_ns, status.st_ino)
        if stamp == self._stamp and status is not None:
            return
        self.config = read_config(self.folder)
        self._stamp = stamp
        name = self.config.get("name")
        self.played = self.config.get("made_by") in PLAYED  # nobody is to be asked while it runs
        rig = self.config.get("rig")
        port = rig.rstrip("/").rpartition("/")[2] if isinstance(rig, str) and not self.played else ""
        self.rig = level(str(name)) if name and name != UNNAMED else level(port or self.folder.name)

    def _count_events(self) -> None:
        """Lines of the log by what they tell, for the metrics."""
        path = self.folder / EVENTS_FILE
        size = path.stat().st_size if path.is_file() else 0
        if size == self._counted:
            return
        if size < self._counted:
            self.events.clear()
            self._counted = 0
        with path.open("rb") as file:
            file.seek(self._counted)
            data = file.read()
        whole = data[: data.rfind(b"\n") + 1]
        self._counted += len(whole)
        for action in filter(None, map(_action, whole.splitlines())):
            known = action in self.events or len(self.events) < MOST_ACTIONS
            self.events[action if known else "other"] += 1

    def _ended(self) -> str:
        """What records says last that it ended: one that was killed does not."""
        last = _last_told(self.folder / EVENTS_FILE)
        earlier = "made_by" not in self.config  # of a version whose demos and replays did not say so
        ended = last == "recording_ended" or (earlier and last in (None, "gate_observed"))
        return "in order" if ended else "broken off"

    def _state(self, recording: bool, answers: bool) -> dict[str, Any]:
        """What changes seldom; what is not known is null."""
        answer, cell = self.answer, self.config.get("cell", {})
        failures = answer.get("failures")
        return {
            "folder": self.folder.name,
            "made_by": self.config.get("made_by"),
            "recording": recording and not self.played,
            "answers": answers,
            "ended": None if recording else self._ended(),
            "link": answer.get("link"),
            "gate": answer.get("gate"),
            "armed": answer.get("armed"),
            "trip": answer.get("trip"),
            "disk": answer.get("disk"),
            "moved": answer.get("moved"),
            "analysis": answer.get("analysis"),
            "not_notified": answer.get("not_notified"),
            "failures": sum(failures.values()) if isinstance(failures, dict) else None,
            "cell": {key: cell[key] for key in CELL if key in cell},
            "firmware": self.config.get("firmware", {}).get("version"),
        }


class Runs:
    """All of them. `places` are run folders, or folders that hold some."""

    def __init__(self, places: Sequence[Path], say: Callable[[str], object]) -> None:
        """Raises `InputError` for a place without a run, and for two rigs of one name that are recorded at once."""
        self._places, self._say = places, say
        self.all: list[Run] = []
        self._known = set[Path]()
        self._told: dict[Path, str] = {}
        self._look_due_s = 0.0
        self._pool = ThreadPoolExecutor(ASK_AT_ONCE, "ask")
        for place in places:
            if is_run_folder(place):
                self._know(Run(place))
        self._look()
        for place in places:
            if not any(folder in self._known for folder in map(Path.resolve, _folders(place))):
                raise InputError(f"{place}: no run folder, and none in it; `ccdmon record` makes one")
        self.poll()
        self._refuse_namesakes()

    def current(self) -> dict[str, Run]:
        """The run that each rig's state is of, by the rig's name."""
        found: dict[str, Run] = {}
        for run in self.all:
            other = found.get(run.rig)
            if other is None or _rank(run) > _rank(other):
                found[run.rig] = run
        return found

    def follow(self, stop: threading.Event) -> None:
        """`poll` until told to stop, whatever it meets."""
        while not stop.wait(ASK_EVERY_S):
            self.poll()

    def poll(self) -> None:
        """Ask all, many at once."""
        if time.monotonic() >= self._look_due_s:
            self._look_due_s = time.monotonic() + LOOK_EVERY_S
            self._look()
        list(self._pool.map(self._poll, self.all))

    def _poll(self, run: Run) -> None:
        try:
            run.poll()
        except Exception as error:  # noqa: BLE001  one run's surprise must not end what tells of the others
            known = isinstance(error, CcdmonError | OSError)
            self._tell(run.folder, str(error) if known else describe(error))
            run.answer, run.state = {}, {**run.state, "answers": False}
        else:
            self._told.pop(run.folder, None)

    def _tell(self, folder: Path, line: str) -> None:
        """Once, until it is well again or something else."""
        if self._told.get(folder) != line:
            self._told[folder] = line
            self._say(line if str(folder) in line else f"{folder}: {line}")

    def _look(self) -> None:
        """Take what was begun since; a run that is just being made may not be readable yet."""
        for folder in (folder for place in self._places for folder in _folders(place)):
            if folder.resolve() in self._known:
                continue
            try:
                self._know(Run(folder))
            except (CcdmonError, OSError) as error:
                self._tell(folder, str(error))

    def _know(self, run: Run) -> None:
        if run.folder.resolve() not in self._known:
            self._known.add(run.folder.resolve())
            self.all = [*self.all, run]

    def _refuse_namesakes(self) -> None:
        recorded = Counter(run.rig for run in self.all if run.state.get("recording"))
        twice = [rig for rig, runs in recorded.items() if runs > 1]
        if twice:
            raise InputError(
                f"{recorded[twice[0]]} rigs that are recorded now are called '{twice[0]}'; "
                "give each another `name` in its rig file"
            )


def fresh_answers(current: Mapping[str, Run]) -> list[tuple[str, Mapping[str, Any]]]:
    """What recorders said of now, by rig: telemetry."""
    return [(rig, run.answer) for rig, run in current.items() if run.fresh and run.answer]


def _folders(place: Path) -> list[Path]:
    if is_run_folder(place):
        return [place]
    found = place.iterdir() if place.is_dir() else ()
    return sorted(folder for folder in found if folder.is_dir() and is_run_folder(folder))


def _rank(run: Run) -> tuple[bool, float]:
    return bool(run.state.get("recording")), run.begun_s


def _action(line: bytes) -> str | None:
    try:
        event = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return str(event["action"]) if isinstance(event, dict) and "action" in event else None


def _last_told(path: Path) -> str | None:
    """What a log's last line tells, but for messages to people that were sent since."""
    if not path.is_file():
        return None
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - LAST_LINE_BYTES))
        actions = [_action(line) for line in file.read().splitlines()]
    told = [action for action in actions if action not in (None, "notifying", "notified", "not_notified")]
    return told[-1] if told else None
