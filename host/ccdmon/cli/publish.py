"""`ccdmon publish`: state, telemetry and events of recordings to an MQTT broker, and metrics for Prometheus."""

import argparse
import json
import os
import platform
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ccdmon.cli.watch import http_port
from ccdmon.errors import EXIT_FINE, InputError

if TYPE_CHECKING:
    from ccdmon.publish.gateway import Gateway
    from ccdmon.publish.runs import Runs

SCHEMA = "ccdmon.publish/1"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "runs", nargs="*", type=Path, metavar="RUN", help="run folders, or folders that hold some; new ones are found"
    )  # fmt: skip
    parser.add_argument(
        "--mqtt",
        metavar="URL",
        help="mqtt://host:1883 or mqtts://host:8883/prefix (or CCDMON_MQTT; its password in CCDMON_MQTT_PASSWORD)",
    )
    parser.add_argument(
        "--metrics-port", type=http_port, metavar="P", help="answer Prometheus at this port, under /metrics"
    )
    parser.add_argument(
        "--address", default="127.0.0.1", metavar="A", help="of --metrics-port; default %(default)s"
    )
    parser.add_argument(
        "--gateway", metavar="NAME", help="as which it publishes; default this machine's name"
    )
    parser.add_argument("--once", action="store_true", help="end when the broker has all states and events")
    parser.add_argument("--dashboard", action="store_true", help="print the dashboard for Grafana, and end")
    parser.add_argument("--json", action="store_true", help="one JSON document on stdout when it ends")
    parser.epilog = "Nothing that comes from the network is carried out: it subscribes to no topic."


def run(args: argparse.Namespace) -> int:
    """Publish until Ctrl-C."""
    if args.dashboard:
        if args.json:
            raise InputError("--json and --dashboard both want stdout; name one")
        dashboard = Path(__file__).parents[1] / "data" / "grafana.json"
        print(dashboard.read_text(encoding="utf-8"), end="")
        return EXIT_FINE
    url = args.mqtt or os.environ.get("CCDMON_MQTT")
    if not args.runs:
        raise InputError("name the run folders to publish, or a folder that holds them")
    if not url and args.metrics_port is None:
        raise InputError("name a broker with --mqtt (or CCDMON_MQTT), a port with --metrics-port, or both")
    if args.once and not url:
        raise InputError("--once: that is of a broker; name one with --mqtt")
    needs_libraries()
    with ExitStack() as stack:
        document = _publish(args, url, stack.enter_context(stopped_by_signals()), stack)
    if args.json:
        print(json.dumps(document))
    return EXIT_FINE


@contextmanager
def stopped_by_signals() -> Iterator[threading.Event]:
    """Set by Ctrl-C and SIGTERM."""
    stop = threading.Event()
    ends = {signal.SIGINT, signal.SIGTERM, getattr(signal, "SIGBREAK", signal.SIGINT)}  # SIGBREAK: Windows
    before = {number: signal.signal(number, lambda *_: stop.set()) for number in ends}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def needs_libraries() -> None:
    """Raises `InputError` where the extra is not installed."""
    from importlib.util import find_spec

    from ccdmon.extras import how_to_install

    if find_spec("paho") is None or find_spec("prometheus_client") is None:
        raise InputError(f"publishing needs paho-mqtt and prometheus-client: {how_to_install('publish')}")


def _publish(
    args: argparse.Namespace, url: str | None, stop: threading.Event, stack: ExitStack
) -> dict[str, Any]:
    from ccdmon.publish.runs import Runs

    runs = Runs(args.runs, _say)
    gateway = None if not url else _gateway(args, url, runs)
    if args.metrics_port is not None:
        from ccdmon.publish.metrics import serve

        stack.callback(serve(runs, gateway, args.address, args.metrics_port))
        _say(f"metrics at http://{args.address}:{args.metrics_port}/metrics")
    follower = threading.Thread(target=partial(runs.follow, stop), name="runs", daemon=True)
    follower.start()
    try:
        if gateway is None:
            while not stop.wait(1.0):  # a wait without end takes no signal on every system
                pass
        else:
            gateway.run(stop, until_sent=args.once)
    finally:
        stop.set()
        follower.join(5.0)
    if args.once and gateway is not None and gateway.unreadable:
        folder = gateway.unreadable[0].folder
        raise InputError(f"{folder}: its events cannot be read, and are not sent; look at its events.ndjson")
    counts = None if gateway is None else vars(gateway.counts)
    return {"schema": SCHEMA, "rigs": sorted(runs.current()), "mqtt": counts}


def _gateway(args: argparse.Namespace, url: str, runs: "Runs") -> "Gateway":
    """Connected. Raises `InputError`, `DeviceError`."""
    from ccdmon.publish.broker import PASSWORD, broker_of, shows_password
    from ccdmon.publish.gateway import Gateway
    from ccdmon.publish.topics import level
    from ccdmon.report.words import count

    broker = broker_of(url, os.environ)
    if args.mqtt and shows_password(args.mqtt):
        _say(f"the password in --mqtt is seen by everybody on this machine; {PASSWORD} keeps it to yourself")
    gateway = Gateway(runs, broker, level(args.gateway or platform.node()), _say)
    gateway.begin()
    _say(f"publishing {count(len(runs.current()), 'rig')} as {gateway.target}; Ctrl-C ends it")
    return gateway


def _say(line: str) -> None:
    print(f"ccdmon publish: {line}", file=sys.stderr, flush=True)
