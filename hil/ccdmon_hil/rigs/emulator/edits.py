"""What `fast.py` changes in the emulator's own source (rp2040py 0.3.6) before it compiles it anew, and why.

The wheel's modules are compiled for any Python (abi3), so that each fetch, each load and each tick of the clock looks
a Python attribute up. Nothing here changes what the emulated chip does unless `miss_cycles` of the chip is set, which
adds the time of its flash cache; `tests/hil/rigs/emulator/test_fast.py` compares the two without that, byte by byte.
What is lost: chip, core and clock cannot be subclassed, and `Simulator.stopped` is looked at after an alarm and every
256 instructions only.

Longer than 250 lines: the list, each entry with the text that it replaces.
"""

from typing import NamedTuple

VERSION = "0.3.6"  # of rp2040py: another one is not edited
# Those that are compiled anew, in the order of the emulator's own imports; the others stay as they come.
MODULES = ("_simulation_clock", "_rp2040", "_cortex_m0_core", "_simulator")


class Edit(NamedTuple):
    """In `file` of the emulator's folder `native`, `find` stands `times` and becomes `put`; "": the whole file does."""

    file: str
    why: str
    find: str
    put: str
    times: int = 1


FINAL = "no subclass can stand in for it, so a call of its methods is a call in C and looks no attribute up"
CONTIGUOUS = "memory without gaps: an index is an address"
POINTER = "a load or store of RAM, flash or boot ROM is one of the machine's, without a call"
IN_PLACE = "arithmetic in the module itself can be inlined, imported from another it cannot"
TIME = "the time that a miss of the flash cache takes, where `miss_cycles` says so"
SHARES = "what each interrupt takes of the processor is counted, by its exception's number"
CONSTANT = "an address known to the compiler, not read from memory at each access"

MEMORY = """

cdef inline unsigned int _word(unsigned char *at) noexcept:
    return at[0] | <unsigned int> at[1] << 8 | <unsigned int> at[2] << 16 | <unsigned int> at[3] << 24


cdef inline void _put_word(unsigned char *at, unsigned int value) noexcept:
    at[0] = value & 0xFF
    at[1] = value >> 8 & 0xFF
    at[2] = value >> 16 & 0xFF
    at[3] = value >> 24

cdef inline unsigned int load32(RP2040 chip, unsigned int address) except? 0:
    if not address & 3:
        if address - 0x20000000U < chip.ram_byte_size:
            return _word(chip.ram_at + (address - 0x20000000U))
        if address - 0x10000000U < 0x04000000U:
            if chip.miss_cycles:
                chip._touch(address)
            return _word(chip.flash_at + (address & 0x00FFFFFFU))
        if address < chip.bootrom_byte_size:
            return chip.bootrom_at[address >> 2]
    return chip.read_uint32(address)


cdef inline unsigned int load16(RP2040 chip, unsigned int address) except? 0:
    cdef unsigned char *at
    if address - 0x10000000U < 0x04000000U:
        if chip.miss_cycles:
            chip._touch(address)
        at = chip.flash_at + (address & 0x00FFFFFFU)
    elif address - 0x20000000U < chip.ram_byte_size:
        at = chip.ram_at + (address - 0x20000000U)
    else:
        return chip.read_uint16(address)
    return at[0] | <unsigned int> at[1] << 8


cdef inline unsigned int load8(RP2040 chip, unsigned int address) except? 0:
    if address - 0x20000000U < chip.ram_byte_size:
        return chip.ram_at[address - 0x20000000U]
    if address - 0x10000000U < 0x04000000U:
        if chip.miss_cycles:
            chip._touch(address)
        return chip.flash_at[address & 0x00FFFFFFU]
    return chip.read_uint8(address)


cdef inline int store32(RP2040 chip, unsigned int address, unsigned int value) except -1:
    if address - 0x20000000U < chip.ram_byte_size and not address & 3:
        _put_word(chip.ram_at + (address - 0x20000000U), value)
    else:
        chip.write_uint32(address, value)
    return 0


cdef inline int store16(RP2040 chip, unsigned int address, unsigned int value) except -1:
    cdef unsigned char *at
    if address - 0x20000000U < chip.ram_byte_size:
        at = chip.ram_at + (address - 0x20000000U)
        at[0] = value & 0xFF
        at[1] = value >> 8 & 0xFF
    else:
        chip.write_uint16(address, value)
    return 0


cdef inline int store8(RP2040 chip, unsigned int address, unsigned int value) except -1:
    if address - 0x20000000U < chip.ram_byte_size:
        chip.ram_at[address - 0x20000000U] = value & 0xFF
    else:
        chip.write_uint8(address, value)
    return 0
"""

