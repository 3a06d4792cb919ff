"""Fixtures of the host's tests."""

from collections.abc import Iterator

import pytest

from tests.host.web_server import Server


@pytest.fixture
def web_server() -> Iterator[Server]:
    """Somebody to notify; skips where apprise is not installed."""
    pytest.importorskip("apprise", reason="the optional extra ccdmon[notify] is not installed")
    running = Server()
    yield running
    running.release.set()
    running.http.shutdown()
