"""What a tick touches of the flash: the emulator has no cache, so its lines are counted by stepping through the tick.

The RP2040 executes flash in place through a cache of 16 kB, two ways, lines of 8 bytes (datasheet 2.6.3.1). A miss
fetches one line by quad SPI in continuous read mode: 8 clocks of address and mode, 4 of waiting, 16 of data, each 16 ns
(datasheet 4.10 and the Pico's boot stage for its W25Q16), and some for the bus: 0.5 us.
"""

from typing import Protocol

LINE_BYTES = 8
MISS_US = 0.5
FLASH_BEGIN, FLASH_END = 0x10000000, 0x11000000
STEPS_LIMIT = 400_000


class Stepped(Protocol):
    """A rig whose processor can be stepped: `PicoTarget`."""

    def step(self) -> tuple[int, bool]:
        """Execute one instruction: (its address, is it part of an interrupt)."""


def lines_of_ticks(rig: Stepped, ticks: int) -> list[int]:
    """Distinct flash lines that the code of each of the next interrupts runs through, the longest `ticks` of them."""
    found: list[tuple[int, int]] = []  # (instructions, lines) of each interrupt
    lines: set[int] = set()
    instructions = 0
    for _ in range(STEPS_LIMIT):
        address, in_interrupt = rig.step()
        if in_interrupt:
            instructions += 1
            if FLASH_BEGIN <= address < FLASH_END:
                lines.add(address // LINE_BYTES)
        elif instructions:
            found.append((instructions, len(lines)))
            lines, instructions = set(), 0
            if len(found) >= 4 * ticks:  # other interrupts lie between: USB, the millisecond tick
                break
    return [count for _, count in sorted(found, reverse=True)[:ticks]]
