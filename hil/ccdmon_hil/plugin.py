"""pytest plugin: traces and scenario files against the firmware on a rig, in anybody's own repository.

Options `--ccdmon-rig unix|pico|board`, `--ccdmon-port P`, `--ccdmon-image F`. Fixtures: `rig` (the firmware running on
that rig), `trace` (of the marker `trace`), `verdict` (what the firmware did with that trace). Files `*.scenario.toml`
are tests. What was asked for and is not there fails and says what is missing: the rig of the option, a recording.
Without the option a missing rig skips, as does a scenario's recording that says `optional = true`. A verdict that
lost samples is undecided, and fails.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from ccdmon.rigs import RIGS

if TYPE_CHECKING:
    from ccdmon.model.trace import Trace
    from ccdmon_hil.play.result import ReplayResult
    from ccdmon_hil.rigs.session import Session

_OPEN = pytest.StashKey[tuple[Any, Any]]()  # (context manager, session)


def pytest_addoption(parser: pytest.Parser) -> None:
    """The plugin's options."""
    group = parser.getgroup("ccdmon", "ccdmon: firmware in the loop")
    group.addoption("--ccdmon-rig", choices=RIGS, help="where the firmware runs (default: unix)")
    group.addoption(
        "--ccdmon-port",
        help="serial port or wiring file of --ccdmon-rig board, `emulated` or `emulated-pair`",
    )
    group.addoption("--ccdmon-image", type=Path, help="MicroPython image of --ccdmon-rig pico")


def pytest_configure(config: pytest.Config) -> None:
    """The marker `trace`."""
    config.addinivalue_line(
        "markers", "trace(source, seed=None): a trace file, or a scenario of the simulator with its seed"
    )


def pytest_unconfigure(config: pytest.Config) -> None:
    """Put the rig away."""
    if _OPEN in config.stash:
        config.stash[_OPEN][0].__exit__(None, None, None)


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> "ScenarioCollector | None":
    """Files that end in `.scenario.toml` are tests."""
    if not file_path.name.endswith(".scenario.toml"):
        return None
    collector: ScenarioCollector = ScenarioCollector.from_parent(parent, path=file_path)
    return collector


class ScenarioCollector(pytest.File):
    """One scenario file."""

    def collect(self) -> Iterator["ScenarioItem"]:
        """Its one test."""
        yield ScenarioItem.from_parent(self, name=self.path.name.removesuffix(".scenario.toml"))


class ScenarioError(Exception):
    """What a scenario did otherwise than expected."""


class ScenarioItem(pytest.Item):
    """One scenario on the rig of the command line."""

    def runtest(self) -> None:
        """Play it; the record goes into JUnit's properties."""
        from ccdmon.errors import CcdmonError
        from ccdmon_hil.play.scenario import MissingTraceError, read_scenario, run_scenario

        try:
            scenario = read_scenario(self.path)
            outcome = run_scenario(scenario, _session(self.config))
        except MissingTraceError as error:
            pytest.skip(str(error))
        except CcdmonError as error:
            raise ScenarioError(str(error)) from error
        self.user_properties += properties_of(outcome.result)
        if outcome.problems:
            raise ScenarioError("; ".join(outcome.problems))

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """One line for a scenario that failed, a traceback for a fault of ours."""
        if isinstance(excinfo.value, ScenarioError):
            return f"{self.path}: {str(excinfo.value).removeprefix(f'{self.path}: ')}"
        return super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Path, int, str]:
        """Where it stands."""
        return self.path, 0, f"scenario {self.name}"


@pytest.fixture(scope="session")
def rig(pytestconfig: pytest.Config) -> "Session":
    """The firmware running on the rig of the command line, or on the unix port."""
    return _session(pytestconfig)


@pytest.fixture
def trace(request: pytest.FixtureRequest) -> "Trace":
    """The trace that the test's marker names: `@pytest.mark.trace("cell.bdf.csv")` or `("hard_short", seed=1)`."""
    marker = request.node.get_closest_marker("trace")
    if marker is None or not marker.args:
        pytest.fail(
            "the fixtures trace and verdict need the marker @pytest.mark.trace(SOURCE)", pytrace=False
        )
    return _trace(request, str(marker.args[0]), marker.kwargs.get("seed"))


@pytest.fixture
def verdict(rig: "Session", trace: "Trace", record_property: Any) -> "ReplayResult":
    """What the firmware did with the trace; fails where samples were lost and the verdict is undecided."""
    from ccdmon.errors import CcdmonError
    from ccdmon_hil.play.replay import replay_on

    try:
        result = replay_on(rig, trace)
    except CcdmonError as error:
        pytest.fail(str(error), pytrace=False)
    for name, value in properties_of(result):
        record_property(name, value)
    if result.dropped or result.crc_errors:
        pytest.fail(
            f"undecided: {result.dropped} samples lost, {result.crc_errors} frames damaged", pytrace=False
        )
    return result


def properties_of(result: "ReplayResult") -> list[tuple[str, object]]:
    """What JUnit's record keeps of a run: rig, firmware, verdict, latency."""
    from ccdmon.link.firmware import firmware_hash

    document = result.document()
    latency = {f"latency_{name}": value for name, value in document["latency"].items()}
    kept = {name: document[name] for name in ("rig", "rows", "dropped", "reason", "trip_row", "gate")}
    firmware = {f"firmware_{name}": value for name, value in document["firmware"].items()}
    every = {**kept, **latency, **firmware, "firmware_hash": firmware_hash()}
    return [(name, value) for name, value in every.items() if value is not None]


def _trace(request: pytest.FixtureRequest, source: str, seed: int | None) -> "Trace":
    from ccdmon.formats.bdf.read import read_bdf
    from ccdmon.simulation.simulate import SCENARIOS, simulate

    if source in SCENARIOS:
        simulated: Trace = simulate(source, 1 if seed is None else seed).trace
        return simulated
    path = request.path.parent / source
    if not path.exists():
        pytest.fail(f"{path}: this recording is not here", pytrace=False)
    return read_bdf(path)


def _session(config: pytest.Config) -> "Session":
    """The rig, started with the first test that needs it. Where it is not there: fails if asked for, else skips."""
    if _OPEN in config.stash:
        session: Session = config.stash[_OPEN][1]
        return session
    from ccdmon.errors import CcdmonError
    from ccdmon_hil.rigs.open_rig import open_session

    asked = config.getoption("--ccdmon-rig")
    name = asked or "unix"
    image, port = config.getoption("--ccdmon-image"), config.getoption("--ccdmon-port")
    rig = open_session(name, image=image, port=port)
    try:
        session = rig.__enter__()
    except CcdmonError as error:
        missing = f"rig {name} is not there: {error}"
        if asked:
            pytest.fail(missing, pytrace=False)
        pytest.skip(missing)
    config.stash[_OPEN] = (rig, session)
    return session
