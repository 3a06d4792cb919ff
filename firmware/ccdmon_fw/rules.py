"""What happens when a rule fires: its event is kept, its reason and action go into the verdict.

The words used here are those of `detector.py`, where the memory is laid out.
"""

try:
    import micropython
    from micropython import const
except ImportError:
    from ccdmon_fw.cpython import const, micropython, ptr32

_T = const(3)
_ACTIONS_AT = const(28)
_SAMPLE = const(43)
_RULE = const(44)
_VALUE = const(45)
_LIMIT = const(46)
_ACTIVE = const(47)
_EVENTS_AT = const(103)
_REASONS_AT = const(178)
_FIRED = const(261)


@micropython.viper
def fire(m: ptr32, rule: int, value: int, limit: int, verdict: int) -> int:
    """A rule's condition holds: note it when it is new, and put it into the verdict if nothing stronger is there."""
    action = m[_ACTIONS_AT + rule]
    if action == 0:
        return verdict
    bit = 1 << rule
    if m[_ACTIVE] & bit:
        if action != 3:
            return verdict
    else:
        m[_ACTIVE] |= bit
        m[_FIRED] = (m[_FIRED] + 1) & 0x3FFFFFFF
        at = _EVENTS_AT + 5 * rule
        m[at] = (m[at] + 1) & 0x3FFFFFFF
        m[at + 1] = m[_SAMPLE]
        m[at + 2] = m[_T]
        m[at + 3] = value
        m[at + 4] = limit
    if action << 11 > verdict & 0x1800:
        m[_RULE] = rule
        m[_VALUE] = value
        m[_LIMIT] = limit
        verdict = (verdict & 0x700) | m[_REASONS_AT + rule] | (action << 11)
    return verdict
