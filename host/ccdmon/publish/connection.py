"""One connection to the broker, from CONNECT to its end: nothing of it is reused, so that nothing is sent twice by it.

paho-mqtt would send what was not acknowledged again by itself once it is back, out of a queue of its own. The queue
here is the run folder: a new connection has a new client, a will of its own birth, and begins where the cursor is.
No topic is subscribed to: nothing from the network is ever carried out.
"""

import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from paho.mqtt.client import Client, ConnectFlags, DisconnectFlags
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode, MQTTProtocolVersion
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from ccdmon.errors import DeviceError
from ccdmon.publish.broker import Broker

KEEP_ALIVE_S = 5  # the broker says that we are gone after one and a half of it
CONNECT_LIMIT_S = 3.0
ACK_LIMIT_S = 4.0  # a broker that acknowledges nothing for so long is not there
IN_FLIGHT = 20  # what brokers take at once


def prepare(client: Client, broker: Broker) -> None:
    """How long it tries, and as whom it enters."""
    client.connect_timeout = CONNECT_LIMIT_S
    if broker.user is not None:
        client.username_pw_set(broker.user, broker.password)
    if broker.tls is not None:
        client.tls_set_context(broker.tls)


class Connection:
    """Open from construction to `close`; raises `DeviceError` as soon as it is not any more."""

    def __init__(self, broker: Broker, client_id: str, will: tuple[str, bytes]) -> None:
        """Raises `DeviceError` where there is no broker, or it refuses us."""
        self._broker = broker
        self._waiting: dict[
            int, tuple[float, Callable[[], object] | None]
        ] = {}  # by message: since, what then
        self._connected: ReasonCode | None = None
        self._wrong = ""
        client = Client(
            CallbackAPIVersion.VERSION2, client_id, protocol=MQTTProtocolVersion.MQTTv5, reconnect_on_failure=False
        )  # fmt: skip
        client.on_connect, client.on_disconnect, client.on_publish = (
            self._on_connect,
            self._on_disconnect,
            self._on_publish,
        )
        client.max_inflight_messages = IN_FLIGHT
        client.will_set(will[0], will[1], qos=1, retain=True)
        prepare(client, broker)
        self._client = client
        self._enter()

    @property
    def room(self) -> int:
        """How many more messages of QoS 1 may be on their way."""
        return IN_FLIGHT - len(self._waiting)

    def send(self, topic: str, payload: bytes) -> None:
        """Once, as far as it gets."""
        self._client.publish(topic, payload, qos=0)

    def deliver(
        self, topic: str, payload: bytes, *, retain: bool = False, then: Callable[[], object] | None = None
    ) -> None:
        """At least once; `then` is called when the broker has it."""
        sent = self._client.publish(topic, payload, qos=1, retain=retain)
        self._waiting[sent.mid] = (time.monotonic(), then)

    def work(self, wait_s: float) -> None:
        """Send and receive, `wait_s` at most in silence. Raises `DeviceError`."""
        code = self._client.loop(wait_s)
        if self._wrong or code != MQTTErrorCode.MQTT_ERR_SUCCESS:
            raise self._error(self._wrong or "the connection is lost")
        oldest_s = min((since for since, _ in self._waiting.values()), default=None)
        if oldest_s is not None and time.monotonic() - oldest_s > ACK_LIMIT_S:
            raise self._error("it acknowledges nothing any more")

    def drain(self, limit_s: float) -> bool:
        """Wait until all was acknowledged; whether it was. Raises `DeviceError`."""
        until_s = time.monotonic() + limit_s
        while (self._waiting or self._client.want_write()) and time.monotonic() < until_s:
            self.work(0.05)
        return not self._waiting

    def close(self) -> None:
        """Part in good order: the will is not sent."""
        self._client.disconnect()
        while self._client.want_write() and self._client.loop(0.1) == MQTTErrorCode.MQTT_ERR_SUCCESS:
            pass

    def abandon(self) -> None:
        """Leave without a word: the broker sends the will."""
        if (there := self._client.socket()) is not None:
            with suppress(OSError):  # it is of no use any more
                there.close()

    def _enter(self) -> None:
        until_s = time.monotonic() + CONNECT_LIMIT_S
        try:
            self._client.connect(self._broker.host, self._broker.port, keepalive=KEEP_ALIVE_S)
            while self._connected is None and not self._wrong and time.monotonic() < until_s:
                if self._client.loop(0.1) != MQTTErrorCode.MQTT_ERR_SUCCESS:
                    break
        except (
            OSError,
            ValueError,
        ) as error:  # no such host, refused, no time, a certificate that is not known
            raise self._error(str(getattr(error, "strerror", None) or error)) from error
        if self._connected is None:
            raise self._error(self._wrong or "it takes the connection and does not answer as a broker")
        if self._connected.is_failure:
            raise self._error(f"it refuses: {self._connected}")

    def _error(self, why: str) -> DeviceError:
        advice = "look at the broker, the URL and the way to it"
        if "authorized" in why or "user name" in why:
            advice = "look at user, password and what the broker lets them write"
        return DeviceError(f"{self._broker.target}: {why}; {advice}")

    # -- what the library calls; an exception in it would be nobody's

    def _on_connect(
        self, _client: Client, _data: Any, _flags: ConnectFlags, code: ReasonCode, _more: Properties | None
    ) -> None:
        self._connected = code

    def _on_disconnect(
        self, _client: Client, _data: Any, _flags: DisconnectFlags, code: ReasonCode, _more: Properties | None
    ) -> None:
        if not self._wrong:
            self._wrong = f"the connection is lost ({code})"

    def _on_publish(
        self, _client: Client, _data: Any, mid: int, code: ReasonCode, _more: Properties | None
    ) -> None:
        known = self._waiting.pop(mid, None)
        if known is None:
            return
        if code.is_failure:
            self._wrong = f"it does not take a message: {code}"
        elif known[1] is not None:
            known[1]()
