"""The slow rules: partial and soft short, divergence, rates. They see blocks of 2**block_shift samples.

* **Partial short**: x steps down by an eighth or more between two stretches, each steady by itself. What slides down
  (a warming cell, a relaxation, a leak that grows) is not steady before or after.
* **Soft short**: x fluctuates, by its second difference, far more than it did in this cell before. It *persists*
  when it has not calmed for `persist_blocks`.
* **Divergence**: x steps up by half and more in the same way (a contact that lets go), or the polarisation outgrows
  twice its own growth since the last power of two of samples, by half of itself (a diffusing salt slows down instead),
  or the end of the phase before, by far.
* **Rates**: the mean of a block against the one before. Voltage and current only where the phase has settled
  before both of them, so that no current step counts as one.

The memory is laid out in `layout.py`. Sums of a block stay below 2**30: at most 2**13 samples of 16 bits and two more.
Longer than 250 lines: `const` holds within one module only.
"""

try:
    import micropython
    from micropython import const
except ImportError:
    from ccdmon_fw.cpython import const, micropython, ptr32

from ccdmon_fw.rules import fire, volts
from ccdmon_fw.wires import seen, stirs, unseen

# Words of the memory, as in layout.py, which says what they are
_MODE = const(4)
_SETTLE = const(6)
_DROP_MIN = const(10)
_RATES = const(19)
_PARTIAL = const(22)
_FLUCTUATION = const(23)
_SOFT_BLOCKS = const(24)
_PERSIST_BLOCKS = const(25)
_DIVERGENCE_64THS = const(26)
_OUTGROWN = const(27)
_R_FIRST = const(28)
_R_MIN = const(29)
_R_MAX = const(30)
_R_DOUBTFUL = const(31)
_V_ZERO = const(32)
_ACTIVE = const(59)
_SIGN = const(171)
_LEVEL_0 = const(174)
_N = const(175)
_LOW = const(176)
_REF = const(179)
_HELD = const(181)
_TREND = const(182)
_BASE = const(183)
_JUMPED = const(184)
_AGE = const(185)
_SLOW = const(186)
_SAGS = const(187)
_X1 = const(188)
_X2 = const(189)
_NOISE = const(192)
_FADED = const(193)
_QUIET = const(194)
_GRAIN = const(195)
_PAST = const(198)
_END = const(204)
_ENDS = const(205)
_R_HIGHS = const(208)
_X_HIGH = const(211)
_PLAIN = const(213)
_WIRED = const(215)
_FLIPPED = const(216)
_AGAINST = const(217)
_RECTIFIED = const(218)
_BLOCK_N = const(230)
_BLOCK_V = const(231)
_BLOCK_I = const(232)
_BLOCK_P = const(233)
_STAGE = const(234)
_NEW_V = const(235)
_NEW_I = const(236)
_M0 = const(237)
_MEANS = const(242)
_PRESSED = const(245)
_SOFT = const(246)
_SOFT_LASTS = const(247)
_MARK_N = const(248)
_MARK_X = const(249)
_TAUGHT = const(214)
_FALLS = const(201)
_FELL = const(202)
_MARK_OLD = const(250)
_GROWN = const(251)
_CALM_BLOCKS = const(252)
_BEND = const(253)
_RATE_COUNTS = const(270)
_I_ZERO = const(337)
_ON = const(343)
_R_BIAS = const(0x1000000)
_FAINT = const(96)

_X_BIAS = const(0x8000)
_FOREVER = const(0x10000000)
_ALL_RULES = const(0x3FFFFF)
_FULL_CELL = const(2)

# Rules, as in limits.RULES
_PARTIAL_SHORT = const(8)
_SOFT_SHORT = const(9)
_SOFT_PERSISTS = const(10)
_DIVERGENCE = const(11)
_RATE_VOLTAGE = const(12)
_SAG = const(15)
_LOW_RESISTANCE = const(16)
_OPEN_CIRCUIT = const(17)
_DOUBTFUL_RESISTANCE = const(21)
_BLIND = const(20)


