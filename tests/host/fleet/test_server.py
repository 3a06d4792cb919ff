"""`ccdmon fleet`: the page behind the guard, from a broker and from folders."""

import http.client
import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from ccdmon.cli import main
from tests.host.mqtt_broker import Mosquitto, free_port, needs_mosquitto
from tests.publish_campaign import burst, earlier_run


@contextmanager
def served(*arguments: str) -> Iterator[int]:
    """The port of its page."""
    call = [sys.executable, "-m", "ccdmon", "fleet", *arguments, "--http-port", "0"]
    process = subprocess.Popen(call, stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    try:
        line = process.stderr.readline()
        assert "all rigs at http://127.0.0.1:" in line, line
        yield int(line.split(":")[-1].split("/")[0])
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0


def asked(port: int, path: str = "/", method: str = "GET", **headers: str) -> tuple[int, str, dict[str, str]]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    connection.request(method, path, headers={key.replace("_", "-"): value for key, value in headers.items()})
    answer = connection.getresponse()
    return answer.status, answer.read().decode(), dict(answer.headers)


def test_the_page_of_folders_behind_the_guard(tmp_path: Path) -> None:
    burst(earlier_run(tmp_path / "one"), 1)
    with served(str(tmp_path)) as port:
        status, text, headers = asked(port)
        assert status == 200 and "this machine / one" in text and "broke off" in text
        assert (
            "default-src 'none'" in headers["Content-Security-Policy"]
            and headers["X-Frame-Options"] == "DENY"
        )
        assert asked(port, Host=f"evil.example:{port}")[0] == 403  # another's name for this server
        assert asked(port, Sec_Fetch_Dest="iframe")[0] == 403
        assert asked(port, Sec_Fetch_Dest="empty", Sec_Fetch_Site="cross-site")[0] == 403
        assert asked(port, Sec_Fetch_Dest="empty", Sec_Fetch_Site="same-origin")[0] == 200  # its own script
        assert asked(port, "/other")[0] == 404 and asked(port, method="POST")[0] == 405
        assert 429 in {asked(port)[0] for _ in range(20)}


@needs_mosquitto
def test_what_a_publisher_told_the_broker_is_on_the_page_and_in_the_document(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    burst(earlier_run(tmp_path / "one"), 1)
    with Mosquitto(tmp_path / "mosquitto") as broker:
        call = ["publish", str(tmp_path / "one"), "--mqtt", broker.url, "--gateway", "gw", "--once"]
        assert main(call) == 0
        assert main(["fleet", "--mqtt", broker.url, "--json", "--listen-s", "0.5"]) == 1
        document = json.loads(capsys.readouterr().out)
        with served("--mqtt", broker.url) as port:
            text = asked(port)[1]
    (rig,) = document["rigs"]
    assert document["schema"] == "ccdmon.fleet/1" and rig["why"][0] == "its gateway is away"
    assert "gw / one" in text and "its gateway is away" in text


def test_what_cannot_be_shown_is_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CCDMON_MQTT", raising=False)
    nobody = f"mqtt://127.0.0.1:{free_port()}"
    assert main(["fleet"]) == 2
    assert main(["fleet", str(tmp_path), "--mqtt", nobody]) == 2
    assert main(["fleet", str(tmp_path)]) == 2
    assert main(["fleet", "--mqtt", nobody]) == 3
    assert len(capsys.readouterr().err.splitlines()) == 4
