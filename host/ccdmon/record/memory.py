"""What keeps a recorder that runs for weeks small: libraries without what it never needs, memory that goes back.

Call `spare` before numpy, Arrow and pydantic are imported.
"""

import ctypes
import os
import sys
import time
from collections.abc import Callable

GIVE_BACK_S = 5.0
_state = {"due_s": 0.0}  # of the process
_ARENAS = -8  # M_ARENA_MAX of glibc's mallopt(3)


def spare() -> None:
    """Each of these is some megabytes of 100."""
    # Arrow takes memory from the C library, which gives back what is freed (`give_back`): its own pool keeps 20 MB.
    os.environ.setdefault("ARROW_DEFAULT_MEMORY_POOL", "system")
    os.environ.setdefault(
        "PYDANTIC_DISABLE_PLUGINS", "__all__"
    )  # it would read what all that is installed says of itself
    for cloud in ("_s3fs", "_gcsfs", "_azurefs", "_hdfs"):  # as in an Arrow that was built without
        sys.modules.setdefault(f"pyarrow.{cloud}", None)  # type: ignore[arg-type]  # what Python takes for absent
    if (mallopt := _of_the_c_library("mallopt")) is not None:
        mallopt(_ARENAS, 1)  # threads that hardly ever ask for memory at once need no heap each


def give_back() -> None:
    """Freed memory goes back to the system; not where the C library (musl) cannot, and not more often than is of use.

    It takes some milliseconds in a small process, in which nobody else gets memory: one that records many rigs would
    do hardly anything else.

    The allocators of Arrow and of the C library keep it for later, the latter in pieces that fit less and less: a
    process that runs for a week would seem to grow.
    """
    now_s = time.monotonic()
    if now_s < _state["due_s"]:
        return
    _state["due_s"] = now_s + GIVE_BACK_S
    import pyarrow as pa

    pa.default_memory_pool().release_unused()
    if (trim := _of_the_c_library("malloc_trim")) is not None:
        trim(0)


def _of_the_c_library(name: str) -> Callable[..., int] | None:
    """None where there is none of that name."""
    return getattr(ctypes.CDLL(None), name, None) if sys.platform == "linux" else None
