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

Longer than 250 lines: `const` holds within one module only, and the memory's layout shall have one home.

Memory `m` (array 'i'): all values >= 0 because 64-bit ports load 32-bit words without their sign: x and r are stored
with a bias added. Bounds: x, I at most 2**14; Q4 of them 2**18; r at most 2**23, for a phase has at least 32 units of
current; products below 2**30.
"""

from array import array

from ccdmon_fw import limits
from ccdmon_fw.rules import fire
from ccdmon_fw.trends import block

try:
    import micropython
    from micropython import const
except ImportError:
    from ccdmon_fw.cpython import const, micropython, ptr32

V = const(0)  # voltage code
I = const(1)  # noqa: E741 - current code, the field's own symbol
P = const(2)  # pressure code
T = const(3)  # time of the sample, microseconds modulo 2**30
SETTINGS_AT = const(4)  # 4..42, in the order of limits.DETECTOR_SETTINGS
_MODE = const(4)
_CONFIRM = const(5)
_SETTLE = const(6)
_BLOCK_SHIFT = const(7)
_COLLAPSE = const(8)
CURRENT_ON = const(9)
_DROP_MIN = const(10)
_V_MIN = const(11)  # 12: maximum; 13, 14: current; 15, 16: pressure
_LIMIT_CONFIRM = const(17)
_HYSTERESIS = const(18)
ACTIONS_AT = const(28)  # one for each rule

STATE_AT = const(43)
SAMPLE = const(43)  # samples of this run so far
RULE = const(44)  # what the verdict's reason stands for: index into limits.RULES
VALUE = const(45)  # and what decided it: units, codes or r (Q14)
LIMIT = const(46)
ACTIVE = const(47)  # bit for each rule that has fired and not yet calmed
_SIGN = const(48)  # 0 rest, 1 current positive, 2 negative
_ODD = const(49)  # samples in a row whose current does not belong to this phase
_LEVEL = const(50)  # average |I| of this phase, Q8 units
_N = const(51)  # samples of this phase
_LOW = const(52)  # samples in a row that look shorted
_LOW_X = const(53)  # x at the first of them + 2**15
_REF = const(54)  # running reference of x, Q4; 0: none yet
_FLOOR = const(55)  # a reference below this is no reference, Q4
_X1 = const(56)  # x one and two samples ago, + 2**15
_X2 = const(57)
_NOISE = const(58)  # average |second difference| of x, Q4
_QUIET = const(59)  # the same when nothing fluctuates; 0: unknown
_MARK_AT = const(60)  # sample of the next mark
_MARK_K = const(61)  # its place in the profile
_X_MARK = const(62)  # x at the last mark and at the one before, + 2**15
_X_HALF = const(63)
_END = const(64)  # r at the end of the last phase; 0: unknown
_TYPICAL = const(65)  # the largest |I| of any phase, units
_PLAIN = const(66)  # this phase's current is comparable with it
_TAUGHT = const(67)  # phases that taught the profile, at most 2
_FLIPPED = const(68)  # the voltage is wired the other way round
_V_BEFORE = const(69)  # voltage code and current code at the end of the phase before
_I_BEFORE = const(70)
_MOVED = const(71)  # the voltage code has moved since
_CARRIED = const(72)  # reference carried over a step of the same sign, Q4
_OVER_COUNT = const(73)  # 74, 75: samples in a row beyond a limit of voltage, current, pressure
_SPIKE = const(76)  # the last sample jumped
_OPEN = const(77)  # samples in a row without current in which the voltage did not move
BLOCK_N = const(78)  # samples of the block so far; its sums of codes: voltage, current, pressure
BLOCK_V = const(79)
BLOCK_I = const(80)
BLOCK_P = const(81)
_RECTIFIED = const(82)  # a half cell whose voltage has one sign for both currents: judged by |V|
TRENDS_AT = const(83)  # 83..101: see trends.py
_LEVEL_0 = const(102)  # |I| at the first settled sample of this phase, units
EVENTS_AT = const(103)  # for each rule: count, sample, time, value, limit
EVENT_WORDS = const(5)
RULE_COUNT = const(15)
_REASONS_AT = const(178)  # reason of each rule
_PROFILE = const(193)  # r at a mark, biased
_PROFILE_N = const(225)  # 0: nothing, 1: expected by superposition, 2: seen, 3: first phase
_MARKS = const(32)
_V_ENDS = const(257)  # 258, 259: voltage code at the end of phases with positive, negative current; 0: none
_ROSE = const(260)  # in this phase x has been a quarter of what the last one ended with
FIRED = const(261)  # firings of all rules in this run
_STAGE = const(262)  # of judging the last block; 0: nothing left to do
_NEW_V = const(263)  # its mean codes of voltage and current; 0: not settled
_NEW_I = const(264)
MEMORY_WORDS = const(265)

_BIAS = const(0x1000000)  # 2**24
_X_BIAS = const(0x8000)

# Rules, as in limits.RULES
HARD_SHORT = const(0)
LIMIT_VOLTAGE = const(1)
RAIL = const(4)
STUCK = const(5)
OPEN_WIRE = const(6)
JUMP = const(7)

PENDING = const(0x100)  # a rule is counting towards its confirmation
SETTLING = const(0x200)  # rest, or a step that settles: no collapse is looked for
WATCHING = const(0x400)  # it is
ACTION_SHIFT = const(11)
ACTION_MASK = const(0x1800)  # action of the rule whose reason the low byte has
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
            verdict |= 0x100
            if count >= m[_LIMIT_CONFIRM]:
                verdict = int(fire(m, 1 + channel, code, high if code > high else low, verdict))
        elif code <= high - m[_HYSTERESIS] and code >= low + m[_HYSTERESIS]:
            count = 0
            m[ACTIVE] &= 0x7FFF ^ (2 << channel)
        elif m[ACTIVE] & (2 << channel) == 0:
            count = 0
        m[_OVER_COUNT + channel] = count
        channel += 1
    return verdict


@micropython.viper
def _volts(r: int, level: int) -> int:
    """x of a resistance r >= 0 at a current, units."""
    if r > 0x8000:
        return (r >> 8) * level >> 6
    return r * level >> 14


@micropython.viper
def _signed_volts(r: int, level: int) -> int:
    """The same for r of either sign."""
    if r < 0:
        return 0 - int(_volts(0 - r, level))
    return int(_volts(r, level))


@micropython.viper
def _enter(m: ptr32, sign: int, i_abs: int):
    """A phase begins: keep what the one before it taught, forget the rest."""
    old = m[_SIGN]
    level = m[_LEVEL] >> 8
    if old != 0 and m[_MODE] == 1 and m[_N] > m[_SETTLE]:
        m[_V_ENDS + old] = m[_V_BEFORE]
        if m[_V_ENDS + 1] and m[_V_ENDS + 2]:
            one = m[_V_ENDS + 1] - 32768
            two = m[_V_ENDS + 2] - 32768
            m[_RECTIFIED] = 0
            if (one > 0 and two > 0) or (one < 0 and two < 0):
                m[_RECTIFIED] = 1
    if old != 0 and m[_N] > m[_SETTLE] + 2 and m[_PLAIN] == 1:
        x = (m[_X1] + m[_X2] - 0x10000) >> 1
        if x > 0:
            end = (x << 14) // level
            m[_END] = end
            if m[_TAUGHT] == 0:
                k = 0
                while k < 32:
                    if m[_PROFILE_N + k] == 3:
                        expected = 2 * (m[_PROFILE + k] - 0x1000000) - end
                        if expected < -0x800000:
                            expected = -0x800000
                        m[_PROFILE + k] = expected + 0x1000000
                        m[_PROFILE_N + k] = 1
                    k += 1
            if m[_TAUGHT] < 2:
                m[_TAUGHT] += 1
    carried = 0
    if sign == old and sign != 0:
        carried = m[_REF]
        if i_abs < level:
            carried = (carried * ((i_abs << 8) // level)) >> 8
    m[_CARRIED] = carried
    m[_SIGN] = sign
    m[_LEVEL] = i_abs << 8
    m[_ODD] = 0
    m[_N] = 0
    m[_LOW] = 0
    m[_PLAIN] = 0
    m[_MOVED] = 0
    m[_OPEN] = 0
    m[_SPIKE] = 0
    if m[_MODE] != 2:
        m[_REF] = carried
        m[_FLOOR] = 0
    m[_MARK_AT] = 0
    m[_MARK_K] = 0
    m[_ROSE] = 0
    m[_STAGE] = 0
    m[ACTIVE] &= 0x7FFF ^ 0x1A0  # stuck, jump and partial short are told once for each phase


@micropython.viper
def _settled(m: ptr32):
    """The first settled sample: which phases this one may be compared with, and how the voltage is wired."""
    if m[_MODE] == 2:
        return
    level = m[_LEVEL] >> 8
    m[_LEVEL_0] = level
    typical = m[_TYPICAL]
    if level * 2 >= typical:
        m[_PLAIN] = 1
    if level > 4 * typical:  # what was before was an impedance scan
        k = 0
        while k < 32:
            m[_PROFILE_N + k] = 0
            k += 1
        m[_TAUGHT] = 0
        m[_END] = 0
    if level > typical:
        m[_TYPICAL] = level
    m[_FLOOR] = int(_volts(m[_END], level)) << 2  # a quarter, Q4
    if m[_PLAIN] == 0:
        return
    # Whatever is stored in the cell, a current step moves the voltage its own way.
    dv = m[V] - m[_V_BEFORE]
    di = m[I] - m[_I_BEFORE]
    flipped = 0
    if di < 0:
        dv = 0 - dv
    if dv < 0:
        flipped = 1
        dv = 0 - dv
    if dv >= 4 * m[_DROP_MIN] and flipped != m[_FLIPPED]:
        m[_FLIPPED] = flipped
        m[_REF] = 0
        m[_END] = 0
        m[_TAUGHT] = 0
        k = 0
        while k < 32:
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
    half = m[_X_HALF] - 0x8000  # x two marks ago
    m[_X_HALF] = m[_X_MARK]
    m[_X_MARK] = x + 0x8000
    m[_MARK_AT] = n + 1 + (n >> 2 if k > 0 else 0)
    m[_MARK_K] = k + 1
    if k >= 31:
        m[_MARK_AT] = 0x3FFFFFFF
    if m[_PLAIN] == 0 or m[_LOW] > 0:
        return 0
    seen = m[_PROFILE_N + k]
    end = int(_volts(m[_END], level))
    if x >= end >> 2:
        m[_ROSE] = 1  # it came up: from now on only a collapse is a short
    if end > 0 and seen > 0 and seen < 3 and x > 0 - (end >> 3) and x < end >> 2 and m[_ROSE] == 0:
        known = int(_signed_volts(m[_PROFILE + k] - 0x1000000, level))
        rise = known
        if m[_PROFILE_N + k - 2] == seen and k >= 2:
            rise -= int(_signed_volts(m[_PROFILE + k - 2] - 0x1000000, level))
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
        if expected - x >= m[_DROP_MIN] and expected > 0:
            m[_REF] = expected << 4
            return 1
    r = ((x << 14) // level) + 0x1000000
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
        m[_LOW_X] = x + 0x8000
    verdict |= 0x100
    needed = m[_CONFIRM]
    ref = m[_REF]
    if m[_NOISE] * 32 > ref * 3:
        needed *= 4  # it fluctuates: a soft short until it stays down
    if low < needed:
        return verdict
    rise = (x + 0x8000 - m[_LOW_X]) << 4
    noise = m[_NOISE]
    if rise > (ref >> 5) + noise:
        if low == needed:
            return verdict
        if rise > (ref >> 4) + 2 * noise:
            m[_LOW] = 0  # it comes up from below: another phase, whose beginning was not seen
            m[_REF] = 0
            return verdict
    m[_LOW] = 0x1000
    return int(fire(m, 0, x if x > 0 else 0, (ref * m[_COLLAPSE]) >> 10, verdict))


@micropython.viper
def _wires(m: ptr32, verdict: int) -> int:
    """Early in a phase: has the voltage moved, as a current step must move it?"""
    if m[V] != m[_V_BEFORE]:
        m[_MOVED] = 1
    n = m[_N]
    if m[_SIGN] == 0 and n == m[_SETTLE] + m[_CONFIRM] and m[_MODE] != 2 and m[_END] > 0:
        before = m[_V_BEFORE] - 32768
        moved = m[V] - m[_V_BEFORE]
        if before < 0:
            before = 0 - before
        if moved < 0:
            moved = 0 - moved
        if before >= 32 * m[_DROP_MIN] and moved < before >> 6:
            verdict = int(fire(m, 6, moved, before >> 6, verdict))
    if m[_MOVED] == 1 or m[_MODE] == 2 or n < m[_SETTLE] + m[_CONFIRM] or m[_END] == 0:
        return verdict
    before = (m[_I_BEFORE] - 32768) >> 1
    now = (m[I] - 32768) >> 1
    if (before >= m[CURRENT_ON] and now > 0) or (before + m[CURRENT_ON] <= 0 and now < 0):
        return verdict  # the same sign: a cycler at its limit holds the voltage, whatever current it is asked for
    di = now - before
    if di < 0:
        di = 0 - di
    if di > 0x4000:
        di = 0x4000
    expected = int(_volts(m[_END], di))
    if expected >= 256:
        return int(fire(m, 5, m[V], expected, verdict))
    return verdict


@micropython.viper
def step(m: ptr32) -> int:
    """Judge the sample in `m[0..3]`: reason (low byte) and action of the strongest rule, and the state's bits.

    Longer than 40 lines: it is the common path, and each call costs a twentieth of the tick on the RP2040.
    """
    raw_v = m[V]
    raw_i = m[I]
    raw_p = m[P]
    m[SAMPLE] = (m[SAMPLE] + 1) & 0x3FFFFFFF
    verdict = 0
    # -- range
    if raw_v < 16 or raw_v >= 65520 or raw_i < 16 or raw_i >= 65520 or raw_p >= 65520:
        value = raw_p
        if raw_i < 16 or raw_i >= 65520:
            value = raw_i
        if raw_v < 16 or raw_v >= 65520:
            value = raw_v
        verdict = int(fire(m, 4, value, 0, 0x100))
        if verdict & 0x1800 == 0x1800:
            return verdict
    elif m[ACTIVE] & 16:
        m[ACTIVE] &= 0x7FEF
    if (
        raw_v > m[12]
        or raw_i > m[14]
        or raw_p > m[16]
        or raw_v < m[11]
        or raw_i < m[13]
        or raw_p < m[15]
        or m[_OVER_COUNT] + m[74] + m[75] > 0
    ):
        verdict = int(_limits(m, verdict))
    # -- sums of the block
    m[BLOCK_V] += raw_v
    m[BLOCK_I] += raw_i
    m[BLOCK_P] += raw_p
    m[BLOCK_N] += 1
    # -- does the current belong to this phase: noise of a tenth of it is common, half is a step
    v = (raw_v - 32768) >> 1
    i_abs = (raw_i - 32768) >> 1
    sign = 1
    if i_abs < 0:
        i_abs = 0 - i_abs
        sign = 2
    if i_abs < m[CURRENT_ON]:
        sign = 0
    level = m[_LEVEL]
    old = m[_SIGN]
    if sign != old or (sign != 0 and ((i_abs << 9) > level * 3 or (i_abs << 8) * 3 < level * 2)):
        odd = m[_ODD] + 1
        m[_ODD] = odd
        if odd == 1 and (old != 0 or sign == 0):
            verdict |= 0x200
            if m[_MODE] != 2:
                return verdict
        else:
            _enter(m, sign, i_abs)
    elif sign != 0:
        m[_ODD] = 0
        m[_LEVEL] = level + (((i_abs << 8) - level) >> 3)
    else:
        m[_ODD] = 0
    n = m[_N]
    if n < 0x10000000:
        n += 1
    m[_N] = n
    if n <= m[_SETTLE] + m[_CONFIRM]:
        verdict = int(_wires(m, verdict))
    elif m[_ODD] == 0:
        m[_V_BEFORE] = raw_v
        m[_I_BEFORE] = raw_i
    # -- collapse
    if m[_MODE] == 2 or m[_RECTIFIED]:
        if v < 0:
            v = 0 - v
    elif (sign - 1) ^ m[_FLIPPED]:
        v = 0 - v
    if sign == 0 and m[_MODE] != 2:
        verdict |= 0x200
    else:
        x4 = v << 4
        ref = m[_REF]
        x1 = m[_X1] - 0x8000
        bend = v - 2 * x1 + m[_X2] - 0x8000
        if bend < 0:
            bend = 0 - bend
        m[_X2] = m[_X1]
        m[_X1] = v + 0x8000
        suspect = 0
        if n > m[_SETTLE]:
            verdict |= 0x400
            if (
                x4 * 64 < ref * m[_COLLAPSE]
                and ref >= m[_FLOOR]
                and ref - x4 >= (m[_DROP_MIN] << 4) + 4 * m[_NOISE]
                and x4 + (ref >> 3) > 0
            ):
                suspect = 1
            if n >= m[_MARK_AT] and m[_MODE] != 2 and m[_RECTIFIED] == 0:
                suspect |= int(_mark(m, v))
        else:
            verdict |= 0x200
            if n == m[_SETTLE]:
                m[_X_MARK] = v + 0x8000
                m[_X_HALF] = v + 0x8000
                _settled(m)
        if suspect:
            verdict = int(_confirm(m, v, verdict))
            if verdict & 0x1800 == 0x1800:
                return verdict  # the pin first: the block waits for the next sample
        elif verdict & 0x400:
            m[_LOW] = 0
            m[ACTIVE] &= 0x7FFE
            # -- noise, by the second difference: a trend has none
            if m[_PLAIN]:
                noise = m[_NOISE]
                most = (ref if ref > m[_FLOOR] else m[_FLOOR]) >> 3  # one spike is no fluctuation
                bend <<= 4
                if bend > most:
                    bend = most
                m[_NOISE] = noise + (bend - noise + 8 >> 4)
            # -- reference
            if ref == 0:
                m[_REF] = x4 if x4 > 0 else 0
            elif x4 >= ref:
                if x4 > ref * 4 + 0x4000:
                    m[_SPIKE] += 1
                if x4 > ref * 2:  # a spike must not drag the reference along
                    x4 = ref * 2
                m[_REF] = ref + ((x4 - ref + 3) >> 2)
            else:
                if m[_SPIKE] > 0:
                    if m[_SPIKE] < 3:
                        verdict = int(fire(m, 7, x1 if x1 > 0 else 0, ref >> 2, verdict))
                    m[_SPIKE] = 0
                if n & ((1 << (m[_BLOCK_SHIFT] - 2)) - 1) == 0:
                    if x4 < 0:
                        x4 = 0
                    m[_REF] = ref - ((ref - x4) >> 2)
    if m[_STAGE] or m[BLOCK_N] >> m[_BLOCK_SHIFT]:
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
        self.reset()

    def settings(self):
        """The settings in force, in the order of `limits.DETECTOR_SETTINGS`: the detector's part."""
        return list(self.memory[SETTINGS_AT:STATE_AT])

    def reset(self):
        """Forget the past: a new run."""
        memory = self.memory
        _clear(memory, STATE_AT, _REASONS_AT)
        _clear(memory, _PROFILE, MEMORY_WORDS)
        memory[_X1] = memory[_X2] = memory[_X_MARK] = memory[_X_HALF] = _X_BIAS
        memory[_V_BEFORE] = memory[_I_BEFORE] = limits.CODE_ZERO

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
