"""The wiring of a bench: one TOML file that says where its board is and how rows reach it.

`--port` takes such a file in place of a serial port. `hil/wiring/` has examples.
"""

from pathlib import Path
from typing import Literal

from pydantic import Field, model_validator

from ccdmon.errors import InputError
from ccdmon.rig.rig_file import Table
from ccdmon_hil.rigs.checked_toml import read_checked


class StimulusTable(Table):
    """Who puts the rows to the firmware.

    `injected`: below the detector, in place of the converters. `board`: a second Pico with an MCP4728 on its GP4 (SDA)
    and GP5 (SCL); the pins are the second one's, where gate and pump of the tested one arrive.
    """

    kind: Literal["injected", "board"] = "injected"
    port: str | None = None  # of the second board
    gate_pin: int = Field(default=22, ge=0, le=28)
    pump_pin: int = Field(default=13, ge=0, le=28)
    ldac_pin: int = Field(default=6, ge=0, le=28)
    dac_address: int = Field(default=0x60, ge=0x60, le=0x67)
    # The firmware's, while rows play.
    sample_period_us: int = Field(default=500, ge=250, le=1_000_000)
    closed_loop_period_us: int = Field(default=100_000, ge=1000, le=1_000_000)  # each row waits for the host
    tolerance_codes: int = Field(default=0, ge=0, le=256)  # of DAC and converter together, of 65536

    @model_validator(mode="after")
    def _has_a_port(self) -> "StimulusTable":
        if (self.kind == "board") != (self.port is not None):
            raise ValueError("a stimulus of the kind `board`, and no other, needs the port of its board")
        return self


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
