"""The latency report: clocks in columns of their own, the budget that fails it; on the unix port samples only."""

import json
from pathlib import Path

import pytest

from ccdmon_hil.latency import measure as latency
from ccdmon_hil.latency.report import Latency, over_budget, page, quantiles, table_row

TIMED = [Latency(float(phase), 2, 200.0 + phase, None) for phase in range(100)]


def test_quantiles_are_values_that_occurred() -> None:
    assert quantiles(TIMED, "virtual_us") == [250.0, 295.0, 299.0]
    assert quantiles(TIMED, "samples") == [2.0, 2.0, 2.0]
    assert quantiles(TIMED, "real_us") is None
    assert table_row("short", TIMED, {"short": 300.0}).split() == [
        "short", "100", "2", "2", "2", "250.0", "295.0", "299.0", "–", "–", "–", "300",
    ]  # fmt: skip


def test_the_slowest_cutoff_decides_on_the_budget() -> None:
    assert over_budget({"short": TIMED}, {"short": 299.0}) == []
    assert over_budget({"short": TIMED}, {"short": 298.9}) == [
        "short: 299.0 virtual_us is over the budget of 298.9"
    ]
    assert over_budget({"short": TIMED}, {}) == []
    (line,) = over_budget({"short": [Latency(None, 2, None, None)]}, {"short": 5.0})
    assert "not checked" in line, "a budget that nothing timed is not held"


def test_the_page_says_which_clock_is_missing_and_draws_the_other() -> None:
    text = page("pico", {"short": TIMED}, {"short": 270.0})
    assert "Real µs is empty" in text
    assert "Virtual µs is empty" not in text
    assert "299.0 virtual_us is over the budget of 270" in text
    assert text.count("<svg") == 1
    assert "src=" not in text, "self-contained"


def test_on_the_unix_port_samples_are_counted(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["--rig", "unix", "--phases", "3", "--out", str(tmp_path)]
    assert latency.main(arguments) == 0
    document = json.loads((tmp_path / "latency.json").read_text())
    assert {entry["samples"] for entry in document["latencies"]["short"]} == {1}
    assert {entry["samples"] for entry in document["latencies"]["rail"]} == {0}
    assert "<svg" not in (tmp_path / "latency.html").read_text(), "no clock, no plot"
    assert latency.main([*arguments, "--budget-us", "270"]) == 1
    assert latency.main([*arguments, "--budget-us", "thunder=270"]) == 2
    with pytest.raises(SystemExit) as ended:
        latency.main(["--budget-us", "soon"])
    assert ended.value.code == 2
    assert "is no budget" in capsys.readouterr().err
