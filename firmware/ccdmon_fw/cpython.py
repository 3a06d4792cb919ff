"""Lets the detector and the wire run on CPython, where they are the golden model: no-op stand-ins for viper."""

import io


class micropython:  # noqa: N801 - the decorator must be spelled `micropython.viper` for MicroPython's compiler
    """Stands in for the module of that name."""

    @staticmethod
    def viper(function):
        """Viper arithmetic that stays inside 32 bits is plain integer arithmetic."""
        return function

    native = viper


def disable_irq():
    return 0


def enable_irq(_state):
    pass


def address_of(memory):
    """Of `uctypes`: here memory is passed as itself."""
    return memory


def const(value):
    return value


def ptr32(buffer):
    return buffer


def ptr16(buffer):
    return buffer


def ptr8(buffer):
    return buffer


uint = int


class BytesIO(io.BytesIO):
    """MicroPython's: its `json.dump` writes bytes, and its argument is the room that is kept."""

    def __init__(self, _size):
        super().__init__()

    def write(self, text):
        return super().write(text.encode())
