"""`ccdmon watch` ends when it is told to, also where nobody looks."""

import os
import signal
import time
import urllib.error
import urllib.request
from pathlib import Path

from tests.host.live_rig import served
from tests.host.record.test_recording import wait_for
from tests.host.wire_stream import recorded_run

ENDED_WITHIN_S = 3.0  # the next timer of a server without a page is five seconds away


def _answers(address: str) -> bool:
    try:
        urllib.request.urlopen(address + "nothing", timeout=5)
    except urllib.error.HTTPError:
        return True
    except OSError:
        return False
    return True


def test_it_ends_at_once_though_no_page_is_open(tmp_path: Path) -> None:
    with served(recorded_run(tmp_path / "run")) as (address, pid):
        wait_for(lambda: _answers(address), "server")
        began_s = time.monotonic()
        os.kill(pid, signal.SIGTERM)
        os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
        assert time.monotonic() - began_s < ENDED_WITHIN_S
