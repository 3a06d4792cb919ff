"""A converter that fails while the gate is closed opens it, through driver, sampler and detector, whatever breaks."""

from typing import Any

import pytest

from ccdmon_fw import limits
from ccdmon_fw.drivers import ads131m0x, ina228, nau7802
from ccdmon_fw.drivers.common import SlowChannel, put_pressure
from ccdmon_hil.rigs.chips import converters as chips
from ccdmon_hil.rigs.chips.buses import I2cBus, SpiBus
from tests.firmware.fake_board import Bench, FakeBoard

STALE_US = 100_000


def _no_sleep(_ms: int) -> None: ...


def _ads131m0x() -> tuple[Any, Any]:
    chip = chips.Ads131m04()
    driver = ads131m0x.Ads131m0x(SpiBus(chip), chip.select, _no_sleep)
    driver.configure((1, 1, 1, 1), 256)
    chip.readings = [0x200000, 0x200000, 0, 0]
    return chip, driver


def _ina228() -> tuple[Any, Any]:
    chip = chips.Ina228()
    driver = ina228.Ina228(I2cBus(chip), _no_sleep, bus_zero=32768)
    driver.configure()
    chip.bus, chip.shunt = 32768 + 8192, 1 << 17
    return chip, driver


@pytest.mark.parametrize(
    ("make", "fault"),
    [
        (_ads131m0x, {"damaged": True}), (_ads131m0x, {"dead": True}), (_ads131m0x, {"converting": False}),
        (_ina228, {"dead": True}), (_ina228, {"converting": False}),
        (_ina228, "bridge"),
    ],
)  # fmt: skip
def test_what_breaks_opens_the_gate(make: Any, fault: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    chip, driver = make()
    bridge = chips.Nau7802()
    load = nau7802.Nau7802(I2cBus(bridge), _no_sleep)
    load.configure()
    slow = SlowChannel(load.reading, 0, 8, 1_000, STALE_US)

    def read(board: FakeBoard, memory: Any) -> None:
        memory[3] = board.now_us & 0x3FFFFFFF
        driver.read(memory)
        put_pressure(memory, slow.state)

    monkeypatch.setattr(FakeBoard, "read", read)
    bench = Bench(ready=False)

    def sample(count: int) -> None:
        for _ in range(count):
            bench.board.now_us += 250
            slow.poll(bench.board.now_us)
            bench.board.tick(None)

    sample(10)
    bench.app.gate.close()
    sample(50)
    assert bench.board.level == 1, "healthy converters keep it closed"
    if fault == "bridge":
        bridge.dead = True
        sample(STALE_US // 250 - 4)
        assert bench.board.level == 1, "one reading lasts that long"
        sample(8)
    else:
        for name, value in fault.items():
            setattr(chip, name, value)
        sample(1)
    assert bench.board.level == 0
    assert limits.REASONS[bench.app.gate.reason] == "sensor_fault"
