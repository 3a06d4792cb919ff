"""What every stage of a fault can do."""

from abc import ABC, abstractmethod
from contextlib import AbstractContextManager
from pathlib import Path

from ccdmon_hil.faults.outcome import Outcome
from ccdmon_hil.rigs.session import Session


class Stage(ABC):
    """A rig with a healthy cell on it, and what is done to them while the gate is closed."""

    fresh: bool = False  # the fault wants a firmware that was never configured

    @abstractmethod
    def opened(self, rig: str, image: Path | None) -> AbstractContextManager[Session]:
        """A firmware that was never used, on the rig of that name, for as long as the block.

        On the Pico, where it is copied for each fault, it must be the same for all stages of a class."""

    @abstractmethod
    def bring_about(self, session: Session, *, opens: bool) -> Outcome:
        """Play the cell, bring the fault about, and tell what came of it; `opens`: the gate is expected to."""
