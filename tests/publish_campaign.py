"""Kills publisher and broker and cuts the way between them: `python -m tests.publish_campaign`.

A real Mosquitto, a real recorder of some boards whose gates are opened and closed all the while, `ccdmon publish` in a
process of its own behind a way that can be cut, and a listener at the broker. A log that grows by hundreds of lines at
once, just before each fault, has lines on their way when it comes. Told are events that were lost, those
that came twice, how soon a fault was seen and how soon after it all states were right, and what the recorder noticed.
"""

import argparse
import contextlib
import json
import random
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ccdmon.errors import CcdmonError
from ccdmon.fleet.overview import RED
from ccdmon.link.control_socket import ask
from ccdmon.publish.log_tail import Cursor
from ccdmon.run.document import config_of
from ccdmon.run.folder import create
from tests.host.mqtt_broker import PROGRAM, Listener, Mosquitto, wait_for
from tests.host.pty_board import PtyBoard
from tests.host.record.test_many import rig_files

RIGHT_WITHIN_S = 10.0
AWAY_S = 1.5  # what was killed is started again after so long


class Way:
    """A way to the broker that can be cut: bytes stop, and nobody is told, as where a cable is pulled."""

    def __init__(self, target: int) -> None:
        self.cut, self._target, self._stop = False, target, False
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.settimeout(0.2)
        self.port = self._listener.getsockname()[1]
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._stop = True
        self._thread.join()
        self._listener.close()

    def _accept(self) -> None:
        while not self._stop:
            if self.cut:  # who connects waits
                time.sleep(0.05)
                continue
            with contextlib.suppress(TimeoutError):
                inner, _ = self._listener.accept()
                try:
                    outer = socket.create_connection(("127.0.0.1", self._target), 1.0)
                except OSError:
                    inner.close()
                    continue
                for a, b in ((inner, outer), (outer, inner)):
                    threading.Thread(target=self._carry, args=(a, b), daemon=True).start()

    def _carry(self, source: socket.socket, target: socket.socket) -> None:
        source.settimeout(0.1)
        while not self._stop:
            if self.cut:
                time.sleep(0.05)
                continue
            try:
                data = source.recv(65536)
            except TimeoutError:
                continue
            except OSError:
                data = b""
            with contextlib.suppress(OSError):
                if data:
                    target.sendall(data)
                    continue
            for end in (source, target):
                with contextlib.suppress(OSError):
                    end.shutdown(socket.SHUT_RDWR)
            return


class Publisher:
    """`ccdmon publish` in a process that can be killed; started again, as a service's manager does."""

    def __init__(self, runs: Path, url: str) -> None:
        self._call = [sys.executable, "-m", "ccdmon", "publish", str(runs), "--mqtt", url, "--gateway", "gw"]
        self._stop = threading.Event()
        self.process = self._started()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def kill(self) -> None:
        self.process.kill()

    def end(self) -> None:
        """In good order."""
        self._stop.set()
        self._thread.join()
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(10)

    def _started(self) -> "subprocess.Popen[bytes]":
        return subprocess.Popen(self._call, stderr=subprocess.DEVNULL)

    def _watch(self) -> None:
        while not self._stop.wait(0.05):
            if self.process.poll() is not None and not self._stop.wait(AWAY_S):
                self.process = self._started()


class Switcher:
    """Opens and closes the gate of a rig through its recorder: each is an event, and a state to be told."""

    def __init__(self, folder: Path, pause_s: float) -> None:
        self.folder, self._pause_s, self._stop = folder, pause_s, threading.Event()
        self.wanted = "closed"
        self.hold = threading.Lock()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stop.wait(self._pause_s):
            close = self.wanted == "open"
            with self.hold, contextlib.suppress(CcdmonError):
                ask(self.folder, {"do": "arm" if close else "disarm"})
                self.wanted = "closed" if close else "open"


