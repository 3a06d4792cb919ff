"""Which board this is. What is not known is refused before a register or a pin is touched.

On another chip the same words do other things: the one that opens the gate on an RP2040 closes it on an RP2350. And on
another board the same pins lead elsewhere: GP25 is the LED of a Pico and the radio's chip select of a Pico W. So each
board has its line here, by the name that its MicroPython gives it (`sys.implementation._machine`).
"""

import sys

# (chip, whether this firmware was ever run on it), by board
KNOWN = {
    "Raspberry Pi Pico with RP2040": ("RP2040", True),
    "Raspberry Pi Pico 2 with RP2350": ("RP2350", False),
}
# Names the board that somebody accepted as unproven: `ccdmon flash --unproven` writes it, `mip install` does not.
ACCEPTED = "unproven.txt"
_FIRST_NOT_ARM = 9  # in `sys.implementation._mpy >> 10`, see py/persistentcode.h: Xtensa, RISC-V


def problem(machine, mpy, accepted):
    """Why the firmware must not run there, in one line; "": it may.

    `machine`, `mpy`: of `sys.implementation`. `accepted`: the board that was accepted as unproven, or "".
    """
    if machine not in KNOWN or mpy >> 10 >= _FIRST_NOT_ARM:
        return "ccdmon does not know this board (%s): its pins and registers may do anything; one of %s" % (
            machine, ", ".join(KNOWN),
        )  # fmt: skip
    chip, proven = KNOWN[machine]
    if not proven and accepted != machine:
        return (
            "ccdmon was never run on an %s, only on a model of its registers; `ccdmon flash --unproven` runs it"
            % chip
        )
    return ""


def accepted():
    """What `ACCEPTED` says; "" where it is not there."""
    try:
        with open(ACCEPTED) as file:
            return file.read().strip()
    except OSError:
        return ""


def require():
    """The chip's name. RuntimeError where the firmware must not run."""
    machine = sys.implementation._machine
    why = problem(machine, sys.implementation._mpy, accepted())
    if why:
        raise RuntimeError(why)
    return KNOWN[machine][0]
