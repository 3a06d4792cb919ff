"""The edge detector: integers only, no allocation; the same file is the golden model on CPython.

A sample passes four stations, quickest first:

1. **Range.** A converter at its rail measures nothing: `rail`. Codes outside their limits: `limit_*`, confirmed, with
   hysteresis.
2. **Phase.** A phase is a stretch of steady current: it begins at a current step, a reversal or the end of a rest. One
   sample whose current does not belong is passed over. Within a phase x, the voltage in the direction of the
   current, stands for the resistance; between phases r = x/I (Q14 of full scales) does. Never a number of volts.
3. **Collapse**, the hard short. x is compared with a reference that follows a rise quickly and a fall within a few
   samples (`block_shift`), so only what is *abrupt* is a collapse: a leak that grows slowly (fake stable), a warming
   cell, a relaxing interface take the reference along. A short is flat: x that rises again while it is being confirmed
   is a cell coming up from below (salt diffusion, seen after a gap). While x fluctuates, confirmation takes longer.
   A full cell is judged by |V| alone, at rest too; a half cell by |V|, for its other electrode may have a voltage.
4. **Marks and blocks**, the slow rules, each on its own samples so that most samples pay for neither. At 2, 3, 4, 6, 8,
   12 ... samples of a phase r is compared with the *profile*, what earlier phases showed there: this finds a short that
   came with the step itself, by x being small or by the missing rise. Before the first reversal there is no earlier
   phase; then superposition tells what to expect: a linear cell whose first phase rose from S(n) to S(end) shows
   2 S(n) - S(end) after the reversal. The rules on blocks are in `trends.py`.

Each rule has an action (off, inform, warn, trip). Only `trip` opens the gate: the verdict carries reason and action of
the strongest rule of this sample, and no trip hides behind a warning. The last firing of each rule and their number are
kept in memory until the main loop has told them (`alarms.py`).

Longer than 250 lines: `const` holds within one module only, and what `step` calls in each sample is cheaper here.

Memory `m` (array 'i', laid out in `layout.py`): all values >= 0 because 64-bit ports load 32-bit words without their
sign: x and r are stored with a bias added. Bounds: x, I at most 2**14; Q4 of them 2**18; r at most 2**23, for a phase
has at least 32 units of current; products below 2**30.
"""

from array import array

from ccdmon_fw import limits
from ccdmon_fw.rules import fire, volts
from ccdmon_fw.trends import block
from ccdmon_fw.wires import answer, explained

try:
    import micropython
    from micropython import const
except ImportError:
    from ccdmon_fw.cpython import const, micropython, ptr32

