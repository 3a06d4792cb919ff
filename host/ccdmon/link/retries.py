"""How a command is repeated until it is answered: one way for who waits (`device`) and who must not (`command_queue`).

A command is sent again under the same number, so the firmware carries it out once. The pause doubles each time: a board
that is slower than that would answer each of them.
"""

import itertools
import random
from collections.abc import Iterator

RETRY_S = 1.0
GIVE_UP_S = 30.0  # an emulated board is twenty times slower than a real one


class Attempts:
    """The attempts at one command, from `now_s` (monotonic) on, when it is sent for the first time."""

    def __init__(self, now_s: float, give_up_s: float | None = None) -> None:
        self._give_up_at_s = now_s + (GIVE_UP_S if give_up_s is None else give_up_s)
        self._pause_s = RETRY_S
        self._again_at_s = now_s + self._pause_s

    def over(self, now_s: float) -> bool:
        """Whether it is no use any more."""
        return now_s > self._give_up_at_s

    def again(self, now_s: float) -> bool:
        """Whether to send it again now; counts as sent then."""
        if now_s < self._again_at_s:
            return False
        self._pause_s *= 2
        self._again_at_s = now_s + self._pause_s
        return True


def command_numbers(first: int | None = None) -> Iterator[int]:
    """1 to 65535 over and over, from `first` or from anywhere.

    A host that came before may have ended with any number: the same one again would not be carried out.
    """
    first = first or random.randrange(1, 1 << 16)
    return itertools.cycle([*range(first, 1 << 16), *range(1, first)])
