"""The ADS131M0x driver against a converter that answers byte for byte; the bytes are the data sheet's."""

import pytest

from ccdmon_fw.drivers import ads131m0x
from ccdmon_fw.drivers.ads131m0x import BAD_CRC, BAD_STATUS, OK, STALE, Ads131m0x
from ccdmon_fw.drivers.common import DEAD
from ccdmon_hil.rigs.chips.buses import SpiBus
from ccdmon_hil.rigs.chips.converters import Ads131m04


def converter() -> tuple[Ads131m04, Ads131m0x]:
    chip = Ads131m04()
    return chip, Ads131m0x(SpiBus(chip), chip.select, lambda _ms: None)


def configured() -> tuple[Ads131m04, Ads131m0x]:
    chip, driver = converter()
    driver.configure((1, 16, 1, 128), 256)
    chip.heard.clear()
    return chip, driver


def frame(command: str, value: str = "0000") -> bytes:
    """Six words of 24 bits: command, value, and nothing."""
    return bytes.fromhex(command + "00" + value + "00" + "000000" * 4)


def test_crc_table_is_the_ccitt_one() -> None:
    check = b"123456789"  # the check value every catalogue of CRCs gives
    assert ads131m0x._crc(ads131m0x._crc_table(), check, len(check)) == 0x29B1


def test_configuration_byte_for_byte() -> None:
    chip, driver = converter()
    driver.configure((1, 16, 1, 128), 256)
    expected = [
        "0011", "0000",  # RESET, and its answer FF24
        "6100 0110", "0000", "a100", "0000",  # WREG MODE: RESET flag cleared; RREG MODE
        "6180 0f06", "0000", "a180", "0000",  # WREG CLOCK: four channels, OSR 256, high resolution
        "6200 7040", "0000", "a200", "0000",  # WREG GAIN1: 128, 1, 16, 1 from channel 3 down
        "0000",
    ]  # fmt: skip
    assert chip.heard == [frame(*words.split()) for words in expected]
    assert driver.read_register(ads131m0x.ID) == 0x2401


def codes(driver: Ads131m0x) -> tuple[int, int]:
    memory = [7, 7, 7, 7]
    driver.read(memory)
    assert memory[2:] == [7, 7]
    return memory[0], memory[1]


@pytest.mark.parametrize("reading", [0, 1, -1, 0x7FFFFF, -0x800000, 0x123456, -0x123456])
def test_readings_keep_their_sign(reading: int) -> None:
    chip, driver = configured()
    chip.readings = [reading, -reading - 1, 3, 5]
    assert codes(driver) == ((reading >> 8) + 32768, (-reading - 1 >> 8) + 32768)
    assert driver.trouble == OK
    assert driver.readings == (reading, -reading - 1)
    assert chip.heard == [bytes(18)]


def test_channels_and_a_narrower_range() -> None:
    chip = Ads131m04()
    driver = Ads131m0x(SpiBus(chip), chip.select, lambda _ms: None, inputs=(3, 1), shift=4)
    driver.configure((1, 1, 1, 1), 256)
    chip.readings = [1, -32, 2, 16]
    assert codes(driver) == (32769, 32766)
    chip.readings = [1, -0x80001, 2, 0x80000]  # beyond it: the rails
    assert codes(driver) == (65535, 0)


@pytest.mark.parametrize(
    ("fault", "value", "trouble"),
    [("damaged", True, BAD_CRC), ("dead", True, BAD_CRC), ("converting", False, STALE)],
)
def test_what_must_not_be_believed_is_the_rail(fault: str, value: bool, trouble: int) -> None:
    chip, driver = configured()
    chip.readings = [1, 2, 3, 4]
    assert codes(driver) == (32768, 32768)
    setattr(chip, fault, value)
    chip.readings = [5, 6, 7, 8]
    assert codes(driver) == (DEAD, DEAD)
    assert driver.trouble == trouble
    assert driver.readings == (1, 2)


def test_a_single_damaged_frame_is_followed_by_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    chip, driver = configured()
    chip.readings = [1 << 8, 2 << 8, 3, 4]
    chip.damaged = True
    frame_of = chip._frame

    def damaged_once() -> bytes:
        data = frame_of()
        chip.damaged = False
        return data

    monkeypatch.setattr(chip, "_frame", damaged_once)
    assert codes(driver) == (32769, 32770)
    assert driver.trouble == OK
    assert len(chip.heard) == 2


def test_a_converter_that_lost_its_settings_is_noticed() -> None:
    chip, driver = configured()
    chip.power_up()
    assert codes(driver) == (DEAD, DEAD)
    assert driver.trouble == BAD_STATUS


def test_a_bus_with_nobody_on_it() -> None:
    chip, driver = converter()
    chip.dead = True
    with pytest.raises(OSError, match="wrong CRC"):
        driver.configure((1, 1, 1, 1), 1024)


def test_another_converter_of_the_family_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    _, driver = converter()
    monkeypatch.setattr(driver, "_channels", 2)
    with pytest.raises(OSError, match=r"no answer to its reset \(ff24\)"):
        driver.configure((1, 1), 1024)


def test_a_register_that_does_not_keep_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    _, driver = converter()
    monkeypatch.setattr(driver, "read_register", lambda register: 0x0E0F)
    with pytest.raises(OSError, match="register 02 holds 0e0f, not 0110"):
        driver.configure((1, 1, 1, 1), 1024)
