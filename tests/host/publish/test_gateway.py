"""The publisher and a real broker: nothing lost by kills, passwords and certificates, and an end in good order."""

import json
import os
import shutil
import subprocess
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from ccdmon.cli import main
from ccdmon.publish.broker import broker_of
from ccdmon.publish.gateway import Gateway, Outbox
from ccdmon.publish.runs import Run, Runs
from tests.host.mqtt_broker import Listener, Mosquitto, free_port, needs_mosquitto, wait_for
from tests.publish_campaign import RIGHT_WITHIN_S, burst, campaign, earlier_run

OPENSSL = shutil.which("openssl")


@dataclass
class Done:
    returncode: int
    stdout: str
    stderr: str


class Published:
    """`ccdmon publish --once` in this process."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
        self._monkeypatch, self._capsys = monkeypatch, capsys

    def __call__(self, runs: Path, url: str, **environment: str) -> Done:
        for key, value in environment.items():
            self._monkeypatch.setenv(key, value)
        self._capsys.readouterr()
        code = main(["publish", str(runs), "--mqtt", url, "--gateway", "gw", "--once", "--json"])
        return Done(code, *self._capsys.readouterr())


@pytest.fixture
def published(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Published:
    return Published(monkeypatch, capsys)


# Some seconds: a recorder, two kills, and all that comes after; `python -m tests.publish_campaign` does it at length.
@needs_mosquitto
def test_nothing_is_lost_by_a_killed_publisher_and_a_killed_broker(tmp_path: Path) -> None:
    found = campaign(tmp_path, ["gateway", "broker"], rigs=2, between_s=0.3, lines=100, say=lambda _: None)
    assert found.lines > 200 and found.lost == found.unlike == 0
    assert max(after_s for _, _, after_s in found.faults) < RIGHT_WITHIN_S
    assert found.good


@needs_mosquitto
def test_what_was_acknowledged_is_not_sent_again_and_states_are_kept_by_the_broker(
    tmp_path: Path, published: Published
) -> None:
    run = earlier_run(tmp_path / "runs" / "one")
    burst(run, 50)
    with Mosquitto(tmp_path / "mosquitto") as broker:
        first, second = (published(tmp_path / "runs", broker.url) for _ in range(2))
        assert first.returncode == second.returncode == 0, first.stderr + second.stderr
        told = [json.loads(done.stdout)["mqtt"]["events"] for done in (first, second)]
        assert told == [50, 0]
        with Listener(broker.port) as listener:
            wait_for(lambda: listener.of("/state") and listener.of("/gateway"), "what the broker keeps")
            (state,), (gateway,) = listener.of("/state"), listener.of("/gateway")
    assert (state["rig"], state["recording"], state["ended"]) == ("one", False, "broken off")
    assert gateway["online"] is False and gateway["birth"] == state["birth"]
    births = [json.loads(path.read_text())["birth"] for path in run.glob("publish-*.json")]
    assert births == [gateway["birth"]]


@needs_mosquitto
def test_a_log_that_cannot_be_read_is_told_and_holds_up_no_other(
    tmp_path: Path, published: Published
) -> None:
    for name in ("pipe", "torn"):
        earlier_run(tmp_path / "runs" / name)
    os.mkfifo(tmp_path / "runs" / "pipe" / "events.ndjson")
    log = tmp_path / "runs" / "torn" / "events.ndjson"
    burst(log.parent, 3)
    log.write_text(
        log.read_text() + '{"action": "torn by a ki'
    )  # waits for the lines that follow, --once does not
    with Mosquitto(tmp_path / "mosquitto") as broker, Listener(broker.port) as listener:
        done = published(tmp_path / "runs", broker.url)
        wait_for(lambda: len(listener.of("/event")) == 3, "the events")
    assert done.returncode == 2 and done.stderr.count("pipe: its events cannot be read") == 2


@needs_mosquitto
def test_two_publishers_of_one_name_are_told_so(tmp_path: Path) -> None:
    burst(earlier_run(tmp_path / "one"), 1)
    said: list[str] = []
    stop = threading.Event()
    with Mosquitto(tmp_path / "mosquitto") as broker:
        address = broker_of(broker.url, {})
        both = [Gateway(Runs([tmp_path / "one"], print), address, "gw", said.append) for _ in range(2)]
        threads = [threading.Thread(target=gateway.run, args=(stop,)) for gateway in both]
        for gateway, thread in zip(both, threads, strict=True):
            gateway.begin()
            thread.start()
        wait_for(lambda: any("give each its own --gateway" in line for line in said), "the advice")
        stop.set()
        for thread in threads:
            thread.join()


@needs_mosquitto
def test_a_password_is_asked_for_and_comes_from_the_environment(tmp_path: Path, published: Published) -> None:
    if (program := shutil.which("mosquitto_passwd")) is None:
        pytest.skip("no mosquitto_passwd here")
    burst(earlier_run(tmp_path / "one"), 1)
    words = tmp_path / "words"
    subprocess.run([program, "-b", "-c", str(words), "bay", "secret"], check=True, capture_output=True)
    with Mosquitto(tmp_path / "mosquitto", f"allow_anonymous false\npassword_file {words}\n") as broker:
        refused = published(tmp_path / "one", broker.url.replace("//", "//bay:wrong@"))
        taken = published(tmp_path / "one", broker.url.replace("//", "//bay@"), CCDMON_MQTT_PASSWORD="secret")
    assert refused.returncode == 3 and "user, password" in refused.stderr and "wrong" not in refused.stderr
    assert "is seen by everybody" in refused.stderr
    assert taken.returncode == 0, taken.stderr


@needs_mosquitto
@pytest.mark.skipif(OPENSSL is None, reason="no openssl here, which makes certificates")
def test_tls_with_an_authority_of_ones_own_and_without(tmp_path: Path, published: Published) -> None:
    burst(earlier_run(tmp_path / "one"), 1)
    made = [str(OPENSSL), "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj", "/CN=127.0.0.1",
            "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", "key.pem", "-out", "cert.pem"]  # fmt: skip
    subprocess.run(made, cwd=tmp_path, check=True, capture_output=True)
    files = f"allow_anonymous true\ncertfile {tmp_path}/cert.pem\nkeyfile {tmp_path}/key.pem\n"
    with Mosquitto(tmp_path / "mosquitto", files) as broker:
        url = broker.url.replace("mqtt:", "mqtts:")
        refused = published(tmp_path / "one", url)
        taken = published(tmp_path / "one", url, CCDMON_MQTT_CA=str(tmp_path / "cert.pem"))
    assert (
        refused.returncode == 3 and "ertificate" in refused.stderr and len(refused.stderr.splitlines()) == 1
    )
    assert taken.returncode == 0, taken.stderr


def test_a_broker_that_is_not_there_is_one_line_and_exit_3(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    earlier_run(tmp_path / "one")
    assert main(["publish", str(tmp_path / "one"), "--mqtt", f"mqtt://127.0.0.1:{free_port()}"]) == 3
    assert len(capsys.readouterr().err.splitlines()) == 1


@pytest.mark.parametrize(
    "more", [[], ["--mqtt", "http://x"], ["--once", "--metrics-port", "0"], ["--metrics-port", "99999999"]]
)
def test_what_cannot_be_published_is_one_line_and_exit_2(
    more: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CCDMON_MQTT", raising=False)
    earlier_run(tmp_path / "one")
    try:
        code: Any = main(["publish", str(tmp_path / "one"), *more])
    except SystemExit as left:
        code = left.code
    assert code == 2 and len(capsys.readouterr().err.splitlines()) == 1


def test_a_place_without_a_run_is_one_line_and_exit_2(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["publish", str(tmp_path), "--mqtt", "mqtt://127.0.0.1:1"]) == 2
    assert main(["publish", "--mqtt", "mqtt://127.0.0.1:1"]) == 2
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 2 and "ccdmon record" in lines[0]


def test_a_cursor_moves_only_behind_what_was_acknowledged_without_a_hole(tmp_path: Path) -> None:
    burst(earlier_run(tmp_path), 3)
    outbox = Outbox(Run(tmp_path), "target")
    outbox.begin()
    taken = [outbox.take() for _ in range(4)]
    assert taken[3] is None
    (first, one), (_, two), (last, three) = (pair for pair in taken if pair is not None)
    two()
    assert outbox.cursor.offset == 0
    one()
    assert outbox.cursor.offset == last.offset > first.end
    three()
    assert outbox.cursor.offset == last.end and outbox.waiting_bytes == 0


def test_what_a_lost_connection_had_not_acknowledged_is_taken_again(tmp_path: Path) -> None:
    burst(earlier_run(tmp_path), 2)
    outbox = Outbox(Run(tmp_path), "target")
    outbox.begin()
    taken = outbox.take()
    assert taken is not None
    outbox.begin()
    again = outbox.take()
    assert again is not None and again[0] == taken[0]
    (tmp_path / "events.ndjson").write_text('{"another": "log"}\n')
    outbox.begin()
    assert outbox.take() is not None and outbox.cursor.run is not None
