"""What a person sees and presses at the board: one LED, one button. Runs in the main loop only.

The LED is lit while the gate is closed: the gate's own register write does that, in the tick. While it is open the code
is blinked here. The button says that a person has seen the trip, and no more: the LED slows down until the next one. It
clears no latch, for that closes the gate in the self-test, and ends no message to the host, which must learn of it.
"""

STEP_MS = 128  # a bit of a code, lowest first; 16 of them
DISARMED = 0x0001  # one flash in two seconds
FAULT = 0x0015  # three flashes: a converter did not start, or the external trip is not held safe
TRIPPED = 0x5555  # four a second
SEEN = 0x00FF  # a trip, acknowledged: one second on, one off
HELD_MS = 50  # so long must the button be down; and it must have been up since the trip: one that sticks says nothing


class Panel:
    """`board` may have `led(level)` and `button()`, 0 while it is pressed.

    `box` knows the latched trip, `test` the input that must be safe.
    """

    def __init__(self, board, gate, box, test):
        self._led = getattr(board, "led", None)
        self._button = getattr(board, "button", None)
        self._faulty = bool(getattr(board, "FAULT", None))
        self._gate = gate
        self._box = box
        self._test = test
        self._trip_id = 0
        self._up_ms = -1  # when it was last seen up since the trip
        self._seen = False

    def poll(self, now_ms):
        """To be called often."""
        if self._trip_id != self._box.trip.trip_id:
            self._trip_id = self._box.trip.trip_id
            self._up_ms = -1
            self._seen = False
        if self._gate.reason:
            self._press(now_ms)
        if self._led is not None and not self._gate.closed:
            self._led((self.code() >> ((now_ms // STEP_MS) & 15)) & 1)

    def code(self):
        """What is blinked with the gate open."""
        if self._gate.reason:
            return SEEN if self._seen else TRIPPED
        return FAULT if self._faulty or self._test.unsafe() else DISARMED

    def _press(self, now_ms):
        if self._button is None:
            return
        if self._button():
            self._up_ms = now_ms
        elif self._up_ms >= 0 and now_ms - self._up_ms >= HELD_MS:
            self._seen = True
