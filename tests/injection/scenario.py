"""What is recorded while calls fail: short, with everything in it that opens, writes, renames, asks and accepts."""

import json
import socket
import traceback
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ccdmon.errors import CcdmonError
from ccdmon.link.control_socket import CONTROL_FILE
from ccdmon.record import trace_parts, watch
from ccdmon.record.recording import Options, Recording
from ccdmon.run import folder as run_folder
from ccdmon.run import frame_files
from ccdmon.run.document import config_of
from ccdmon.run.frame_files import read_parts
from ccdmon.run.lock import FolderLock
from ccdmon.run.rows import RowReader
from ccdmon.run.stored_rows import derive_trace
from tests.host.record.memory_link import FRONT_END, MemoryLink
from tests.host.wire_stream import Device

FRAMES, PER_FRAME = 12, 32
ROTATE_BYTES = 1200  # three parts


@dataclass
class Outcome:
    """What the recording says of itself."""

    refused: str = ""  # it did not begin: one line
    bug: str = ""  # an exception nobody foresaw
    acknowledged: int = 0  # samples that the recorder counts as written
    dropped_bytes: int = 0  # that it counts as lost
    told: int = 0  # lines for the user about something that failed


def pieces() -> list[bytes]:
    """A board that says who it is, samples, trips and goes on."""
    device = Device()
    sent = [device.identity()]
    for n in range(FRAMES):
        sent.append(device.samples(PER_FRAME * n, PER_FRAME))
        if n == FRAMES // 2:
            sent += [device.status(250), device.trip(1, PER_FRAME * n)]
    return sent


def record(folder: Path) -> Outcome:
    """Record, then derive the trace again; never raises."""
    trace_parts.REWRITE_INTERVAL_S = watch.SPACE_INTERVAL_S = frame_files.REOPEN_S = 0.0
    said: list[str] = []
    outcome = Outcome()
    try:
        lock = FolderLock(folder)
        document: dict[str, Any] = {"front_end": FRONT_END}
        run_folder.create(folder, config_of(document, "memory", "test"))
        link: Any = OneARound(pieces())
        made = Recording(folder, link, Options(document, rotate_bytes=ROTATE_BYTES), say=said.append)
        asking = Asking(folder)
        made.run(lambda: not link.pending, asking)
        outcome.acknowledged = made.recorder.rows.counts.samples
        outcome.dropped_bytes = made.recorder.frames.dropped_bytes
        outcome.told = len([line for line in said if not line.startswith("TRIP")])
        lock.close()
        with suppress(CcdmonError):
            derive_trace(folder)
    except CcdmonError as error:
        outcome.refused = str(error)
    except Exception:  # noqa: BLE001  it is what is looked for
        outcome.bug = traceback.format_exc()
    return outcome


class OneARound(MemoryLink):
    """Nothing more has come when a round looks again."""

    def take(self, timeout_s: float) -> bytes:
        return super().take(timeout_s) if timeout_s else b""


class Asking:
    """A client that asks for the state every fourth round, and one that only connects."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._rounds = 0
        self._held: list[socket.socket] = []

    def __call__(self, _: object) -> None:
        self._rounds += 1
        if self._rounds % 2 == 0:
            with suppress(OSError):
                door = json.loads((self._folder / CONTROL_FILE).read_text())
                client = socket.create_connection(("127.0.0.1", door["port"]), 0.1)
                self._held.append(client)
                if self._rounds % 4 == 0:
                    client.sendall(json.dumps({"do": "state", "token": door["token"]}).encode() + b"\n")


def in_files(folder: Path) -> int:
    """Samples that can be read back."""
    reader = RowReader()
    with suppress(OSError):
        for data in read_parts(folder):
            reader.feed(data)
    return reader.counts.samples
