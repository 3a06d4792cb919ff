"""Monitor outputs of a potentiostat, read by the Pico's own converter: scaling, and a voltage that comes inverted.

An output reaches a converter input through a divider from the supply, which lifts zero to the middle of the range:
R_IN from the output (with what the output has itself), R_UP from 3.3 V, R_DOWN to ground; 1 / R_UP is the sum of the
other two's.
"""

try:
    import micropython
except ImportError:
    from ccdmon_fw.cpython import micropython, ptr32

SUPPLY_V = 3.3
DIVIDER_5V = (16e3, 10e3, 27e3)  # R_IN, R_UP, R_DOWN: +-5.27 V, that of firmware/README.md
DIVIDER_3V = (10e3, 10e3, None)  # +-3.3 V, no R_DOWN


def full_scale_V(divider):
    """The output at which the converter reaches its rail, in the mean of both signs."""
    r_in, r_up, r_down = divider
    conductance = 1 / r_in + 1 / r_up + (1 / r_down if r_down else 0.0)
    return SUPPLY_V / 2 * conductance * r_in


def off_code(divider):
    """The code that stands there when the output's wire is off."""
    _, r_up, r_down = divider
    return int(65536 * r_down / (r_up + r_down)) if r_down else 65535


def mirrored(read):
    """`read` of a board with its voltage turned round zero: of an output that is inverted. For the tick."""

    @micropython.viper
    def read_mirrored(memory):
        unsafe = read(memory)
        codes = ptr32(memory)
        code = 65536 - codes[0]
        if code > 65535:
            code = 65535
        codes[0] = code
        return unsafe

    return read_mirrored
