"""The short detector: integers only, no allocation; the same file is the golden model on CPython.

A symmetric cell's voltage is its polarisation, so R = |V|/|I| is compared with two references of its own past,
never with a number of volts:

* the *running* reference, an exponential average inside the half-cycle: sees a collapse while current flows;
* the *start* reference, R as it was just after settling in earlier half-cycles: carried over rests, reversals and
  steps, it sees a short that happens at a step, and does not accuse a cell whose R climbs within each half-cycle
  and starts low again after the reversal.

Ratios are cross-multiplied, never divided. A full cell's voltage is not its polarisation: there |V| itself is
compared with its running average, whatever the current; a half cell must show both signs, for its counter
electrode may carry an open-circuit voltage.

After a current step, a reversal or a rest nothing is judged for `settle_samples`, and longer while the voltage
still falls by more than a sixteenth per sample (relaxation after a step down). A rising voltage is never a short:
that is the interface charging.

Memory `m` (array 'i'), all values >= 0, because 64-bit ports load 32-bit words without their sign:
inputs 0..3 | settings 4..14 (order of limits.SETTINGS) | state 15..27.
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
MEMORY_WORDS = const(28)

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
_V_START = const(21)  # start reference, units
_I_START = const(22)
_V_ABS = const(23)  # running |V|, Q12 units, for half and full cells
_V_LAST = const(24)  # polarisation one sample ago, units
_STARTED = const(25)  # samples of this half-cycle that agreed with the start reference
_I_STEP = const(26)  # |I| when settling began or since, units
_ABS_VALID = const(27)

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
        m[_STARTED] = 0
        m[_LOW] = 0
    elif sign != 0:
        i_known = m[_I_STEP] if m[_SETTLING] > 0 else m[_I_RUN] >> 12
        change = i_abs - i_known
        if change < 0:
            change = 0 - change
        if change * 2 > i_known:  # a current step: noise of a tenth of the current is common, half is a step
            m[_SETTLING] = m[_SETTLE]
            m[_I_STEP] = i_abs
            m[_STARTED] = 0
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
    low = 0
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
        if m[_SETTLING] == 0 and flags & 0x200 == 0:
            v_start = m[_V_START]
            i_start = m[_I_START]
            v_run = m[_V_RUN] >> 12
            i_run = m[_I_RUN] >> 12
            # -- against earlier half-cycles, at the start of this one
            started = m[_STARTED]
            expected = 0
            if started < m[_CONFIRM]:
                if v_start >= m[_V_REF_MIN]:
                    watching = 0x400
                    expected = v_start * i_abs
                    if polarisation * i_start < (expected >> 6) * m[_COLLAPSE]:
                        low = 1
                        rise = (v_start >> 5) + 16
                        if polarisation > last + rise:
                            low = 0
                if low == 0:
                    m[_STARTED] = started + 1
                    if started + 1 == m[_CONFIRM] and polarisation > 0:
                        # lower at once, higher slowly: the lower envelope tolerates irregular sampling
                        if v_start == 0 or polarisation * i_start < v_start * i_abs:
                            m[_V_START] = polarisation
                            m[_I_START] = i_abs
                        else:
                            scaled = polarisation * i_start
                            m[_V_START] = v_start + (((scaled // i_abs) - v_start) >> 2)
            # -- against the running reference
            if low == 0 and v_run >= m[_V_REF_MIN]:
                watching = 0x400
                if polarisation * i_run < ((v_run * i_abs) >> 6) * m[_COLLAPSE]:
                    low = 1
            if low == 0:
                x = polarisation << 12 if polarisation > 0 else 0
                v_known = m[_V_RUN]
                if v_known == 0:
                    m[_V_RUN] = x
                else:
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
