"""The wiring of a bench: one TOML file that says where its board is and how rows reach it.

`--port` takes such a file in place of a serial port. `hil/wiring/` has examples.
"""

from pathlib import Path
from typing import Literal

from pydantic import Field

from ccdmon.errors import InputError
from ccdmon.rig_file import Table
from ccdmon_hil.checked_toml import read_checked


class StimulusTable(Table):
    """Who puts the rows to the firmware; `injected`: below the detector, in place of the converters."""

    kind: Literal["injected"] = "injected"


class LatencyTable(Table):
    """Budgets, from the first faulty row's sample to the pin's edge."""

    samples: int | None = Field(default=None, ge=0)
    virtual_us: float | None = Field(default=None, gt=0)
    real_us: float | None = Field(default=None, gt=0)


class Wiring(Table):
    """A bench."""

    port: str
    name: str = ""
    notes: str = ""  # what a person must know: pins, front end, supply
    stimulus: StimulusTable = StimulusTable()


def wiring_of(port: str | None) -> Wiring:
    """The wiring behind `--port`: a file that ends in .toml, else the port of a board alone, watched at its pad."""
    if not port:
        raise InputError("rig board: name its port with --port, for example --port /dev/ttyACM0")
    if not port.endswith(".toml"):
        return Wiring(port=port)
    return read_checked(Wiring, Path(port), "name a bench's wiring file or a serial port")
