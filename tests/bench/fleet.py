"""What a rig costs everything behind its recorder: `python -m tests.bench.fleet --rigs 64 --seconds 60`.

Run folders whose recorders are stood in for (a control socket that answers a state whose values move), a publisher, a
real Mosquitto with one listener, a real Prometheus that asks every second. Told are bytes, messages, processor time and
memory of each process for a rig, and how many events a second go through. Needs mosquitto and prometheus.
"""

import argparse
import json
import multiprocessing
import os
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path
from typing import Any

from ccdmon.link.control_socket import ControlServer
from ccdmon.run.document import config_of
from ccdmon.run.folder import create
from tests.bench.rigs import cpu_s, status
from tests.host.mqtt_broker import Listener, Mosquitto, free_port, wait_for
from tests.publish_campaign import burst

CELL = {"name": "c7-0421", "electrolyte": "LLZO", "configuration": "symmetric", "electrode_area_cm2": 0.785}
FRONT_END = {"voltage_full_scale_V": 6.0, "current_full_scale_A": 0.01}
EVENTS = 5000
STATE: dict[str, Any] = {
    "recording": True, "link": "up", "link_reason": None, "gate": "closed", "armed": True, "trip": None,
    "missing_samples": 0, "device_dropped": 0, "overruns": 0, "crc_errors": 0, "unreadable": 0, "analysis": None,
    "weak": [], "disk": None, "failures": {}, "not_notified": 0, "moved": False, "free_bytes": 1 << 40,
    "stop_in_s": None, "host_trip_latency_s": None,
}  # fmt: skip


def stand_in(folders: list[Path]) -> None:
    """Recorders that answer in a round of 0.2 s, until this process is ended."""
    servers, began_s = [ControlServer(folder) for folder in folders], time.monotonic()
    while True:
        now_s = time.monotonic() - began_s
        moving = {"test_time_s": 86400 + now_s, "voltage_V": 0.1 + now_s % 7 * 1e-3, "current_A": 1.234567e-3,
                  "pressure_Pa": 2.0123e6, "temperature_degC": 25.1, "samples": 172800000 + int(2000 * now_s),
                  "unix_s": time.time()}  # fmt: skip
        for server in servers:
            for request in server.poll():
                request.answer(state={**STATE, **moving})
        time.sleep(0.2)


def made(place: Path, rigs: int) -> list[Path]:
    folders = [place / "runs" / f"bay-{number:04d}" for number in range(rigs)]
    for folder in folders:
        rig = {"name": folder.name, "cell": CELL, "front_end": FRONT_END}
        create(folder, config_of(rig, "port", "a benchmark"))
    return folders


def prometheus(place: Path, port: int, own: int) -> "subprocess.Popen[bytes]":
    program = shutil.which("prometheus")
    if program is None:
        raise SystemExit("no prometheus here (Debian: apt-get install prometheus)")
    (place / "p.yml").write_text(
        "global: {scrape_interval: 1s}\nscrape_configs:\n- job_name: ccdmon\n"
        f"  static_configs: [{{targets: ['127.0.0.1:{port}']}}]\n"
    )
    call = [program, f"--config.file={place}/p.yml", f"--storage.tsdb.path={place}/data",
            f"--web.listen-address=127.0.0.1:{own}", "--log.level=error"]  # fmt: skip
    return subprocess.Popen(call)


def asked(port: int, path: str) -> bytes:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}") as answer:
        return bytes(answer.read())


def main() -> None:
    """Print one table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rigs", type=int, default=64)
    parser.add_argument("--seconds", type=float, default=60.0)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as text, Mosquitto(Path(text) / "mosquitto") as broker:
        place, rigs = Path(text), args.rigs
        folders = made(place, rigs)
        recorders = multiprocessing.Process(target=stand_in, args=(folders,))
        recorders.start()
        wait_for(lambda: all((folder / "control.json").exists() for folder in folders), "the stand-ins")
        port, own = free_port(), free_port()
        call = [sys.executable, "-m", "ccdmon", "publish", str(place / "runs"), "--mqtt", broker.url,
                "--metrics-port", str(port), "--gateway", "gw"]  # fmt: skip
        with Listener(broker.port) as listener:
            gateway = subprocess.Popen(call, stderr=subprocess.DEVNULL)
            wait_for(lambda: len(listener.of("/state")) >= rigs, "the states", 60)
            observer = prometheus(place, port, own)
            wait_for(lambda: _ready(own), "prometheus", 60)
            time.sleep(3)
            steady(
                rigs, args.seconds, broker, listener, gateway.pid, observer.pid, own, asked(port, "/metrics")
            )
            events(folders[0], broker, listener, gateway.pid)
            for process in (gateway, observer):
                process.terminate()
                process.wait()
        recorders.terminate()


def steady(
    rigs: int, seconds: float, broker: Mosquitto, listener: Listener, gateway: int, observer: int, own: int,
    metrics: bytes,
) -> None:  # fmt: skip
    """Nothing but telemetry and states."""
    processes = {"gateway": gateway, "broker": broker.pid, "prometheus": observer}
    before = {name: cpu_s(pid) for name, pid in processes.items()}
    first, began_s = len(listener.heard), time.monotonic()
    time.sleep(seconds)
    took_s, heard = time.monotonic() - began_s, listener.heard[first:]
    telemetry = [document for _, topic, document in heard if topic.endswith("/telemetry")]
    payload = len(json.dumps(telemetry[-1], separators=(",", ":")))
    state = len(json.dumps(listener.of("/state")[-1], separators=(",", ":")))
    series = int(
        json.loads(asked(own, "/api/v1/query?query=prometheus_tsdb_head_series"))["status"] == "success"
    )
    count = json.loads(asked(own, "/api/v1/query?query=count(%7Bjob%3D%22ccdmon%22%7D)"))["data"]["result"]
    series = int(float(count[0]["value"][1])) if count else series
    print(f"rigs {rigs}, {took_s:.0f} s, load {os.getloadavg()[0]:.0f}")
    print(f"messages a second        {len(heard) / took_s:.2f}")
    print(f"telemetry                {payload} bytes, {(payload - 200) / rigs:.0f} a rig")
    print(f"state                    {state} bytes")
    print(f"metrics                  {len(metrics)} bytes, {series} series, {series / rigs:.1f} a rig")
    for name, pid in processes.items():
        share = (cpu_s(pid) - before[name]) / took_s
        print(f"{name:24} {1e6 * share / rigs:.0f} us of a core a rig and second, {status(pid, 'VmRSS')} MB")


def events(folder: Path, broker: Mosquitto, listener: Listener, gateway: int) -> None:
    """As many as go through."""
    before = cpu_s(gateway), cpu_s(broker.pid)
    began_s = time.monotonic()
    burst(folder, EVENTS)
    wait_for(lambda: len(listener.of("/event")) >= EVENTS, "the events", 120)
    took_s = time.monotonic() - began_s
    size = len(json.dumps(listener.of("/event")[-1], separators=(",", ":")))
    used_s = cpu_s(gateway) - before[0], cpu_s(broker.pid) - before[1]
    each_us = [1e6 * seconds / EVENTS for seconds in used_s]
    print(f"events                   {EVENTS / took_s:.0f} a second, {size} bytes each")
    print(f"event at gateway, broker {each_us[0]:.0f}, {each_us[1]:.0f} us of a core")


def _ready(port: int) -> bool:
    try:
        return b"Ready" in asked(port, "/-/ready")
    except OSError:
        return False


if __name__ == "__main__":
    main()
