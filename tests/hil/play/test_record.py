"""`ccdmon record` and the real firmware: on MicroPython's unix port, behind a terminal, with a cell that runs away."""

import os
import select
import threading
import tty
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from ccdmon.model.front_end import FrontEnd
from ccdmon.run.analysed import analysed
from ccdmon.run.sources import FolderRows
from ccdmon.run.stored_rows import RunRows
from ccdmon.run.trip_place import TripPlace
from ccdmon_hil.campaign import play_all as campaign
from ccdmon_hil.play import capture
from ccdmon_hil.rigs.target import Codes
from ccdmon_hil.rigs.unix import UnixTarget
from tests.host.record.test_recording import actions, end, events, recorder, state, wait_for
from tests.host.whole_run import open_run

RIG = """
[cell]
electrode_area_cm2 = 0.785
[front_end]
voltage_full_scale_V = 5.0
current_full_scale_A = 0.01
[limits]
voltage_V = 2.0
"""
ROWS, RUNS_AWAY = 12000, 6000


@contextmanager
def on_a_terminal(target: UnixTarget) -> Iterator[str]:
    """The rig's wire on a terminal; its name."""
    ours, theirs = os.openpty()
    tty.setraw(theirs)
    stop = threading.Event()

    def carry() -> None:
        while not stop.is_set():
            if select.select([ours], [], [], 0)[0]:
                target.send(os.read(ours, 4096))
            data = memoryview(target.receive())
            while data:
                data = data[os.write(ours, data) :]

    thread = threading.Thread(target=carry, daemon=True)
    thread.start()
    try:
        yield os.ttyname(theirs)
    finally:
        stop.set()
        thread.join(timeout=5.0)
        os.close(theirs)
        os.close(ours)


def test_a_cut_off_is_recorded_and_acknowledged(tmp_path: Path) -> None:
    """A cell at 0.5 V that runs away to 4 V; the rig file's limit is 2 V."""
    scales = FrontEnd(5.0, 0.01)
    calm, away, cut = (scales.code_of(*values) for values in ((0.5, 0.001), (4.0, 0.001), (0.0, 0.0)))

    def rows(row: int, closed: bool) -> Codes | None:
        """Current flows while the gate is closed only: the self-test before arming looks."""
        if row >= ROWS:
            return None
        return cut if not closed else calm if row < RUNS_AWAY else away

    rig = tmp_path / "rig.toml"
    rig.write_text(RIG)
    folder, target = tmp_path / "run", UnixTarget()
    target.before = "board.temperature_dC = lambda: 312"
    target.start()
    target.play(rows, closed_loop=True)
    try:
        with (
            on_a_terminal(target) as port,
            recorder(Path(port), folder, "--rig-file", str(rig), "--arm") as process,
        ):
            wait_for(lambda: "blackbox_kept" in actions(folder), "black box")
            assert state(folder)["gate"] == "open"
            wait_for(lambda: state(folder).get("temperature_degC") == 31.2, "temperature of the board")
            end(process)
    finally:
        target.close()
    trip = next(event for event in events(folder) if event["action"] == "trip")
    assert (trip["rule"], trip["unit"], trip["limit_physical"]) == (
        "limit",
        "V",
        pytest.approx(2.0, abs=0.01),
    )
    assert trip["value_physical"] == pytest.approx(4.0, abs=0.01)
    run = open_run(folder)
    assert TripPlace.of(RunRows(folder)).row == trip["sample"] - run.samples[0]
    assert run.counts.missing_samples == run.counts.crc_errors == 0
    assert run.trace.temperature_degC is not None
    assert run.trace.temperature_degC[-1] == 31.2
    assert analysed(FolderRows(RunRows(folder))).document["ccd"]["temperature_degC"] == pytest.approx(31.2)
    assert (folder / "blackbox-1.bdf.csv").is_file()
    scenario = tmp_path / "again.scenario.toml"
    assert capture.main([str(folder), "--out", str(scenario)]) == 0
    assert 'verdict = "limit"' in scenario.read_text()
    assert campaign.main([str(tmp_path)]) == 0, (
        "under the limit of the rig file the same rows trip again, in the same row"
    )
