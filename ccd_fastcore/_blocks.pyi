from collections.abc import Sequence

from ccd_fastcore._core import Column

BLOCKS_BYTES: int

class Summary:
    """What is asked of a segment time and again: of its record, and of `told`, what `RowBlocks` told of it.

    Current, charge and noise as in the record: A along its sign, C of |I|, V.

    Of the means of its blocks: medians of V and of |A|, the 0.98 quantile of |V|, medians of |V| of the first fifth and
    of the last three, V of the last block, lowest and highest. Of six blocks and more (else NaN) what V rises by after
    its first block, over its median, and medians of A and V of the first two blocks and of the last third. Temperature
    and pressure are those of the block in the middle, NaN where it tells none. Raises ValueError for other bytes.
    """

    middle_V: float
    level_A: float
    most_V: float
    start_V: float
    late_V: float
    end_V: float
    least_mean_V: float
    most_mean_V: float
    rise: float
    begin_A: float
    settled_A: float
    begin_V: float
    settled_V: float
    temperature_degC: float
    pressure_Pa: float
    first_row: int
    last_row: int
    count: int
    start_s: float
    end_s: float
    sign: int
    current_A: float
    charge_C: float
    noise_V: float
    after_gap: bool

    def __init__(self, record: Sequence[float], told: bytes) -> None: ...

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