@micropython.viper
def _rate(m: ptr32, channel: int, mean: int, verdict: int) -> int:
    """One channel's mean against the one before it; three changes in a row, for a step is over in two."""
    before = m[_MEANS + channel]
    m[_MEANS + channel] = mean
    limit = m[_RATES + channel]
    state = m[_RATE_COUNTS + channel]  # blocks in a row, 4 more if they fall
    rule = _RATE_VOLTAGE + channel
    change = mean - before
    falls = 0
    if change < 0:
        change = 0 - change
        falls = 4
    if before == 0 or mean == 0 or change <= limit:
        m[_RATE_COUNTS + channel] = 0
        m[_ACTIVE] &= _ALL_RULES ^ (1 << rule)
        return verdict
    count = 1
    if state & 4 == falls:
        count = (state & 3) + 1
        if count > 3:
            count = 3
    m[_RATE_COUNTS + channel] = count + falls
    if count == 3:
        return int(fire(m, rule, change, limit, verdict))
    return verdict


@micropython.viper
def _soft(m: ptr32, verdict: int) -> int:
    """Does the voltage fluctuate as it did not before?"""
    noise = m[_NOISE]
    quiet = m[_QUIET]
    step = m[_X1] - m[_X2]
    if step < 0:
        step = 0 - step
    if step > 0 and (step < m[_GRAIN] or m[_GRAIN] == 0):
        m[_GRAIN] = step
    ref = m[_REF]
    share = ref * m[_FLUCTUATION] >> 6
    count = m[_SOFT]
    if m[_CALM_BLOCKS] < 8:
        m[_CALM_BLOCKS] += 1
        if noise > quiet:
            m[_QUIET] = noise
        return verdict
    if (
        (m[_MODE] == 0 or m[_TAUGHT] > 0)
        and noise < _FAINT
        and noise * 4 < quiet
        and quiet > m[_GRAIN] << 6
        and m[_GRAIN] > 0
    ):
        faded = m[_FADED] + 1
        m[_FADED] = faded
        if faded > 16:  # a converter that froze, but for a step or so
            m[_FADED] = 16
            return int(fire(m, _BLIND, noise >> 4, quiet >> 4, verdict))
        return verdict
    m[_FADED] = 0
    if noise > 4 * quiet + share and noise > m[_DROP_MIN] << 3 and noise > m[_GRAIN] << 4:
        if count < m[_SOFT_BLOCKS]:
            count += 1
        if count >= m[_SOFT_BLOCKS]:
            verdict = int(fire(m, _SOFT_SHORT, noise >> 4, (4 * quiet + share) >> 4, verdict))
            if m[_SOFT_LASTS] == 0:
                m[_SOFT_LASTS] = 1
    else:
        if noise < 3 * quiet:
            m[_QUIET] = quiet + ((noise - quiet) >> 5)
        if noise < 2 * quiet + (share >> 1):
            if count > 0:
                count -= 1
            if count == 0:
                m[_ACTIVE] &= _ALL_RULES ^ (1 << _SOFT_SHORT | 1 << _SOFT_PERSISTS)
                m[_SOFT_LASTS] = 0
    m[_SOFT] = count
    lasts = m[_SOFT_LASTS]
    if lasts > 0:
        if lasts < _FOREVER:
            m[_SOFT_LASTS] = lasts + 1
        if lasts >= m[_PERSIST_BLOCKS]:
            verdict = int(fire(m, _SOFT_PERSISTS, lasts, m[_PERSIST_BLOCKS], verdict))
    return verdict


@micropython.viper
def _rise(m: ptr32, before: int, rise: int, spread: int, verdict: int) -> int:
    """The mirror of a partial short in a symmetric cell, by half and more: a contact that lets go, or another gain."""
    if (
        m[_MODE] != 0
        or before <= 4 * m[_DROP_MIN]
        or rise <= (before >> 1) + 2 * spread
        or rise < spread * 4
        or rise <= m[_BEND]
        or rise * 4 <= m[_NOISE]
    ):
        return verdict
    if m[_PRESSED] > 0 or m[_SOFT_LASTS] > 0 or m[_AGAINST]:
        return verdict
    return int(fire(m, _DIVERGENCE, before + rise, before + (before >> 1), verdict))


