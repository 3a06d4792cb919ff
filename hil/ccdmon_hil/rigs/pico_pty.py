"""An emulated Raspberry Pi Pico behind a real pseudo-terminal, in a process of its own.

    python -m ccdmon_hil.rigs.pico_pty [--image F] [--with-firmware]

prints the port to connect to, for example `mpremote connect /dev/pts/5`, and runs until its standard input ends, or
Ctrl-C. A person gives orders there in words (`by_hand.py`; `help` lists them): a button, a loop, a short.
`PicoPty` is that process as a context manager. What talks to its port can tell it from a board only by its clock,
which goes slower than the machine's where that has no time for it.

It behaves as a USB serial port does: with no program on the port the chip sees DTR low, and a program that does not
read leaves the chip's packets untaken. A reset of the chip leaves the port where it is, unlike on a real bus.

The process is a bench, too. It says on standard output, one JSON object a line, what an instrument at the chip's
pins would see, and takes orders on standard input:

    said:   {"port": "/dev/pts/5"}   {"gate_closed": true, "virtual_us": 123.4}
    orders: {"converters": [voltage, current, pressure]}   16-bit codes that lie at the converters from now on
            {"power_cycle": true}    the chip starts again, with its flash as it was
            short                    and the other words of `by_hand.py`
"""

import argparse
import json
import os
import select
import subprocess
import sys
import time
import tty
from pathlib import Path
from types import TracebackType
from typing import Any

from ccdmon.errors import EXIT_FINE, CcdmonError, DeviceError
from ccdmon.link.firmware import compiled_files
from ccdmon_hil.rigs.by_hand import ByHand
from ccdmon_hil.rigs.image import find_image
from ccdmon_hil.rigs.pico import ARCHITECTURE, PicoTarget

CHUNK_BYTES = 4096
UNREAD_LIMIT_BYTES = 4096  # what a serial driver holds for a program before it stops taking packets
UNWATCHED_PAUSE_S = 0.02  # after each quantum while no program is on the port: leaves the machine to others
AWAKE_US = 3e6
START_LIMIT_S = 60.0


class PicoPty:
    """A running emulated Pico; `port` is what `--port` takes. Without firmware: a new board, MicroPython only."""

    module = "ccdmon_hil.rigs.pico_pty"

    def __init__(self, image: Path, *, with_firmware: bool = False) -> None:
        options = ["--with-firmware"] if with_firmware else []
        self._process = subprocess.Popen(
            [sys.executable, "-m", self.module, "--image", str(image), *options],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            bufsize=0,
        )
        self._partial = b""
        first = self.listen(START_LIMIT_S)
        if not first:
            raise DeviceError(f"emulated Pico: no port within {START_LIMIT_S:.0f} s")
        self.said_first = first[0]
        self.port = str(self.said_first["port"])

    def order(self, **order: object) -> None:
        """Give an order: see the top of this file."""
        assert self._process.stdin
        self._process.stdin.write(json.dumps(order).encode() + b"\n")

    def listen(self, wait_s: float = 0.0) -> list[dict[str, Any]]:
        """What was said since the last time; waits up to `wait_s` for something. Raises `DeviceError` at its end."""
        assert self._process.stdout
        until_s = time.monotonic() + wait_s
        while select.select([self._process.stdout], [], [], max(0.0, until_s - time.monotonic()))[0]:
            data = os.read(self._process.stdout.fileno(), CHUNK_BYTES)
            if not data:
                raise DeviceError(f"emulated Pico: its process ended with {self._process.wait()}")
            self._partial += data
            if b"\n" in self._partial:
                break
        *lines, self._partial = self._partial.split(b"\n")
        return [json.loads(line) for line in lines]

    def close(self) -> None:
        """End the process and with it the port."""
        self._process.kill()
        self._process.communicate()

    def __enter__(self) -> "PicoPty":
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self.close()


