"""Where a report says it comes from."""

import hashlib
import json
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest

import ccdmon
from ccdmon.cli import main
from ccdmon.version import __version__


@pytest.fixture
def trace_file(tmp_path: Path) -> Path:
    path = tmp_path / "cell.bdf.csv"
    assert main(["simulate", "--scenario", "healthy", "--seed", "1", "--out", str(path)]) == 0
    return path


def test_of_a_file(trace_file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["analyze", str(trace_file), "--json"]) in (0, 1)
    document = json.loads(capsys.readouterr().out)
    source = document["source"]
    assert list(document)[:2] == ["schema", "source"]
    assert source["file"] == "cell.bdf.csv"
    assert source["sha256"] == hashlib.sha256(trace_file.read_bytes()).hexdigest()
    assert source["rows"] == len(trace_file.read_text().splitlines()) - 1
    assert source["software"] == f"ccdmon {__version__}"
    written_s = trace_file.stat().st_mtime
    assert abs(datetime.fromisoformat(source["made"]).timestamp() - written_s) <= 1
    assert main(["analyze", str(trace_file), "--json"]) in (0, 1)
    assert json.loads(capsys.readouterr().out) == document, "the same again"


def test_of_arrays_there_is_no_file() -> None:
    time_s = np.arange(100.0)
    current_A = np.where(time_s % 20 < 10, 1e-3, -1e-3)
    trace = ccdmon.trace(time_s=time_s, voltage_V=10 * current_A, current_A=current_A, area_cm2=1.0)
    source = ccdmon.analyze(trace).document["source"]
    assert source == {"file": None, "sha256": None, "rows": 100, "software": source["software"], "made": None}


def test_a_file_that_is_gone_meanwhile_costs_the_hash_alone(trace_file: Path) -> None:
    trace = ccdmon.read(trace_file)
    trace_file.unlink()
    assert ccdmon.analyze(trace).document["source"]["sha256"] is None
