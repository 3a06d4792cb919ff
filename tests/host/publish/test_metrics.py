"""What Prometheus is told: by its conventions, and every question of the dashboard is answered by Debian's."""

import json
import re
import shutil
import subprocess
import time
import urllib.request
from collections import Counter
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import quote

import pytest

from ccdmon.cli import main
from ccdmon.publish.gateway import Counts
from ccdmon.publish.metrics import serve
from tests.host.mqtt_broker import free_port, wait_for

PROMTOOL, PROMETHEUS = shutil.which("promtool"), shutil.which("prometheus")
ABSENT = "no {} here (Debian: apt-get install prometheus)"
ANSWER = {
    "link": "up", "gate": "closed", "armed": True, "trip": None, "disk": None, "free_bytes": 1 << 40,
    "voltage_V": 0.1, "current_A": 1e-3, "pressure_Pa": 2e6, "temperature_degC": 25.0, "test_time_s": 7.0,
    "failures": {"terminal": 1}, "not_notified": 0, "samples": 1000, "missing_samples": 0, "device_dropped": 0,
    "overruns": 0, "crc_errors": 0,
}  # fmt: skip


def made_up() -> Any:
    """Two rigs, one of which does not answer."""
    run = {"fresh": True, "answer": ANSWER, "state": {"recording": True}, "events": Counter(trip=1, warn=3)}
    silent = {"fresh": False, "answer": {}, "state": {"recording": True}, "events": Counter(trip=1)}
    rigs = {"r1": SimpleNamespace(**run), "r2": SimpleNamespace(**silent)}
    return SimpleNamespace(current=lambda: rigs)


@pytest.fixture(scope="module")
def port() -> Any:
    gateway: Any = SimpleNamespace(counts=Counts(connected=True, connections=1, events=4), waiting_bytes=0)
    port = free_port()
    stop = serve(made_up(), gateway, "127.0.0.1", port)
    yield port
    stop()


def told(port: int) -> str:
    return str(urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics").read().decode())


def test_a_rig_that_does_not_answer_has_no_values(port: int) -> None:
    text = told(port)
    assert 'ccdmon_rig_up{rig="r1"} 1.0' in text and 'ccdmon_rig_up{rig="r2"} 0.0' in text
    assert 'ccdmon_rig_voltage_volts{rig="r1"} 0.1' in text
    assert 'voltage_volts{rig="r2"' not in text and 'samples_total{rig="r2"' not in text
    assert 'ccdmon_rig_events_total{action="warn",rig="r1"} 3.0' in text
    assert 'ccdmon_rig_failures_total{rig="r1"} 1.0' in text


def test_the_only_labels_are_rig_and_action(port: int) -> None:
    labels = {
        label
        for line in told(port).splitlines()
        if line.startswith("ccdmon_rig")
        for label in re.findall(r'(\w+)="', line)
    }
    assert labels == {"rig", "action"}


@pytest.mark.skipif(PROMTOOL is None, reason=ABSENT.format("promtool"))
def test_promtool_finds_nothing(port: int) -> None:
    done = subprocess.run(
        [str(PROMTOOL), "check", "metrics"], input=told(port), capture_output=True, text=True
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def questions(document: Any) -> list[str]:
    return [target["expr"] for panel in document["panels"] for target in panel["targets"]]


def test_the_dashboard_is_printed_and_asks_for_metrics_that_there_are(
    port: int, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["publish", "--dashboard"]) == 0
    asked = set(re.findall(r"ccdmon_\w+", " ".join(questions(json.loads(capsys.readouterr().out)))))
    there = set(re.findall(r"^ccdmon_\w+", told(port), re.M))
    assert len(asked) > 15 and asked <= there
    assert main(["publish", "--dashboard", "--json"]) == 2


# Takes 4 s: two scrapes a second apart, for what is asked of rates.
@pytest.mark.skipif(PROMETHEUS is None, reason=ABSENT.format("prometheus"))
def test_prometheus_answers_every_question_of_the_dashboard(
    port: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["publish", "--dashboard"])
    document = json.loads(capsys.readouterr().out)
    config = tmp_path / "prometheus.yml"
    config.write_text(
        "global: {scrape_interval: 1s}\nscrape_configs:\n- job_name: ccdmon\n"
        f"  static_configs: [{{targets: ['127.0.0.1:{port}']}}]\n"
    )
    own = free_port()
    call = [str(PROMETHEUS), f"--config.file={config}", f"--storage.tsdb.path={tmp_path}/data",
            f"--web.listen-address=127.0.0.1:{own}", "--log.level=error"]  # fmt: skip
    process = subprocess.Popen(call)
    try:
        wait_for(lambda: _result(own, "count_over_time(ccdmon_rig_up[1m]) >= 3"), "three scrapes")
        unanswered = [text for text in questions(document) if not _result(own, text.replace("$rig", ".*"))]
        assert unanswered == []
    finally:
        process.terminate()
        process.wait()


def _result(port: int, question: str) -> Any:
    """None where there is no answer, [] where nothing is known."""
    try:
        url = f"http://127.0.0.1:{port}/api/v1/query?query={quote(question)}&time={time.time()}"
        with urllib.request.urlopen(url) as answer:
            return json.load(answer)["data"]["result"]
    except OSError:
        return None