LITTLE_ENDIAN = """cdef inline unsigned int u32(long long n) noexcept:
    return <unsigned int> (n & 0xFFFFFFFFU)


cdef inline unsigned short read_uint16_le(const unsigned char[::1] buffer, Py_ssize_t offset) noexcept:
    return buffer[offset] | (buffer[offset + 1] << 8)


cdef inline void write_uint16_le(unsigned char[::1] buffer, Py_ssize_t offset, unsigned int value) noexcept:
    buffer[offset] = value & 0xFF
    buffer[offset + 1] = (value >> 8) & 0xFF


cdef inline unsigned int read_uint32_le(const unsigned char[::1] buffer, Py_ssize_t offset) noexcept:
    return (buffer[offset] | (buffer[offset + 1] << 8) | (buffer[offset + 2] << 16)
            | (<unsigned int> buffer[offset + 3] << 24))


cdef inline void write_uint32_le(unsigned char[::1] buffer, Py_ssize_t offset, unsigned int value) noexcept:
    write_uint16_le(buffer, offset, value)
    write_uint16_le(buffer, offset + 2, value >> 16)
"""

# Offsets of SIO (datasheet 2.3.1.7): number of the core (0), spin locks 0x100-0x17C,
# their state 0x5C, divider 0x60-0x78.
SIO = '''
    cdef bint _in_c(self, unsigned int offset) noexcept:
        """Core, divider, locks; an invalid write (0, 0x5C, 0x78) goes to the emulator's own SIO, which says so."""
        return (0x5C <= offset <= 0x78 or 0x100 <= offset <= 0x17C or offset == 0) and not offset & 3

    cdef unsigned int _read_sio(self, unsigned int offset) noexcept:
        cdef unsigned int lock
        if offset >= 0x100:
            lock = <unsigned int> 1 << ((offset - 0x100) // 4)
            if self.spin_lock & lock:
                return 0
            self.spin_lock |= lock
            return lock
        if offset == 0:
            return 0
        if offset == 0x5C:
            return self.spin_lock
        if offset == 0x60 or offset == 0x68:
            return self.div_dividend
        if offset == 0x64 or offset == 0x6C:
            return self.div_divisor
        if offset == 0x70:
            self.div_csr &= ~<unsigned int> 2
            return self.div_quotient
        return self.div_remainder if offset == 0x74 else self.div_csr

    cdef void _write_sio(self, unsigned int offset, unsigned int value) noexcept:
        if offset >= 0x100:
            self.spin_lock &= ~(<unsigned int> 1 << ((offset - 0x100) // 4))
        elif offset == 0x70 or offset == 0x74:
            if offset == 0x70:
                self.div_quotient = value
            else:
                self.div_remainder = value
            self.div_csr = 3
        else:
            if offset == 0x60 or offset == 0x68:
                self.div_dividend = value
            else:
                self.div_divisor = value
            self._divide(offset >= 0x68)

    cdef void _divide(self, bint is_signed) noexcept:
        cdef long long dividend = self.div_dividend, divisor = self.div_divisor
        if is_signed:
            dividend, divisor = <int> self.div_dividend, <int> self.div_divisor
        if divisor == 0:
            self.div_quotient = 0xFFFFFFFFU if self.div_dividend else 1
            self.div_remainder = self.div_dividend
        else:
            self.div_quotient = <unsigned int> (dividend / divisor)
            self.div_remainder = <unsigned int> (dividend % divisor)
        self.div_csr = 3
        self.core.cycles += 8

    cdef void _reset_sio(self) noexcept:
        self.div_dividend = self.div_quotient = self.div_remainder = self.div_csr = self.spin_lock = 0
        self.div_divisor = 1

'''