@micropython.viper
def _partial(m: ptr32, verdict: int) -> int:
    """Before (two blocks), the step (one), after (two)."""
    if m[_M0 + 4] == 0 or m[_M0 + 3] == 0:
        return verdict
    bend = m[_M0 + 2] - 2 * m[_M0 + 3] + m[_M0 + 4]
    if bend < 0:
        bend = 0 - bend
    usual = m[_BEND]
    m[_BEND] = usual + (((bend << 2) - usual + 4) >> 3)
    after = m[_M0] - _X_BIAS
    spread_after = after - m[_M0 + 1] + _X_BIAS
    if spread_after < 0:
        after -= spread_after
        spread_after = 0 - spread_after
    before = m[_M0 + 4] - _X_BIAS
    spread_before = before - m[_M0 + 3] + _X_BIAS
    if spread_before > 0:
        before -= spread_before
    else:
        spread_before = 0 - spread_before
    drop = before - after
    if drop < 0:
        return int(_rise(m, before, 0 - drop, spread_before + spread_after, verdict))
    if before <= 0 or drop * 64 < before * m[_PARTIAL] or drop < m[_DROP_MIN] or drop * 16 < m[_NOISE] * 2:
        return verdict
    if spread_before * 4 > drop or spread_after * 4 > drop or m[_LOW] > 0 or m[_SOFT_LASTS] > 0:
        return verdict
    if drop < usual or m[_PRESSED] > 0 or after << 4 > m[_BASE] - (m[_BASE] * m[_PARTIAL] >> 6):
        return verdict  # a wave, a screw that is turned, or only back where it was
    if m[_PAST] > _R_BIAS:
        known = int(volts(m[_PAST] - _R_BIAS, m[_LEVEL_0]))
        if before > known + (known >> 4) and after > known - (known >> 4):
            return verdict  # back at what earlier phases showed here: this one began too high
    return int(
        fire(m, _PARTIAL_SHORT, after if after > 0 else 0, before - (before * m[_PARTIAL] >> 6), verdict)
    )


@micropython.viper
def _divergence(m: ptr32, x: int, verdict: int) -> int:
    """Does x run away from its own past?"""
    n = m[_N]
    mark = m[_MARK_X] - _X_BIAS
    end = m[_ENDS + m[_SIGN]]  # in the same direction, for the two electrodes need not be alike
    if end == 0:
        end = m[_END]
    level = m[_LEVEL_0]
    end = int(volts(end, level))
    limit = 0x7FFF
    if m[_MARK_OLD]:
        growth = mark - m[_MARK_OLD] + _X_BIAS
        if growth < 0:
            growth = 0
        limit = mark + 2 * growth + (mark * m[_DIVERGENCE_64THS] >> 6)
        least = end + (end * m[_DIVERGENCE_64THS] >> 6)
        if limit < least:
            limit = least
    outgrown = end * m[_OUTGROWN] >> 6
    if end > 0 and outgrown < limit:
        limit = outgrown
    if x > limit and x >= 4 * m[_DROP_MIN] and m[_PLAIN] and m[_AGAINST] == 0 and m[_WIRED]:
        m[_GROWN] += 1
        if m[_GROWN] >= 2:
            m[_GROWN] = 2
            verdict = int(fire(m, _DIVERGENCE, x, limit, verdict))
    else:
        m[_GROWN] = 0
        m[_ACTIVE] &= _ALL_RULES ^ (1 << _DIVERGENCE)
    if n >= 2 * m[_MARK_N]:
        m[_MARK_OLD] = m[_MARK_X] if x > 0 else 0
        m[_MARK_X] = x + _X_BIAS if x > 0 else 0
        m[_MARK_N] = n
    return verdict


@micropython.viper
def _sag(m: ptr32, x: int, verdict: int) -> int:
    """A collapse too slow to be one at once, within some share of the phase's age, that has come to its end.

    The slow reference follows a fall in half of the blocks that the phase has lasted, at most 32: relaxations, which
    go by the logarithm of time, it follows. What still falls may run through zero: a short stays where it is.
    """
    slow = m[_SLOW]
    x4 = x << 4 if x > 0 else 0
    age = m[_SAGS]
    if slow == 0:
        m[_SLOW] = x4
        m[_SAGS] = 0
        return verdict
    if age < 64:
        m[_SAGS] = age + 1
    shift = 1
    while shift < 5 and age >> (shift + 1):
        shift += 1
    if x4 >= slow:
        slow += (x4 - slow) >> 2
    else:
        slow -= (slow - x4) >> shift
    m[_SLOW] = slow
    drop = slow - x4
    falls = (m[_M0 + 1] - m[_M0]) << 4
    if falls < 0:
        falls = 0 - falls
    end = m[_ENDS + m[_SIGN]]
    if (
        (
            age >= 8
            and x4 * 64 < slow * 18
            and x4 << 8 < m[_BASE] * 72
            and drop >= (m[_DROP_MIN] << 4) + 2 * m[_NOISE]
            and falls << 6 < drop + (m[_NOISE] << 5)
            and x >= 0
        )
        or (end > 0 and end * 6 < m[_R_HIGHS + m[_SIGN]])
        or m[_FELL] > 1
    ):
        return int(fire(m, _SAG, x, slow * 18 >> 10, verdict))
    m[_ACTIVE] &= _ALL_RULES ^ (1 << _SAG)
    return verdict


