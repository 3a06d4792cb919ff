"""The main job with no hardware: a simulated cell is ramped until it shorts, the real firmware cuts it off.

The loop is closed: the cell answers each sample, the firmware decides on it, and once the gate's pin has
opened no current flows. What the firmware sends goes through the recorder as from a board, and the report
is made from the recording alone, not from what the simulation knows.
"""

from collections.abc import Callable
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ccdmon.link.firmware import firmware_hash
from ccdmon.model.front_end import FrontEnd
from ccdmon.model.trace import Trace
from ccdmon.record.recorder import Recorder
from ccdmon.report.run_report import write_run_report
from ccdmon.rigs import load_rigs
from ccdmon.run.folder import create, firmware_tables, rewrite_config
from ccdmon.run.lock import FolderLock
from ccdmon.run.stored_rows import derive_trace
from ccdmon.simulation.simulate import LiveCell, Row, cell_of, open_cell, simulate
from ccdmon.simulation.truth import truth_document
from ccdmon.version import __version__

SCHEMA = "ccdmon.demo/1"
SCENARIO = "hard_short"
# A ramp short enough to watch: one row a second, a minute for each half-cycle.
RAMP: dict[str, Any] = {
    "protocol": "time_control",
    "configuration": "symmetric",
    "area_cm2": 0.785,
    "row_interval_s": 1.0,
    "half_cycle_s": 60.0,
    "levels": 12,
    "first_mA_cm2": 0.1,
    "step_mA_cm2": 0.1,
    "noise": 0.01,
    "rests": False,
}
OnRow = Callable[[Row, bool, int], None]  # (row, is the gate closed?, rows of the program)


@dataclass
class Demo:
    """One demo: what is simulated, on which rig, and where the run is written."""

    folder: Path
    rig: str
    seed: int
    image: Path | None = None
    on_row: OnRow | None = None

    def run(self) -> dict[str, Any]:
        """Run to the end; returns the document `ccdmon.demo/1`."""
        planned = simulate(SCENARIO, self.seed, **RAMP).trace
        live = open_cell(SCENARIO, self.seed, **RAMP)
        front_end = FrontEnd.for_trace(Trace(planned.test_time_s, planned.voltage_V, planned.current_A))
        with closing(FolderLock(self.folder)):
            replay, truth = self._record(live, front_end, planned)
        return {
            "schema": SCHEMA,
            "run_dir": str(self.folder),
            "truth": truth,
            "replay": replay,
            "report": self._report(),
        }

    def _record(
        self, live: LiveCell, front_end: FrontEnd, planned: Trace
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        """The rig's document and what is true of the cell; `planned` is the test without a cutoff."""
        config = self._config(live, front_end)
        create(self.folder, config)
        recorder = Recorder(self.folder, firmware_hash=firmware_hash())
        try:
            loop = self._drive(live, front_end, recorder, config)
            truth = truth_document(live.watch, planned.rows(0, len(loop.rows)))
            replay = replay_document(loop.result.document(), truth)
            self._log_gate(recorder, replay)
            recorder.log_end()
        finally:
            recorder.close()
        return replay, truth

    def _drive(self, live: LiveCell, front_end: FrontEnd, recorder: Recorder, config: dict[str, Any]) -> Any:
        def next_row(gate_closed: bool) -> Row | None:
            row = live.next_row(gate_closed)
            if row is not None and self.on_row:
                self.on_row(row, gate_closed, len(live))
            return row

        def on_start(identity: dict[str, Any], settings: list[int], *_: Any) -> None:
            interval_s = float(RAMP["row_interval_s"])
            told = firmware_tables(identity, settings, front_end, interval_s)
            rewrite_config(self.folder, {**config, **told})

        return load_rigs().run_closed_loop(
            next_row,
            front_end,
            rig=self.rig,
            row_interval_s=RAMP["row_interval_s"],
            configuration=live.setup.configuration,
            image=self.image,
            on_bytes=recorder.feed,
            on_start=on_start,
        )

    def _config(self, live: LiveCell, front_end: FrontEnd) -> dict[str, Any]:
        first = live.setup.chamber
        return {
            "made_by": "demo",
            "rig": self.rig,
            "source": f"simulated: scenario {SCENARIO}, seed {self.seed}",
            "versions": {"ccdmon": __version__, "firmware_hash": firmware_hash()},
            "cell": cell_of(live.setup).metadata["cell"],
            "conditions": {
                "temperature_degC": first.temperature_degC(0.0),
                "pressure_Pa": first.pressure_Pa(0.0),
            },
            "time": {"seconds_per_sample": RAMP["row_interval_s"]},
            "front_end": asdict(front_end),
        }

    def _log_gate(self, recorder: Recorder, replay: dict[str, Any]) -> None:
        latency = {f"latency_{key}": value for key, value in replay["latency"].items()}
        recorder.log(action="gate_observed", gate=replay["gate"], rule=replay["reason"], **latency)

    def _report(self) -> dict[str, Any]:
        """Derive and write everything that the recording alone tells; returns the analysis."""
        derive_trace(self.folder)
        return write_run_report(self.folder)


def replay_document(replay: dict[str, Any], truth: dict[str, Any]) -> dict[str, Any]:
    """The rig's document with its latency counted from the row in which the simulation knows the short began.

    The rig itself can only start at the firmware's first suspicion. Where that came later, its clock time is that
    of a shorter stretch and is left out.
    """
    onset = truth.get("first_faulty_row")
    if (
        onset is None
        or replay["trip_row"] is None
        or replay["trip_row"] - onset == replay["latency"]["samples"]
    ):
        return replay
    latency = {"samples": replay["trip_row"] - onset, "virtual_us": None, "real_us": None}
    return {**replay, "latency": latency}
