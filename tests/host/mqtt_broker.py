"""A real Mosquitto for tests, one that is killed and comes back too, and somebody who listens; absent, tests skip."""

import getpass
import json
import shutil
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.properties import Properties

from ccdmon.fleet.overview import Overview

PROGRAM = shutil.which("mosquitto") or shutil.which("/usr/sbin/mosquitto")
needs_mosquitto = pytest.mark.skipif(
    PROGRAM is None, reason="no mosquitto here (Debian: apt-get install mosquitto)"
)
CONFIG = """
listener {port} 127.0.0.1
persistence true
persistence_location {folder}/
autosave_interval 1
autosave_on_changes true
user {user}
"""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Mosquitto:
    """A context manager; `more` are lines of its configuration."""

    def __init__(self, folder: Path, more: str = "allow_anonymous true\n") -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.port = free_port()
        self._config = folder / "mosquitto.conf"
        self._config.write_text(CONFIG.format(port=self.port, folder=folder, user=getpass.getuser()) + more)
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"mqtt://127.0.0.1:{self.port}"

    def __enter__(self) -> "Mosquitto":
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        assert PROGRAM is not None
        self._process = subprocess.Popen(
            [PROGRAM, "-c", str(self._config)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        wait_for(self._answers, "the broker")

    def stop(self) -> None:
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        self._end(signal.SIGKILL)

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def _end(self, number: signal.Signals) -> None:
        if self._process is not None:
            self._process.send_signal(number)
            self._process.wait()

    def _answers(self) -> bool:
        try:
            socket.create_connection(("127.0.0.1", self.port), 0.2).close()
        except OSError:
            return False
        return True


class Listener:
    """Hears all topics at QoS 1, in a session that the broker keeps while it is away, and tells an overview.

    `heard`: (when, topic, document).
    """

    def __init__(self, port: int, name: str = "listener") -> None:
        self.heard: list[tuple[float, str, Any]] = []
        self.overview = Overview()
        self._lock = threading.Lock()
        client = Client(CallbackAPIVersion.VERSION2, name, protocol=MQTTProtocolVersion.MQTTv5)
        client.on_connect = lambda c, *_: c.subscribe("#", 1)
        client.on_message = self._take
        client.reconnect_delay_set(1, 1)
        kept = Properties(1)
        kept.SessionExpiryInterval = 3600
        client.connect("127.0.0.1", port, keepalive=5, clean_start=False, properties=kept)
        client.loop_start()
        self._client = client

    def __enter__(self) -> "Listener":
        return self

    def __exit__(self, *_: object) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def of(self, end: str) -> list[Any]:
        """What came on the topics with that end."""
        with self._lock:
            return [document for _, topic, document in self.heard if topic.endswith(end)]

    def _take(self, _client: Any, _data: Any, message: Any) -> None:
        self.overview.take(message.topic, bytes(message.payload))
        document = json.loads(message.payload) if message.payload else None
        with self._lock:
            self.heard.append((time.monotonic(), message.topic, document))


def wait_for(happens: Callable[[], object], what: str, limit_s: float = 20.0) -> None:
    until_s = time.monotonic() + limit_s
    while not happens():
        assert time.monotonic() < until_s, f"{what} did not come"
        time.sleep(0.02)
