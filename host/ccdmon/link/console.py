"""MicroPython's console on a serial port: run code on a board, put files on it. The only file that imports mpremote.

mpremote says of its library that the interface may change; what is used of it is in this file. Code runs in the raw
REPL, which interrupts whatever program was on the console. All methods raise `DeviceError` where the board fails.
"""

import ast
import binascii
import contextlib
import io
from collections.abc import Iterator, Sequence
from types import TracebackType
from typing import Any

from mpremote.transport import TransportError, TransportExecError
from mpremote.transport_serial import SerialTransport

from ccdmon.errors import DeviceError
from ccdmon.link.port import patience

SILENCE_LIMIT_S = 30.0  # an emulated board is twenty times slower than a real one
PROMPT_LIMIT_S = 10.0
PIECE_BYTES = 3072  # written in one go; the board holds it twice, as base64 and as bytes
# Every file below the folders and names given, with its hash: one exchange instead of two for each file.
_HASHES = """
import os, hashlib, binascii
def _hash(path):
    digest = hashlib.sha256()
    with open(path, 'rb') as file:
        while True:
            piece = file.read(1024)
            if not piece:
                return binascii.hexlify(digest.digest()).decode()
            digest.update(piece)
def _walk(path):
    try:
        is_folder = os.stat(path)[0] & 0x4000
    except OSError:
        return
    if not is_folder:
        print(path, _hash(path))  # one by one: silence would be taken for a dead board
        return
    for name in os.listdir(path):
        _walk(path + '/' + name)
for _path in %r:
    _walk(_path)
"""


class Console:
    """The prompt of a board; a context manager. `DeviceError` where the port or the prompt cannot be had."""

    def __init__(self, port: str) -> None:
        self._port = port
        self._prompt_limit_s = PROMPT_LIMIT_S * patience(port)
        with self._errors("cannot be opened"):
            self._transport = SerialTransport(port, timeout=SILENCE_LIMIT_S)
        try:
            with self._errors("no MicroPython prompt; is another program on the board?"):
                self._transport.enter_raw_repl(soft_reset=False, timeout_overall=self._prompt_limit_s)
        except DeviceError:
            self.close()
            raise

    def evaluate(self, expression: str) -> Any:
        """The value of a Python literal that `expression` gives on the board."""
        return ast.literal_eval(self.run(f"print(repr({expression}))"))

    def run(self, code: str) -> str:
        """Run code on the board; what it printed."""
        with self._errors("the board fails"):
            printed, failed = self._transport.exec_raw(code, timeout=SILENCE_LIMIT_S)
            if failed:
                raise TransportExecError(printed, failed.decode())
            return str(printed.decode())

    def start(self, program: str) -> None:
        """Run a program from memory, with nothing of the one before in it, and leave it running."""
        with self._errors("does not take the program"):
            self._transport.enter_raw_repl(soft_reset=True, timeout_overall=self._prompt_limit_s)
            self._transport.exec_raw_no_follow(program)

    def hashes(self, paths: Sequence[str]) -> dict[str, str]:
        """SHA-256 in hex of each file among `paths` and below the folders among them, as far as they are there."""
        lines = self.run(_HASHES % (tuple(paths),)).splitlines()
        return dict(line.rsplit(" ", 1) for line in lines)

    def make_folder(self, path: str) -> None:
        """A folder, if it is not there; its parents are."""
        self.run(f"import os\ntry:\n os.mkdir({path!r})\nexcept OSError as e:\n if e.errno != 17: raise")

    def write(self, path: str, content: bytes) -> None:
        """A whole file; what it held before is gone."""
        mode = "wb"
        for start in range(0, max(len(content), 1), PIECE_BYTES):
            piece = binascii.b2a_base64(content[start : start + PIECE_BYTES], newline=False)
            self.run(
                f"import binascii\nwith open({path!r},{mode!r}) as f: f.write(binascii.a2b_base64({piece!r}))"
            )
            mode = "ab"

    def remove(self, path: str) -> None:
        """A file that is there."""
        self.run(f"import os\nos.remove({path!r})")

    def reset(self) -> None:
        """Start the board afresh, as the power switch would. Its port may vanish for a moment."""
        with self._errors("cannot be reset"):
            self._transport.exec_raw_no_follow("import machine\nmachine.reset()")

    def close(self) -> None:
        """Give the port back."""
        with contextlib.suppress(OSError):
            self._transport.close()

    def __enter__(self) -> "Console":
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self.close()

    @contextlib.contextmanager
    def _errors(self, what: str) -> Iterator[None]:
        """One line for what mpremote raises, and silence for what it prints."""
        try:
            with contextlib.redirect_stdout(io.StringIO()):
                yield
        except TransportExecError as error:
            raise DeviceError(f"port {self._port}: {what}: {_last_line(error.error_output)}") from error
        except (TransportError, OSError, ValueError, IndexError) as error:
            raise DeviceError(f"port {self._port}: {what} ({_last_line(str(error))})") from error


def _last_line(text: str) -> str:
    lines = text.strip().splitlines()
    return lines[-1][:150] if lines else "silence"
