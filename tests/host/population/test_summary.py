"""What a catalogue of cells says: intervals of verdicts, groups, protocols apart, too few for a median."""

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ccdmon.cli import main
from ccdmon.errors import InputError
from ccdmon.population.cells import Cell, read_population
from ccdmon.population.summary import summary
from tests.host.population.made import ramps, row, write_runs
from tests.web_pages import html_faults


def cells_of(folder: Path, rows: list[dict[str, Any]], *by: str) -> tuple[Cell, ...]:
    return read_population(write_runs(folder, rows), by).cells


def population(seed: int, cells: int, **more: Any) -> list[dict[str, Any]]:
    low, high = ramps(np.random.default_rng(seed), cells, fake=0.0)
    return [row(1000 * seed + k, *pair, **more) for k, pair in enumerate(zip(low, high, strict=True))]


def test_the_interval_of_each_verdict(tmp_path: Path) -> None:
    rows = [
        row(0, 0.4, 0.6),
        row(1, 0.8, math.inf),
        row(2, 0.4, math.inf, verdict="suspect"),
        row(3, 1.0, 1.2, limited_by="fake_stable"),
        row(4, 0.0, 0.2),
        row(5, 1.0, 0.6),  # a program that went down again
    ]
    found = [(cell.low, cell.high, cell.cause) for cell in cells_of(tmp_path, rows)]
    assert found == [
        (0.4, 0.6, "hard_short"), (0.8, math.inf, None), (0.4, math.inf, None), (0.0, 1.2, "fake_stable"),
        (0.0, 0.2, "hard_short"), (0.4, 0.6, "hard_short"),
    ]  # fmt: skip


def test_what_says_nothing_is_left_out_and_counted(tmp_path: Path) -> None:
    rows = [
        row(0, 0.4, 0.6), row(1, 0.4, 0.6, current=False), row(2, 0.4, 0.6, area_cm2=None),
        row(3, 0.4, 0.6, verdict="not_judged"), row(4, 0.4, 0.6, verdict=None, error="bad"), row(5, 0.0, math.inf),
    ]  # fmt: skip
    found = read_population(write_runs(tmp_path, rows), ())
    assert len(found.cells) == 1
    assert found.left_out == {
        "ended before its first level did": 1, "no electrode area": 1, "not judged": 1, "unreadable": 1,
    }  # fmt: skip


def test_protocols_are_never_pooled(tmp_path: Path) -> None:
    rows = [row(k, 0.4, 0.6) for k in range(3)]
    rows += [row(10 + k, 0.4, 0.6, protocol_half_cycle_s=3600.0) for k in range(2)]
    rows += [row(20, 0.4, 0.6, protocol_kind="endurable_time", cycles_per_level=3)]
    rows += [row(21, 0.4, 0.6, protocol_kind="capacity_control", protocol_half_cycle_mAh_cm2=0.2)]
    document = summary(tmp_path, read_population(write_runs(tmp_path, rows), ()))
    told = [(group["protocol"]["kind"], group["cells"]) for group in document["groups"]]
    assert told == [("capacity_control", 1), ("endurable_time", 1), ("time_control", 3), ("time_control", 2)]


def test_a_cell_that_failed_in_its_first_level_counts_where_it_began(tmp_path: Path) -> None:
    lone = row(
        5,
        0.0,
        0.2,
        protocol_kind="unknown",
        protocol_half_cycle_s=None,
        levels_mA_cm2=[0.2],
        half_cycle_s=300.0,
    )
    other = lone | {"file": "/cells/x", "levels_mA_cm2": [0.5], "failed_at_mA_cm2": 0.5}
    ramp, first, elsewhere = cells_of(tmp_path, [row(0, 0.4, 0.6), lone, other])
    assert first.protocol == ramp.protocol != elsewhere.protocol


def test_medians_only_of_enough_and_differences_within_a_protocol(tmp_path: Path) -> None:
    soft = {"failed_at_mA_cm2": 0.4, "endured_mA_cm2": 0.2, "verdict": "failed", "limited_by": "soft_short"}
    weak = population(2, 12, electrolyte="LPS", **soft)
    rows = population(1, 30) + weak + population(3, 4, electrolyte="PEO")
    rows += population(4, 12, electrolyte="LPS", protocol_half_cycle_s=3600.0)
    document = summary(tmp_path, read_population(write_runs(tmp_path, rows), ["electrolyte"]))
    groups = {
        (g["by"]["electrolyte"], round(g["protocol"]["half_cycle_s"], -1)): g for g in document["groups"]
    }
    good, few = groups["LLZO", 600], groups["PEO", 600]
    low, high = good["interval_mA_cm2"]
    assert low < good["median_mA_cm2"] < high and good["why_not"] is None
    assert few["median_mA_cm2"] is None and "4 cells" in few["why_not"]
    assert groups["LPS", 600]["causes"] == {"soft_short": 12}
    (pair,) = document["comparisons"]  # not with the group of another protocol
    assert (pair["a"], pair["b"], pair["differ"]) == ({"electrolyte": "LLZO"}, {"electrolyte": "LPS"}, True)
    assert json.loads(json.dumps(document, allow_nan=False)) == document


def test_groups_by_what_the_sidecars_say(tmp_path: Path) -> None:
    rows = [
        row(k, 0.4, 0.6, cell=json.dumps({"cell": {"batch": "AB"[k % 2], "run": {"day": k}}}))
        for k in range(4)
    ]
    assert [cell.group for cell in cells_of(tmp_path, rows, "batch", "run.day")] == [
        ("A", "0"), ("B", "1"), ("A", "2"), ("B", "3"),
    ]  # fmt: skip
    with pytest.raises(InputError, match="no cell says it"):
        read_population(tmp_path, ["colour"])


def test_the_verb_writes_its_page_and_one_document(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    write_runs(tmp_path, population(1, 20) + population(2, 20, electrolyte="Li6PS5Cl", temperature_degC=25.0))
    assert main(["population", str(tmp_path), "--by", "electrolyte", "--json"]) == 0
    document = json.loads(capfd.readouterr().out)
    assert document["schema"] == "ccdmon.population/1" and document["cells"] == 40
    page = (tmp_path / "population.html").read_text()
    assert page.count("<svg") == 3 and "Li6PS5Cl" in page and "<script" not in page
    assert "Published cells" in page and "Standards" in page
    assert html_faults(page) == []
    assert main(["population", str(tmp_path)]) == 0
    out, err = capfd.readouterr()
    assert "hard short" in out and err == ""


@pytest.mark.parametrize("rows", [[], [row(0, 0.4, 0.6, area_cm2=None)]])
def test_no_cell_is_one_line(
    tmp_path: Path, rows: list[dict[str, Any]], capfd: pytest.CaptureFixture[str]
) -> None:
    write_runs(tmp_path, rows)
    assert main(["population", str(tmp_path)]) == 2
    assert main(["population", str(tmp_path / "nowhere")]) == 2
    assert len(capfd.readouterr().err.splitlines()) == 2
