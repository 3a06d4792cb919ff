"""Half-cycles and events as CSV and Parquet beside a report."""

import csv
import json
from pathlib import Path
from typing import Any

import pyarrow.parquet as pa_parquet
import pytest

from ccdmon.cli import main
from ccdmon.report.tables import table_of, write_tables

EVENT = {
    "kind": "limit", "start_s": 5.0, "end_s": None, "row": 3, "cycle": None, "recovered": False,
    "evidence": {"ratio": 0.5, "why": 'it, "so to say"'},
}  # fmt: skip


def test_a_report_has_its_tables_beside_it(tmp_path: Path) -> None:
    rows = [
        (t, s * 0.1, s * 1e-4)
        for k in range(6)
        for s in [(-1) ** k]
        for t in range(300 * k, 300 * k + 300, 10)
    ]
    text = "".join(f"{t},{v},{i}\n" for t, v, i in rows)
    (tmp_path / "t.bdf.csv").write_text("Test Time / s,Voltage / V,Current / A\n" + text)
    assert (
        main(["analyze", str(tmp_path / "t.bdf.csv"), "--area-cm2", "1", "--out", str(tmp_path / "o")]) == 0
    )
    document = json.loads((tmp_path / "o" / "report.json").read_text())
    with (tmp_path / "o" / "half_cycles.csv").open(newline="") as file:
        told = list(csv.DictReader(file))
    assert len(told) == len(document["half_cycles"]) > 0
    for row, wanted in zip(told, document["half_cycles"], strict=True):
        assert float(row["current_density_mA_cm2"]) == wanted["current_density_mA_cm2"]
    assert (
        pa_parquet.read_table(tmp_path / "o" / "half_cycles.parquet").to_pylist() == document["half_cycles"]
    )
    assert pa_parquet.read_table(tmp_path / "o" / "events.parquet").num_rows == len(document["events"]) == 0


def test_nothing_is_null_and_evidence_is_json() -> None:
    row = table_of({"events": [EVENT]}, "events").to_pylist()[0]
    assert (row["kind"], row["end_s"], row["row"], row["cycle"], row["recovered"]) == (
        "limit",
        None,
        3,
        None,
        False,
    )
    assert json.loads(row["evidence"]) == EVENT["evidence"]


def read_with(library: str, path: Path) -> list[dict[str, Any]]:
    """Rows as a user of that library reads them, no option given."""
    module = pytest.importorskip(library)
    if library == "duckdb":
        relation = module.sql(f"select * from '{path}'")
        return [dict(zip(relation.columns, row, strict=True)) for row in relation.fetchall()]
    frame = getattr(module, f"read_{path.suffix[1:]}")(path)
    rows: list[dict[str, Any]] = frame.to_dict("records") if library == "pandas" else frame.to_dicts()
    return rows


@pytest.mark.parametrize("ending", [".csv", ".parquet"])
@pytest.mark.parametrize("library", ["pandas", "polars", "duckdb"])
def test_data_frames_read_them_as_they_are(tmp_path: Path, library: str, ending: str) -> None:
    write_tables({"events": [EVENT, {**EVENT, "row": 4, "recovered": True}], "half_cycles": []}, tmp_path)
    rows = read_with(library, tmp_path / f"events{ending}")
    assert [(row["row"], row["recovered"], row["start_s"]) for row in rows] == [
        (3, False, 5.0),
        (4, True, 5.0),
    ]
    assert json.loads(rows[0]["evidence"]) == EVENT["evidence"]
    assert read_with(library, tmp_path / f"half_cycles{ending}") == []
