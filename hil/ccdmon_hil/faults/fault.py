"""What a fault campaign is made of: a fault with what must come of it, what came of it, and the table of both."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ccdmon.errors import CcdmonError, DeviceError

WHOLE = "latched, whole box"
UNTIL_TRIP = "latched, box until the trip"
SINCE_BOOT = "latched, box since the boot"
EMPTY = "latched, empty box"


@dataclass(frozen=True)
class Outcome:
    """What a rig showed after a fault. Losses in samples; `uncounted`: losses and damages that nobody counted."""

    gate: str  # at the pin: "open" or "closed"
    reason: str  # of the first TRIP message, by name; in brackets: of a warning, without a trip
    lost: int
    uncounted: int
    answer: str = ""  # to the command that is the fault, by name
    kept: str = "-"  # of the trip after a reset, see `kept.py`; "-": nothing tripped, or the rig has no flash


@dataclass(frozen=True)
class Fault:
    """One kind of fault: `inject` is what its rig family takes (a row, wire, command or Python of the firmware).

    `lost`: samples, None: some, however many; nothing may be lost uncounted in any case.
    """

    name: str
    inject: Any
    gate: str = "closed"
    reason: str = "none"
    lost: int | None = 0
    answer: str = ""
    kept: str = WHOLE  # where something tripped

    def problem(self, outcome: Outcome) -> str:
        """What is not as expected; "" if all is."""
        wrong = [
            (self.gate == outcome.gate, f"gate {self.gate}"),
            (self.reason == outcome.reason, f"reason {self.reason}"),
            (
                outcome.lost > 0 if self.lost is None else outcome.lost == self.lost,
                f"lost {'some' if self.lost is None else self.lost}",
            ),
            (outcome.uncounted == 0, "nothing uncounted"),
            (self.answer == outcome.answer, f"answer {self.answer or 'none'}"),
            (outcome.kept in ("-", self.kept), f"kept {self.kept}"),
        ]
        return ", ".join(expected for fits, expected in wrong if not fits)


def table_head() -> str:
    """The first line of the table."""
    return _row("rig", "fault", "gate", "reason", "answer", "lost", "uncounted", "kept", "as expected")


def table_row(rig: str, fault: Fault, outcome: Outcome) -> str:
    """One fault as a line of the table."""
    problem = fault.problem(outcome)
    return _row(
        rig, fault.name, outcome.gate, outcome.reason, outcome.answer or "-", str(outcome.lost),
        str(outcome.uncounted), outcome.kept, f"NO: expected {problem}" if problem else "yes",
    )  # fmt: skip


def bring_about(rig: str, fault: Fault, run: "Run") -> tuple[Outcome | None, str]:
    """What came of a fault, shown as a line of the table, and what is not as expected; None: the rig failed in it."""
    try:
        outcome = run(fault)
    except CcdmonError as error:
        print(f"{rig:<6}{fault.name:<42}NO: {error}", flush=True)
        return None, str(error)
    print(table_row(rig, fault, outcome), flush=True)
    return outcome, fault.problem(outcome)


def which_firmware(error: DeviceError) -> str:
    """What a host says, in one line, of a firmware that is not its own."""
    lines = str(error).splitlines()
    assert len(lines) == 1
    return "one line: " + ("another firmware" if "runs firmware" in lines[0] else "no firmware of ccdmon")


def _row(*cells: str) -> str:
    return "".join(map(str.ljust, cells, (6, 42, 8, 14, 32, 6, 11, 29, 0)))


Run = Callable[[Fault], Outcome]
