"""Does the front end still measure? An open wire, a converter that froze, a load cell that died.

* **Answer.** A step of the current moves the voltage as earlier steps did, by a 32nd of that at least (before there
  were two, the end of a symmetric cell's current by that share of all it showed); where it does not, one of both is not
  measured: `stuck`, and `open_wire` where the current vanished. The smaller of two earlier answers counts, for one
  alone may have been something else. A voltage that stays while its current multiplies is held by the cycler: then the
  cell has lost its resistance (`_held`).
* **Turned.** A symmetric cell's voltage that turns round at once needs a current that did: `_fall` of `detector.py`
  sees the first, `unseen` what jumps through zero without any step, or before any current was seen at all.
* **Stirring.** A live front end rustles at least as much as it did with the gate open, before arming. What hardly
  stirs for `STILL_BLOCKS` is `blind`. One sample of each block is looked at: nothing of this costs a tick.
* **Open.** The voltage jumps to the code at which the board's own resistors hold an open input, and stays.

The memory is laid out in `layout.py`. Longer than 250 lines: `const` holds within one module only.
"""

try:
    import micropython
    from micropython import const
except ImportError:
    from ccdmon_fw.cpython import const, micropython, ptr32

from ccdmon_fw.rules import fire, volts

# Words of the memory, as in layout.py, which says what they are
_V = const(0)
_I = const(1)
_P = const(2)
_MODE = const(4)
_CONFIRM = const(5)
_SETTLE = const(6)
_COLLAPSE = const(8)
_DROP_MIN = const(10)
_PARTIAL = const(22)
_V_ZERO = const(32)
_SIGN = const(171)
_N = const(175)
_LOW = const(176)
_BASE = const(183)
_NOISE = const(192)
_END = const(204)
_X_HIGH = const(211)
_TYPICAL = const(212)
_RESTS = const(222)
_V_BEFORE = const(223)
_I_BEFORE = const(224)
_V_DRIFT = const(225)
_NEW_V = const(235)
_MEANS = const(242)
_SOFT_LASTS = const(247)
_ANSWER = const(254)
_ANSWER_OLD = const(255)
_ANSWER_3 = const(256)
_ANSWER_4 = const(257)
_AT_OPEN = const(259)
_P_LOW = const(260)
_LAST = const(261)
_LAST_OLD = const(264)
_STILL = const(267)
_I_ZERO = const(337)
_V_NOISE = const(338)
_STIRS = const(339)
_OPEN_CODE = const(342)
_ON = const(343)
_RAIL_LOW = const(256)
_STILL_CODES = const(32)
_STIRRED = const(56)
_STILL_BLOCKS = const(24)
_AT_OPEN_CODES = const(300)
_AWAY_CODES = const(1000)
_HARD_SHORT = const(0)
_STUCK = const(5)
_OPEN_WIRE = const(6)
_PARTIAL_SHORT = const(8)
_SOFT_COLLAPSE = const(18)
_BLIND = const(20)


@micropython.viper
def _unsure(m: ptr32) -> int:
    """Four deviations of the difference of two samples of the voltage, units."""
    noise = m[_NOISE] if m[_NOISE] > m[_V_NOISE] else m[_V_NOISE]
    return (noise >> 3) + (noise >> 4)


@micropython.viper
def _size(value: int) -> int:
    return value if value >= 0 else 0 - value


@micropython.viper
def _known(m: ptr32, now: int) -> int:
    """The least answer of the last steps, r: of a half or full cell four, for one cycle with its rests has four steps.

    Its own voltage moves with them, much where an electrode is empty and hardly where it is full.
    """
    if m[_ANSWER_OLD] == 0:
        return m[_END] if m[_MODE] == 0 and now < 0 else 0
    known = m[_ANSWER] if m[_ANSWER] < m[_ANSWER_OLD] else m[_ANSWER_OLD]
    if m[_MODE] != 0:
        if m[_ANSWER_3] and m[_ANSWER_3] < known:
            known = m[_ANSWER_3]
        if m[_ANSWER_4] and m[_ANSWER_4] < known:
            known = m[_ANSWER_4]
    return known - 1