# Words of the memory, as in layout.py, which says what they are
V = const(0)
I = const(1)  # noqa: E741 - current code, the field's own symbol
P = const(2)
T = const(3)
SETTINGS_AT = const(4)
_MODE = const(4)
_CONFIRM = const(5)
_SETTLE = const(6)
_BLOCK_SHIFT = const(7)
_COLLAPSE = const(8)
CURRENT_ON = const(9)
_DROP_MIN = const(10)
_V_MIN = const(11)
_V_MAX = const(12)
_I_MIN = const(13)
_I_MAX = const(14)
_P_MIN = const(15)
_P_MAX = const(16)
_LIMIT_CONFIRM = const(17)
_HYSTERESIS = const(18)
_PARTIAL = const(22)
V_ZERO = const(32)
ACTIONS_AT = const(33)
STATE_AT = const(55)
SAMPLE = const(55)
RULE = const(56)
VALUE = const(57)
LIMIT = const(58)
ACTIVE = const(59)
FIRED = const(60)
EVENTS_AT = const(61)
_SIGN = const(171)
_ODD = const(172)
_LEVEL = const(173)
_LEVEL_0 = const(174)
_N = const(175)
_LOW = const(176)
_LOW_X = const(177)
_RISES = const(178)
_REF = const(179)
_SHARE = const(180)
_HELD = const(181)
_TREND = const(182)
_BASE = const(183)
_JUMPED = const(184)
_AGE = const(185)
_SLOW = const(186)
_X1 = const(188)
_X2 = const(189)
_B1 = const(190)
_B2 = const(191)
_NOISE = const(192)
_MARK_AT = const(196)
_MARK_K = const(197)
_PAST = const(198)
_X_MARK = const(199)
_X_HALF = const(200)
_FALLS = const(201)
_FELL = const(202)
_ROSE = const(203)
_END = const(204)
_ENDS = const(205)
_R_HIGHS = const(208)
_TYPICAL = const(212)
_PLAIN = const(213)
_TAUGHT = const(214)
_WIRED = const(215)
_FLIPPED = const(216)
_AGAINST = const(217)
_RECTIFIED = const(218)
_V_ENDS = const(219)
_RESTS = const(222)
_V_BEFORE = const(223)
_I_BEFORE = const(224)
_V_DRIFT = const(225)
_OVER_COUNT = const(226)
_OVER_COUNT_I = const(227)
_OVER_COUNT_P = const(228)
_SPIKE = const(229)
_BLOCK_N = const(230)
_BLOCK_V = const(231)
_BLOCK_I = const(232)
_BLOCK_P = const(233)
_STAGE = const(234)
_SOFT_LASTS = const(247)
_QUIET = const(194)
_CALM_BLOCKS = const(252)
_TURNED = const(258)
_P_LOW = const(260)
_PROFILE = const(273)
_PROFILE_N = const(305)
_STATE_END = const(337)
I_ZERO = const(337)
_V_NOISE = const(338)
_STIRS = const(339)
_OPEN_CODE = const(342)
ON = const(343)
_REASONS_AT = const(344)
MEMORY_WORDS = const(366)

EVENT_WORDS = const(5)
RULE_COUNT = const(22)
_MARKS = const(32)
_HOLD = const(10)
_FULL_64THS = const(56)
_FELL_64THS = const(22)

_RAIL_LOW = const(256)
_RAIL_HIGH = const(65280)
_RAIL_P = const(65520)
_X_BIAS = const(0x8000)
_R_BIAS = const(0x1000000)
_FOREVER = const(0x10000000)
_WRAP = const(0x3FFFFFFF)
_ALL_RULES = const(0x3FFFFF)
_HALF_CELL = const(1)
_FULL_CELL = const(2)

# Rules, as in limits.RULES
HARD_SHORT = const(0)
LIMIT_VOLTAGE = const(1)
RAIL = const(4)
STUCK = const(5)
OPEN_WIRE = const(6)
JUMP = const(7)
PARTIAL_SHORT = const(8)
SOFT_COLLAPSE = const(18)
SLIDE = const(19)

# Bits of a verdict
PENDING = const(0x100)
SETTLING = const(0x200)
WATCHING = const(0x400)
ACTION_SHIFT = const(11)
ACTION_MASK = const(0x1800)
TRIPS = const(0x1800)
REASON_MASK = const(0xFF)


@micropython.viper
def _limits(m: ptr32, verdict: int) -> int:
    """Codes against their limits, one channel after the other; called when one is beyond or was."""
    channel = 0
    while channel < 3:
        code = m[channel]
        low = m[_V_MIN + 2 * channel]
        high = m[_V_MIN + 1 + 2 * channel]
        count = m[_OVER_COUNT + channel]
        if code > high or code < low:
            if count < m[_LIMIT_CONFIRM]:
                count += 1
            verdict |= PENDING
            if count >= m[_LIMIT_CONFIRM]:
                verdict = int(fire(m, LIMIT_VOLTAGE + channel, code, high if code > high else low, verdict))
        elif code <= high - m[_HYSTERESIS] and code >= low + m[_HYSTERESIS]:
            count = 0
            m[ACTIVE] &= _ALL_RULES ^ (1 << LIMIT_VOLTAGE << channel)
        elif m[ACTIVE] & (1 << LIMIT_VOLTAGE << channel) == 0:
            count = 0
        m[_OVER_COUNT + channel] = count
        channel += 1
    return verdict


