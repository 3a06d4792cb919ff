"""What a verb imports: nothing that it does not use, and never pandas, for which pyarrow takes a second by itself."""

import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from ccdmon.cli import main
from tests.host.pty_board import PtyBoard

# Runs a verb and prints which of the modules named first it has imported.
CALL = """
import sys
from ccdmon.cli import main
wanted, *verb = sys.argv[1:]
code = main(verb)
print(code, *(name for name in wanted.split(",") if name in sys.modules), file=sys.stderr)
"""
NOT_FOR_A_TRACE = (
    "pandas,matplotlib,bokeh,rich,pydantic,serial,mpremote,pyarrow.parquet,ccdmon.link,ccdmon.run.folder"
)


def imported(wanted: str, *verb: str) -> list[str]:
    """The exit code, and which of the modules `wanted` are imported in the end."""
    done = subprocess.run([sys.executable, "-c", CALL, wanted, *verb], capture_output=True, text=True)
    return done.stderr.splitlines()[-1].split()


@pytest.fixture(scope="module")
def trace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("traces") / "cell.bdf.csv"
    assert (
        main(["simulate", "--scenario", "healthy", "--seed", "1", "--max-rows", "600", "--out", str(path)])
        == 0
    )
    return path


needs_pandas = pytest.mark.skipif(find_spec("pandas") is None, reason="pandas is not installed")


@needs_pandas
def test_a_trace_is_analysed_without_what_that_does_not_need(trace: Path) -> None:
    assert imported(NOT_FOR_A_TRACE, "analyze", str(trace), "--json") == ["0"]


@needs_pandas
@pytest.mark.parametrize("ending", ["csv", "csv.gz", "parquet"])
def test_convert_and_what_it_wrote_need_no_pandas(trace: Path, tmp_path: Path, ending: str) -> None:
    target = str(tmp_path / f"other.bdf.{ending}")
    assert imported("pandas", "convert", str(trace), target) == ["0"]
    assert imported("pandas", "analyze", target, "--out", str(tmp_path / "report")) == ["0"]


@needs_pandas
def test_a_recording_and_its_report_need_no_pandas(tmp_path: Path) -> None:
    with PtyBoard(tmp_path / "port") as board:
        verb = ["record", "--port", str(board.name), "--out", str(tmp_path / "run"), "--stop-after", "3s"]
        assert imported("pandas", *verb) == ["0"]
    assert (tmp_path / "run" / "trace.bdf.parquet").is_file()
    assert (tmp_path / "run" / "report.html").is_file()


@needs_pandas
def test_the_modules_named_are_told_where_they_are_imported(trace: Path) -> None:
    assert imported("numpy,pyarrow,pandas", "analyze", str(trace), "--json") == ["0", "numpy", "pyarrow"]


@needs_pandas
def test_a_recorder_keeps_away_what_it_never_needs(tmp_path: Path) -> None:
    with PtyBoard(tmp_path / "port") as board:
        verb = ["record", "--port", str(board.name), "--out", str(tmp_path / "run"), "--stop-after", "2s"]
        unused = "pandas,rich,bokeh,matplotlib,pyarrow.dataset,pyarrow.compute"
        assert imported(unused, *verb, "--no-report") == ["0"]