@micropython.viper
def answer(m: ptr32, verdict: int) -> int:
    """Once a phase has settled: has the voltage answered the step of the current that began it?"""
    before = (m[_I_BEFORE] - m[_I_ZERO]) >> 1
    now = (m[_I] - m[_I_ZERO]) >> 1
    if before < 0:
        before = 0 - before
        now = 0 - now
    di = int(_size(before - now))  # a current that dithers about where it counts as one has hardly moved
    if di > 0x4000:
        di = 0x4000
    if m[_SIGN] == 0:
        now = 0
    elif before < m[_ON]:  # out of a rest
        before = 0
        if now > 0:
            now = 0 - now
    if (
        now > 0 and now * 4 >= before
    ):  # the same sign: at its limit a cycler holds the voltage, whatever current it asks for
        if m[_MODE] == 0:
            return int(_held(m, before, now, verdict))
        return verdict
    moved = (m[_V] - m[_V_BEFORE]) >> 1
    if moved < 0:
        moved = 0 - moved
    known = int(_known(m, now))
    wanted = int(volts(known, di))
    if m[_MODE] == 0 and now == 0 and m[_ANSWER_OLD] == 0 and before * 2 >= m[_TYPICAL] and di * 2 >= before:
        wanted = int(_size(m[_V_BEFORE] - m[_V_ZERO])) >> 1  # all of it goes, and some of it at once
    step = m[_DROP_MIN] >> 1  # of the converter
    noise = 2 * int(_unsure(m))
    stirred = moved
    if (
        m[_MODE] != 0
    ):  # as its own voltage moved before, so it may have moved against the step: a foil stripped bare
        stirred += int(_size(m[_V_DRIFT] - 0x10000))
    if (wanted >= 4 * m[_DROP_MIN] + noise and stirred <= step) or (
        wanted >= 256 + noise and stirred <= wanted >> 5
    ):
        return int(_unanswered(m, now, moved, wanted, verdict))
    if di >= m[_ON]:
        m[_ANSWER_4] = m[_ANSWER_3]
        m[_ANSWER_3] = m[_ANSWER_OLD]
        m[_ANSWER_OLD] = m[_ANSWER]
        r = (moved << 14) // di if moved > noise else 0  # noise after a small step would be a large answer
        m[_ANSWER] = r + 1 if r < 0x800000 else 0x800000
    return verdict


@micropython.viper
def explained(m: ptr32, fell_at: int, fall: int, keeps: int) -> int:
    """Whether a step of the current may have lowered |V| so far, Q4: at once, and by twice what others did.

    `fell_at`: samples of this phase before the fall. `keeps`: too much for a short, if nothing is known.
    """
    if m[_ANSWER_OLD] == 0:
        return keeps
    if m[_LOW] > 1 or fell_at > m[_SETTLE] + m[_CONFIRM] - 2:
        return 0  # it did not at first, or the step is over
    known = m[_ANSWER] if m[_ANSWER] > m[_ANSWER_OLD] else m[_ANSWER_OLD]
    if known == 1:
        return keeps
    di = (m[_I] - m[_I_BEFORE]) >> 1
    if di < 0:
        di = 0 - di
    if di > 0x4000:
        di = 0x4000
    return 1 if fall >> 5 <= int(volts(known - 1, di)) + m[_DROP_MIN] + int(_unsure(m)) else 0


@micropython.viper
def _unanswered(m: ptr32, now: int, moved: int, wanted: int, verdict: int) -> int:
    """A symmetric cell without voltage has nothing to answer with: that is a short. Else a wire, or a converter."""
    x = (m[_V] - m[_V_ZERO]) >> 1
    if x < 0:
        x = 0 - x
    rule = _STUCK if now < 0 else _OPEN_WIRE
    if m[_MODE] == 0 and x < wanted >> 3:
        rule = _SOFT_COLLAPSE if m[_SOFT_LASTS] else _HARD_SHORT
    return int(fire(m, rule, moved, wanted, verdict))


