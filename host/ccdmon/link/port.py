"""The serial port of a board: bytes in and out, nothing else. The only file that imports pyserial."""

import os
from pathlib import Path
from types import TracebackType

import serial
from serial.tools import list_ports

from ccdmon.errors import DeviceError

READ_WAIT_S = 0.1
WRITE_WAIT_S = 1.0
MOST_BYTES_AT_ONCE = 1 << 16
RASPBERRY_PI = 0x2E8A  # USB vendor
EMULATOR_PATIENCE = 15  # an emulated board on a busy machine is slower than that many real ones
EMULATED_URL = "emulated://"  # of boards that run in this very process; see `ccdmon_hil.rigs.serial_urls`
BAUD = 115200  # ignored by a USB console


class Port:
    """An open port; a context manager. `name` is a device path or any URL pyserial knows."""

    def __init__(
        self, name: str, read_wait_s: float = READ_WAIT_S, write_wait_s: float = WRITE_WAIT_S
    ) -> None:
        """Raises `DeviceError` for a port that is not there, is taken, or may not be opened."""
        self.name = name
        try:
            self._serial = serial.serial_for_url(
                name, baudrate=BAUD, timeout=read_wait_s, write_timeout=write_wait_s, exclusive=True
            )
        except (serial.SerialException, ValueError, OSError) as error:
            raise DeviceError(f"port {name}: cannot be opened ({_cause(error)}); {_advice(error)}") from error

    def read(self) -> bytes:
        """What has arrived, after waiting `read_wait_s` at most; empty in silence. Raises `DeviceError`."""
        try:
            data: bytes = self._serial.read(max(1, self._serial.in_waiting))
            return data
        except (serial.SerialException, OSError) as error:
            raise self._lost(error) from error

    def fileno(self) -> int | None:
        """To ask the system whether something has arrived; None where it cannot be asked (an emulated board)."""
        try:
            return int(self._serial.fileno())
        except (AttributeError, OSError):
            return None

    def take(self) -> bytes:
        """What has arrived, once the system says that something has; `DeviceError` where nothing has: it is gone."""
        descriptor = self.fileno()
        try:
            data = os.read(-1 if descriptor is None else descriptor, MOST_BYTES_AT_ONCE)
        except BlockingIOError:
            return b""
        except OSError as error:
            raise self._lost(error) from error
        if not data:
            raise self._lost(OSError("the board went away"))
        return data

    def write(self, data: bytes) -> None:
        """Send all of `data`. Raises `DeviceError` where the board does not take it."""
        try:
            self._serial.write(data)
        except (serial.SerialException, OSError) as error:
            raise self._lost(error) from error

    def close(self) -> None:
        """Give the port back."""
        self._serial.close()

    def __enter__(self) -> "Port":
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self.close()

    def _lost(self, error: Exception) -> DeviceError:
        return DeviceError(
            f"port {self.name}: the link broke ({_cause(error)}); check the cable and the board"
        )


def usb_identity(name: str) -> tuple[int, int, str] | None:
    """Vendor, product and serial number of the USB board on a port; None where it is no such port."""
    path = os.path.realpath(name)
    found = next((port for port in list_ports.comports() if port.device == path), None)
    if found is None or found.vid is None or found.serial_number is None:
        return None
    return found.vid, found.pid, found.serial_number


def name_of(identity: tuple[int, int, str]) -> str | None:
    """The port where that board is now: it gets another name when the old one is still held; None: nowhere."""
    for port in list_ports.comports():
        if (port.vid, port.pid, port.serial_number) == identity:
            return str(port.device)
    return None


def is_pseudo_terminal(name: str) -> bool:
    """Whether nothing but a program, such as an emulated board, can be behind the port."""
    return name.startswith(EMULATED_URL) or Path(name).resolve().is_relative_to("/dev/pts")


def patience(name: str) -> int:
    """How many times as long as a real board the one behind that port may take to answer."""
    return EMULATOR_PATIENCE if is_pseudo_terminal(name) else 1


def plugged_in() -> list[str]:
    """Ports of the Raspberry Pi boards."""
    return sorted(str(port.device) for port in list_ports.comports() if port.vid == RASPBERRY_PI)


def find_board(name: str | None) -> str:
    """`name` itself; for None or `auto` the port of the only Raspberry Pi board. `DeviceError`: none or several."""
    if name not in (None, "auto"):
        return str(name)
    found = plugged_in()
    if len(found) == 1:
        return found[0]
    what = (
        f"several boards are plugged in ({', '.join(found)})"
        if found
        else "no Raspberry Pi board is plugged in"
    )
    raise DeviceError(f"{what}; name the port with --port, for example --port /dev/ttyACM0")


def _cause(error: Exception) -> str:
    text = getattr(error, "strerror", None) or str(error)
    return " ".join(str(text).split())[:100]


def _advice(error: Exception) -> str:
    if "exclusively lock" in str(error) or "busy" in str(error):
        return "another program has it: end that, or give a recorder its orders with --run-folder DIR"
    if "ermission" in str(error):
        return "join the group that owns it (often dialout)"
    return "plug the board in or name another with --port"
