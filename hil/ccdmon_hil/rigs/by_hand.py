"""An emulated board's bench for a person: one word and its value a line, answered by a JSON object a line.

    voltage|current CODE            what the cell shows while the gate is closed, 0 to 65535 (zero: 32768)
    pressure CODE                   what the load cell shows, 0 to 65535
    short                           the cell's voltage falls to an eighth
    loop open|closed                the external trip's loop at GP14
    button                          pressed for a quarter of a second (GP11)
    led                             what the LED does: lit, dark, or how many flashes in two seconds
    replug                          power off and on again, the flash as it was
    help                            these lines

Time is the chip's, which is slower than the clock on the wall.
"""

import itertools
from collections.abc import Callable

from ccdmon_hil.rigs.pico import PicoTarget
from ccdmon_hil.rigs.pico_firmware import PICO_PINS
from ccdmon_hil.rigs.target import Codes

CHANNELS = ("voltage", "current", "pressure")
CODE_ZERO, CODE_MAX = 32768, 65535
AT_REST: Codes = (CODE_ZERO, CODE_ZERO, CODE_ZERO)
SHORTED = 8
BUTTON_PIN, LED_PIN = 11, 25
PRESSED_US = 250_000.0
BLINKS_US = 2_048_000.0  # how often a code of the LED begins anew: `ccdmon_fw/drivers/panel.py`
LOOP = {"open": True, "closed": False}  # the level at GP14, pulled up on the chip

HELP = [line.strip() for line in (__doc__ or "").splitlines() if line.startswith("    ")]


class ByHand:
    """Orders in words for one chip, which is powered; `say` tells what became of each."""

    def __init__(self, pico: PicoTarget, say: Callable[..., object], *, closed: bool) -> None:
        self._pico, self._say = pico, say
        self._codes = list(AT_REST)
        self._closed = closed
        pico.set_pin(BUTTON_PIN, True)  # up: pulled up on the chip, which the emulator leaves to the world

    def carry_out(self, line: str) -> None:
        """One line; what is none of the orders is answered with `error`."""
        words = line.split()
        match words:
            case []:
                return
            case ["short"]:
                self._let(0, CODE_ZERO + (self._codes[0] - CODE_ZERO) // SHORTED)
            case [channel, code] if channel in CHANNELS and code.isdecimal() and int(code) <= CODE_MAX:
                self._let(CHANNELS.index(channel), int(code))
            case ["loop", state] if state in LOOP:
                self._pico.set_pin(PICO_PINS.external_trip, LOOP[state])
                self._say(loop=state)
            case ["button"]:
                self._press()
            case ["led"]:
                self._say(led=self._led())
            case ["replug"]:
                self._pico.power_cycle()
                self._say(power="off and on again")
            case ["help"]:
                self._say(help=HELP)
            case _:
                self._say(error=f"no order: {line.strip()!r}; `help` lists them")

    def gate(self, closed: bool) -> None:
        """It moved: through an open relay no current flows."""
        self._closed = closed
        self._lay()

    def _let(self, channel: int, code: int) -> None:
        self._codes[channel] = code
        self._lay()
        self._say(**dict(zip(CHANNELS, self._codes, strict=True)))

    def _lay(self) -> None:
        voltage, current, pressure = self._codes
        shown = (voltage, current) if self._closed else AT_REST[:2]
        self._pico.set_converters((*shown, pressure))

    def _press(self) -> None:
        self._pico.set_pin(BUTTON_PIN, False)
        self._pico.run_until(self._pico.virtual_us() + PRESSED_US)
        self._pico.set_pin(BUTTON_PIN, True)
        self._say(button="pressed and let go")

    def _led(self) -> str:
        """What a person sees who looks for one turn of its code."""
        levels = [self._pico.pin(LED_PIN)]
        until_us = self._pico.virtual_us() + BLINKS_US
        while self._pico.virtual_us() < until_us:
            self._pico.run_until(self._pico.virtual_us() + PRESSED_US / 10)
            levels.append(self._pico.pin(LED_PIN))
        flashes = sum(now and not before for before, now in itertools.pairwise(levels))
        if not flashes and all(levels):
            return "lit"
        return f"{flashes} flashes in two seconds" if flashes else "dark"