# The flash cache (datasheet 2.6.3.1): 16 kB, two ways, lines of 8 bytes, so 1024 sets; of a set the way that was used
# longer ago gives way (assumed: the datasheet does not say). 0x11 is looked up and not filled, 0x12 and 0x13 pass by.
CACHE = '''
    cdef void _touch(self, unsigned int address) noexcept:
        """A fetch or load from flash: what it waits for."""
        cdef unsigned int line = (address & 0x00FFFFFFU) >> 3, mirror = (address >> 24) & 3, place
        if line == self.last_line and mirror == 0:
            return
        place = (line & 1023) << 1
        if mirror < 2:
            if self.lines[place] == line or self.lines[place + 1] == line:
                if mirror == 0:
                    self.last_line = line
                    self.oldest[place >> 1] = self.lines[place] == line
                return
        self.stall_cycles += self.miss_cycles
        self.misses += 1
        if mirror == 0:
            self.last_line = line
            self.lines[place + self.oldest[place >> 1]] = line
            self.oldest[place >> 1] ^= 1

    cdef void _flush(self) noexcept:
        cdef int place
        self.last_line = 0xFFFFFFFFU
        for place in range(2048):
            self.lines[place] = 0xFFFFFFFFU
            self.oldest[place >> 1] = 0

'''

CONDITION = """cdef inline bint check_condition(CortexM0Core core, unsigned int cond) noexcept:
    cdef unsigned int base = cond >> 1
    cdef bint result = True
    if base == 0:
        result = core.z
    elif base == 1:
        result = core.c
    elif base == 2:
        result = core.n
    elif base == 3:
        result = core.v
    elif base == 4:
        result = core.c and not core.z
    elif base == 5:
        result = core.n == core.v
    elif base == 6:
        result = core.n == core.v and not core.z
    return not result if cond & 1 and cond != 15 else result
"""

RUN = '''    cdef int run(self, SimulationClock clock, bint *stopped0, bint *stopped1, int most) except -1:
        """Up to `most` instructions with the clock; ends early asleep, after an alarm, or where a PIO runs.

        How many; `last_cycles`: what the last one took."""
        cdef int done = 0
        cdef double target_nanos
        while done < most and not self.waiting and stopped0[0] and stopped1[0]:
            self.last_cycles = self.execute_instruction()
            done += 1
            target_nanos = clock._nanos_counter + self.last_cycles * 8.0
            if clock._next_alarm is not None and clock._next_alarm.nanos <= target_nanos:
                clock.tick(self.last_cycles * 8.0)
                break
            clock._nanos_counter = target_nanos
        return done

    cpdef int execute_instruction(self) except -1:
'''

SIMULATOR = '''
import time

from rp2040py.native._cortex_m0_core cimport CortexM0Core
from rp2040py.native._pio cimport RPPIO
from rp2040py.native._rp2040 cimport RP2040
from rp2040py.native._simulation_clock cimport SimulationClock

cdef enum:
    LOOK_EVERY = 256  # instructions or naps between two looks at the machine's time and at `stopped`
    MOST = 1000000
cdef double CYCLE_NANOS = 8.0, BUDGET_S = 0.005


def execute_batch(simulator: object, tick_batch: int) -> None:
    """As the module that this replaces, with `tick_batch` 1: batched ticks change results."""
    cdef RP2040 rp2040 = simulator.rp2040
    cdef CortexM0Core core = rp2040.core
    cdef SimulationClock clock = simulator.clock
    cdef RPPIO pio0 = rp2040.pio[0], pio1 = rp2040.pio[1]
    cdef long i = 0
    cdef int done, since_look = 0
    cdef double idle_nanos, batch_start = time.monotonic()
    cdef long long cycles
    assert tick_batch <= 1
    if rp2040.run_pin_low:
        return
    while i < MOST and not simulator.stopped:
        if since_look >= LOOK_EVERY:
            since_look = 0
            if time.monotonic() - batch_start > BUDGET_S:
                break
        done = 1
        if core.waiting:
            idle_nanos = clock._next_alarm.nanos - clock._nanos_counter if clock._next_alarm is not None else 0.0
            clock.tick(idle_nanos)
            cycles = <long long> (idle_nanos / CYCLE_NANOS) or 1
        elif pio0.stopped and pio1.stopped:
            done = core.run(clock, &pio0.stopped, &pio1.stopped, LOOK_EVERY)
            cycles = core.last_cycles
        else:
            cycles = core.execute_instruction()
            clock.tick(cycles * CYCLE_NANOS)
        if not pio0.stopped:
            pio0.advance(cycles)
        if not pio1.stopped:
            pio1.advance(cycles)
        i += done
        since_look += done
'''

INTERRUPTS_OLD = """    def check_for_interrupts(self) -> bool:
        cdef int current_priority
"""
INTERRUPTS_NEW = """    cpdef bint check_for_interrupts(self) except -1:
        cdef int current_priority
"""

