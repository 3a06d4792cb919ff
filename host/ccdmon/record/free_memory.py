"""Gives freed memory back to the system.

The allocators of Arrow and of the C library keep it for later, the latter in pieces that fit less and less: a process
that runs for a week would seem to grow.
"""

import ctypes
import sys

import pyarrow as pa


def give_back() -> None:
    """Some milliseconds; does nothing where the C library (musl, others than Linux's) cannot."""
    pa.default_memory_pool().release_unused()
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None) if sys.platform == "linux" else None
    if trim is not None:
        trim(0)
