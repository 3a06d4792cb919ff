"""A firmware that ends on a board says why, and the rig tells it."""

import pytest

from ccdmon.errors import DeviceError
from ccdmon_fw import wire
from ccdmon_hil.rigs.board import BoardTarget
from ccdmon_hil.rigs.stimulus.bench_wire import BENCH_ENDED
from ccdmon_hil.rigs.wiring import Wiring


class OnePort:
    """Gives what came once."""

    def __init__(self, data: bytes) -> None:
        self.data = data

    def read(self) -> bytes:
        data, self.data = self.data, b""
        return data


def test_the_exception_is_an_error_of_one_line() -> None:
    target = BoardTarget(Wiring(port="/dev/null"))
    target._port = OnePort(wire.encode(BENCH_ENDED, 0, b"MemoryError('no room',)"))  # type: ignore[assignment]
    with pytest.raises(DeviceError) as raised:
        target.receive()
    assert str(raised.value) == "port /dev/null: the firmware on the board has ended: MemoryError('no room',)"
