"""A rig for the live page: a made-up cell on a made-up board, a recorder and the page's server, each a real process."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from tests.host.record.test_recording import wait_for

RATE_HZ = 2000.0
HALF_CYCLE_S = 4.0
RIG_FILE = """
schema = "ccdmon.rig/1"
[cell]
name = "cell {name}"
electrode_area_cm2 = 0.785
configuration = "symmetric"
electrolyte = "LLZO"
[conditions]
temperature_degC = 25.0
[front_end]
voltage_full_scale_V = 6.0
current_full_scale_A = 0.01
pressure_full_scale_Pa = 1e7
"""


def cell(shorted_from_s: float = 1e9, noise_V: float = 0.004, half_cycle_s: float = HALF_CYCLE_S) -> Any:
    """A ramp of half-cycles whose resistance grows within each; its codes by sample number, the same each time."""

    def codes(first: int, count: int) -> npt.NDArray[np.uint16]:
        n = np.arange(first, first + count)
        time_s = n / RATE_HZ
        half = (time_s // half_cycle_s).astype(np.int64)
        current_A = 0.002 * (1 + 0.2 * (half // 2 % 10)) * np.where(half % 2 == 0, 1, -1)
        voltage_V = current_A * 150 * (1 + 0.1 * (time_s % half_cycle_s) / half_cycle_s)
        voltage_V = np.where(time_s > shorted_from_s, 0.15 * voltage_V, voltage_V)
        voltage_V += noise_V * np.random.default_rng(first).standard_normal(count)
        pressure_Pa = 2e6 + 2e4 * np.sin(time_s / 3)
        bipolar = [_bipolar(voltage_V / 6.0), _bipolar(current_A / 0.01)]
        unipolar = (np.rint(pressure_Pa / 1e7 * 4096).astype(np.int64) * 16).clip(0, 65520)
        return np.column_stack([*bipolar, unipolar, np.zeros(count)]).astype("<u2")

    return codes


def _bipolar(share: npt.NDArray[np.float64]) -> npt.NDArray[np.int64]:
    return (32768 + np.rint(share * 2048).astype(np.int64) * 16).clip(0, 65520)


def rig_file(folder: Path, name: str) -> Path:
    """A rig file for that cell, in the folder."""
    path = folder / f"{name}.toml"
    path.write_text(RIG_FILE.format(name=name))
    return path


@contextmanager
def page(*folders: Path, token: str | None = None) -> Iterator[str]:
    """`ccdmon watch` of these folders on a free port; its address."""
    with served(*folders, token=token) as (address, _):
        yield address


@contextmanager
def served(
    *folders: Path, token: str | None = None, module: tuple[str, ...] = ("ccdmon",)
) -> Iterator[tuple[str, int]]:
    """As `page`: address and process; `module` stands for the program, with arguments of its own."""
    process = subprocess.Popen(
        [sys.executable, "-m", *module, "watch", *map(str, folders), "--http-port", "0"],
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | ({} if token is None else {"CCDMON_CONTROL_TOKEN": token}),
    )
    assert process.stderr is not None
    try:
        said = process.stderr.readline()
        assert said.startswith("watching at "), said
        yield said.split()[2].rstrip(";"), process.pid
    finally:
        process.terminate()
        process.communicate()


def worked_s(pid: int) -> float:
    """Processor time that a process has taken, s."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def opened(driver: Any, address: str) -> None:
    """Load the page and wait until the first rig's rows are on it."""
    from tests.browser import model

    driver.get(address)
    wait_for(lambda: model(driver, "rig0-rows", "m.data.time_s.length > 10"), "rows on the page")