@micropython.viper
def _plausible(m: ptr32, x: int, verdict: int) -> int:
    """Is this voltage one of such a cell at this current at all? x of a block with current."""
    level = m[_LEVEL_0]
    if x > m[_X_HIGH]:
        m[_X_HIGH] = x
    least = m[_R_MIN]
    if m[_R_HIGHS + 1] + m[_R_HIGHS + 2] == 0 and m[_R_FIRST] > least:  # nothing yet to compare with
        least = m[_R_FIRST]
    limit = int(volts(least, level))
    if x < limit and x > 0 - limit and m[_AGAINST] == 0:
        return int(fire(m, _LOW_RESISTANCE, x if x > 0 else 0, limit, verdict))
    m[_ACTIVE] &= _ALL_RULES ^ (1 << _LOW_RESISTANCE)
    doubtful = m[_R_DOUBTFUL]
    if m[_R_HIGHS + 1] < doubtful and m[_R_HIGHS + 2] < doubtful:
        limit = int(volts(doubtful, level))
        if x < limit and limit >= m[_DROP_MIN] and m[_AGAINST] == 0:
            return int(fire(m, _DOUBTFUL_RESISTANCE, x if x > 0 else 0, limit, verdict))
    limit = int(volts(m[_R_MAX], level))
    most = m[_R_HIGHS + 1] if m[_R_HIGHS + 1] > m[_R_HIGHS + 2] else m[_R_HIGHS + 2]
    if most and x * 2 > m[_X_HIGH]:  # the cycler is at its limit, and the current gives way
        most = 3 * int(volts(most, level))
        if limit == 0 or most < limit:
            limit = most
    if limit > 0 and x > limit:
        return int(fire(m, _OPEN_CIRCUIT, x, limit, verdict))
    return verdict


@micropython.viper
def _resting(m: ptr32, verdict: int) -> int:
    """Without current: a symmetric cell's voltage is small, unless nothing but the cycler's limit is measured."""
    if m[_NEW_V] == 0 or m[_MODE] != 0:
        return verdict
    x = (m[_NEW_V] - m[_V_ZERO]) >> 1
    if x < 0:
        x = 0 - x
    limit = 2 * m[_X_HIGH]
    if limit == 0:
        limit = int(volts(m[_R_MAX], m[_ON]))
    if limit > 0 and x > limit + 4 * m[_DROP_MIN]:
        return int(fire(m, _OPEN_CIRCUIT, x, limit, verdict))
    m[_ACTIVE] &= _ALL_RULES ^ (1 << _OPEN_CIRCUIT)
    return verdict


@micropython.viper
def _forget(m: ptr32):
    """What comes now is not to be compared with the blocks before."""
    k = 0
    while k < 5:
        m[_M0 + k] = 0
        k += 1
    m[_MARK_N] = m[_N] + 4 * m[_SETTLE]
    m[_MARK_X] = 0
    m[_MARK_OLD] = 0
    m[_GROWN] = 0
    m[_AGE] = 0
    m[_SLOW] = 0


@micropython.viper
def _place(m: ptr32):
    """The block's mean as x among the five that are compared, in the direction of the current.

    But for a full cell at the current of the phase's beginning: steps below a third and waves change no cell.
    """
    x = (m[_NEW_V] - m[_V_ZERO]) >> 1
    if m[_MODE] == _FULL_CELL or m[_RECTIFIED]:
        if x < 0:
            x = 0 - x
    elif (m[_SIGN] - 1) ^ m[_FLIPPED]:
        x = 0 - x
    if m[_WIRED] == 0 and x < 0:  # it began on the other side of zero
        x = 0 - x
        m[_FLIPPED] ^= 1
        m[_REF] = 0
    if m[_MODE] != _FULL_CELL:
        i_abs = (m[_NEW_I] - m[_I_ZERO]) >> 1
        if i_abs < 0:
            i_abs = 0 - i_abs
        level = m[_LEVEL_0]
        if i_abs * 4 < level or i_abs > 2 * level:  # it has drifted away: another beginning
            level = i_abs
            m[_LEVEL_0] = i_abs
            _forget(m)
        if i_abs >= 32:
            x = x * level // i_abs
        if x > 0x7FFF:
            x = 0x7FFF
        if x < -0x7FFF:
            x = -0x7FFF
    k = 4
    while k > 0:
        m[_M0 + k] = m[_M0 + k - 1]
        k -= 1
    m[_M0] = x + _X_BIAS
    if m[_LOW] < 2 and m[_HELD] == 0:
        _follow(m, x)


