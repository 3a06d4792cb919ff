import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]

def spans(blocks: FloatArray, start_s: float, end_s: float, count: float) -> FloatArray:
    """Of each block start and end since the stretch began, in s, and its mean V without the lowest and highest row.

    `blocks` are of shape (`BLOCK_FIELDS`, n), those of a stretch of `count` rows from `start_s` to `end_s`. Returns
    shape (3, n). Of three rows and fewer in a block all count for the mean.
    """

def ohms(volts: FloatArray, amperes: float, most_ohm: float) -> FloatArray:
    """V / I, no more than `most_ohm` either way: behind a current of next to nothing."""

def on_shape(
    row: FloatArray,
    rows: FloatArray,
    ohm: FloatArray,
    shape: FloatArray,
    bend: tuple[FloatArray, FloatArray] | None,
    unsure: float,
    early: float,
    noise_ohm: float,
    kept_ohm: float,
) -> tuple[FloatArray, npt.NDArray[np.int64], float, float]:
    """Level, relative error and usable shape, of shape (3, n); bins of the blocks; median and usual size of the level.

    At most 64 blocks with their first `row`, number of `rows`, `ohm` and what `shape` says of it. `bend`: how ohm over
    shape went in the half-cycles before, median and scatter in each of 41 bins, three to an octave of rows. `unsure`
    is the shape's error, with `early` more where the half-cycle begins. Raises ValueError for more blocks.
    """

def stray_rows(
    blocks: FloatArray, volts: FloatArray, positive: bool, least_V: float, converter_steps: float
) -> tuple[list[float], int]:
    """First rows of blocks with a row far towards 0 from its block's `volts`, and the number with one far from 0.

    Far is more than `least_V`, and than `converter_steps` times the smallest span of V in a block. The first two
    settle.
    """
