"""The INA228 driver against a chip that answers byte for byte."""

import pytest

from ccdmon_fw.drivers import ina228
from ccdmon_fw.drivers.ina228 import OK, STALE
from ccdmon_hil.chip_buses import I2cBus
from ccdmon_hil.chips import Ina228, Nau7802


def monitor() -> tuple[Ina228, ina228.Ina228]:
    chip = Ina228()
    return chip, ina228.Ina228(I2cBus(chip), lambda _ms: None)


def test_configuration_byte_for_byte() -> None:
    chip, driver = monitor()
    driver.configure(conversion_us=150, fine_range=True)
    # CONFIG reset, CONFIG.ADCRANGE; ADC_CONFIG: MODE B, VBUSCT 2, VSHCT 2, no temperature, no averaging
    assert [write.hex() for write in chip.heard] == ["008000", "000010", "01b480"]


def test_the_data_sheets_example_of_the_calibration() -> None:
    """Section 8.2.2: 10 A and 16.2 mohm give a current LSB of 19.073 uA and SHUNT_CAL 4050."""
    chip, driver = monitor()
    assert driver.calibrate(0.0162, 10.0) == 4050
    assert chip.heard == [bytes.fromhex("020fd2")]


def test_alert_thresholds_both_ways() -> None:
    chip, driver = monitor()
    driver.alert_above(80_000)
    assert [write.hex() for write in chip.heard] == ["0c3e80", "0dc180"]  # +-16000 steps of 5 uV


@pytest.mark.parametrize("reading", [0, 1, -1, 0x7FFFF, -0x80000, 0x12345, -0x12345])
def test_readings_keep_their_sign(reading: int) -> None:
    chip, driver = monitor()
    chip.shunt, chip.bus = reading, 30_000
    assert driver.read() == OK
    assert list(driver.raw) == [30_000, reading]


def test_a_conversion_that_does_not_come_is_stale() -> None:
    chip, driver = monitor()
    chip.shunt = 7
    assert driver.read() == OK
    chip.converting, chip.shunt = False, 9
    assert driver.read() == STALE
    assert driver.raw[1] == 7


def test_nobody_answers() -> None:
    chip, driver = monitor()
    chip.dead = True
    with pytest.raises(OSError, match="5"):
        driver.read()
    with pytest.raises(OSError, match="5"):
        driver.configure()


def test_another_chip_is_refused() -> None:
    chip, driver = monitor()
    chip.registers[0x3F] = 0x2381  # an INA238
    with pytest.raises(OSError, match=r"another chip answers \(5449 238\)"):
        driver.configure()


def test_damaged_trim_memory_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    _, driver = monitor()
    monkeypatch.setitem(Ina228._RESET_VALUES, 0x0B, 0)
    with pytest.raises(OSError, match="trim memory"):
        driver.configure()


def test_the_fake_itself_refuses_a_wrong_byte() -> None:
    _, driver = monitor()
    with pytest.raises(AssertionError, match="3e cannot be written"):
        driver.write_register(ina228.MANUFACTURER_ID, 1)
    with pytest.raises(OSError, match="5"):
        I2cBus(Nau7802()).readfrom_mem_into(Ina228.ADDRESS, 0, bytearray(2))
