"""What a fault campaign is made of: a fault with what must come of it, what came of it, and the table of both."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from ccdmon.errors import CcdmonError
from ccdmon_hil.faults.outcome import WHOLE, Outcome
from ccdmon_hil.faults.stages.stage import Stage
from ccdmon_hil.rigs.session import Session

AnyStage = TypeVar("AnyStage", bound=Stage, covariant=True)


@dataclass(frozen=True)
class Fault(Generic[AnyStage]):
    """One kind of fault, the stage that it is brought about on, and what must come of it.

    `lost`: samples, None: some, however many; nothing may be lost uncounted in any case.
    """

    name: str
    stage: AnyStage
    gate: str = "closed"
    reason: str = "none"
    lost: int | None = 0
    answer: str = ""
    kept: str = WHOLE  # where something tripped

    def bring_about(self, session: Session) -> Outcome:
        """Bring it about on a rig that is open; what came of it, but for what is kept."""
        return self.stage.bring_about(session, opens=self.gate == "open")

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


Run = Callable[[Fault[Stage]], Outcome]


def table_head() -> str:
    """The first line of the table."""
    return _row("rig", "fault", "gate", "reason", "answer", "lost", "uncounted", "kept", "as expected")


def table_row(rig: str, fault: Fault[Stage], outcome: Outcome) -> str:
    """One fault as a line of the table."""
    problem = fault.problem(outcome)
    return _row(
        rig, fault.name, outcome.gate, outcome.reason, outcome.answer or "-", str(outcome.lost),
        str(outcome.uncounted), outcome.kept, f"NO: expected {problem}" if problem else "yes",
    )  # fmt: skip


def told(rig: str, fault: Fault[Stage], run: Run) -> tuple[Outcome | None, str]:
    """What came of a fault, shown as a line of the table, and what is not as expected; None: the rig failed in it."""
    try:
        outcome = run(fault)
    except CcdmonError as error:
        print(f"{rig:<6}{fault.name:<42}NO: {error}", flush=True)
        return None, str(error)
    print(table_row(rig, fault, outcome), flush=True)
    return outcome, fault.problem(outcome)


def _row(*cells: str) -> str:
    return "".join(map(str.ljust, cells, (6, 42, 8, 14, 32, 6, 11, 29, 0)))
