"""The short detector: integers only, no allocation; the same file is the golden model on CPython.

A symmetric cell's voltage is its polarisation, so r = V/I (signed, Q14 of full scales) is compared with its own past,
never with a number of volts. A phase is a stretch of steady current: it begins at a current step, a reversal or the
end of a rest, and goes SETTLING -> RELAXING -> TRACKING:

* SETTLING, the first `settle_samples`: nothing is judged.
* RELAXING, until r has stopped falling between n/2 and n samples after the step: only a collapse from one sample to
  the next counts, so that a relaxation after a step down or a nucleation peak is not taken for a short. Meanwhile r is
  also compared with where earlier phases of the same sign started (`start`), which sees a short that happens at the
  step itself. The rested cell starts high and those after it may come up from below, charged by the half-cycle before:
  so `start` takes a lower value at once and a higher one slowly, speaks after two phases, and is silent while r rises.
  Over a step of the same sign the voltage itself is carried: more current cannot lower it.
* TRACKING: against a running average that follows a rise quickly and a fall slowly.

At 4, 8, 16 ... samples r is also compared with the *profile*, what earlier phases showed at that place: it finds the
short that nothing else could tell from a cell coming up from below.

One sample in which the current jumps is ignored, and the phase begins anew after it. A half cell is judged by |V|/|I|
inside a phase only, for its counter electrode may carry an open-circuit voltage; a full cell by |V| alone, at rest too.

Longer than 250 lines: `const` holds within one module only, and the memory's layout shall have one home.

Memory `m` (array 'i'), all values >= 0, because 64-bit ports load 32-bit words without their sign (r is stored with
_BIAS added): inputs 0..3 | settings 4..14 (order of limits.DETECTOR_SETTINGS) | state 15..37 and
70..77 | profile 38..53, its counts 54..69.
Bounds: units are at most 2**14, r below 2**23 for currents from `current_on_units` (>= 32) on, products below 2**29.
"""

from array import array

from ccdmon_fw import limits

try:
    import micropython
    from micropython import const
except ImportError:
    from ccdmon_fw.cpython import const, micropython, ptr32

V = const(0)  # voltage code
I = const(1)  # noqa: E741 - current code, the field's own symbol
P = const(2)  # pressure code
T = const(3)  # time of the sample, microseconds modulo 2**30
SETTINGS_AT = const(4)
CURRENT_ON = const(9)
STATE_AT = const(15)
_TAUGHT = const(70)  # 71, 72: phases that taught `start`, at most 2
MEMORY_WORDS = const(78)

_MODE = const(4)
_CONFIRM = const(5)
_SETTLE = const(6)
_SHIFT = const(7)
_COLLAPSE = const(8)
_I_ON = const(9)
_V_DROP_MIN = const(10)
_V_LIMIT = const(11)
_I_LIMIT = const(12)
_P_MIN = const(13)
_P_MAX = const(14)

_SIGN = const(15)  # 0 rest, 1 current positive, 2 negative
_ODD = const(16)  # samples in a row whose current does not belong to this phase
_LEVEL = const(17)  # average |I| of this phase, Q8 units
_N = const(18)  # samples of this phase
_PHASE = const(19)  # 0 settling, 1 relaxing, 2 tracking
_LOW = const(20)  # samples in a row that look shorted
_OVER = const(21)  # samples in a row over a limit
_R_LAST = const(22)  # biased
_MARK_NEW = const(23)  # r at the last power of two of N, biased
_MARK_OLD = const(24)  # and at the one before
_MARK_AT = const(25)  # next power of two
_CHECK_AT = const(26)  # when to ask whether r still falls
_REF = const(27)  # running reference, r Q4; 0: none yet
_END = const(28)  # r towards the end of the phase before; 0: unknown
_CANDIDATE = const(29)  # where this phase started; 0: unknown
_START = const(30)  # 31, 32: where phases with positive, negative current started; 0: unknown
_FLIPPED = const(33)  # the voltage is wired the other way round
_POLAR = const(34)  # the polarity is known
_STRIKES = const(35)  # phases in a row that ended with V against I
VALUE = const(36)  # what tripped, and its limit: r (Q14) or units
LIMIT = const(37)
_CARRIED = const(73)  # reference carried over a step of the same sign; 0: none
_TYPICAL = const(74)  # the largest |I| that taught anything, units
_PLAIN = const(75)  # this phase's current is comparable with it
_R_BEFORE = const(76)  # r two samples ago, biased
_RESTARTED = const(77)  # this phase began after one odd sample: it tells nothing of how phases begin
_PROFILE = const(38)  # r at 2**k samples; 0: none
_PROFILE_N = const(54)  # phases that taught it, at most 2

