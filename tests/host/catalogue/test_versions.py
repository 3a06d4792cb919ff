"""What a new version judges otherwise."""

import json
from pathlib import Path

import pytest

from ccdmon.catalogue import keys
from ccdmon.catalogue.build import Order, build
from ccdmon.catalogue.versions import compare
from ccdmon.cli import main
from ccdmon.errors import InputError
from tests.host.catalogue.cells import OPTIONS, write_cell, write_sidecar
from tests.host.population.made import row, write_runs


def test_cells_that_are_judged_otherwise_are_told_and_no_others(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    old = [row(k, 0.4, 0.6, core="aaa1", current=False) for k in range(4)]
    new = [row(k, 0.4, 0.6, core="bbb2", software="0.2.0") for k in range(5)]
    new[1] |= {"verdict": "suspect", "failed_at_mA_cm2": None, "limited_by": None}
    new[2] |= {"inputs": "another sidecar", "verdict": "healthy"}
    new[3] |= {"endured_mA_cm2": 0.4 * (1 + 1e-9)}
    write_runs(tmp_path, old + new)
    assert main(["compare", str(tmp_path), "--versions", "0.1.0", "bbb", "--json"]) == 1
    document = json.loads(capfd.readouterr().out)
    assert document["changes"] == [
        {
            "file": old[1]["file"],
            "changed": {
                "verdict": ["failed", "suspect"], "failed_at_mA_cm2": [0.6, None], "limited_by": ["hard_short", None],
            },
        }
    ]  # fmt: skip
    assert (document["same"], document["only_a"], document["only_b"], document["inputs_changed"]) == (
        2,
        0,
        1,
        1,
    )
    assert main(["compare", str(tmp_path), "--versions", "aaa", "aaa"]) == 0
    assert main(["compare", str(tmp_path), "--versions", "aaa", "9.9"]) == 2


def test_a_catalogue_keeps_the_rows_of_each_core(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_cell(tmp_path / "traces" / "a.bdf.csv")
    moved = write_cell(tmp_path / "traces" / "b.bdf.csv", ohm=20)
    order = Order([str(tmp_path / "traces")], tmp_path / "c", OPTIONS)
    first = keys.core_hash()
    build(order)
    moved.rename(moved.with_name("d.bdf.csv"))
    moved.with_name("b.bdf.metadata.json").rename(moved.with_name("d.bdf.metadata.json"))
    # Another core: another version of the text that judges.
    monkeypatch.setattr(keys, "__version__", "0.1.1")
    keys.core_hash.cache_clear()
    second = keys.core_hash()
    try:
        build(order)
        found = compare(tmp_path / "c", first, second)
        assert (found.same, found.changes, found.only_a) == (2, [], 0)
        write_sidecar(tmp_path / "traces" / "a.bdf.csv", "LPS")
        build(order)
        assert compare(tmp_path / "c", first, second).inputs_changed == 1
    finally:
        monkeypatch.undo()
        keys.core_hash.cache_clear()
    with pytest.raises(InputError, match="name the beginning of one of"):
        compare(tmp_path / "c", "0.1.0", second)