@micropython.viper
def _signed_volts(r: int, level: int) -> int:
    """The same for r of either sign."""
    if r < 0:
        return 0 - int(volts(0 - r, level))
    return int(volts(r, level))


@micropython.viper
def _before(m: ptr32, old: int, level: int):
    """A full cell's current that dies away under a held voltage, or changes all the time: nothing stood before it."""
    if m[_MODE] != _FULL_CELL or m[_N] > m[_SETTLE] + m[_CONFIRM]:
        return
    m[_V_BEFORE] = 0
    m[_I_BEFORE] = m[I_ZERO]
    if old == 1:
        m[_I_BEFORE] += 2 * level
    elif old == 2:
        m[_I_BEFORE] -= 2 * level


@micropython.viper
def _enter(m: ptr32, sign: int, i_abs: int):
    """A phase begins: keep what the one before it taught, forget the rest."""
    old = m[_SIGN]
    level = m[_LEVEL] >> 8
    if old != 0 and m[_MODE] != _FULL_CELL and m[_N] > m[_SETTLE] and m[_PLAIN] == 1:
        m[_V_ENDS + old] = m[_V_BEFORE]
        if m[_V_ENDS + 1] and m[_V_ENDS + 2]:
            one = m[_V_ENDS + 1] - m[V_ZERO]
            two = m[_V_ENDS + 2] - m[V_ZERO]
            m[_RECTIFIED] = 0
            if (one > 0 and two > 0) or (one < 0 and two < 0):
                m[_RECTIFIED] = 1
    if old != 0 and m[_N] > m[_SETTLE] + 2 and m[_PLAIN] == 1:
        x = (m[_X1] + m[_X2] - 2 * _X_BIAS) >> 1
        if m[_HELD] and x < m[_REF] >> 4:  # it fell just before: what the cell had counts
            x = m[_REF] >> 4
        if x > 0:
            end = (x << 14) // level
            m[_END] = end
            m[_ENDS + old] = end
            m[_WIRED] = 1
            if end > m[_R_HIGHS + old]:
                m[_R_HIGHS + old] = end
            if m[_TAUGHT] == 0:
                k = 0
                while k < _MARKS:
                    if m[_PROFILE_N + k] == 3:
                        expected = 2 * (m[_PROFILE + k] - _R_BIAS) - end
                        if expected < -0x800000:
                            expected = -0x800000
                        m[_PROFILE + k] = expected + _R_BIAS
                        m[_PROFILE_N + k] = 1
                    k += 1
            if (
                m[_TAUGHT] == 0 and m[_MODE] == _HALF_CELL
            ):  # where it fell from its open circuit taught no noise
                m[_CALM_BLOCKS] = 0
                m[_QUIET] = 0
            if m[_TAUGHT] < 2:
                m[_TAUGHT] += 1
    _before(m, old, level)
    if old == 0 and m[_V_BEFORE] > 0:
        rests = (m[_V_BEFORE] - m[V_ZERO]) >> 1
        m[_RESTS] = rests if rests > 0 else 0 - rests
    carried = 0
    if sign == old and sign != 0:
        carried = m[_REF]
        if i_abs < level:
            carried = (carried * ((i_abs << 8) // level)) >> 8
    m[_SIGN] = sign
    m[_LEVEL] = i_abs << 8
    m[_ODD] = 0
    m[_N] = 0
    m[_PLAIN] = 0
    m[_SPIKE] = 0
    if m[_MODE] != _FULL_CELL:
        m[_LOW] = 0
        m[_REF] = carried
        m[_HELD] = 0
        m[_TREND] = 0
        m[_BASE] = 0
        m[_JUMPED] = 0
        m[_SLOW] = 0
        m[_AGE] = 0
    m[_MARK_AT] = 0
    m[_MARK_K] = 0
    m[_PAST] = 0
    m[_FELL] = 0
    m[_ROSE] = 0
    m[_RISES] = 0
    m[_STAGE] = 0
    m[ACTIVE] &= _ALL_RULES ^ (
        1 << STUCK | 1 << JUMP | 1 << PARTIAL_SHORT
    )  # stuck, jump and partial short are told once for each phase


@micropython.viper
def _apart(m: ptr32) -> int:
    """1 where voltage and current lie on different sides of their zeros."""
    apart = 0
    if m[V] < m[V_ZERO]:
        apart = 1
    if m[I] < m[I_ZERO]:
        apart ^= 1
    return apart


@micropython.viper
def _settled(m: ptr32):
    """The first settled sample: which phases this one may be compared with, and how the voltage is wired."""
    if m[_MODE] == _FULL_CELL:
        return
    level = m[_LEVEL] >> 8
    m[_LEVEL_0] = level
    typical = m[_TYPICAL]
    if level * 2 >= typical:
        m[_PLAIN] = 1
    if level > 4 * typical:  # what was before was an impedance scan
        k = 0
        while k < _MARKS:
            m[_PROFILE_N + k] = 0
            k += 1
        m[_TAUGHT] = 0
        m[_END] = 0
    if level > typical:
        m[_TYPICAL] = level
    if m[_WIRED] == 0:
        m[_FLIPPED] = int(_apart(m))
    if m[_PLAIN] == 1 and m[_V_BEFORE] > 0:
        _wired(m)
    m[_FALLS] = 0
    if m[_MODE] == _HALF_CELL and m[_TAUGHT] == 0:
        m[_FALLS] = 1
    m[_AGAINST] = 0
    if m[_WIRED] and int(_apart(m)) != m[_FLIPPED]:
        m[_AGAINST] = 1


@micropython.viper
def _wired(m: ptr32):
    """Whatever is stored in the cell, a current step moves the voltage its own way: how is the voltage wired?"""
    dv = (m[V] - m[_V_BEFORE]) >> 1
    di = (m[I] - m[_I_BEFORE]) >> 1
    flipped = 0
    if di < 0:
        di = 0 - di
        dv = 0 - dv
    if dv < 0:
        flipped = 1
        dv = 0 - dv
    if dv < 2 * m[_DROP_MIN] + (m[_NOISE] >> 2):
        return
    if flipped != m[_FLIPPED] and dv * 4 < int(volts(m[_END], di if di < 0x4000 else 0x4000)):
        return  # it would be another wiring: not for so little
    if flipped != m[_FLIPPED]:
        m[_FLIPPED] = flipped
        m[_REF] = 0
        m[_END] = 0
        m[_TAUGHT] = 0
        k = 0
        while k < _MARKS:
            m[_PROFILE_N + k] = 0
            k += 1


@micropython.viper
def _mark(m: ptr32, x: int) -> int:
    """Compare x with what earlier phases showed here, teach the profile; 1 if a short came with the step.

    Longer than 40 lines: one decision and what it leaves behind.
    """
    n = m[_N]
    k = m[_MARK_K]
    level = m[_LEVEL] >> 8
    half = m[_X_HALF] - _X_BIAS  # x two marks ago
    m[_X_HALF] = m[_X_MARK]
    m[_X_MARK] = x + _X_BIAS
    m[_MARK_AT] = n + 1 + (n >> 2 if k > 0 else 0)
    m[_MARK_K] = k + 1
    if k >= _MARKS - 1:
        m[_MARK_AT] = _WRAP
    if m[_PLAIN] == 0 or m[_LOW] > 0:
        return 0
    seen = m[_PROFILE_N + k]
    # the two electrodes of a half cell are not alike: only the same direction tells what to expect
    end = int(volts(m[_ENDS + m[_SIGN]] if m[_MODE] == _HALF_CELL else m[_END], level))
    if x >= end >> 2:
        m[_ROSE] = 1  # it came up: from now on only a collapse is a short
    if end > 0 and seen > 0 and seen < 3 and x > 0 - (end >> 3) and x < end >> 2 and m[_ROSE] == 0:
        known = int(_signed_volts(m[_PROFILE + k] - _R_BIAS, level))
        rise = known
        if m[_PROFILE_N + k - 2] == seen and k >= 2:
            rise -= int(_signed_volts(m[_PROFILE + k - 2] - _R_BIAS, level))
        else:
            rise = 0
        # a short is flat: it lacks the rise of a cell coming up from below
        flat = (end >> 5) + (m[_NOISE] >> 5)
        if rise >> 2 > flat:
            flat = rise >> 2
        expected = 0
        if x - half < flat and (k > 0 or seen == 2):
            if known > end:  # the cell has lost resistance since: slowly, or it would have been a collapse
                known = end
            if known >= end >> 2 and x < (known >> 3 if seen == 1 else (known * m[_COLLAPSE]) >> 6):
                expected = known
            elif seen == 2 and rise >= end >> 2 and x < end >> 3:
                expected = end
        if expected - x >= m[_DROP_MIN] + (m[_NOISE] >> 3) and expected > 0:
            m[_REF] = expected << 4
            return 1
    m[_PAST] = m[_PROFILE + k] if seen == 2 else 0
    if seen == 2 and k > 3 and m[_PROFILE + k] > _R_BIAS:
        known = int(volts(m[_PROFILE + k] - _R_BIAS, level))
        fell = m[_FELL] + 1
        if x * 64 >= known * _FELL_64THS or (known - x) << 4 < (m[_DROP_MIN] << 6) + 4 * m[_NOISE]:
            fell = 0
        m[_FELL] = fell
    r = ((x << 14) // level) + _R_BIAS
    if seen == 2 and r >= m[_PROFILE + k]:
        r = m[_PROFILE + k] + ((r - m[_PROFILE + k]) >> 2)
    m[_PROFILE + k] = r
    m[_PROFILE_N + k] = 3 if m[_TAUGHT] == 0 else 2
    return 0


@micropython.viper
def _confirm(m: ptr32, x: int, verdict: int) -> int:
    """One more sample that looks shorted."""
    low = m[_LOW] + 1
    m[_LOW] = low
    if low == 1:
        m[_LOW_X] = x + _X_BIAS
        if m[_BASE] and m[_AGE] >= 8 and x << 10 >= m[_BASE] * m[_SHARE]:
            known = int(volts(m[_ENDS + m[_SIGN]], m[_LEVEL] >> 8)) if m[_MODE] != _FULL_CELL else 0
            if x * 64 >= known * m[_COLLAPSE]:  # it had jumped up, and is back at what it kept before
                m[_LOW] = 0
                m[_REF] = x << 4
                return verdict
    verdict |= PENDING
    needed = m[_CONFIRM]
    ref = m[_REF]
    if m[_MODE] == _FULL_CELL:
        fell_at = (
            m[_N] - low
        )  # samples of this phase before; a fall that began before the step does not come from it
        stepped = 0
        if fell_at >= 0 and fell_at < m[_SETTLE] + needed + 4:
            stepped = 1
        keeps = 1 if x << 10 > ref * m[_COLLAPSE] else 0
        if stepped and int(explained(m, fell_at, ref - (x << 4), keeps)):
            m[_LOW] = 0
            m[_REF] = x << 4
            return verdict
        if keeps:
            if low == 1 and m[_X1] - _X_BIAS - x < 4 * (
                m[_X2] - m[_X1]
            ):  # its knee: it fell ever faster before
                m[_LOW] = 0
                m[_REF] = x << 4
                return verdict
            needed *= 8
    elif m[_RECTIFIED] and m[_X1] - m[_LOW_X] < ref >> 6:
        needed *= 8  # |V| runs to zero and back
    if m[_NOISE] * 32 > ref * 3:
        needed *= 4  # it fluctuates: a soft short until it stays down
    elif x * 1366 > ref * m[_COLLAPSE] and needed < 8:
        needed *= 6  # not deep: a cell that was paused begins there too, and rises
    rise = (x + _X_BIAS - m[_LOW_X]) << 4
    noise = m[_NOISE]
    if low > 1 and needed >= 8 and 0 - rise > (ref >> 5) + noise + 2 * m[_TREND]:
        m[_LOW] = 1  # it falls on
        m[_REF] = ref - ((ref - (x << 4)) >> 2)
        m[_LOW_X] = x + _X_BIAS
        return verdict
    if low < needed:
        return verdict
    if rise > (ref >> 5) + noise:
        if low == needed:
            return verdict
        if rise > (ref >> 4) + 2 * noise:
            m[_RISES] += 1
            m[_LOW] = 1
            m[_LOW_X] = x + _X_BIAS
            if m[_RISES] > 3:
                m[_LOW] = 0  # it comes up from below: another phase, whose beginning was not seen
                m[_REF] = 0
            return verdict
    m[_LOW] = 0x1000
    rule = HARD_SHORT
    if m[_SOFT_LASTS]:
        rule = SOFT_COLLAPSE
    elif m[_HELD] >= 4 and m[_MODE] != _FULL_CELL:
        rule = SLIDE  # it took a block and more
    return int(fire(m, rule, x if x > 0 else 0, (ref * m[_SHARE]) >> 10, verdict))


@micropython.viper
def _fall(m: ptr32, x4: int, verdict: int) -> int:
    """Four times in a block: the reference follows a fall, but a deep one only after two blocks.

    A symmetric cell's voltage that turned round at once and stays so is driven by a current that is not seen to turn.
    """
    ref = m[_REF]
    turned = 1 if x4 < 0 - (ref >> 2) else 0
    if x4 < 0:
        x4 = 0
    if x4 * 4 >= ref * 3:
        m[_HELD] = 0
    elif m[_HELD] < _HOLD and m[_MODE] != _FULL_CELL:
        if m[_HELD]:
            turned *= m[_TURNED] + 1
        m[_TURNED] = turned
        m[_HELD] += 1
        if (
            m[_HELD] == _HOLD
            and turned > _HOLD - 4
            and m[_MODE] == 0
            and m[_AGAINST] == 0
            and ref >= m[_DROP_MIN] << 6
        ):
            return int(fire(m, OPEN_WIRE, 0, ref >> 4, verdict))
        return verdict
    m[_REF] = ref - ((ref - x4) >> 2)
    return verdict


@micropython.viper
def step(m: ptr32) -> int:
    """Judge the sample in `m[0..3]`: reason (low byte) and action of the strongest rule, and the state's bits.

    Longer than 40 lines: it is the common path, and each call costs a twentieth of the tick on the RP2040.
    """
    raw_v = m[V]
    raw_i = m[I]
    raw_p = m[P]
    m[SAMPLE] = (m[SAMPLE] + 1) & _WRAP
    verdict = 0
    # -- range
    if (
        raw_v < _RAIL_LOW
        or raw_v >= _RAIL_HIGH
        or raw_i < _RAIL_LOW
        or raw_i >= _RAIL_HIGH
        or raw_p >= _RAIL_P
        or raw_p < m[_P_LOW]
    ):
        value = raw_p
        if raw_i < _RAIL_LOW or raw_i >= _RAIL_HIGH:
            value = raw_i
        if raw_v < _RAIL_LOW or raw_v >= _RAIL_HIGH:
            value = raw_v
        verdict = int(fire(m, RAIL, value, 0, PENDING))
        if verdict & ACTION_MASK == TRIPS:
            return verdict
    elif m[ACTIVE] & (1 << RAIL):
        m[ACTIVE] &= _ALL_RULES ^ (1 << RAIL)
    if (
        raw_v > m[_V_MAX]
        or raw_i > m[_I_MAX]
        or raw_p > m[_P_MAX]
        or raw_v < m[_V_MIN]
        or raw_i < m[_I_MIN]
        or raw_p < m[_P_MIN]
        or m[_OVER_COUNT] + m[_OVER_COUNT_I] + m[_OVER_COUNT_P] > 0
    ):
        verdict = int(_limits(m, verdict))
    # -- sums of the block
    m[_BLOCK_V] += raw_v
    m[_BLOCK_I] += raw_i
    m[_BLOCK_P] += raw_p
    m[_BLOCK_N] += 1
    # -- does the current belong to this phase: noise of a tenth of it is common, half is a step
    v = (raw_v - m[V_ZERO]) >> 1
    i_abs = (raw_i - m[I_ZERO]) >> 1
    sign = 1
    if i_abs < 0:
        i_abs = 0 - i_abs
        sign = 2
    if i_abs < m[ON]:
        sign = 0
    level = m[_LEVEL]
    old = m[_SIGN]
    if sign != old or (sign != 0 and ((i_abs << 9) > level * 3 or (i_abs << 8) * 3 < level * 2)):
        odd = m[_ODD] + 1
        m[_ODD] = odd
        if odd == 1 and (old != 0 or sign == 0):
            return verdict | SETTLING
        _enter(m, sign, i_abs)
    elif sign != 0:
        m[_ODD] = 0
        m[_LEVEL] = level + (((i_abs << 8) - level) >> 3)
    else:
        m[_ODD] = 0
    n = m[_N]
    if n < _FOREVER:
        n += 1
    m[_N] = n
    if n <= m[_SETTLE] + m[_CONFIRM]:
        if n == m[_SETTLE] + m[_CONFIRM] and m[_V_BEFORE] > 0:
            verdict = int(answer(m, verdict))
    elif m[_ODD] == 0:
        m[_V_DRIFT] = raw_v - m[_V_BEFORE] + 0x10000
        m[_V_BEFORE] = raw_v
        m[_I_BEFORE] = raw_i
    # -- collapse
    if m[_MODE] == _FULL_CELL or m[_RECTIFIED]:
        if v < 0:
            v = 0 - v
    elif (sign - 1) ^ m[_FLIPPED]:
        v = 0 - v
    if sign == 0 and m[_MODE] != _FULL_CELL:
        verdict |= SETTLING
    else:
        x4 = v << 4
        ref = m[_REF]
        x1 = m[_X1] - _X_BIAS
        # -- noise, by the second difference, for a trend has none; of all samples, those that look shorted too
        bend = v - 2 * m[_B1] + m[_B2] + _X_BIAS
        m[_B2] = m[_B1]
        m[_B1] = v + _X_BIAS
        suspect = 0
        if n > m[_SETTLE]:
            verdict |= WATCHING
            if m[_PLAIN]:
                if bend < 0:
                    bend = 0 - bend
                noise = m[_NOISE]
                most = ref >> 3  # one spike is no fluctuation, what lasts may outgrow the voltage
                if most < 2 * noise + 256:
                    most = 2 * noise + 256
                bend <<= 4
                if bend > most:
                    bend = most
                noise += bend - noise + 8 >> 4
                m[_NOISE] = noise if noise > m[_V_NOISE] else m[_V_NOISE]
            if (
                x4 * 64 < ref * m[_SHARE] - (m[_TREND] << 6)
                and ref - x4 >= (m[_DROP_MIN] << 4) + 2 * m[_NOISE]
                and x4 + (ref >> 3) > 0
            ):
                suspect = 1
            if n >= m[_MARK_AT] and m[_MODE] != _FULL_CELL and m[_RECTIFIED] == 0:
                suspect |= int(_mark(m, v))
        else:
            verdict |= SETTLING
            if n == m[_SETTLE]:
                m[_X_MARK] = v + _X_BIAS
                m[_X_HALF] = v + _X_BIAS
                _settled(m)
        if m[_FALLS]:
            suspect = 0
            if x4 < ref:
                ref = x4 if x4 > 0 else 0
                m[_REF] = ref
        if suspect:
            verdict = int(_confirm(m, v, verdict))
            if verdict & ACTION_MASK == TRIPS:
                return verdict  # the pin first: the block waits for the next sample
        else:
            m[_X2] = m[_X1]
            m[_X1] = v + _X_BIAS
            if verdict & WATCHING:
                m[_LOW] = 0
                m[ACTIVE] &= _ALL_RULES ^ (1 << HARD_SHORT | 1 << SOFT_COLLAPSE | 1 << SLIDE)
                # -- reference
                if ref == 0:
                    m[_REF] = x4 if x4 > 0 else 0
                elif x4 >= ref:
                    m[_HELD] = 0
                    if x4 > ref * 4 + 0x4000:
                        m[_SPIKE] += 1
                    if x4 > ref * 2:  # a spike must not drag the reference along
                        x4 = ref * 2
                    m[_REF] = ref + ((x4 - ref + 3) >> 2)
                else:
                    if m[_SPIKE] > 0:
                        if m[_SPIKE] < 3:
                            verdict = int(fire(m, JUMP, x1 if x1 > 0 else 0, ref >> 2, verdict))
                        m[_SPIKE] = 0
                    if n & ((1 << (m[_BLOCK_SHIFT] - 2)) - 1) == 0:
                        verdict = int(_fall(m, x4, verdict))
    if m[_STAGE] or m[_BLOCK_N] >> m[_BLOCK_SHIFT]:
        verdict = int(block(m, verdict))
    return verdict


@micropython.viper
def _clear(m: ptr32, start: int, stop: int):
    """In a tenth of the shortest sample period: it runs with the timer's interrupt held off."""
    while start < stop:
        m[start] = 0
        start += 1


class Detector:
    """The rules with their memory. `settings`: integers in the order of `limits.SETTINGS`, all of them."""

    def __init__(self, settings=None):
        self.memory = array("i", [0] * MEMORY_WORDS + [limits.CANARY])
        self.load(settings or limits.default_settings())

    def load(self, settings):
        """Take other settings and forget all references; raises ValueError naming a setting out of bounds."""
        bad = limits.check_settings(settings)
        if bad >= 0:
            raise ValueError("setting out of bounds: %d" % bad)
        for index in range(len(limits.DETECTOR_SETTINGS)):
            self.memory[SETTINGS_AT + index] = settings[index]
        for rule in range(RULE_COUNT):
            self.memory[_REASONS_AT + rule] = limits.RULE_REASONS[rule]
        self.take_zero(limits.CODE_ZERO)
        self.reset()

    def take_zero(self, current_code, current_noise=0, voltage_noise=0):
        """Code of 0 A; average |second differences| of both there, units: of the current six deviations are none."""
        self.memory[I_ZERO] = current_code
        self.memory[ON] = max(self.memory[CURRENT_ON], 3 * current_noise)
        self.memory[_V_NOISE] = voltage_noise << 4

    def take_stirring(self, codes):
        """Average |second differences| of voltage, current and pressure before arming, codes."""
        for channel, stirs in enumerate(codes):
            self.memory[_STIRS + channel] = stirs

    def take_open(self, voltage_code):
        """Code of the voltage when its wire is off; 0: the board does not know it."""
        self.memory[_OPEN_CODE] = voltage_code

    def settings(self):
        """The settings in force, in the order of `limits.DETECTOR_SETTINGS`: the detector's part."""
        return list(self.memory[SETTINGS_AT:STATE_AT])

    def reset(self):
        """Forget the past: a new run."""
        memory = self.memory
        _clear(memory, STATE_AT, _STATE_END)
        memory[_NOISE] = memory[_V_NOISE]
        memory[_SHARE] = _FULL_64THS if memory[_MODE] == _FULL_CELL else memory[_COLLAPSE]
        memory[_B1] = memory[_B2] = memory[_X1] = memory[_X2] = memory[_X_MARK] = memory[_X_HALF] = _X_BIAS

    def event(self, rule):
        """(times it fired in this run; of the last: sample, time_us, value, limit) of a rule of `limits.RULES`."""
        at = EVENTS_AT + EVENT_WORDS * rule
        return tuple(self.memory[at : at + EVENT_WORDS])

    def step(self, voltage_code, current_code, pressure_code):
        """Verdict on one sample of 16-bit codes; bits as in `step` above."""
        memory = self.memory
        memory[V] = voltage_code
        memory[I] = current_code
        memory[P] = pressure_code
        return step(memory)