_BIAS = const(0x1000000)  # 2**24

PENDING = const(0x100)  # a rule is counting towards its confirmation
SETTLING = const(0x200)  # rest, or a step that settles: r is not judged
WATCHING = const(0x400)  # r is judged
REASON_MASK = const(0xFF)


@micropython.viper
def _enter(m: ptr32, sign: int, i_abs: int):
    """A phase begins: keep what the one before it taught, forget the rest."""
    old = m[_SIGN]
    if old != 0 and m[_N] > m[_SETTLE] + 1 and m[_PLAIN] == 1:
        candidate = m[_CANDIDATE]
        if candidate > 0:
            known = m[_START + old]
            if known == 0 or candidate < known:
                known = candidate
            else:
                known += (candidate - known) >> 2
            m[_START + old] = known
            if m[_TAUGHT + old] < 2:
                m[_TAUGHT + old] += 1
        if m[_MODE] == 0 and m[_MARK_NEW] < 0x1000000 - 256:
            m[_STRIKES] += 1
            if m[_STRIKES] >= 2:
                m[_FLIPPED] = 1 - m[_FLIPPED]
                m[_STRIKES] = 0
                m[_START + 1] = 0
                m[_START + 2] = 0
        else:
            m[_STRIKES] = 0
            if m[_MARK_NEW] > 0x1000000:
                m[_END] = m[_MARK_NEW] - 0x1000000
    m[_CARRIED] = 0
    level = m[_LEVEL] >> 8
    if sign == old and sign != 0 and m[_REF] > 0:
        carried = m[_REF] >> 4
        if i_abs > level:
            carried = (((carried >> 8) * level) // i_abs) << 8
        m[_CARRIED] = carried
    m[_PLAIN] = 0
    m[_RESTARTED] = 0
    m[_SIGN] = sign
    m[_LEVEL] = i_abs << 8
    m[_ODD] = 0
    m[_N] = 0
    m[_PHASE] = 0
    m[_LOW] = 0
    m[_REF] = 0
    m[_CANDIDATE] = 0
    m[_MARK_NEW] = 0x1000000
    m[_MARK_OLD] = 0x1000000
    m[_R_LAST] = 0x1000000
    m[_R_BEFORE] = 0x1000000
    m[_MARK_AT] = 1


@micropython.viper
def _compare_current(m: ptr32):
    """Only phases of comparable current teach and are compared: an impedance scan in a rest is another matter."""
    if m[_RESTARTED] == 1:
        return
    level = m[_LEVEL] >> 8
    typical = m[_TYPICAL]
    m[_PLAIN] = 1 if level * 8 >= typical else 0
    if level > 2 * typical:
        m[_START + 1] = 0
        m[_START + 2] = 0
        m[_TAUGHT + 1] = 0
        m[_TAUGHT + 2] = 0
        m[_END] = 0
        k = 0
        while k < 16:
            m[_PROFILE_N + k] = 0
            m[_PROFILE + k] = 0
            k += 1
    if level > typical:
        m[_TYPICAL] = level


@micropython.viper
def _judge(m: ptr32, r: int, i_abs: int) -> int:
    """Is this settled sample's r shorted? 0 no, 1 suspect; keeps the references when it is not.

    Longer than 40 lines: it is one decision, and a call costs a tenth of the tick on the RP2040.
    """
    n = m[_N]
    last = m[_R_LAST] - 0x1000000
    fast = (r + last) >> 1
    mark = m[_MARK_OLD] - 0x1000000
    collapse = m[_COLLAPSE]
    sign = m[_SIGN]
    if m[_PHASE] == 0:
        m[_PHASE] = 1
        m[_CHECK_AT] = 2 * n
        _compare_current(m)
        if m[_POLAR] == 0 and m[_MODE] == 0:
            m[_POLAR] = 1
            if fast < 0:
                m[_FLIPPED] = 1 - m[_FLIPPED]
                return 0
    limit = 0
    ref = m[_REF] >> 4
    if ref > 0 and (m[_PHASE] == 2 or ref >= m[_END] >> 4):  # near zero everything is a collapse
        limit = (ref * collapse) >> 6
        if m[_PHASE] == 1 and m[_LOW] == 0 and last - r < (m[_R_BEFORE] - 0x1000000 - last) * 2:
            limit = 0  # it goes on falling as before: no collapse
        if m[_PHASE] == 1 and m[_MODE] == 1:
            limit = 0  # a half cell's voltage may pass zero after a reversal
        if r < limit:
            drop = ref - r
            drop = (drop >> 8) * i_abs >> 6 if drop > 0x8000 else drop * i_abs >> 14
            if drop < m[_V_DROP_MIN] or 0 - r > ref >> 2:  # below zero: not a short, but a charge from before
                limit = 0
    if m[_PHASE] == 1 and m[_MODE] == 0:
        # where earlier phases started
        known = m[_START + sign]
        other = m[_START + 3 - sign]
        if m[_TAUGHT + sign] < 2 and (known == 0 or (other > 0 and other < known)):
            known = other
        start = (known * collapse) >> 6
        if m[_PLAIN] == 0 or (m[_TAUGHT + 1] + m[_TAUGHT + 2] < 2 and n < 64):
            start = 0
        if (m[_CARRIED] >> 2) > start and n <= m[_SETTLE] + 4:
            known = m[_CARRIED]
            start = known >> 2
        if (
            r < start
            and start > limit
            and 0 - r < known >> 3
            and fast - mark < known >> 4
            and 0 - mark < known >> 5
        ):
            drop = known - r
            drop = (drop >> 8) * i_abs >> 6 if drop > 0x8000 else drop * i_abs >> 14
            if drop >= m[_V_DROP_MIN]:
                limit = start
        if n == m[_SETTLE] + 1 and (limit == 0 or r >= limit):
            m[_CANDIDATE] = fast if fast > 1 else 1
    if limit > 0 and r < limit:
        m[VALUE] = r if r > 0 else 0
        m[LIMIT] = limit
        return 1
    positive = r if r > 0 else 0
    if m[_PHASE] == 1:
        if fast < m[_CANDIDATE]:
            m[_CANDIDATE] = fast if fast > 1 else 1
        m[_REF] = (positive if r < last else (last if last > 0 else 0)) << 4
        if n >= m[_CHECK_AT]:
            known = m[_START + sign]
            if fast < mark - (mark >> 3) or (fast < known >> 1 and fast - mark > known >> 4):
                m[_CHECK_AT] = 2 * n
            else:
                m[_PHASE] = 2
        return 0
    x = positive << 4
    known = m[_REF]
    if known == 0:
        m[_REF] = x
    elif x >= known:
        if x > known * 2:  # a spike must not drag the reference along
            x = known * 2
        m[_REF] = known + ((x - known) >> 2)
    elif x * 4 < known * 3:
        m[_REF] = known - ((known - x) >> (m[_SHIFT] + 2))
    else:
        m[_REF] = known - ((known - x) >> m[_SHIFT])
    return 0


@micropython.viper
def _mark(m: ptr32, r: int):
    """At a power of two of samples: remember r, and compare it with what earlier phases showed here."""
    n = m[_N]
    last = m[_MARK_NEW] - 0x1000000
    fast = r
    if n > 1:
        fast = (r + m[_R_LAST] - 0x1000000) >> 1
    m[_MARK_OLD] = m[_MARK_NEW]
    m[_MARK_NEW] = fast + 0x1000000
    m[_MARK_AT] = 2 * n
    if n <= m[_SETTLE] or n < 4 or m[_MODE] != 0 or m[_LOW] > 0 or m[_PLAIN] == 0:
        return
    k = 0
    while (2 << k) <= n and k < 15:
        k += 1
    known = m[_PROFILE + k]
    if m[_PROFILE_N + k] >= 2 and fast < (known * m[_COLLAPSE]) >> 6:
        if 0 - fast < known >> 3 and fast - last < known >> 4:
            m[_REF] = known << 4
            m[_PHASE] = 2
            return
    if fast < 1:
        fast = 1
    if known == 0 or fast < known:
        known = fast
    else:
        known += (fast - known) >> 2
    m[_PROFILE + k] = known
    if m[_PROFILE_N + k] < 2:
        m[_PROFILE_N + k] += 1


@micropython.viper
def step(m: ptr32) -> int:
    """Judge the sample in `m[0..3]`: reason code once confirmed (low byte) | PENDING | SETTLING | WATCHING.

    Longer than 40 lines: see `_judge`.
    """
    raw_v = m[V]
    raw_i = m[I]
    # -- raw range: a converter at its rail measures nothing
    if raw_v < 16 or raw_v >= 65520 or raw_i < 16 or raw_i >= 65520:
        m[VALUE] = raw_v if raw_v < 16 or raw_v >= 65520 else raw_i
        m[LIMIT] = 0
        return 6 | 0x100
    v = (raw_v - 32768) >> 1
    i = (raw_i - 32768) >> 1
    v_abs = v if v >= 0 else 0 - v
    i_abs = i if i >= 0 else 0 - i
    # -- limits
    flags = 0
    if v_abs > m[_V_LIMIT] or i_abs > m[_I_LIMIT] or m[P] > m[_P_MAX] or m[P] < m[_P_MIN]:
        m[_OVER] += 1
        flags = 0x100
        if m[_OVER] >= m[_CONFIRM]:
            m[VALUE] = v_abs if v_abs > m[_V_LIMIT] else (i_abs if i_abs > m[_I_LIMIT] else m[P])
            m[LIMIT] = (
                m[_V_LIMIT] if v_abs > m[_V_LIMIT] else (m[_I_LIMIT] if i_abs > m[_I_LIMIT] else m[_P_MAX])
            )
            flags = 0x105
    else:
        m[_OVER] = 0
    # -- does the current belong to this phase: noise of a tenth of it is common, half is a step
    sign = 0
    if i_abs >= m[_I_ON]:
        sign = 1 if i > 0 else 2
    level = m[_LEVEL]
    mode = m[_MODE]
    if sign != m[_SIGN] or (sign != 0 and ((i_abs << 9) > level * 3 or (i_abs << 8) * 3 < level * 2)):
        m[_ODD] += 1
        if m[_ODD] < 2 and m[_SIGN] != 0:
            return flags | 0x200
        _enter(m, sign, i_abs)
    elif m[_ODD] > 0:
        restarted = 1 if m[_N] > m[_SETTLE] else m[_RESTARTED]
        _enter(m, sign, i_abs)
        m[_RESTARTED] = restarted
    elif sign != 0:
        m[_LEVEL] = level + (((i_abs << 8) - level) >> 3)
    if sign == 0 and mode != 2:
        return flags | 0x200
    # -- r
    if mode == 0:
        r = v if sign == 1 else 0 - v
        if m[_FLIPPED] == 1:
            r = 0 - r
        r = (r << 14) // i_abs
    elif mode == 1:
        r = (v_abs << 14) // i_abs
    else:
        r = v_abs << 6
        i_abs = 0x4000
        r <<= 2
    n = m[_N]
    if n < 0x10000000:
        n += 1
    m[_N] = n
    suspect = 0
    if n <= m[_SETTLE]:
        flags |= 0x200
    else:
        flags |= 0x400
        suspect = int(_judge(m, r, i_abs))
    if n >= m[_MARK_AT]:
        _mark(m, r)
    m[_R_BEFORE] = m[_R_LAST]
    m[_R_LAST] = r + 0x1000000
    # -- confirmation
    if suspect == 0:
        m[_LOW] = 0
        return flags
    m[_LOW] += 1
    flags |= 0x100
    if m[_LOW] >= m[_CONFIRM]:
        return (flags & 0xFF00) | 1
    return flags


class Detector:
    """The rules with their memory. `settings`: integers in the order of `limits.SETTINGS`, all of them."""

    def __init__(self, settings=None):
        self.memory = array("i", [0] * MEMORY_WORDS)
        self.load(settings or limits.default_settings())

    def load(self, settings):
        """Take other settings and forget all references; raises ValueError naming a setting out of bounds."""
        bad = limits.check_settings(settings)
        if bad >= 0:
            raise ValueError("setting out of bounds: %d" % bad)
        for index in range(len(limits.DETECTOR_SETTINGS)):
            self.memory[SETTINGS_AT + index] = settings[index]
        self.reset()

    def settings(self):
        """The settings in force, in the order of `limits.DETECTOR_SETTINGS`: the detector's part."""
        return list(self.memory[SETTINGS_AT:STATE_AT])

    def reset(self):
        """Forget the past: a new run."""
        for index in range(STATE_AT, MEMORY_WORDS):
            self.memory[index] = 0

    def step(self, voltage_code, current_code, pressure_code):
        """Verdict on one sample of 16-bit codes; bits as in `step` above."""
        memory = self.memory
        memory[V] = voltage_code
        memory[I] = current_code
        memory[P] = pressure_code
        return step(memory)
