"""The sign of a current that the file writes without one: from the column that says charge or discharge.

Words of a step's type, in whatever language: 'CC DChg', 'CCCV_Chg', 'D', 'Entladen', '恒流放电', 'Rest'.
"""

import re

import numpy as np

from ccdmon.model.trace import FloatArray

_DOWN = re.compile(
    r"d[\s_]?ch|dch|disch|entlad|décharge|decharge|放电|(?:^|[\s_.\-(])d(?:$|[\s_.\-)\d])|reduc|discharging"
)
_UP = re.compile(r"ch(?:g|a|r)|\blad|aufladen|充电|(?:^|[\s_.\-(])c(?:$|[\s_.\-)\d])|oxid|^chg")
_REST = re.compile(
    r"rest|pause|ocv|open\s*circuit|ruhe|idle|wait|repos|静置|搁置|休眠|(?:^|[\s_.\-(])r(?:$|[\s_.\-)\d])|stop|end|off"
)


def direction(state: str) -> int | None:
    """-1 for a discharge, +1 for a charge, 0 for rest, None where the word tells nothing."""
    word = state.strip().lower()
    if _DOWN.search(word):
        return -1
    if _UP.search(word):
        return 1
    return 0 if _REST.search(word) or not word else None


def all_rest(states: list[str]) -> bool:
    """Whether every row rests, by its state."""
    return bool(states) and all(direction(word) == 0 and word.strip() for word in set(states))


def signed(current_A: FloatArray, states: list[str]) -> tuple[FloatArray, list[str], str | None]:
    """(current, notes, a state that tells no direction though current flows). A current that has signs is left as
    it is."""
    if (current_A < 0).any():
        return current_A, [], None
    directions = {word: direction(word) for word in set(states)}
    flows = current_A > 0
    for word, way in directions.items():
        if way is None and any(flows[row] for row, state in enumerate(states) if state == word):
            return current_A, [], word
    down = np.array([directions[state] == -1 for state in states], dtype=bool)
    if not (down & flows).any():
        return current_A, [], None
    return (
        np.where(down, -current_A, current_A),
        ["currents have no sign in the file: negative where its state says discharge"],
        None,
    )
