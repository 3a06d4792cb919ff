from collections.abc import Sequence

from ccd_fastcore._core import Column

BLOCKS_BYTES: int

class RowBlocks:
    """The rows of each segment in at most 64 blocks, in constant memory (`BLOCKS_BYTES`).

    Blocks are whole rows joined with their neighbours, two by two, as often as needed: all of them of 2**k rows, but
    for the last one. Rows without a voltage or a current are left out.
    """

    def feed(
        self,
        time_s: Column,
        voltage_V: Column,
        current_A: Column,
        temperature_degC: Column | None,
        pressure_Pa: Column | None,
        segments: Sequence[Sequence[float]],
        running: tuple[int, int] | None,
    ) -> list[bytes]:
        """Take rows that `Stream.feed` took: columns of shape (n,).

        `segments` begin with the first and last row of each segment they completed (the records do), `running` is
        `Stream.running` behind them. Returns the blocks of each completed segment as `look` does. Any chunking of the
        rows gives the same bits. Raises ValueError for unequal lengths.
        """

    def look(self) -> bytes:
        """The blocks of the running segment so far, as float64: their number n, V and A of the first row and the last.

        Behind these five numbers `BLOCK_FIELDS`, n numbers each, the last two only where one of them is known. Nothing
        before the first row.
        """
