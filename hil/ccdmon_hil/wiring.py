"""The wiring of a bench: one TOML file that says where its board is, who drives it and who watches its gate.

`--port` takes such a file in place of a serial port. `hil/wiring/` has examples.
"""

import re
from pathlib import Path
from typing import Literal, Protocol

from pydantic import Field

from ccdmon.errors import InputError
from ccdmon.rig_file import Table
from ccdmon_hil import console
from ccdmon_hil.checked_toml import read_checked


class Observer(Protocol):
    """Sees the gate from outside the board."""

    def gate_closed(self) -> bool: ...


class StimulusTable(Table):
    """Who puts the rows to the firmware; `injected`: below the detector, in place of the converters."""

    kind: Literal["injected"] = "injected"


class ObserverTable(Table):
    """Who watches the gate: `pad`, the chip's own input buffer, or a pin of a second board with MicroPython."""

    kind: Literal["pad", "second_board"] = "pad"
    port: str | None = None
    pin: int | None = Field(default=None, ge=0)


class LatencyTable(Table):
    """Budgets of the bench, from the first faulty row's sample to the pin's edge."""

    samples: int | None = Field(default=None, ge=0)
    virtual_us: float | None = Field(default=None, gt=0)
    real_us: float | None = Field(default=None, gt=0)


class Wiring(Table):
    """A bench."""

    port: str
    name: str = ""
    notes: str = ""  # what a person must know: pins, front end, supply
    stimulus: StimulusTable = StimulusTable()
    observer: ObserverTable = ObserverTable()
    latency_budget: LatencyTable = LatencyTable()


def wiring_of(port: str | None) -> Wiring:
    """The wiring behind `--port`: a file that ends in .toml, else the port of a board alone, watched at its pad."""
    if not port:
        raise InputError("rig board: name its port with --port, for example --port /dev/ttyACM0")
    if not port.endswith(".toml"):
        return Wiring(port=port)
    wiring = read_checked(Wiring, Path(port), "name a bench's wiring file or a serial port")
    observer = wiring.observer
    if observer.kind == "second_board" and (observer.port is None or observer.pin is None):
        raise InputError(
            f"{port}: [observer] a second board needs its port and the pin that the gate is wired to"
        )
    return wiring


def observer_of(wiring: Wiring) -> Observer | None:
    """What watches the gate from outside; None where only the pad is read."""
    observer = wiring.observer
    if observer.port is None or observer.pin is None:
        return None
    return SecondBoard(observer.port, observer.pin)


class SecondBoard:
    """A pin of another board, read by stock mpremote."""

    def __init__(self, port: str, pin: int) -> None:
        self._port, self._pin = port, pin

    def gate_closed(self) -> bool:
        """The pin's level now."""
        said = console.mpremote(
            self._port,
            "resume",
            "exec",
            f"import machine; print(machine.Pin({self._pin}, machine.Pin.IN).value())",
        )
        found = re.search(r"^([01])\s*$", said, re.MULTILINE)
        if not found:
            raise InputError(f"port {self._port}: no level of pin {self._pin} from the observer")
        return found[1] == "1"
