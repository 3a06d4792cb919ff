"""Rig `unix`: its host waits by what the firmware has computed, not by the machine's clock."""

import os
import signal
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from ccdmon.errors import DeviceError
from ccdmon_fw import wire
from ccdmon_hil.rigs.session import Session
from ccdmon_hil.rigs.unix import UnixTarget

LIMIT_S = 0.5  # modules must load within it
AWAY_S = 1.5

pytestmark = pytest.mark.skipif(
    not Path("/proc/self/stat").exists(), reason="no /proc tells what a process took"
)


@pytest.fixture
def hasty() -> Iterator[Session]:
    """A session that gives up soon."""
    session = Session(UnixTarget(), answer_limit_s=LIMIT_S)
    session.start()
    yield session
    session.close()


def test_a_firmware_that_gets_no_processor_is_waited_for(hasty: Session) -> None:
    pid = pid_of(hasty)
    os.kill(pid, signal.SIGSTOP)
    back = threading.Timer(AWAY_S, os.kill, (pid, signal.SIGCONT))
    back.start()
    assert hasty.status()["armed"] == 0
    back.join()


def test_one_that_computes_and_does_not_answer_is_given_up(hasty: Session) -> None:
    """It has no such command's answer: `told` never comes."""
    with pytest.raises(DeviceError, match="does not answer"):
        hasty.device.command(wire.KEEP_ALIVE, told=lambda: False)


def pid_of(session: Session) -> int:
    assert isinstance(session.target, UnixTarget)
    assert session.target._process
    return session.target._process.pid
