"""Nuvoton NAU7802: 24-bit bridge converter for load cells on I2C, 10 to 320 samples/s. Sections of data sheet rev. 2.6.

Registers are bytes [section 11, register map]; a read goes on to the next address. I2C bus and `sleep_ms` are injected.
It is slower than a tick: read it in the main loop, through `common.SlowChannel`.
"""

try:
    from micropython import const
except ImportError:
    from ccdmon_fw.cpython import const

PU_CTRL = const(0x00)
CTRL1 = const(0x01)
CTRL2 = const(0x02)
ADCO_B2 = const(0x12)
ADC = const(0x15)
PGA_PWR = const(0x1C)
DEVICE_REV = const(0x1F)

# PU_CTRL: register reset, digital and analog power up, power-up ready, cycle start, cycle ready, LDO as supply
_RR, _PUD, _PUA, _PUR, _CS, _CR, _AVDDS = (
    const(0x01), const(0x02), const(0x04), const(0x08), const(0x10), const(0x20), const(0x80),
)  # fmt: skip
_CALS, _CAL_ERR = const(0x04), const(0x08)  # CTRL2: calibrate (set until done), calibration failed
_CHOPPER_OFF = const(0x30)  # ADC.REG_CHPS, as the power-on sequencing asks [9.1]
_PGA_CAP = const(0x80)  # PGA_PWR.PGA_CAP_EN: the capacitor across the second input [9.14]
_REVISION = const(0x0F)  # DEVICE_REV, lower half

GAINS = (1, 2, 4, 8, 16, 32, 64, 128)
LDO_V = (4.5, 4.2, 3.9, 3.6, 3.3, 3.0, 2.7, 2.4)  # CTRL1.VLDO
RATES_SPS = {10: 0, 20: 1, 40: 2, 80: 3, 320: 7}  # CTRL2.CRS
_LDO_MS = const(250)
_POWER_UP_MS = const(200)  # [9.1]: ready after 200 us
_CALIBRATION_MS = const(1_000)


class Nau7802:
    """One converter on the bus, its first input."""

    def __init__(self, i2c, sleep_ms, address=0x2A):
        self._i2c = i2c
        self._sleep_ms = sleep_ms
        self._address = address
        self._byte = bytearray(1)
        self._reading = bytearray(3)

    def configure(self, gain=128, ldo_V=3.0, rate_sps=80):
        """Power up [9.1], feed the bridge from the LDO, set gain and rate, calibrate; OSError if it fails."""
        self._put(PU_CTRL, _RR)
        self._put(PU_CTRL, _PUD)
        self._wait(PU_CTRL, _PUR, _PUR, _POWER_UP_MS, "does not power up")
        if self._get(DEVICE_REV) & 0x0F != _REVISION:
            raise OSError("another chip answers (%02x)" % self._byte[0])
        self._put(PU_CTRL, _PUD | _PUA | _AVDDS)
        self._set(CTRL1, LDO_V.index(ldo_V) << 3 | GAINS.index(gain))
        self._set(CTRL2, RATES_SPS[rate_sps] << 4)
        self._set(ADC, self._get(ADC) | _CHOPPER_OFF)
        self._set(PGA_PWR, self._get(PGA_PWR) | _PGA_CAP)
        self._sleep_ms(_LDO_MS)
        self.calibrate()
        self._put(PU_CTRL, _PUD | _PUA | _AVDDS | _CS)

    def calibrate(self):
        """Internal offset calibration; after every change of gain, rate or supply. OSError if it fails."""
        self._put(CTRL2, self._get(CTRL2) & 0xF8 | _CALS)
        self._wait(CTRL2, _CALS, 0, _CALIBRATION_MS, "does not calibrate")
        if self._get(CTRL2) & _CAL_ERR:
            raise OSError("calibration failed; is the bridge connected?")

    def reading(self):
        """The newest conversion, -2**23 to 2**23 - 1; None while there is no new one. OSError if nobody answers."""
        if not self._get(PU_CTRL) & _CR:
            return None
        data = self._reading
        self._i2c.readfrom_mem_into(self._address, ADCO_B2, data)
        value = data[0] << 16 | data[1] << 8 | data[2]
        return value - 0x1000000 if value & 0x800000 else value

    def _get(self, register):
        self._i2c.readfrom_mem_into(self._address, register, self._byte)
        return self._byte[0]

    def _put(self, register, value):
        self._byte[0] = value
        self._i2c.writeto_mem(self._address, register, self._byte)

    def _set(self, register, value):
        self._put(register, value)
        if self._get(register) != value:
            raise OSError("register %02x holds %02x, not %02x" % (register, self._byte[0], value))

    def _wait(self, register, mask, value, limit_ms, what):
        for _ in range(limit_ms):
            if self._get(register) & mask == value:
                return
            self._sleep_ms(1)
        raise OSError(what)
