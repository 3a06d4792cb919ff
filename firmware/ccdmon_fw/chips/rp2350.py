"""Registers of the RP2350 and what reads and writes them; numbers from its datasheet and the headers of the pico-sdk.

**Never run on silicon**: `known.py` lets it start only where somebody accepted that.

One module for each chip: `const` holds within one only, and a table that is looked up at run time would cost each
tick some microseconds. Below the line the text is the same for all (`tests/firmware/chips/test_rp2040.py`, where a
model of the chip's registers stands in for `ptr32`).
"""

try:
    import micropython
    from machine import disable_irq, enable_irq
    from micropython import const
except ImportError:
    from ccdmon_fw.cpython import const, disable_irq, enable_irq, micropython, ptr32

CHIP = "RP2350"
_SIO = const(-0x30000000)  # 0xD0000000, written so that it fits a small integer; its registers, in words:
_IN = const(1)
_OUT = const(4)
_OUT_SET = const(6)
_OUT_CLR = const(8)
_OUT_XOR = const(10)
_ADC = const(0x10028000)  # a quarter of 0x400A0000
_TEMPERATURE = const(4)  # channel, in the package with 60 pins, which a Pico 2 has
_TIMER = const(0x1002C000)  # a quarter of 0x400B0000: TIMER0
WATCHDOG_SCRATCH0 = 0x400D800C
RAM_BEGIN = 0x20000000
RAM_END = 0x20082000
STACK_BOTTOM = RAM_END - 0x2000  # MicroPython's linker script: the two upper banks are the C stack
FLASH_UNCACHED = 0x14000000  # its mirror that neither reads nor fills the cache
FLASH_BYTES = 4 << 20  # of a Pico 2

# -- Below this line all chips have the same text. Wiring: `pico.py`.

BUTTON_PIN = const(11)
FEEDBACK_PIN = const(12)
PUMP_PIN = const(13)
EXTERNAL_PIN = const(14)
GATE_PIN = const(22)
LED_PIN = const(25)
_PUMP = const(1 << 13)
_EXTERNAL = const(1 << 14)
_GATE = const(1 << 22)
_GATE_AND_LED = const((1 << 22) | (1 << 25))
_ALL = const((1 << 13) | (1 << 22) | (1 << 25))


@micropython.viper
def gate(level: int):
    """Pin and LED; opening stops the pump, too."""
    sio = ptr32(_SIO)
    if level:
        sio[_OUT_SET] = _GATE_AND_LED
    else:
        sio[_OUT_CLR] = _ALL


@micropython.viper
def gate_level() -> int:
    """The gate's pin as it is, not as it was set."""
    return 1 if ptr32(_SIO)[_IN] & _GATE else 0


@micropython.viper
def unsafe() -> int:
    """1 where the external trip's loop is not held to ground: tripped, or its wire is off."""
    return 1 if ptr32(_SIO)[_IN] & _EXTERNAL else 0


@micropython.viper
def pump():
    """Toggle the pump pin while the gate is closed."""
    sio = ptr32(_SIO)
    if sio[_OUT] & _GATE:
        sio[_OUT_XOR] = _PUMP


@micropython.viper
def stamp(memory: ptr32) -> int:
    """Time of a sample into detector memory, modulo 2**30 as `time.ticks_us`; returns `unsafe`: one call less."""
    timer = _TIMER
    memory[3] = ptr32(timer << 2)[10] & 0x3FFFFFFF  # TIMERAWL
    return 1 if ptr32(_SIO)[_IN] & _EXTERNAL else 0


@micropython.viper
def convert(memory: ptr32) -> int:
    """`stamp`, and the chip's converter channels 0, 1 and 2 one after the other, 2 us each, as 16-bit codes.

    What reads as a rail of voltage or current (RAIL_LOW, RAIL_HIGH of `layout.py`) is converted once more: a single bad
    conversion ends no test, and a dead converter is still told by this sample.
    """
    # Shifted here, for what the compiler shifts becomes an object, and its conversion takes a microsecond.
    quarter = _ADC
    adc = ptr32(quarter << 2)  # CS, RESULT
    quarter = _TIMER
    memory[3] = ptr32(quarter << 2)[10] & 0x3FFFFFFF
    channel = 0
    again = 0
    while channel < 3:
        adc[0] = (channel << 12) | 7  # AINSEL, START_ONCE, EN; TS_EN: the temperature sensor stays powered
        while adc[0] & 0x100 == 0:  # READY
            pass
        code = (adc[1] & 0xFFF) << 4
        memory[channel] = code
        if (code < 256 or code >= 65280) and channel < 2 and again == 0:
            again = 1
        else:
            again = 0
            channel += 1
    return 1 if ptr32(_SIO)[_IN] & _EXTERNAL else 0


@micropython.viper
def temperature_code() -> int:
    """One conversion of the chip's temperature sensor, 12 bits, with the tick held off: it uses the same converter."""
    quarter = _ADC
    adc = ptr32(quarter << 2)
    release = enable_irq  # looked up before the tick has to wait for it
    held = disable_irq()
    adc[0] = (_TEMPERATURE << 12) | 7
    while adc[0] & 0x100 == 0:
        pass
    code = adc[1] & 0xFFF
    release(held)
    return code


@micropython.viper
def clocks(pair: ptr32):
    """The timer's us modulo 2**30, and the processor's cycles, which SysTick counts down in 24 bits (SYST_CVR)."""
    quarter = _TIMER
    pair[0] = ptr32(quarter << 2)[10] & 0x3FFFFFFF
    pair[1] = 0xFFFFFF - ptr32(-0x1FFF1FE8)[0]  # 0xE000E018
