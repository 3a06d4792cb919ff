"""A trip that nobody could be told of: a killed recorder's page says so, and the one that goes on sends it."""

import signal
from pathlib import Path
from typing import Any

import pytest

from ccdmon.cli import main
from ccdmon.live.follower import Follower
from ccdmon.live.server import Following
from ccdmon.live.words import state_complaints
from ccdmon.run.folder import read_events
from ccdmon.run.untold import untold
from tests.host.pty_board import PtyBoard
from tests.host.record.test_recording import end, events, recorder, samples, state, wait_for
from tests.host.web_server import Server


def rig_file(path: Path, url: str) -> Path:
    assert main(["init", str(path)]) == 0
    text = path.read_text()
    path.write_text(text.replace("[notifications]", f'[notifications]\nurls = ["{url}"]\n#'))
    return path


def test_what_a_killed_recorder_did_not_send_is_red_and_sent_by_the_one_that_resumes(
    web_server: Server, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    web_server.fail_first = 1_000  # the mail server is down
    web_server.release.set()
    folder, rig = tmp_path / "run", rig_file(tmp_path / "rig.toml", web_server.url)
    with PtyBoard(tmp_path / "port") as board:
        with recorder(board.name, folder, "--rig-file", str(rig)) as process:
            wait_for(lambda: samples(folder, 100), "samples")
            assert main(["status", "--run-folder", str(folder)]) == 0
            assert "NOBODY WAS TOLD" not in capsys.readouterr().err
            board.trip(1)
            wait_for(lambda: state(folder).get("not_notified") == 1, "a message that waits")
            assert main(["status", "--run-folder", str(folder)]) == 0
            assert "NOBODY WAS TOLD: 1" in capsys.readouterr().err
            process.send_signal(signal.SIGKILL)
            process.wait()
        follower = Follower(folder)
        with Following([follower]):
            seen: Any = wait_for(lambda: state_complaints(follower.state), "red on the page of an ended run")
            assert "1 not sent" in seen[0].text
            web_server.fail_first, before = 0, len(web_server.received)
            with recorder(board.name, folder, "--resume", "--rig-file", str(rig)) as process:
                wait_for(lambda: "notified" in [e["action"] for e in events(folder)], "the message")
                end(process)
            wait_for(lambda: not state_complaints(follower.state), "a page without it")
    assert untold(read_events(folder / "events.ndjson")) == []
    assert [sent["title"].count("cut off (hard short: ") == 1 for sent in web_server.received[before:]] == [
        True
    ]
