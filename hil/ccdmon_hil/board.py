"""Rig `board`: a real board on a serial port.

A recorded trace reaches it only through a stimulus (a second board or a converter at its inputs) or by rows
injected below the detector. The firmware offers no such injection yet, so this rig says so instead of
pretending.
"""

from pathlib import Path

from ccdmon.errors import DeviceError, InputError
from ccdmon_hil.target import Edge, Source


class BoardTarget:
    """See `ccdmon_hil.target.Target`."""

    name = "board"

    def __init__(self, port: str | None) -> None:
        if not port:
            raise InputError("rig board: name its port with --port, for example --port /dev/ttyACM0")
        self.port = port
        self.edges: list[Edge] = []
        self.row_virtual_us: list[float] = []

    def start(self) -> None:
        """Refuse, naming what is missing."""
        if not Path(self.port).exists():
            raise DeviceError(
                f"port {self.port}: no such port; plug the board in or name another with --port"
            )
        raise DeviceError(
            f"port {self.port}: this firmware takes no recorded rows on a real board yet; "
            "use --rig pico or --rig unix"
        )

    def play(self, source: Source, closed_loop: bool = False) -> None:
        """Never reached: `start` refuses."""

    def send(self, data: bytes) -> None:
        """Never reached."""

    def receive(self) -> bytes:
        """Never reached."""
        return b""

    def close(self) -> None:
        """Nothing is open."""
