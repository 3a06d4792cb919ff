"""What the host makes of a recording while it runs."""

from types import SimpleNamespace
from typing import Any

import numpy as np

from ccdmon.record.host_judge import HostJudge

EVENT = {"kind": "soft_short", "row": 7, "start_s": 3.5, "provisional": True, "evidence": {"ratio": 4.0}}
TRIPPED = {**EVENT, "kind": "hard_short", "evidence": {"tripped_at_row": 9}}


def test_an_event_is_told_once_and_the_firmwares_own_trip_not_again() -> None:
    logged: list[dict[str, Any]] = []
    recorder: Any = SimpleNamespace(log=lambda **entry: logged.append(entry))
    newest = SimpleNamespace(trace=SimpleNamespace(test_time_s=np.array([4.0])))
    live: Any = SimpleNamespace(report={"events": [EVENT]}, reported=newest)
    device: Any = SimpleNamespace(status={"gate": 0})
    judge = HostJudge({}, recorder, live, device, send=lambda _data: None, say=lambda _line: None)
    for events in ([EVENT], [EVENT, TRIPPED], [EVENT, {**EVENT, "row": 90}]):
        live.report = {"events": events}
        judge.judge(0, 0.0)
    assert [(entry["rule"], entry["row"]) for entry in logged] == [("soft_short", 7), ("soft_short", 90)]
    assert {entry["action"] for entry in logged} == {"inform"}
