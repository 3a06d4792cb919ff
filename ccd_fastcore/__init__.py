"""Streaming analysis of cell traces: half-cycles, resistance, shorts. Compiled; set CCD_FASTCORE=reference for the
plain-Python twin, which gives the same bits."""

import os

from ccd_fastcore._reference import EVENT_FIELDS, HALF_CYCLE_FIELDS, MODES
from ccd_fastcore._reference import Stream as ReferenceStream

if os.environ.get("CCD_FASTCORE") == "reference":
    Stream = ReferenceStream  # type: ignore[misc,assignment]
else:
    from ccd_fastcore._core import Stream

__all__ = ["EVENT_FIELDS", "HALF_CYCLE_FIELDS", "MODES", "ReferenceStream", "Stream"]
