"""Half-cycles and events as CSV beside a report."""

import csv
import json
from pathlib import Path

from ccdmon.cli import main
from ccdmon.report.tables import table_text


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
    assert (tmp_path / "o" / "events.csv").is_file()


def test_nothing_is_empty_and_evidence_is_json() -> None:
    text = table_text([{"kind": "limit", "end_s": None, "evidence": {"ratio": 0.5}}, {"kind": "x", "row": 3}])
    rows = list(csv.DictReader(text.splitlines()))
    assert rows[0]["end_s"] == ""
    assert json.loads(rows[0]["evidence"]) == {"ratio": 0.5}
    assert rows[1]["row"] == "3"