@micropython.viper
def _follow(m: ptr32, x: int):
    """What is usual: by how much x falls anyway, and what it keeps when it jumps up and comes back."""
    before = m[_M0 + 1]
    if before and (x + _X_BIAS - before) << 3 >= _X_BIAS - before:
        m[_FALLS] = 0
    rose = 0  # in the block before
    fall = 0
    if m[_M0 + 2]:
        rose = before - m[_M0 + 2]
        fall = m[_M0 + 3] - before if m[_M0 + 3] else 2 * (m[_M0 + 2] - before)
    m[_TREND] = fall << 4 if fall > 0 else 0
    x4 = x << 4 if x > 0 else 0
    base = m[_BASE]
    if m[_AGE] < 8:
        m[_AGE] += 1
    jumped = 0  # blocks since
    if m[_M0 + 2] == 0 and x4 > base:
        base = x4
    elif x4 <= base:
        base -= (base - x4) >> 4
    elif m[_JUMPED] or x4 - base > (base >> 5) + (rose << 5 if rose > 0 else 0):
        jumped = m[_JUMPED] + 1
        base += (base >> 7) + 1
        if jumped > 24:  # for good
            jumped = 0
    if jumped == 0 and x4 > base:
        base = x4
    m[_JUMPED] = jumped
    m[_BASE] = base


@micropython.viper
def _close(m: ptr32) -> int:
    """The means of a complete block; that of the pressure. The next block begins."""
    count = m[_BLOCK_N]
    m[_NEW_V] = m[_BLOCK_V] // count
    m[_NEW_I] = m[_BLOCK_I] // count
    pressure = m[_BLOCK_P] // count
    m[_BLOCK_N] = 0
    m[_BLOCK_V] = 0
    m[_BLOCK_I] = 0
    m[_BLOCK_P] = 0
    if m[_N] - count < m[_SETTLE]:
        m[_NEW_V] = 0
        m[_NEW_I] = 0
    m[_STAGE] = 1
    seen(m, pressure)
    change = pressure - m[_MEANS + 2]
    if change < 0:
        change = 0 - change
    if m[_PRESSED] > 0:
        m[_PRESSED] -= 1
    if change << 7 > pressure and m[_MEANS + 2] > 0:
        m[_PRESSED] = 8
    return pressure


@micropython.viper
def block(m: ptr32, verdict: int) -> int:
    """A block is complete, or the last one is being judged: one of four stages a sample, so that no tick grows long."""
    stage = m[_STAGE]
    if stage == 0:
        return int(_rate(m, 2, int(_close(m)), int(stirs(m, verdict))))
    m[_STAGE] = stage + 1 if stage < 3 else 0
    judged = 0
    if m[_NEW_V] != 0 and (m[_SIGN] != 0 or m[_MODE] == _FULL_CELL):
        judged = 1
    if stage == 1:
        if judged:
            _place(m)
            if m[_MODE] == 0:
                verdict = int(_plausible(m, m[_M0] - _X_BIAS, verdict))
        else:
            _forget(m)
            verdict = int(_resting(m, verdict))
        return int(_rate(m, 0, m[_NEW_V], int(unseen(m, verdict))))
    if stage == 2:
        verdict = int(_rate(m, 1, m[_NEW_I], verdict))
        if judged and m[_MODE] != _FULL_CELL:
            verdict = int(_partial(m, verdict))
        return verdict
    if judged and m[_MODE] == 0:
        verdict = int(_divergence(m, m[_M0] - _X_BIAS, verdict))
        verdict = int(_sag(m, m[_M0] - _X_BIAS, verdict))
    if judged and m[_MODE] != _FULL_CELL:
        if m[_PLAIN] and m[_N] > 4 * m[_SETTLE] + 16:
            verdict = int(_soft(m, verdict))
    return verdict
