"""The NAU7802 driver against a converter that answers byte for byte."""

import pytest

from ccdmon_fw.drivers import nau7802
from ccdmon_hil.rigs.chips.buses import I2cBus
from ccdmon_hil.rigs.chips.converters import Nau7802


def bridge() -> tuple[Nau7802, nau7802.Nau7802]:
    chip = Nau7802()
    return chip, nau7802.Nau7802(I2cBus(chip), lambda _ms: None)


def test_power_up_byte_for_byte() -> None:
    chip, driver = bridge()
    driver.configure(gain=128, ldo_V=3.0, rate_sps=320)
    assert [write.hex() for write in chip.heard] == [
        "0001", "0002",  # reset, digital part up
        "0086",  # analog part up, supplied by the LDO
        "012f",  # LDO 3.0 V, gain 128
        "0270",  # 320 samples/s
        "1530",  # chopper off
        "1c80",  # capacitor of the second input
        "0274",  # calibrate, same rate
        "0096",  # and go
    ]  # fmt: skip


@pytest.mark.parametrize("reading", [0, 1, -1, 0x7FFFFF, -0x800000])
def test_readings_keep_their_sign(reading: int) -> None:
    chip, driver = bridge()
    driver.configure()
    chip.reading = reading
    assert driver.reading() == reading


def test_no_new_conversion_is_none() -> None:
    chip, driver = bridge()
    driver.configure()
    chip.converting = False
    assert driver.reading() is None


def test_a_bridge_that_does_not_calibrate() -> None:
    chip, driver = bridge()
    chip.calibrates = False
    with pytest.raises(OSError, match="is the bridge connected"):
        driver.configure()


def test_nobody_answers() -> None:
    chip, driver = bridge()
    chip.dead = True
    for call in (driver.configure, driver.reading):
        with pytest.raises(OSError, match="5"):
            call()


def test_another_chip_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    chip, driver = bridge()
    monkeypatch.setattr(chip, "_reset", lambda: None)
    chip.registers[0x1F] = 0x0C
    with pytest.raises(OSError, match=r"another chip answers \(0c\)"):
        driver.configure()