SPECIAL = """    cpdef unsigned int read_special_register(self, unsigned int sysm) except? 0:
        if sysm == 16:
            return 1 if self.pm else 0
"""

EDITS = (
    Edit("_simulation_clock.pxd", FINAL, "cdef class ClockAlarm:",
         "cimport cython\n\n\n@cython.final\ncdef class ClockAlarm:"),
    Edit("_simulation_clock.pxd", FINAL, "\ncdef class SimulationClock:",
         "\n@cython.final\ncdef class SimulationClock:"),
    Edit("_rp2040.pxd", FINAL, "\ncdef class RP2040:", "\ncimport cython\n\n\n@cython.final\ncdef class RP2040:"),
    Edit("_cortex_m0_core.pxd", FINAL, "\ncdef class CortexM0Core:",
         "\ncimport cython\n\n\n@cython.final\ncdef class CortexM0Core:"),
    Edit("_rp2040.pxd", CONTIGUOUS, "cdef unsigned char[:]", "cdef unsigned char[::1]", times=3),
    Edit("_rp2040.pxd", CONTIGUOUS, "cdef unsigned int[:] _bootrom", "cdef unsigned int[::1] _bootrom"),
    Edit("_cortex_m0_core.pxd", CONTIGUOUS, "public unsigned int[:]", "public unsigned int[::1]", times=2),
    Edit("_rp2040.pxd", POINTER, "    cdef dict __dict__\n",
         "    cdef dict __dict__\n"
         "    cdef unsigned char *ram_at\n    cdef unsigned char *flash_at\n    cdef unsigned int *bootrom_at\n"
         "    cdef unsigned int div_dividend, div_divisor, div_quotient, div_remainder, div_csr, spin_lock\n"
         "    cdef bint _in_c(self, unsigned int offset) noexcept\n"
         "    cdef unsigned int _read_sio(self, unsigned int offset) noexcept\n"
         "    cdef void _write_sio(self, unsigned int offset, unsigned int value) noexcept\n"
         "    cdef void _divide(self, bint is_signed) noexcept\n"
         "    cdef void _reset_sio(self) noexcept\n"),
    Edit("_rp2040.pxd", TIME, "    cdef unsigned char *ram_at\n",
         "    cdef public int miss_cycles\n    cdef public unsigned long long misses\n    cdef int stall_cycles\n"
         "    cdef unsigned int lines[2048]\n    cdef unsigned char oldest[1024]\n    cdef unsigned int last_line\n"
         "    cdef void _touch(self, unsigned int address) noexcept\n    cdef void _flush(self) noexcept\n"
         "    cdef unsigned char *ram_at\n"),
    Edit("_rp2040.pyx", POINTER, "        self.core = CortexM0Core(self)\n",
         "        self.ram_at, self.flash_at = &self._sram[0], &self._flash[0]\n"
         "        self.bootrom_at = &self._bootrom[0]\n"
         "        self._reset_sio()\n"
         "        self.core = CortexM0Core(self)\n"),
    Edit("_rp2040.pyx", IN_PLACE,
         "from rp2040py.native._bit cimport read_uint16_le, read_uint32_le, u32, write_uint16_le, write_uint32_le\n",
         ""),
    Edit("_rp2040.pyx", IN_PLACE, '\nLOG_NAME = "RP2040"\n', f'\n{LITTLE_ENDIAN}\nLOG_NAME = "RP2040"\n'),
    Edit("_rp2040.pyx", CONSTANT,
         "cdef unsigned int RAM_START = <unsigned int> RAM_START_ADDRESS\n"
         "cdef unsigned int FLASH_START = <unsigned int> FLASH_START_ADDRESS\n"
         "cdef unsigned int FLASH_END = <unsigned int> FLASH_END_ADDRESS\n"
         "cdef unsigned int DPRAM_START = <unsigned int> DPRAM_START_ADDRESS\n"
         "cdef unsigned int SIO_START = <unsigned int> SIO_START_ADDRESS\n",
         "cdef enum:\n    RAM_START = 0x20000000U\n    FLASH_START = 0x10000000U\n    FLASH_END = 0x14000000U\n"
         "    DPRAM_START = 0x50100000U\n    SIO_START = 0xD0000000U\n"),
    Edit("_rp2040.pyx", "a division of 32 bits uses SIO's divider, a mutex the number of the core and a spin lock",
         "        if SIO_START <= addr < SIO_START + 0x10000000:\n",
         "        if addr >= SIO_START and self._in_c(addr - SIO_START):\n"
         "            return self._read_sio(addr - SIO_START)\n"
         "        if SIO_START <= addr < SIO_START + 0x10000000:\n"),
    Edit("_rp2040.pyx", "as above, for writes",
         "        elif SIO_START <= addr < SIO_START + 0x10000000:\n",
         "        elif (addr >= SIO_START and self._in_c(addr - SIO_START)\n"
         "                and addr - SIO_START not in (0, 0x5C, 0x78)):\n"
         "            self._write_sio(addr - SIO_START, val)\n"
         "        elif SIO_START <= addr < SIO_START + 0x10000000:\n"),
    Edit("_rp2040.pyx", "what is in C is reset with the rest", "            self.sio.reset()\n",
         "            self.sio.reset()\n            self._reset_sio()\n"),
    Edit("_rp2040.pyx", TIME, "            self.xip_ctrl.reset()\n",
         "            self.xip_ctrl.reset()\n            self._flush()\n"),
    Edit("_rp2040.pyx", TIME + ": the boot ROM's write to XIP_CTRL's FLUSH, after each change of the flash",
         "            peripheral = self.find_peripheral(addr)\n            if peripheral is not None:\n"
         "                atomic_type = (addr & 0x3000) >> 12\n",
         "            if addr & 0xFFFFCFFFU == 0x14000004U:\n                self._flush()\n"
         "            peripheral = self.find_peripheral(addr)\n            if peripheral is not None:\n"
         "                atomic_type = (addr & 0x3000) >> 12\n"),
    Edit("_rp2040.pyx", "as above", "    cpdef unsigned int read_uint32(self, long long address) except? 0:\n",
         SIO + CACHE + "    cpdef unsigned int read_uint32(self, long long address) except? 0:\n"),
    Edit("_cortex_m0_core.pxd", POINTER, "from rp2040py.native._rp2040 cimport RP2040\n",
         "from rp2040py.native._rp2040 cimport RP2040\n"
         "from rp2040py.native._simulation_clock cimport SimulationClock\n"),
    Edit("_cortex_m0_core.pyx", POINTER, "core.rp2040.read_uint32(", "load32(core.rp2040, ", times=7),
    Edit("_cortex_m0_core.pyx", POINTER, "core.rp2040.read_uint16(", "load16(core.rp2040, ", times=3),
    Edit("_cortex_m0_core.pyx", POINTER, "core.rp2040.read_uint8(", "load8(core.rp2040, ", times=3),
    Edit("_cortex_m0_core.pyx", POINTER, "core.rp2040.write_uint32(", "store32(core.rp2040, ", times=6),
    Edit("_cortex_m0_core.pyx", POINTER, "core.rp2040.write_uint16(", "store16(core.rp2040, ", times=2),
    Edit("_cortex_m0_core.pyx", POINTER, "core.rp2040.write_uint8(", "store8(core.rp2040, ", times=2),
    Edit("_cortex_m0_core.pyx", "each instruction is fetched: " + POINTER, "self.rp2040.read_uint16(opcode_pc",
         "load16(self.rp2040, opcode_pc", times=2),
    Edit("_cortex_m0_core.pyx", IN_PLACE, "from rp2040py.native._bit cimport s32, u32\n",
         "from rp2040py.native._rp2040 cimport RP2040\n\n\n"
         "cdef inline unsigned int u32(long long n) noexcept:\n    return <unsigned int> (n & 0xFFFFFFFFU)\n\n\n"
         "cdef inline int s32(long long n) noexcept:\n    return <int> <unsigned int> (n & 0xFFFFFFFFU)\n" + MEMORY),
    Edit("_cortex_m0_core.pyx", CONSTANT,
         "cdef unsigned int SIO_START = <unsigned int> SIO_START_ADDRESS\n"
         "cdef unsigned int APB_START = <unsigned int> APB_START_ADDRESS\n",
         "cdef enum:\n    SIO_START = 0xD0000000U\n    APB_START = 0x40000000U\n"),
    Edit("_cortex_m0_core.pyx", "each branch asks it: no call of Python, no boxed number",
         "cdef inline bint check_condition(CortexM0Core core, unsigned int cond) noexcept:\n"
         "    return core.check_condition(cond)\n", CONDITION),
    Edit("_cortex_m0_core.pyx", "nobody listens to calls: no call of Python at each BL and BLX",
         "self.bl_taken = lambda core, blx: None", "self.bl_taken = None"),
    Edit("_cortex_m0_core.pyx", "as above", "    core.bl_taken(core, False)\n",
         "    if core.bl_taken is not None:\n        core.bl_taken(core, False)\n"),
    Edit("_cortex_m0_core.pyx", "as above", "    core.bl_taken(core, True)\n",
         "    if core.bl_taken is not None:\n        core.bl_taken(core, True)\n"),
    Edit("_cortex_m0_core.pxd", "methods that become C's, and the loop over instructions",
         "    cpdef int execute_instruction(self) except -1\n",
         "    cdef int last_cycles\n"
         "    cdef int run(self, SimulationClock clock, bint *stopped0, bint *stopped1, int most) except -1\n"
         "    cpdef int execute_instruction(self) except -1\n"
         "    cpdef bint check_for_interrupts(self) except -1\n"
         "    cpdef int exception_priority(self, int n) except? -99\n"
         "    cpdef unsigned int read_special_register(self, unsigned int sysm) except? 0\n"
         "    cpdef write_special_register(self, unsigned int sysm, unsigned int value)\n"),
    Edit("_cortex_m0_core.pyx", "the loop over instructions stands where each of them can be inlined",
         "    cpdef int execute_instruction(self) except -1:\n", RUN),
    Edit("_cortex_m0_core.pyx", TIME + ", and the 15 cycles from an interrupt to its code (Cortex-M0+ TRM)",
         "        if self.interrupts_updated and self.check_for_interrupts():\n            self.waiting = False\n",
         "        if self.interrupts_updated and self.check_for_interrupts():\n            self.waiting = False\n"
         "            if self.rp2040.miss_cycles:\n                self.rp2040.stall_cycles += 15\n"),
    Edit("_cortex_m0_core.pyx", SHARES, "        cdef int delta_cycles\n        if self.interrupts_updated",
         "        cdef int delta_cycles\n        cdef unsigned int exception\n        if self.interrupts_updated"),
    Edit("_cortex_m0_core.pyx", SHARES, "        # ARM Thumb instruction encoding - 16 bits / 2 bytes\n",
         "        exception = self.ipsr & 63\n"),
    Edit("_cortex_m0_core.pyx", TIME + "; " + SHARES,
         "        self.cycles += delta_cycles\n        return delta_cycles\n",
         "        delta_cycles += self.rp2040.stall_cycles\n        self.rp2040.stall_cycles = 0\n"
         "        self.cycles += delta_cycles\n        self.spent[exception] += delta_cycles\n"
         "        return delta_cycles\n\n"
         "    def cycles_in(self, unsigned int exception) -> int:\n        return self.spent[exception & 63]\n"),
    Edit("_cortex_m0_core.pxd", SHARES, "    cdef public object bl_taken\n",
         "    cdef public object bl_taken\n    cdef unsigned long long spent[64]\n"),
    Edit("_cortex_m0_core.pyx", "asked each time interrupts are let in again", INTERRUPTS_OLD, INTERRUPTS_NEW),
    Edit("_cortex_m0_core.pyx", "as above", "    def exception_priority(self, n) -> int:\n",
         "    cpdef int exception_priority(self, int n) except? -99:\n"),
    Edit("_cortex_m0_core.pyx", "as above: no property of Python",
         "        sv_call_priority = self.sv_call_priority\n        systick_priority = self.systick_priority\n"
         "        pend_sv_priority = self.pend_sv_priority\n",
         "        sv_call_priority = self.shpr2 >> 30\n        systick_priority = self.shpr3 >> 30\n"
         "        pend_sv_priority = (self.shpr3 >> 22) & 0x3\n", times=2),
    Edit("_cortex_m0_core.pyx", "PRIMASK is read and written around each critical section",
         "    def read_special_register(self, sysm) -> int:\n", SPECIAL),
    Edit("_cortex_m0_core.pyx", "as above", "    def write_special_register(self, sysm, value) -> None:\n",
         "    cpdef write_special_register(self, unsigned int sysm, unsigned int value):\n"
         "        if sysm == 16:\n            self.pm = value & 1\n            self.interrupts_updated = True\n"
         "            return\n"),
    Edit("_simulator.pyx", "the loop in C, and with it the clock and the look at what PIO does", "", SIMULATOR),
)  # fmt: skip
