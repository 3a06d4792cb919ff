"""Neware .nda and .ndax, read by fastnda (BSD; the extra `ccdmon[import]`)."""

import logging
from pathlib import Path

import numpy as np

from ccdmon.errors import InputError
from ccdmon.extras import how_to_install
from ccdmon.formats.cyclers.dialect import Columns

KIND = "Neware .nda/.ndax"
_FIELDS = {
    "test_time_s": ("total_time_s", 1.0),
    "voltage_V": ("voltage_V", 1.0),
    "current_A": ("current_mA", 1e-3),
    "unix_time_s": ("unix_time_s", 1.0),
    "cycle_count": ("cycle_count", 1.0),
    "step_count": ("step_count", 1.0),
    "temperature_degC": ("aux1_temperature_degC", 1.0),
}


def read_neware(path: Path, *, salvage: bool = False) -> Columns:
    """Columns of one file. Raises `InputError`; what the reader warned of is in the notes.

    A record number that is missing means that the file lost some: refused unless `salvage`.
    """
    try:
        import fastnda
    except ImportError:
        raise InputError(f"{path}: {KIND}: its reader is missing; {how_to_install('import')}") from None
    with _Warnings() as warnings:
        try:
            frame = fastnda.read(path)
        except Exception as error:  # noqa: BLE001  the library raises whatever a broken file provokes
            said = " ".join(f"{type(error).__name__}: {error}".split())[:100]
            raise InputError(f"{path}: {KIND}: cannot be read ({said}); export it again") from None
    if frame.height == 0:
        raise InputError(
            f"{path}: {KIND}: no records in it; the test was never started or nothing was written"
        )
    values = {
        column: np.asarray(frame[label].to_numpy(), dtype=np.float64) * factor
        for column, (label, factor) in _FIELDS.items()
        if label in frame.columns
    }
    missing = int(frame["index"][-1]) - int(frame["index"][0]) + 1 - frame.height
    if missing and not salvage:
        raise InputError(
            f"{path}: {KIND}: {missing} of its records are missing; copy it again, or keep the rest with --salvage"
        )
    return Columns(values, warnings.lines + ([f"{missing} records are missing"] if missing else []))


class _Warnings(logging.Handler):
    """Holds what the library logs, one line each, instead of letting it print tracebacks."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(" ".join(record.getMessage().split()))

    def __enter__(self) -> "_Warnings":
        self._logger = logging.getLogger("fastnda")
        self._propagate, self._logger.propagate = self._logger.propagate, False
        self._logger.addHandler(self)
        return self

    def __exit__(self, *_: object) -> None:
        self._logger.removeHandler(self)
        self._logger.propagate = self._propagate