@contextmanager
def held(switchers: Sequence[Switcher]) -> Iterator[None]:
    """Gates stand still while they are looked at."""
    with ExitStack() as stack:
        for switcher in switchers:
            stack.enter_context(switcher.hold)
        yield


def earlier_run(folder: Path) -> Path:
    """A run of another rig that nobody records any more."""
    front_end = {"voltage_full_scale_V": 6.0, "current_full_scale_A": 0.01}
    create(folder, config_of({"name": folder.name, "front_end": front_end}, "port", "a test"))
    return folder


def burst(folder: Path, lines: int) -> None:
    """So many lines at once."""
    with (folder / "events.ndjson").open("a") as file:
        for number in range(lines):
            file.write(json.dumps({"host_time_s": time.time(), "action": "warn", "number": number}) + "\n")


@dataclass
class Findings:
    """What a campaign says in the end."""

    lines: int = 0
    lost: int = 0
    twice: int = 0
    unlike: int = 0  # of the same id and another content
    faults: list[tuple[str, float, float]] = field(default_factory=list)  # kind, seen after s, right after s
    records: list[Any] = field(default_factory=list)

    @property
    def good(self) -> bool:
        """Whether it is as wanted."""
        right = all(after_s <= RIGHT_WITHIN_S for _, _, after_s in self.faults)
        whole = all(record["missing_samples"] == 0 and not record["crc_errors"] for record in self.records)
        return self.lost == self.unlike == 0 < self.lines and right and whole


