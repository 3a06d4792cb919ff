"""The slow rules: partial and soft short, divergence, rates. They see blocks of 2**block_shift samples.

* **Partial short**: x steps down by an eighth or more between two stretches, each steady by itself. What slides down
  (a warming cell, a relaxation, a leak that grows) is not steady before or after.
* **Soft short**: x fluctuates, by its second difference, far more than it did in this cell before. It *persists*
  when it has not calmed for `persist_blocks`.
* **Divergence**: the polarisation outgrows twice its own growth since the last power of two of samples, by half of
  itself (a diffusing salt slows down instead), or the end of the phase before, by far.
* **Rates**: the mean of a block against the one before. Voltage and current only where the phase has settled
  before both of them, so that no current step counts as one.

The memory is laid out in `layout.py`. Sums of a block stay below 2**30: at
most 2**13 samples of 16 bits and two more.
"""

try:
    import micropython
    from micropython import const
except ImportError:
    from ccdmon_fw.cpython import const, micropython, ptr32

from ccdmon_fw.rules import fire

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
_ACTIVE = const(47)
_SIGN = const(48)
_N = const(51)
_LOW = const(52)
_REF = const(54)
_NOISE = const(58)
_QUIET = const(59)
_END = const(64)
_PLAIN = const(66)
_FLIPPED = const(68)
_BLOCK_N = const(78)
_BLOCK_V = const(79)
_BLOCK_I = const(80)
_BLOCK_P = const(81)
_RECTIFIED = const(82)
_M0 = const(83)
_MEANS = const(88)
_SOFT = const(91)
_SOFT_LASTS = const(92)
_MARK_N = const(93)
_MARK_X = const(94)
_MARK_OLD = const(95)
_GROWN = const(96)
_CALM_BLOCKS = const(97)
_BEND = const(98)
_RATE_COUNTS = const(99)
_LEVEL_0 = const(102)
_STAGE = const(262)
_NEW_V = const(263)
_NEW_I = const(264)

_ZERO = const(32768)
_X_BIAS = const(0x8000)
_FOREVER = const(0x10000000)
_ALL_RULES = const(0x7FFF)
_FULL_CELL = const(2)

# Rules, as in limits.RULES
_PARTIAL_SHORT = const(8)
_SOFT_SHORT = const(9)
_SOFT_PERSISTS = const(10)
_DIVERGENCE = const(11)
_RATE_VOLTAGE = const(12)


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
    ref = m[_REF]
    share = ref * m[_FLUCTUATION] >> 6
    count = m[_SOFT]
    if m[_CALM_BLOCKS] < 8:
        m[_CALM_BLOCKS] += 1
        if noise > quiet:
            m[_QUIET] = noise
        return verdict
    if noise > 4 * quiet + share and noise > m[_DROP_MIN] << 3:
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
    if before <= 0 or drop * 64 < before * m[_PARTIAL] or drop < m[_DROP_MIN] or drop * 16 < m[_NOISE] * 2:
        return verdict
    if spread_before * 4 > drop or spread_after * 4 > drop or m[_LOW] > 0 or m[_SOFT_LASTS] > 0:
        return verdict
    if drop < usual:
        return verdict
    return int(
        fire(m, _PARTIAL_SHORT, after if after > 0 else 0, before - (before * m[_PARTIAL] >> 6), verdict)
    )


@micropython.viper
def _divergence(m: ptr32, x: int, verdict: int) -> int:
    """Does x run away from its own past?"""
    n = m[_N]
    mark = m[_MARK_X] - _X_BIAS
    end = m[_END]
    level = m[_LEVEL_0]
    if end > 0x8000:
        end = (end >> 8) * level >> 6
    else:
        end = end * level >> 14
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
    if x > limit and x >= 4 * m[_DROP_MIN] and m[_PLAIN]:
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


@micropython.viper
def _place(m: ptr32):
    """The block's mean as x among the five that are compared, in the direction of the current.

    But for a full cell at the current of the phase's beginning: steps below a third and waves change no cell.
    """
    x = (m[_NEW_V] - _ZERO) >> 1
    if m[_MODE] == _FULL_CELL or m[_RECTIFIED]:
        if x < 0:
            x = 0 - x
    elif (m[_SIGN] - 1) ^ m[_FLIPPED]:
        x = 0 - x
    if m[_MODE] != _FULL_CELL:
        i_abs = (m[_NEW_I] - _ZERO) >> 1
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
    return pressure


@micropython.viper
def block(m: ptr32, verdict: int) -> int:
    """A block is complete, or the last one is being judged: one of four stages a sample, so that no tick grows long."""
    stage = m[_STAGE]
    if stage == 0:
        return int(_rate(m, 2, int(_close(m)), verdict))
    m[_STAGE] = stage + 1 if stage < 3 else 0
    judged = 0
    if m[_NEW_V] != 0 and (m[_SIGN] != 0 or m[_MODE] == _FULL_CELL):
        judged = 1
    if stage == 1:
        if judged:
            _place(m)
        else:
            _forget(m)
        return int(_rate(m, 0, m[_NEW_V], verdict))
    if stage == 2:
        verdict = int(_rate(m, 1, m[_NEW_I], verdict))
        if judged and m[_MODE] != _FULL_CELL:
            verdict = int(_partial(m, verdict))
        return verdict
    if judged and m[_MODE] != _FULL_CELL:
        verdict = int(_divergence(m, m[_M0] - _X_BIAS, verdict))
        if m[_PLAIN] and m[_N] > 4 * m[_SETTLE] + 16:
            verdict = int(_soft(m, verdict))
    return verdict
