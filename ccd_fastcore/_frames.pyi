import numpy as np
import numpy.typing as npt

class Unframer:
    """Cuts a byte stream into frames. Counts what it cannot read in `crc_errors`; never raises on input."""

    crc_errors: int
    def __init__(self) -> None: ...
    def feed(self, data: bytes) -> list[tuple[int, int, bytes]]:
        """The frames `data` completes: (type, sequence, body)."""
    def feed_samples(
        self, data: bytes
    ) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.uint16], list[tuple[int, int, bytes, int]]]:
        """As `feed`, with the samples in two arrays: (heads, codes, other frames).

        `heads` is int64 of shape (frames, 7): sequence, first sample, dropped, time in us, run, count, flags; `codes` is
        uint16 of shape (samples, 4): voltage, current, pressure code, verdict. Other frames: (type, sequence, body,
        number of heads before it).
        """

def unpack_samples(body: bytes) -> tuple[int, int, int, int, int, npt.NDArray[np.uint16]]:
    """(first sample, dropped, time in us, run, flags, codes) of a SAMPLES body; codes uint16 of shape (count, 4).

    Raises ValueError for a body shorter or longer than it says.
    """
