"""Opens a rig by its name; a rig's own dependencies are imported only then.

The port `emulated` of the rig `board` is an emulated Pico behind a pseudo-terminal, `emulated-pair` one with a second
as its stimulus, for as long as the rig is open.
"""

from argparse import ArgumentTypeError
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from ccdmon.errors import DeviceError, InputError
from ccdmon.link.device import ANSWER_LIMIT_S
from ccdmon_hil.rigs.image import find_image
from ccdmon_hil.rigs.session import Session
from ccdmon_hil.rigs.target import Target

if TYPE_CHECKING:
    from ccdmon_hil.rigs.wiring import Wiring

RIGS = ("unix", "pico", "board")
EMULATED, EMULATED_PAIR = "emulated", "emulated-pair"
PORT_HELP = (
    f"serial port or wiring file of --rig board, or `{EMULATED}`: an emulated Pico on a pseudo-terminal, or "
    f"`{EMULATED_PAIR}`: one with a second that drives its converters"
)
JOBS_HELP = (
    "emulated Picos at once, for their faults; from 2 on beside those of other rigs (default: %(default)s)"
)


def best_rig(image: str | Path | None = None) -> str:
    """`pico` if its image is at hand or can be had in seconds, else `unix`. A bad image named is an error."""
    if find_spec("rp2040py") is None:
        return "unix"
    try:
        find_image(image)
    except DeviceError:
        return "unix"
    return "pico"


def count(text: str) -> int:
    """A whole number from 1 on; a type of argparse, for the command lines of rigs."""
    if not (text.isdecimal() and int(text)):
        raise ArgumentTypeError(f"{text!r} is no number from 1 on")
    return int(text)


@contextmanager
def open_session(
    rig: str,
    *,
    image: str | Path | None = None,
    port: str | None = None,
    on_bytes: Callable[[bytes], object] | None = None,
    tap: Callable[[Target], Target] | None = None,
    answer_limit_s: float = ANSWER_LIMIT_S,
) -> Iterator[Session]:
    """A rig with the firmware running, for as long as the block; `tap` may put something between it and the session."""
    with ExitStack() as opened:
        target = _target(rig, image, port, opened)
        session = Session(tap(target) if tap else target, on_bytes, answer_limit_s)
        opened.callback(session.close)
        session.start()
        yield session


def _wiring(image: str | Path | None, port: str | None, opened: ExitStack) -> "Wiring":
    from ccdmon_hil.rigs.wiring import Wiring, wiring_of

    if port not in (EMULATED, EMULATED_PAIR):
        return wiring_of(port)
    path = find_image(image)
    try:
        from ccdmon_hil.rigs.pico_pair import PairPty
        from ccdmon_hil.rigs.pico_pty import PicoPty
    except ImportError as error:
        raise _not_installed(error) from error
    if port == EMULATED:
        return Wiring(port=opened.enter_context(PicoPty(path, with_firmware=True)).port)
    pair = PairPty(path)
    opened.callback(pair.close)
    return pair.wiring


def _target(rig: str, image: str | Path | None, port: str | None, opened: ExitStack) -> Target:
    if rig == "unix":
        from ccdmon_hil.rigs.unix import UnixTarget

        return UnixTarget()
    if rig == "pico":
        path = find_image(image)
        try:
            from ccdmon_hil.rigs.pico import PicoTarget
        except ImportError as error:
            raise _not_installed(error) from error
        return PicoTarget(path)
    if rig == "board":
        from ccdmon_hil.rigs.board import BoardTarget
        from ccdmon_hil.rigs.stimulus.player import StimulusTarget

        wiring = _wiring(image, port, opened)
        return StimulusTarget(wiring) if wiring.stimulus.kind == "board" else BoardTarget(wiring)
    raise InputError(f"no rig {rig!r}; one of {', '.join(RIGS)}")


def _not_installed(error: ImportError) -> InputError:
    return InputError(f"rig pico: {error.name} is not installed; pip install 'ccdmon[pico]'")