@micropython.viper
def _held(m: ptr32, before: int, now: int, verdict: int) -> int:
    """A voltage that stays while its current multiplies is held by the cycler, and the cell has lost its resistance.

    Not where a resting cell has a voltage: there the current may be any.
    """
    volts_before = (m[_V_BEFORE] - m[_V_ZERO]) >> 1
    moved = (m[_V] - m[_V_BEFORE]) >> 1
    if volts_before < 0:
        volts_before = 0 - volts_before
    if moved < 0:
        moved = 0 - moved
    if (
        before < m[_ON]
        or now * 2 < before * 3
        or volts_before < 2 * m[_DROP_MIN]
        or m[_RESTS] * 2 > volts_before
    ):
        return verdict
    if moved * 8 > volts_before * (now - before) // before:
        return verdict
    x = volts_before * before // now  # at the current before
    if now * m[_COLLAPSE] > before * 64:
        return int(fire(m, _HARD_SHORT, x, volts_before * m[_COLLAPSE] >> 6, verdict))
    return int(fire(m, _PARTIAL_SHORT, x, volts_before - (volts_before * m[_PARTIAL] >> 6), verdict))


@micropython.viper
def stirs(m: ptr32, verdict: int) -> int:
    """At the end of a block: does each channel still rustle as it did before arming?"""
    k = 0
    while k < 3:
        code = m[_V + k]
        bend = code - 2 * m[_LAST + k] + m[_LAST_OLD + k]
        if bend < 0:
            bend = 0 - bend
        still = 0
        if m[_STIRS + k] >= _STIRRED and m[_LAST_OLD + k] and bend <= _STILL_CODES:
            still = m[_STILL + k] + 1
            if still >= _STILL_BLOCKS:
                still = _STILL_BLOCKS
                verdict = int(fire(m, _BLIND, bend >> 1, m[_STIRS + k] >> 1, verdict))
        m[_STILL + k] = still
        m[_LAST_OLD + k] = m[_LAST + k]
        m[_LAST + k] = code
        k += 1
    return verdict


@micropython.viper
def seen(m: ptr32, pressure: int):
    """A load cell that showed something is dead when it falls to nothing; one that never did may be missing."""
    if pressure > 4 * _RAIL_LOW:
        m[_P_LOW] = _RAIL_LOW


@micropython.viper
def unseen(m: ptr32, verdict: int) -> int:
    """Between two blocks of one phase: did the voltage move as only a step of the current moves it?"""
    before = m[_MEANS] - m[_V_ZERO]
    now = m[_NEW_V] - m[_V_ZERO]
    if m[_MODE] == 0 and m[_MEANS] and m[_NEW_V] and before ^ now < 0:
        moved = (now - before) >> 1
        if moved < 0:
            moved = 0 - moved
            now = 0 - now
        least = (m[_X_HIGH] >> 1) + 4 * m[_DROP_MIN]
        most = 8 * least  # farther away it is the cycler's limit: `open_circuit`
        if m[_X_HIGH] == 0:  # nothing flowed yet: then it may be anywhere
            least = 16 * m[_DROP_MIN] + 4 * m[_ON]
            most = 0x10000
        if moved > least and now < most:
            verdict = int(fire(m, _OPEN_WIRE, moved, least, verdict))
    return int(_opened(m, verdict))


@micropython.viper
def _opened(m: ptr32, verdict: int) -> int:
    """Has it jumped to where an open input stands, and stayed there?"""
    away = m[_NEW_V] - m[_OPEN_CODE]
    if away < 0:
        away = 0 - away
    blocks = m[_AT_OPEN]
    m[_AT_OPEN] = 0
    if m[_OPEN_CODE] == 0 or away > _AT_OPEN_CODES:
        return verdict
    base = m[_BASE] >> 4
    x = (m[_NEW_V] - m[_V_ZERO]) >> 1
    if x < 0:
        x = 0 - x
    if x < base + (base >> 2) and base < x + (x >> 2):
        return verdict  # only back where it was before it jumped
    jump = m[_NEW_V] - m[_MEANS]
    if jump < 0:
        jump = 0 - jump
    if m[_MEANS] == 0 or (blocks == 0 and jump < _AWAY_CODES):
        return verdict
    if blocks > 1 and jump > (_STILL_CODES >> 1) + m[_STIRS]:
        return verdict  # nothing of a cell is in it
    blocks += 1
    m[_AT_OPEN] = blocks
    if blocks >= 9:
        m[_AT_OPEN] = 9
        return int(fire(m, _OPEN_WIRE, m[_NEW_V] >> 1, m[_OPEN_CODE] >> 1, verdict))
    return verdict
