"""A short run folder whole in memory, for tests that compare all of its rows; the product reads it piece by piece."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ccdmon.link.decoder import Counts
from ccdmon.model.trace import Trace, joined
from ccdmon.run.stored_rows import RunRows, Segment


@dataclass(frozen=True)
class Run:
    """Everything of it."""

    folder: Path
    config: Mapping[str, Any]  # run.toml
    trace: Trace
    samples: npt.NDArray[np.int64]  # the device's sample counter of each row
    verdicts: npt.NDArray[np.uint16]  # the firmware's verdict on each row
    segments: tuple[Segment, ...]
    counts: Counts
    events: tuple[Mapping[str, Any], ...]
    trip: Mapping[str, Any] | None


def open_run(folder: Path) -> Run:
    """All rows of a run in memory, about 80 bytes each. Raises `InputError` as `RunRows`."""
    run = RunRows(folder)
    pieces = list(run.pieces())
    return Run(
        folder,
        run.config,
        joined([piece.trace for piece in pieces]),
        np.concatenate([piece.rows.samples for piece in pieces]),
        np.concatenate([piece.rows.codes[:, 3] for piece in pieces]),
        run.segments,
        run.counts,
        run.events,
        run.trip,
    )
