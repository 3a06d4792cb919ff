"""Tells the host of every rule that fired without tripping, in any telemetry mode. Runs in the main loop only.

The detector keeps the last firing of each rule and how often it fired; what is not told yet, for the link is full
or the loop was busy, is told later with the count: only the details of firings that a later one replaced are lost.
"""

from array import array

from ccdmon_fw import detector, limits


class Alarms:
    """`judge` is the Detector, `board` holds the timer off for the moment of a copy."""

    def __init__(self, judge, board, telemetry):
        self._judge = judge
        self._board = board
        self._telemetry = telemetry
        self._told = [(0, 0)] * len(limits.RULES)  # (count, sample) of what the host knows
        self._fired = 0
        self._event = array("i", [0] * detector.EVENT_WORDS)

    def poll(self):
        """To be called often: one message at most, so that no round of the loop grows long."""
        memory = self._judge.memory
        fired = memory[detector.FIRED]
        if fired == self._fired:
            return
        at = detector.EVENTS_AT
        for rule, (count, sample) in enumerate(self._told):
            if memory[at] != count or memory[at + 1] != sample:
                self._tell(rule)
                return
            at += detector.EVENT_WORDS
        self._fired = fired  # all of them are told

    def _tell(self, rule):
        event, memory, at = self._event, self._judge.memory, detector.EVENTS_AT + detector.EVENT_WORDS * rule
        # Nothing is allocated with the timer's interrupt held off: a collection would hold it off for 25 ms.
        held = self._board.lock()
        for word in range(detector.EVENT_WORDS):
            event[word] = memory[at + word]
        self._board.unlock(held)
        count, sample, time_us, value, limit = event
        action = self._judge.memory[detector.ACTIONS_AT + rule]
        tell = count and action != limits.ACTION_TRIP  # a trip has its own message
        if not tell or self._telemetry.event(
            limits.RULE_REASONS[rule], action, value, limit, (sample, time_us, count, rule)
        ):
            self._told[rule] = (count, sample)
