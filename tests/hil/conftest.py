"""One booted rig for many traces: a boot of the emulated Pico costs many seconds."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from ccdmon_hil.play import replay
from ccdmon_hil.rigs.session import Session


@pytest.fixture(scope="session")
def unix() -> Iterator[Session]:
    with replay.open_session("unix") as session:
        yield session


@pytest.fixture(scope="session")
def pico(pico_image: Path) -> Iterator[Session]:
    pytest.importorskip(
        "ccdmon_hil.rigs.pico", reason="the emulated Pico is not installed: pip install '.[pico]'"
    )
    with replay.open_session("pico", image=pico_image) as session:
        yield session


@pytest.fixture(scope="session")
def model() -> Iterator[Session]:
    with replay.open_session("model") as session:
        yield session


@pytest.fixture(params=["model", "unix", pytest.param("pico", marks=pytest.mark.pico)])
def rig(request: pytest.FixtureRequest) -> Session:
    session: Session = request.getfixturevalue(request.param)
    return session
