"""What Prometheus is told when it asks: names and units by its conventions, a rig as the only label that grows.

Cells, runs and firmware come and go and would each leave a series behind for ever: they are in the state's message.
A rig whose recorder does not answer has `ccdmon_rig_up` 0 and no values, not its last ones.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from prometheus_client import CollectorRegistry, ProcessCollector, start_http_server
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, InfoMetricFamily, Metric
from prometheus_client.registry import Collector

from ccdmon.errors import DeviceError
from ccdmon.publish.gateway import Gateway
from ccdmon.publish.runs import Run, Runs
from ccdmon.version import __version__


@dataclass(frozen=True)
class _Kept:
    """A metric of a rig that is a field of what its recorder says, None: it says nothing of it."""

    name: str
    help: str
    of: Callable[[Mapping[str, Any]], float | None]


def _field(key: str) -> Callable[[Mapping[str, Any]], float | None]:
    return lambda answer: answer.get(key)


def _is(key: str, wanted: Any) -> Callable[[Mapping[str, Any]], float | None]:
    return lambda answer: float(answer.get(key) == wanted) if key in answer else None


def _failures(answer: Mapping[str, Any]) -> float | None:
    failures = answer.get("failures")
    return float(sum(failures.values())) if isinstance(failures, dict) else None


GAUGES = (
    _Kept("link_up", "Whether the port of the board is open.", _is("link", "up")),
    _Kept("gate_closed", "Whether the cell is connected.", _is("gate", "closed")),
    _Kept("armed", "Whether the board watches and may cut off.", _is("armed", True)),
    _Kept("tripped", "Whether a trip is latched.", lambda answer: float(bool(answer.get("trip")))),
    _Kept("disk_full", "Whether the disk takes nothing.", lambda answer: float(bool(answer.get("disk")))),
    _Kept("disk_free_bytes", "Space where the run is recorded.", _field("free_bytes")),
    _Kept("voltage_volts", "Newest voltage of the cell.", _field("voltage_V")),
    _Kept("current_amperes", "Newest current through the cell.", _field("current_A")),
    _Kept("pressure_pascals", "Newest pressure, where it is measured.", _field("pressure_Pa")),
    _Kept("temperature_celsius", "Newest temperature, where it is measured.", _field("temperature_degC")),
    _Kept("test_time_seconds", "Time of the newest row since the test began.", _field("test_time_s")),
    _Kept("unsent_notifications", "Messages to people that did not arrive yet.", _field("not_notified")),
)
COUNTERS = (
    _Kept("samples", "Samples recorded.", _field("samples")),
    _Kept("missing_samples", "Samples that were sent and never came.", _field("missing_samples")),
    _Kept("dropped_samples", "Samples that the board had no room for.", _field("device_dropped")),
    _Kept("overruns", "Ticks of the board that came too late.", _field("overruns")),
    _Kept("failures", "What failed beside the frames.", _failures),
    _Kept("damaged_frames", "Frames whose checksum is wrong.", _field("crc_errors")),
)


class RigMetrics(Collector):
    """Of all rigs, as they stand when Prometheus asks; and of the gateway, where there is one."""

    def __init__(self, runs: Runs, gateway: Gateway | None) -> None:
        self._runs, self._gateway = runs, gateway

    def collect(self) -> Iterable[Metric]:
        """All metrics."""
        rigs = self._runs.current()
        yield InfoMetricFamily("ccdmon_gateway", "What serves these metrics.", {"version": __version__})
        yield from _of_rigs(rigs)
        yield from _events(rigs)
        if self._gateway is not None:
            yield from _of_gateway(self._gateway)


def _of_rigs(rigs: Mapping[str, Run]) -> Iterator[Metric]:
    answers = {rig: run.answer for rig, run in rigs.items() if run.fresh and run.answer}
    up = GaugeMetricFamily("ccdmon_rig_up", "Whether the recorder of the rig answers.", labels=["rig"])
    recording = GaugeMetricFamily("ccdmon_rig_recording", "Whether a recorder runs.", labels=["rig"])
    for rig, run in rigs.items():
        up.add_metric([rig], float(rig in answers))
        recording.add_metric([rig], float(bool(run.state.get("recording"))))
    yield up
    yield recording
    for kind, kept in ((GaugeMetricFamily, GAUGES), (CounterMetricFamily, COUNTERS)):
        for metric in kept:
            family = kind(f"ccdmon_rig_{metric.name}", metric.help, labels=["rig"])
            for rig, answer in answers.items():
                value = metric.of(answer)
                if value is not None:
                    family.add_metric([rig], float(value))
            yield family


def _events(rigs: Mapping[str, Run]) -> Iterator[Metric]:
    family = CounterMetricFamily(
        "ccdmon_rig_events", "Lines of the event log by what they tell.", labels=["rig", "action"]
    )
    for rig, run in rigs.items():
        for action, count in sorted(run.events.items()):
            family.add_metric([rig, action], float(count))
    yield family


def _of_gateway(gateway: Gateway) -> Iterator[Metric]:
    counts = gateway.counts
    gauges = {
        "mqtt_connected": ("Whether the broker is connected.", float(counts.connected)),
        "unsent_event_bytes": ("Events that no broker has acknowledged.", float(gateway.waiting_bytes)),
    }
    counters = {
        "mqtt_connections": ("Connections made to the broker.", counts.connections),
        "events_acknowledged": ("Events that the broker has.", counts.events),
        "states_sent": ("States of rigs that were sent.", counts.states),
        "telemetry_sent": ("Messages of telemetry that were sent.", counts.telemetry),
        "sent_bytes": ("Payload of all messages that were sent.", counts.sent_bytes),
    }
    for name, (text, value) in gauges.items():
        yield GaugeMetricFamily(f"ccdmon_gateway_{name}", text, value=value)
    for name, (text, count) in counters.items():
        yield CounterMetricFamily(f"ccdmon_gateway_{name}", text, value=count)


def serve(runs: Runs, gateway: Gateway | None, address: str, port: int) -> Callable[[], None]:
    """Answer Prometheus from a thread; what ends that. Raises `DeviceError` where the port is taken."""
    registry = CollectorRegistry()
    ProcessCollector(registry=registry)
    registry.register(RigMetrics(runs, gateway))
    try:
        server, _ = start_http_server(port, address, registry)
    except OSError as error:
        raise DeviceError(
            f"{address}:{port}: cannot be listened on ({error.strerror}); choose another with --metrics-port"
        ) from error
    return server.shutdown
