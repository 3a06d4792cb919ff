"""What rules share: r times I; and when one fires, its event is kept, reason and action go into the verdict.

The memory is laid out in `layout.py`.
"""

try:
    import micropython
    from micropython import const
except ImportError:
    from ccdmon_fw.cpython import const, micropython, ptr32

_T = const(3)
_ACTIONS_AT = const(33)
_SAMPLE = const(55)
_RULE = const(56)
_VALUE = const(57)
_LIMIT = const(58)
_ACTIVE = const(59)
_FIRED = const(60)
_EVENTS_AT = const(61)
_REASONS_AT = const(344)
_EVENT_WORDS = const(5)
_TRIP = const(3)
_WRAP = const(0x3FFFFFFF)
_STATE_MASK = const(0x700)
_ACTION_SHIFT = const(11)
_ACTION_MASK = const(0x1800)


@micropython.viper
def volts(r: int, level: int) -> int:
    """Voltage of a resistance r >= 0, Q14, at a current, units."""
    if r > 0x8000:
        return (r >> 8) * level >> 6
    return r * level >> 14


@micropython.viper
def fire(m: ptr32, rule: int, value: int, limit: int, verdict: int) -> int:
    """A rule's condition holds: note it when it is new, and put it into the verdict if nothing stronger is there."""
    action = m[_ACTIONS_AT + rule]
    if action == 0:
        return verdict
    bit = 1 << rule
    if m[_ACTIVE] & bit:
        if action != _TRIP:
            return verdict
    else:
        m[_ACTIVE] |= bit
        m[_FIRED] = (m[_FIRED] + 1) & _WRAP
        at = _EVENTS_AT + _EVENT_WORDS * rule
        m[at] = (m[at] + 1) & _WRAP
        m[at + 1] = m[_SAMPLE]
        m[at + 2] = m[_T]
        m[at + 3] = value
        m[at + 4] = limit
    if action << _ACTION_SHIFT > verdict & _ACTION_MASK:
        m[_RULE] = rule
        m[_VALUE] = value
        m[_LIMIT] = limit
        verdict = (verdict & _STATE_MASK) | m[_REASONS_AT + rule] | (action << _ACTION_SHIFT)
    return verdict
