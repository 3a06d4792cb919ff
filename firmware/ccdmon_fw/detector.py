"""The short detector: integers only, no allocation; the same file is the golden model on CPython.

A symmetric cell's voltage is its polarisation, so R = |V|/|I| is compared with two references of its own past,
never with a number of volts:

* the *running* reference, an exponential average inside the half-cycle: sees a collapse while current flows;
* the *profile*, the lowest R that earlier half-cycles showed at the same position: one value for each doubling of
  the samples since settling, carried over rests, reversals and steps. It sees a short that happens at a step, and
  does not accuse a cell whose R climbs slowly, or from below zero, in every half-cycle. It speaks after two
  half-cycles, because the first one starts from a rested cell and is higher than all that follow.

Ratios are cross-multiplied, never divided. A full cell's voltage is not its polarisation: there |V| itself is
compared with its running average, whatever the current; a half cell must show both signs, for its counter
electrode may carry an open-circuit voltage.

After a current step, a reversal or a rest nothing is judged for `settle_samples`, and longer while the voltage
still falls by more than a sixteenth per sample (relaxation after a step down).

Memory `m` (array 'i'), all values >= 0, because 64-bit ports load 32-bit words without their sign:
inputs 0..3 | settings 4..14 (order of limits.SETTINGS) | state 15..32 | profile 33..80 (voltage, current, count).
Bounds: units are below 2**14, products below 2**28; averages are Q12, below 2**26.
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
STATE_AT = const(15)
OCTAVES = const(16)
MEMORY_WORDS = const(81)

_MODE = const(4)
_CONFIRM = const(5)
_SETTLE = const(6)
_SHIFT = const(7)
_COLLAPSE = const(8)
_I_ON = const(9)
_V_REF_MIN = const(10)
_V_LIMIT = const(11)
_I_LIMIT = const(12)
_P_MIN = const(13)
_P_MAX = const(14)

_SIGN = const(15)  # 0 rest, 1 current positive, 2 negative
_SETTLING = const(16)  # samples left before R is judged
_LOW = const(17)  # samples in a row that look shorted
_OVER = const(18)  # samples in a row over a limit
_V_RUN = const(19)  # running reference, Q12 units
_I_RUN = const(20)
_V_ABS = const(21)  # running |V|, Q12 units, for half and full cells
_ABS_VALID = const(22)
_V_LAST = const(23)  # polarisation one sample ago, units
_I_STEP = const(24)  # |I| when settling began, units
_POSITION = const(25)  # samples since settling
_OCTAVE = const(26)  # floor(log2(position))
_V_MIN = const(27)  # the lowest R of this octave so far, as a pair, units
_I_MIN = const(28)
_SWINGING = const(29)  # the polarisation has not yet crossed zero since the reversal
_LOWER = const(30)  # samples in a row far below the profile
_LOWER_AT = const(31)  # position of the first of them
_V_LOWER = const(32)  # its polarisation
_PROFILE_V = const(33)
_PROFILE_I = const(49)
_PROFILE_N = const(65)

PENDING = const(0x100)  # a rule is counting towards its confirmation
SETTLING = const(0x200)  # a step, a reversal or a rest: R is not judged
WATCHING = const(0x400)  # R is judged against a reference
REASON_MASK = const(0xFF)


@micropython.viper
def step(m: ptr32) -> int:
    """Judge the sample in `m[0..3]`: reason code once confirmed (low byte) | PENDING | SETTLING | WATCHING.

    One function of more than 40 lines: a call costs a fifth of the whole tick on the RP2040.
    """
    raw_v = m[V]
    raw_i = m[I]
    # -- raw range: a converter at its rail measures nothing
    if raw_v < 16 or raw_v >= 65520 or raw_i < 16 or raw_i >= 65520:
        return 6 | 0x100
    v = (raw_v - 32768) >> 1
    i = (raw_i - 32768) >> 1
    v_abs = v if v >= 0 else 0 - v
    i_abs = i if i >= 0 else 0 - i
    # -- limits
    flags = 0
    if v_abs > m[_V_LIMIT] or i_abs > m[_I_LIMIT] or m[P] > m[_P_MAX] or m[P] < m[_P_MIN]:
        m[_OVER] += 1
        if m[_OVER] >= m[_CONFIRM]:
            return 5 | 0x100
        flags = 0x100
    else:
        m[_OVER] = 0
    # -- where in the half-cycle
    sign = 0
    if i_abs >= m[_I_ON]:
        sign = 1 if i > 0 else 2
    shift = m[_SHIFT]
    polarisation = v if sign != 2 else 0 - v
    if sign != m[_SIGN]:
        m[_SIGN] = sign
        m[_SETTLING] = m[_SETTLE]
        m[_I_STEP] = i_abs
        m[_POSITION] = 0
        m[_LOW] = 0
    elif sign != 0:
        i_known = m[_I_STEP] if m[_SETTLING] > 0 else m[_I_RUN] >> 12
        change = i_abs - i_known
        if change < 0:
            change = 0 - change
        if change * 2 > i_known:  # a current step: noise of a tenth of the current is common, half is a step
            m[_SETTLING] = m[_SETTLE]
            m[_I_STEP] = i_abs
            m[_POSITION] = 0
            m[_LOW] = 0
    # -- does |V| collapse (half and full cells)
    mode = m[_MODE]
    v_low = 1
    if mode != 0:
        v_known = m[_V_ABS]
        if m[_ABS_VALID] == 0:
            m[_V_ABS] = v_abs << 12
            m[_ABS_VALID] = 1
            v_low = 0
        else:
            v_low = 0
            if (v_known >> 12) >= m[_V_REF_MIN] and v_abs < ((v_known >> 12) * m[_COLLAPSE]) >> 6:
                v_low = 1
            if v_low == 0:
                x = v_abs << 12
                if x > v_known * 2 + 65536:  # a spike must not drag the reference along
                    x = v_known * 2 + 65536
                m[_V_ABS] = v_known + ((x - v_known) >> shift)
    low = 0  # against the running reference
    lower = 0  # against the profile
    watching = 0
    if mode == 2:
        low = v_low
        watching = 0x400
    elif sign != 0:
        last = m[_V_LAST]
        falling = 1 if polarisation < last - (last >> 4) - 8 else 0
        if m[_SETTLING] > 0:
            flags |= 0x200
            if m[_SETTLING] > 1 or falling == 0:
                m[_SETTLING] -= 1
            if m[_SETTLING] == 0:  # settled: the next sample is judged
                m[_I_RUN] = i_abs << 12
                m[_V_RUN] = 0
        else:
            positive = polarisation if polarisation > 0 else 0
            # -- against earlier half-cycles at this position
            position = m[_POSITION] + 1
            m[_POSITION] = position
            octave = m[_OCTAVE]
            if position == 1:
                octave = 0
                m[_OCTAVE] = 0
                m[_I_MIN] = 0
                m[_SWINGING] = 0
                m[_LOWER] = 0
            elif octave < 15 and position >= (2 << octave):
                if m[_I_MIN] > 0:
                    n = m[_PROFILE_N + octave]
                    v_old = m[_PROFILE_V + octave]
                    # the new pair, brought to the old pair's current
                    v_new = (m[_V_MIN] * m[_PROFILE_I + octave]) // m[_I_MIN]
                    if n == 0 or v_new <= v_old or v_old == 0:  # lower at once, higher slowly
                        m[_PROFILE_V + octave] = m[_V_MIN]
                        m[_PROFILE_I + octave] = m[_I_MIN]
                    else:
                        if v_new > v_old * 2:
                            v_new = v_old * 2
                        m[_PROFILE_V + octave] = v_old + ((v_new - v_old) >> 2)
                    if n < 2:
                        m[_PROFILE_N + octave] = n + 1
                octave += 1
                m[_OCTAVE] = octave
                m[_I_MIN] = 0
            v_ref = m[_PROFILE_V + octave]
            i_ref = m[_PROFILE_I + octave]
            if m[_PROFILE_N + octave] >= 2 and v_ref >= m[_V_REF_MIN]:
                watching = 0x400
                if positive * i_ref >= ((v_ref * i_abs) >> 6) * m[_COLLAPSE]:
                    m[_SWINGING] = 0
                elif (0 - polarisation) * 8 > v_ref:  # still charged by the half-cycle before
                    m[_SWINGING] = 1
                elif m[_SWINGING] == 0:
                    lower = 1
            # -- against the running reference
            v_run = m[_V_RUN] >> 12
            if v_run >= m[_V_REF_MIN] and position > 3:
                watching = 0x400
                if positive * (m[_I_RUN] >> 12) < ((v_run * i_abs) >> 6) * m[_COLLAPSE]:
                    low = 1
            # -- a swing through zero leaves the low zone in about the time it took to reach it; a short stays
            if lower == 0:
                m[_LOWER] = 0
            else:
                if m[_LOWER] == 0 or positive > m[_V_LOWER] + (v_ref >> 4) + 16:
                    m[_LOWER] = 0
                    m[_LOWER_AT] = position
                    m[_V_LOWER] = positive
                m[_LOWER] += 1
                flags = flags | 0x100
                if m[_LOWER] >= m[_CONFIRM] + m[_LOWER_AT] - 1:
                    return 1 | 0x100 | watching
            if low == 0:
                if lower == 1:
                    pass
                elif m[_I_MIN] == 0 or positive * m[_I_MIN] < m[_V_MIN] * i_abs:
                    m[_V_MIN] = positive
                    m[_I_MIN] = i_abs
                x = positive << 12
                v_known = m[_V_RUN]
                if v_known == 0 or (position <= 3 and x < v_known):  # the lowest of three: one may be a spike
                    m[_V_RUN] = x
                elif position > 3:
                    if x > v_known * 2 + 65536:
                        x = v_known * 2 + 65536
                    m[_V_RUN] = v_known + ((x - v_known) >> shift)
                m[_I_RUN] = m[_I_RUN] + (((i_abs << 12) - m[_I_RUN]) >> shift)
        if v_low == 0:
            low = 0
    m[_V_LAST] = polarisation if polarisation > 0 else 0
    # -- confirmation
    if low == 0:
        m[_LOW] = 0
        return flags | watching
    m[_LOW] += 1
    if m[_LOW] >= m[_CONFIRM]:
        return 1 | 0x100 | watching
    return 0x100 | flags | watching


class Detector:
    """The rules with their memory. `settings`: integers in the order of `limits.SETTINGS`."""

    def __init__(self, settings=None):
        self.memory = array("i", [0] * MEMORY_WORDS)
        self.load(settings or limits.default_settings())

    def load(self, settings):
        """Take other settings and forget all references; raises ValueError naming a setting out of bounds."""
        bad = limits.check_settings(settings)
        if bad >= 0:
            raise ValueError("setting out of bounds: %d" % bad)
        for index, value in enumerate(settings):
            self.memory[SETTINGS_AT + index] = value
        self.reset()

    def settings(self):
        """The settings in force, in the order of `limits.SETTINGS`."""
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
