"""Streaming analysis of cell traces: half-cycles, resistance and steps of the polarisation.

Compiled; set CCD_FASTCORE=reference for the plain-Python twin, which gives the same bits.
"""

import os
from typing import TYPE_CHECKING

from ccd_fastcore._interpreted import STATE_BYTES
from ccd_fastcore._interpreted import Stream as ReferenceStream
from ccd_fastcore._reference_blocks import BLOCK_FIELDS
from ccd_fastcore._reference_envelope import ENVELOPE_FIELDS
from ccd_fastcore._segment import SEGMENT_FIELDS
from ccd_fastcore._steps import STEP_FIELDS
from ccd_fastcore._stream import MODES

if TYPE_CHECKING or os.environ.get("CCD_FASTCORE") != "reference":
    from ccd_fastcore._blocks import RowBlocks, Summary
    from ccd_fastcore._core import Named, Stream, add_known, feed_many
    from ccd_fastcore._envelope import Envelope
    from ccd_fastcore._frames import Unframer, unpack_samples
    from ccd_fastcore._levels import FILTERS, Filters, KeptLevel, Level
    from ccd_fastcore._statistics import middle, quantile
else:
    from ccd_fastcore._interpreted import Named, Stream, add_known, feed_many
    from ccd_fastcore._reference_blocks import RowBlocks, Summary
    from ccd_fastcore._reference_envelope import Envelope
    from ccd_fastcore._reference_frames import Unframer, unpack_samples
    from ccd_fastcore._reference_levels import FILTERS, Filters, KeptLevel, Level
    from ccd_fastcore._reference_statistics import middle, quantile

__all__ = [
    "BLOCK_FIELDS",
    "ENVELOPE_FIELDS",
    "FILTERS",
    "MODES",
    "SEGMENT_FIELDS",
    "STATE_BYTES",
    "STEP_FIELDS",
    "Envelope",
    "Filters",
    "KeptLevel",
    "Level",
    "Named",
    "ReferenceStream",
    "RowBlocks",
    "Stream",
    "Summary",
    "Unframer",
    "add_known",
    "feed_many",
    "middle",
    "quantile",
    "unpack_samples",
]
