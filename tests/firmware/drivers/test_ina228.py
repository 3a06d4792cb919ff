"""The INA228 driver against a chip that answers byte for byte."""

import pytest

from ccdmon_fw.drivers import ina228
from ccdmon_fw.drivers.common import DEAD
from ccdmon_fw.drivers.ina228 import NO_ANSWER, OK, STALE
from ccdmon_hil.rigs.chips.buses import I2cBus
from ccdmon_hil.rigs.chips.converters import Ina228, Nau7802


def monitor() -> tuple[Ina228, ina228.Ina228]:
    chip = Ina228()
    return chip, ina228.Ina228(I2cBus(chip), lambda _ms: None, bus_zero=30_000)


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


def test_alert_thresholds_both_ways_and_low_as_long_as_all_is_well() -> None:
    chip, driver = monitor()
    driver.alert_above(80_000)
    # +-16000 steps of 5 uV; DIAG_ALRT.APOL: a chip without supply lets go, too
    assert [write.hex() for write in chip.heard] == ["0c3e80", "0dc180", "0b1000"]


def codes(driver: ina228.Ina228) -> tuple[int, int]:
    memory = [7, 7, 7, 7]
    driver.read(memory)
    assert memory[2:] == [7, 7]
    return memory[0], memory[1]


@pytest.mark.parametrize("reading", [0, 1, -1, 0x7FFFF, -0x80000, 0x12345, -0x12345])
def test_readings_keep_their_sign(reading: int) -> None:
    chip, driver = monitor()
    chip.shunt, chip.bus = reading, 30_005
    assert codes(driver) == (32768 + 5, (reading >> 4) + 32768)
    assert driver.trouble == OK
    assert driver.readings == (30_005, reading)


def test_a_voltage_beyond_the_codes_is_the_rail() -> None:
    chip, driver = monitor()
    for chip.bus, code in ((30_000 + 40_000, 65535), (-20_000, 0)):
        assert codes(driver)[0] == code


@pytest.mark.parametrize(
    ("fault", "value", "trouble"), [("converting", False, STALE), ("dead", True, NO_ANSWER)]
)
def test_what_must_not_be_believed_is_the_rail(fault: str, value: bool, trouble: int) -> None:
    chip, driver = monitor()
    chip.shunt = 7
    codes(driver)
    setattr(chip, fault, value)
    chip.shunt = 9
    assert codes(driver) == (DEAD, DEAD)
    assert driver.trouble == trouble
    assert driver.readings[1] == 7


@pytest.mark.parametrize("transfer", range(3), ids=["flags", "shunt", "bus"])
def test_a_single_transfer_that_is_not_acknowledged_is_asked_again(
    monkeypatch: pytest.MonkeyPatch, transfer: int
) -> None:
    """Reading the flags has cleared them: they are not asked for twice."""
    chip, driver = monitor()
    chip.shunt = 7 << 4
    asked: list[int] = []
    begin = chip.begin_read

    def begin_read(pointer: int) -> None:
        asked.append(pointer)
        begin(pointer)
        chip.converting = pointer != 0x0B  # cleared by reading it

    connect = chip.connect

    def connect_but_once(address: int, reading: bool) -> bool:
        acknowledged = connect(address, reading)
        return acknowledged and not (reading and len(asked) == transfer + 1 and not again)

    again: list[bool] = []

    def connect_and_note(address: int, reading: bool) -> bool:
        acknowledged = connect_but_once(address, reading)
        if not acknowledged:
            again.append(True)
            chip.converting = transfer == 0
        return acknowledged

    monkeypatch.setattr(chip, "begin_read", begin_read)
    monkeypatch.setattr(chip, "connect", connect_and_note)
    assert codes(driver)[1] == 32768 + 7
    assert driver.trouble == OK
    assert again


def test_nobody_answers() -> None:
    chip, driver = monitor()
    chip.dead = True
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
