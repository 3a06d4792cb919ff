"""TI INA228: 20-bit current, voltage and charge monitor on I2C. Sections and tables are those of SLYS021A.

Registers [table 7-3] are big-endian, 16 or 24 bits; of VSHUNT and VBUS the lowest four bits are empty [tables 7-9,
7-10]. The bus voltage is measured against the chip's own ground and never negative: a cell that reverses is wired so
that its zero lies above that ground. I2C bus and `sleep_ms` are injected.
"""

from array import array

try:
    import micropython
    from micropython import const
except ImportError:
    from ccdmon_fw.cpython import const, micropython, ptr8, ptr32

from ccdmon_fw.drivers.common import dead

CONFIG = const(0x00)
ADC_CONFIG = const(0x01)
SHUNT_CAL = const(0x02)
VSHUNT = const(0x04)
VBUS = const(0x05)
DIAG_ALRT = const(0x0B)
SOVL = const(0x0C)
SUVL = const(0x0D)
MANUFACTURER_ID = const(0x3E)
DEVICE_ID = const(0x3F)

_RESET = const(0x8000)  # CONFIG.RST [table 7-5]
_RESET_MS = const(1)  # 300 us to start
_FINE_RANGE = const(0x0010)  # CONFIG.ADCRANGE: +-40.96 mV instead of +-163.84 mV
_CONTINUOUS_BUS_SHUNT = const(0xB000)  # ADC_CONFIG.MODE [table 7-6]
CONVERSION_US = (50, 84, 150, 280, 540, 1052, 2074, 4120)  # ADC_CONFIG.VBUSCT, VSHCT
_CONVERTED = const(0x02)  # DIAG_ALRT.CNVRF, cleared by reading it [table 7-16]
_ALERT_INVERTED = const(0x1000)  # DIAG_ALRT.APOL
_MEMORY_GOOD = const(0x01)  # DIAG_ALRT.MEMSTAT
_TI = const(0x5449)
_INA228 = const(0x228)  # DEVICE_ID without its revision

VSHUNT_LSB_nV = (312.5, 78.125)  # by range [table 7-1]
VBUS_LSB_uV = 195.3125
SHUNT_FULL_SCALE_uV = (163_840, 40_960)

OK, NO_ANSWER, STALE = const(0), const(1), const(3)


@micropython.viper
def _take(shunt: ptr8, bus: ptr8, memory: ptr32, plan: ptr32):
    """Codes of voltage and current; plan: 0 trouble | 1 bus reading at 0 V | 2, 3 newest readings: bus, shunt."""
    value = (bus[0] << 16 | bus[1] << 8 | bus[2]) >> 4
    if value & 0x80000:
        value -= 0x100000
    plan[2] = value
    code = value - plan[1] + 32768
    if code < 0:
        code = 0
    elif code > 65535:
        code = 65535
    memory[0] = code
    value = (shunt[0] << 16 | shunt[1] << 8 | shunt[2]) >> 4
    if value & 0x80000:
        value -= 0x100000
    plan[3] = value
    memory[1] = (value >> 4) + 32768


class Ina228:
    """One chip. The voltage code counts VBUS_LSB_uV from `bus_zero` on, the current code 16 VSHUNT_LSB_nV."""

    def __init__(self, i2c, sleep_ms, bus_zero=0, address=0x40):
        self._read_into = i2c.readfrom_mem_into  # bound once: binding allocates
        self._write = i2c.writeto_mem
        self._sleep_ms = sleep_ms
        self._address = address
        self._shunt, self._bus, self._flags = bytearray(3), bytearray(3), bytearray(2)
        self._plan = array("i", [0, bus_zero, 0, 0])

    def configure(self, conversion_us=150, fine_range=False):
        """Reset, check that it is one, convert bus and shunt for ever, no averaging; OSError if anything differs."""
        identity = self.read_register(MANUFACTURER_ID), self.read_register(DEVICE_ID) >> 4
        if identity != (_TI, _INA228):
            raise OSError("another chip answers (%04x %03x)" % identity)
        self.write_register(CONFIG, _RESET)
        self._sleep_ms(_RESET_MS)
        time = CONVERSION_US.index(conversion_us)
        self._set(CONFIG, _FINE_RANGE if fine_range else 0)
        self._set(ADC_CONFIG, _CONTINUOUS_BUS_SHUNT | time << 9 | time << 6)
        if not self.read_register(DIAG_ALRT) & _MEMORY_GOOD:
            raise OSError("its trim memory is damaged")

    def calibrate(self, shunt_ohm, current_max_A, fine_range=False):
        """SHUNT_CAL for its own CURRENT, POWER and CHARGE registers [equations 2, 3]; the value written."""
        lsb_A = current_max_A / 524288
        value = min(0x7FFF, int(13107.2e6 * lsb_A * shunt_ohm * (4 if fine_range else 1) + 0.5))
        self._set(SHUNT_CAL, value)
        return value

    def alert_above(self, shunt_uV, fine_range=False):
        """Let ALERT go while the shunt voltage exceeds +-`shunt_uV`: an independent trip for the board's input.

        Inverted, it is low as long as all is well: a chip without supply and a wire that is off look like a trip.
        Thresholds count 5 or 1.25 uV [tables 7-17, 7-18]; the limit is compared with every conversion.
        """
        limit = min(0x7FFF, int(shunt_uV / (1.25 if fine_range else 5)))
        self._set(SOVL, limit)
        self._set(SUVL, 0x10000 - limit)
        self.write_register(DIAG_ALRT, _ALERT_INVERTED)
        if not self.read_register(DIAG_ALRT) & _ALERT_INVERTED:
            raise OSError("its ALERT is not inverted")

    def read_register(self, register):
        """16-bit content of a register. OSError if nobody answers."""
        self._read_into(self._address, register, self._flags)
        return self._flags[0] << 8 | self._flags[1]

    def write_register(self, register, value):
        """Write a 16-bit register."""
        self._write(self._address, register, bytes((value >> 8, value & 0xFF)))

    @property
    def trouble(self):
        """Why the newest reading was not believed; OK: it was."""
        return self._plan[0]

    @property
    def readings(self):
        """The newest believed readings of bus and shunt, -2**19 to 2**19 - 1."""
        return self._plan[2], self._plan[3]

    @micropython.native
    def read(self, memory):
        """Codes of the newest conversions into detector memory, the rail in `trouble`. Allocates nothing.

        What is not acknowledged is asked once more: a single bad transfer ends no test.
        """
        read, address, plan = self._read_into, self._address, self._plan
        trouble = 1  # NO_ANSWER, unless the bus says otherwise
        converted = 0  # asking clears it
        tries = 2
        while trouble == 1 and tries:
            tries -= 1
            try:
                if not converted:
                    read(address, 0x0B, self._flags)  # DIAG_ALRT
                    converted = self._flags[1] & 0x02  # _CONVERTED
                if converted:
                    read(address, 0x04, self._shunt)  # VSHUNT
                    read(address, 0x05, self._bus)  # VBUS
                    trouble = 0
                else:
                    trouble = 3  # STALE
            except OSError:
                pass
        plan[0] = trouble
        if trouble:
            dead(memory)
        else:
            _take(self._shunt, self._bus, memory, plan)

    def _set(self, register, value):
        self.write_register(register, value)
        kept = self.read_register(register)
        if kept != value:
            raise OSError("register %02x holds %04x, not %04x" % (register, kept, value))