class Bridge:
    """Moves bytes between the terminal's master end and the chip's console, and serves the bench's orders."""

    def __init__(self, pico: PicoTarget) -> None:
        self._pico = pico
        self._master, slave = os.openpty()
        tty.setraw(slave)
        self.port = os.ttyname(slave)
        os.close(slave)  # so that the master sees when a program opens and closes it
        os.set_blocking(self._master, False)
        if not sys.stdin.isatty():
            os.set_blocking(sys.stdin.fileno(), False)
        self._unread = bytearray()
        self._orders = b""
        self._told = 0  # edges
        self._by_hand: ByHand | None = None
        self._awake_us = 0.0  # until then it does not rest, so that an order by hand comes to its end

    def run(self) -> None:
        """Until standard input ends, or Ctrl-C."""
        say(port=self.port)
        if sys.stdin.isatty():
            print("pico_pty: orders here, by hand: `help` lists them; Ctrl-C ends", file=sys.stderr)
        while self.take_orders():
            if not self.serve() and self._pico.virtual_us() > self._awake_us:
                time.sleep(UNWATCHED_PAUSE_S)

    def serve(self) -> bool:
        """Let the chip run, bytes and news pass. False where no program has the port open."""
        watched = self._move_bytes()
        self._pico.open_console(watched)
        self._pico.stall_console(len(self._unread) > UNREAD_LIMIT_BYTES)
        self._unread += self._pico.receive()
        for edge in self._pico.edges[self._told :]:
            if self._by_hand is not None:
                self._by_hand.gate(edge.closed)
            say(gate_closed=edge.closed, virtual_us=edge.at_us)
        self._told = len(self._pico.edges)
        return watched

    def _move_bytes(self) -> bool:
        """Bytes both ways, as far as they go now. False where no program has the port open."""
        poll = select.poll()
        poll.register(self._master, select.POLLIN | select.POLLOUT)
        events = dict(poll.poll(0)).get(self._master, 0)  # none: full, nobody reads
        if events & select.POLLIN:
            self._pico.send(os.read(self._master, CHUNK_BYTES))
        if events & select.POLLHUP:
            self._unread.clear()
            return False
        if events & select.POLLOUT and self._unread:
            del self._unread[: os.write(self._master, self._unread)]
        return True

    def take_orders(self) -> bool:
        """Carry out what came. False at the end of standard input."""
        if sys.stdin.isatty() and not _somebody_typed():
            return True
        try:
            data = os.read(sys.stdin.fileno(), CHUNK_BYTES)
        except BlockingIOError:
            return True
        *lines, self._orders = (self._orders + data).split(b"\n")
        for line in lines:
            if line.lstrip().startswith(b"{"):
                self._carry_out(json.loads(line))
            else:
                self._hand().carry_out(line.decode(errors="replace"))
                self._awake_us = self._pico.virtual_us() + AWAKE_US
        return bool(data)

    def _hand(self) -> ByHand:
        if self._by_hand is None:
            closed = bool(self._pico.edges) and self._pico.edges[-1].closed
            self._by_hand = ByHand(self._pico, say, closed=closed)
        return self._by_hand

    def _carry_out(self, order: dict[str, Any]) -> None:
        if "converters" in order:
            voltage, current, pressure = order["converters"]
            self._pico.set_converters((voltage, current, pressure))
        if "power_cycle" in order:
            self._pico.power_cycle()


def _somebody_typed() -> bool:
    """Of a terminal: whether a line waits, for us; a process in the background that reads one is stopped."""
    in_front = os.tcgetpgrp(sys.stdin.fileno()) == os.getpgrp()
    return in_front and bool(select.select([sys.stdin], [], [], 0)[0])


def say(**words: object) -> None:
    """A line of news."""
    print(json.dumps(words), flush=True)


def main(arguments: list[str] | None = None) -> int:
    """Boot the chip and serve its port."""
    parser = argparse.ArgumentParser(
        prog="python -m ccdmon_hil.rigs.pico_pty", description=__doc__.split("\n")[0]
    )
    parser.add_argument(
        "--image", type=Path, metavar="FILE", help="MicroPython for the Pico (see ccdmon image)"
    )
    parser.add_argument("--with-firmware", action="store_true", help="with ccdmon's firmware on its flash")
    options = parser.parse_args(arguments)
    try:
        pico = PicoTarget(find_image(options.image))
        pico.power_on(compiled_files(ARCHITECTURE) if options.with_firmware else None)
        Bridge(pico).run()
        print("pico_pty: standard input has ended, and with it this board", file=sys.stderr)
    except KeyboardInterrupt:
        return EXIT_FINE
    except CcdmonError as error:
        print(f"pico_pty: {error}", file=sys.stderr)
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
