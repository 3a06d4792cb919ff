"""Many rigs by one process: each into its own folder, and what one meets is no other's."""

import json
import selectors
import subprocess
import sys
import time
from pathlib import Path

import pytest

from ccdmon.cli import main
from ccdmon.record import port_reader
from ccdmon.record.many import LEAST_ROWS, Rig, company_of, record_all
from ccdmon.record.port_reader import PortReader
from ccdmon.record.serial_link import SerialLink
from ccdmon.run.stored_rows import RunRows
from tests.host.pty_board import PtyBoard
from tests.host.record.memory_link import recording


def rig_files(folder: Path, ports: list[Path]) -> list[str]:
    """A rig file each, called as its port."""
    assert main(["init", str(folder / "rig.toml"), "--area-cm2", "1"]) == 0
    text = (folder / "rig.toml").read_text()
    lines = [line for line in text.splitlines() if not line.startswith(("device", "name"))]
    assert "[port]" in lines
    at = lines.index("[port]")
    files = []
    for port in ports:
        made = [f'name = "{port.name}"', *lines[: at + 1], f'device = "{port}"', *lines[at + 1 :]]
        files.append(folder / f"{port.name}.toml")
        files[-1].write_text("\n".join(made) + "\n")
    return [str(file) for file in files]


def test_three_rigs_one_is_unplugged_one_trips_one_is_not_there(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    ports = [tmp_path / name for name in ("steady", "leaves", "trips", "absent")]
    with PtyBoard(ports[0]), PtyBoard(ports[1]) as leaves, PtyBoard(ports[2]) as trips:
        call = ["record", "--rig-file", *rig_files(tmp_path, ports), "--out", str(tmp_path / "runs")]
        child = subprocess.Popen(
            [sys.executable, "-m", "ccdmon", *call, "--stop-after", "6s", "--no-report", "--json"],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        until_s = time.monotonic() + 60
        frames = [tmp_path / "runs" / port.name / "frames.bin" for port in ports[:3]]
        while not all(f.exists() and f.stat().st_size > 5000 for f in frames) and time.monotonic() < until_s:
            time.sleep(0.1)
        leaves.unplug()
        trips.trip()
        time.sleep(1.0)
        leaves.plug_in()
        out, err = child.communicate(timeout=90)
    records = {Path(record["run_dir"]).name: record for record in json.loads(out)["records"]}
    assert child.returncode == 3, err  # one could not begin
    assert set(records) == {"steady", "leaves", "trips"}
    assert records["trips"]["trip_ids"] == [1] and records["steady"]["trip_ids"] == []
    assert all(record["missing_samples"] == 0 for record in records.values())
    assert "absent: " in err and "leaves: " in err and "the board is back" in err and "(trips)" in err
    assert "ccdmon record: steady: " not in err
    for name in records:
        run = RunRows(tmp_path / "runs" / name)
        assert sum(len(piece.trace) for piece in run.pieces()) == records[name]["samples"] > 4000
        assert (tmp_path / "runs" / name / "trace.bdf.parquet").is_file()
    assert not (tmp_path / "runs" / "absent").exists()


def test_a_recording_that_fails_ends_and_the_others_go_on(tmp_path: Path) -> None:
    said: list[str] = []
    rigs = [Rig(name, recording(tmp_path / name, [b"\0"] * 5, said)) for name in "ab"]

    def broken(_: float) -> None:
        raise RuntimeError("a bug")

    rigs[0].recording.round = broken  # type: ignore[method-assign]
    rounds, went, one_round = list[int](), list[float](), rigs[1].recording.round
    rigs[1].recording.round = lambda wait_s: (went.append(wait_s), one_round(wait_s))  # type: ignore
    record_all(rigs, lambda: len(rounds) >= 3, lambda _: rounds.append(1), said.append)
    assert rigs[0].over and "a bug" in rigs[0].failed and rigs[1].failed == ""
    assert any(line.startswith("a: ") and "the others go on" in line for line in said)
    assert len(went) == 3


def test_what_rigs_share_does_not_grow_with_them() -> None:
    one, many = company_of(1), company_of(64)
    assert many.reports.runs == 64 and many.reports.recent_rows == LEAST_ROWS < one.reports.recent_rows
    assert many.rows_per_part < one.rows_per_part


def test_one_thread_reads_all_ports_and_a_port_that_goes_away_is_waited_for(tmp_path: Path) -> None:
    reader = PortReader()
    with PtyBoard(tmp_path / "a") as a, PtyBoard(tmp_path / "b"):
        links = [SerialLink(str(tmp_path / name), reader=reader) for name in "ab"]
        assert all(link.take(5.0) for link in links)
        a.unplug()
        until_s = time.monotonic() + 5
        while links[0].up and time.monotonic() < until_s:
            time.sleep(0.01)
        assert not links[0].up and links[0].broke and links[1].up
        a.plug_in()
        while not links[0].up and time.monotonic() < until_s + 5:
            time.sleep(0.01)
        assert links[0].up and all(link.take(5.0) for link in links)
        for link in links:
            link.close()
    reader.close()


def test_a_reader_asks_where_the_system_has_no_poll(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(port_reader, "Selector", selectors.SelectSelector)
    reader = PortReader()
    with PtyBoard(tmp_path / "a"):
        link = SerialLink(str(tmp_path / "a"), reader=reader)
        assert link.take(5.0)
        reader.remove(link)  # and none is left: Windows cannot be asked about nothing
        time.sleep(0.1)
        reader.add(link)
        link.take(0.0)
        assert link.take(5.0)
        link.close()
    reader.close()


def test_names_and_ports_of_several_are_their_files(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    files = rig_files(tmp_path, [tmp_path / "a", tmp_path / "b"])
    assert main(["record", "--rig-file", *files, "--port", "/dev/x"]) == 2
    assert main(["record", "--rig-file", files[0], files[0]]) == 2
    assert main(["record", "--rig-file", *files, "--out", str(tmp_path / "runs")]) == 3
    lines = capfd.readouterr().err.splitlines()
    assert "--port" in lines[0] and "two are called 'a'" in lines[1] and "none of the rigs" in lines[-1]