@contextmanager
def recorded(place: Path, rigs: int, findings: Findings) -> Iterator[list[Path]]:
    """Boards and the process that records them; its account comes in the end."""
    ports = [place / f"r{number}" for number in range(rigs)]
    call = [sys.executable, "-m", "ccdmon", "record", "--rig-file", *rig_files(place, ports), "--out"]
    with ExitStack() as stack:
        for port in ports:
            stack.enter_context(PtyBoard(port, rate_Hz=500.0))
        process = subprocess.Popen(
            [*call, str(place / "runs"), "--no-report", "--json"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )  # fmt: skip
        folders = [place / "runs" / port.name for port in ports]
        try:
            wait_for(lambda: all((folder / "control.json").exists() for folder in folders), "the recorder")
            yield folders
        finally:
            process.send_signal(signal.SIGINT)
            out, _ = process.communicate(timeout=60)
            findings.records = json.loads(out)["records"]


def campaign(
    place: Path, faults: Sequence[str], *, rigs: int = 3, between_s: float = 2.0, cut_s: float = 8.0,
    lines: int = 500, say: Callable[[str], object] = print,
) -> Findings:  # fmt: skip
    """`faults`: gateway, broker or cut, one after the other; `lines` of each burst."""
    findings, chance = Findings(), random.Random(1)
    with (
        recorded(place, rigs, findings) as folders,
        Mosquitto(place / "mosquitto") as broker,
        ExitStack() as stack,
    ):
        earlier = earlier_run(place / "runs" / "earlier")
        listener, way = stack.enter_context(Listener(broker.port)), Way(broker.port)
        stack.callback(way.close)
        publisher = Publisher(place / "runs", f"mqtt://127.0.0.1:{way.port}")
        stack.callback(publisher.end)
        switchers = [Switcher(folder, 0.05) for folder in folders]
        for switcher in switchers:
            stack.callback(switcher.close)
        settled_s("the beginning", switchers, listener)
        for kind in faults:
            time.sleep(between_s * chance.uniform(0.5, 1.5))
            burst(earlier, lines)
            time.sleep(chance.uniform(0.05, 0.2))
            seen_s = caused(kind, publisher, broker, way, listener, cut_s)
            findings.faults.append((kind, seen_s, settled_s(kind, switchers, listener)))
            say(
                f"{kind:8} seen after {seen_s:4.1f} s, all right {findings.faults[-1][2]:4.1f} s after it was over"
            )
        with held(switchers):
            wait_for(
                lambda: all(_sent(folder, listener) for folder in (*folders, earlier)), "the last events", 60
            )
            compare([*folders, earlier], listener, findings)
    return findings


def settled_s(what: str, switchers: Sequence[Switcher], listener: Listener) -> float:
    """How long until the overview shows each rig as it is."""
    began_s = time.monotonic()
    with held(switchers):
        wanted = {switcher.folder.name: switcher.wanted for switcher in switchers}

        def right() -> bool:
            rows = [row for row in listener.overview.rows() if row.rig in wanted and row.colour != RED]
            return {row.rig: row.state["gate"] for row in rows} == wanted

        wait_for(right, f"right states after {what}", 60)
    return time.monotonic() - began_s


def caused(
    kind: str, publisher: Publisher, broker: Mosquitto, way: Way, listener: Listener, cut_s: float
) -> float:
    """One fault, until what was broken is started again or whole; after how long the overview was red."""
    began_s = time.monotonic()

    def red() -> bool:
        rows = listener.overview.rows()
        return all(row.colour == RED for row in rows)

    if kind == "gateway":
        publisher.kill()
        wait_for(red, "red")
        seen_s = time.monotonic() - began_s
        time.sleep(max(0.0, began_s + AWAY_S - time.monotonic()))
    elif kind == "broker":
        broker.kill()
        wait_for(red, "red")
        seen_s = time.monotonic() - began_s
        broker.start()
    else:
        way.cut = True
        wait_for(red, "red")
        seen_s = time.monotonic() - began_s
        time.sleep(max(0.0, began_s + cut_s - time.monotonic()))
        way.cut = False
    return seen_s


def _sent(folder: Path, listener: Listener) -> bool:
    """Whether the last line was heard."""
    size = (folder / "events.ndjson").stat().st_size
    return any(event["end"] >= size for event in listener.of(f"/{folder.name}/event"))


def compare(folders: Sequence[Path], listener: Listener, findings: Findings) -> None:
    """What the logs hold with what was heard."""
    for folder in folders:
        cursor = Cursor(folder, "")
        run, offset, log = cursor.identify(), 0, {}
        while lines := list(cursor.lines(offset)):
            log.update({f"{run}:{line.offset}": json.loads(line.text) for line in lines})
            offset = lines[-1].end
        heard = listener.of(f"/{folder.name}/event")
        times = Counter(event["id"] for event in heard)
        findings.lines += len(log)
        findings.lost += len(log.keys() - times.keys())
        findings.twice += sum(times.values()) - len(times)
        findings.unlike += sum(log.get(event["id"]) != event["event"] for event in heard)


def main() -> int:
    """Print what was found; exit 1 where it is not as wanted, 2 without a broker."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--faults", default="gateway,broker,gateway,cut,broker,gateway")
    parser.add_argument("--rigs", type=int, default=3)
    parser.add_argument("--cut-s", type=float, default=15.0)
    parser.add_argument("--between-s", type=float, default=5.0)
    args = parser.parse_args()
    if PROGRAM is None:
        print("no mosquitto here (Debian: apt-get install mosquitto)", file=sys.stderr)
        return 2
    with tempfile.TemporaryDirectory() as place:
        found = campaign(
            Path(place), args.faults.split(","), rigs=args.rigs, cut_s=args.cut_s, between_s=args.between_s
        )
    slowest_s = max(after_s for _, _, after_s in found.faults)
    print(
        f"events in the logs       {found.lines}, lost {found.lost}, came twice {found.twice}, unlike {found.unlike}"
    )
    print(
        f"states right             {slowest_s:.1f} s after a fault was over, at most (wanted: {RIGHT_WITHIN_S:.0f})"
    )
    print(f"recorder                 {sum(r['samples'] for r in found.records)} samples, missing "
          f"{sum(r['missing_samples'] for r in found.records)}, "
          f"damaged frames {sum(r['crc_errors'] for r in found.records)}")  # fmt: skip
    return 0 if found.good else 1


if __name__ == "__main__":
    sys.exit(main())
