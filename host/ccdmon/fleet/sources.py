"""Where the overview is from: a broker, to whose topics it listens, or run folders of this machine.

Listening is all that it does: it publishes nothing, and no message is more than a row of the page.
"""

import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Protocol

from paho.mqtt.client import Client, ConnectFlags, DisconnectFlags, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from ccdmon.errors import DeviceError
from ccdmon.fleet.overview import Overview
from ccdmon.publish.broker import Broker
from ccdmon.publish.connection import CONNECT_LIMIT_S, KEEP_ALIVE_S, prepare
from ccdmon.publish.runs import Runs, fresh_answers
from ccdmon.publish.topics import state_payload, telemetry_payload

THIS_MACHINE = "this machine"


class Source(Protocol):
    """`away` says why nothing comes at the moment."""

    name: str

    @property
    def away(self) -> str | None: ...
    def close(self) -> None: ...


class FromBroker:
    """Listens in a thread of the library's, and comes back by itself."""

    def __init__(self, broker: Broker, overview: Overview) -> None:
        """Raises `DeviceError` where there is no broker, or it refuses us."""
        self.name, self._broker, self._overview = broker.target, broker, overview
        self._entered = threading.Event()
        self._refused = ""
        self._away: str | None = "not connected yet"
        client = Client(CallbackAPIVersion.VERSION2, protocol=MQTTProtocolVersion.MQTTv5)
        client.on_connect, client.on_disconnect = self._on_connect, self._on_disconnect
        client.on_message = self._on_message
        client.reconnect_delay_set(1, 2)
        prepare(client, broker)
        self._client = client
        try:
            client.connect(broker.host, broker.port, keepalive=KEEP_ALIVE_S)
        except (OSError, ValueError) as error:
            why = getattr(error, "strerror", None) or error
            raise DeviceError(f"{broker.target}: {why}; look at the broker and the URL") from error
        client.loop_start()
        if not self._entered.wait(CONNECT_LIMIT_S) or self._refused:
            self.close()
            why = self._refused or "it does not answer as a broker"
            raise DeviceError(f"{broker.target}: {why}; look at the broker, user and password")

    @property
    def away(self) -> str | None:
        """Why nothing comes."""
        return self._away

    def close(self) -> None:
        """Leave."""
        self._client.disconnect()
        self._client.loop_stop()

    def _on_connect(
        self, client: Client, _data: Any, _flags: ConnectFlags, code: ReasonCode, _more: Properties | None
    ) -> None:
        if code.is_failure:
            self._refused = f"it refuses: {code}"
        else:
            self._away, self._refused = None, ""
            prefix = self._broker.prefix
            client.subscribe(
                [(f"{prefix}/{topic}", 0) for topic in ("+/gateway", "+/telemetry", "+/rig/+/state")]
            )
        self._entered.set()

    def _on_disconnect(
        self, _client: Client, _data: Any, _flags: DisconnectFlags, code: ReasonCode, _more: Properties | None
    ) -> None:
        self._away = f"{self.name}: the connection is lost ({code})"

    def _on_message(self, _client: Client, _data: Any, message: MQTTMessage) -> None:
        self._overview.take(message.topic, bytes(message.payload))


class FromFolders:
    """Asks the recorders of this machine, as a gateway would, and tells the overview the same."""

    def __init__(self, folders: Sequence[Path], overview: Overview, say: Callable[[str], object]) -> None:
        """Raises `InputError` for a place without a run."""
        self.name = ", ".join(map(str, folders))
        self._overview, self._runs, self._stop = overview, Runs(folders, say), threading.Event()
        self._told_s = 0.0
        self._tell()
        self._thread = threading.Thread(target=self._follow, name="runs", daemon=True)
        self._thread.start()

    @property
    def away(self) -> str | None:
        """A thread that ended must not leave the page as it was."""
        return None if time.monotonic() - self._told_s < 10.0 else "the folders are not followed any more"

    def close(self) -> None:
        """End the thread."""
        self._stop.set()
        self._thread.join(5.0)

    def _follow(self) -> None:
        while not self._stop.wait(1.0):
            self._runs.poll()
            self._tell()

    def _tell(self) -> None:
        current = self._runs.current()
        for rig, run in current.items():
            self._overview.take("", state_payload(THIS_MACHINE, 0, rig, run.state))
        self._overview.take("", telemetry_payload(THIS_MACHINE, 0, time.time(), fresh_answers(current)))
        self._told_s = time.monotonic()
