"""`ccdmon fleet`: all rigs on one page, in a browser: from a broker, or from the run folders of this machine."""

import argparse
import json
import os
import secrets
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ccdmon.cli.options import positive
from ccdmon.cli.publish import needs_libraries, stopped_by_signals
from ccdmon.cli.watch import http_port
from ccdmon.errors import EXIT_FINE, EXIT_NEGATIVE, InputError

if TYPE_CHECKING:
    from ccdmon.fleet.overview import Overview
    from ccdmon.fleet.sources import Source

SCHEMA = "ccdmon.fleet/1"
DEFAULT_HTTP_PORT = 5007


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "runs", nargs="*", type=Path, metavar="RUN", help="run folders of this machine, or folders that hold some"
    )  # fmt: skip
    parser.add_argument(
        "--mqtt", metavar="URL", help="all that `ccdmon publish` tells this broker (or CCDMON_MQTT)"
    )
    parser.add_argument(
        "--http-port", type=http_port, default=DEFAULT_HTTP_PORT, metavar="N", help="default %(default)s; 0: a free one"
    )  # fmt: skip
    parser.add_argument(
        "--address", default="127.0.0.1", metavar="A", help="default %(default)s: this machine only"
    )
    parser.add_argument(
        "--json", action="store_true", help="listen for a while, print one JSON document; 1 if a rig needs somebody"
    )  # fmt: skip
    parser.add_argument(
        "--listen-s", type=positive, default=3.0, metavar="S", help="of --json; default %(default)s"
    )


def run(args: argparse.Namespace) -> int:
    """Serve until Ctrl-C, or print what is there."""
    url = args.mqtt or (None if args.runs else os.environ.get("CCDMON_MQTT"))
    if bool(url) == bool(args.runs):
        raise InputError("name a broker with --mqtt (or CCDMON_MQTT), or run folders, not both")
    needs_libraries()
    from ccdmon.fleet.overview import Overview

    overview = Overview()
    source = _source(args, url, overview)
    try:
        if not args.json:
            _serve(args, overview, source)
            return EXIT_FINE
        time.sleep(args.listen_s)
        document = _document(overview, source)
    finally:
        source.close()
    print(json.dumps(document))
    return EXIT_NEGATIVE if any(rig["colour"] == "red" for rig in document["rigs"]) else EXIT_FINE


def _source(args: argparse.Namespace, url: str | None, overview: "Overview") -> "Source":
    from ccdmon.fleet.sources import FromBroker, FromFolders
    from ccdmon.publish.broker import broker_of

    if url:
        return FromBroker(broker_of(url, os.environ), overview)
    return FromFolders(args.runs, overview, _say)


def _serve(args: argparse.Namespace, overview: "Overview", source: "Source") -> None:
    from ccdmon.fleet.page import page
    from ccdmon.fleet.server import FleetServer

    server = FleetServer(
        lambda: page(overview.rows(), source.name, source.away),
        args.address,
        args.http_port,
        secrets.token_bytes(32),
    )
    with stopped_by_signals() as stop:
        _say(f"all rigs at {server.url} (Ctrl-C ends it)")
        server.run(stop)


def _document(overview: "Overview", source: "Source") -> dict[str, Any]:
    rigs = [
        {
            "gateway": row.gateway, "rig": row.rig, "colour": row.colour, "why": list(row.why),
            "silent_s": None if row.silent_s is None else round(row.silent_s, 1),
            "state": dict(row.state), "values": dict(row.values),
        }
        for row in overview.rows()
    ]  # fmt: skip
    return {"schema": SCHEMA, "source": source.name, "away": source.away, "rigs": rigs}


def _say(line: str) -> None:
    print(f"ccdmon fleet: {line}", file=sys.stderr, flush=True)
