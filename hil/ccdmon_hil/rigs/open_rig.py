"""Opens a rig by its name; a rig's own dependencies are imported only then.

The port `emulated` of the rig `board` is an emulated Pico in this process, whose time is the emulator's;
`emulated-pair` is one behind a pseudo-terminal with a second as its stimulus. They end with the rig.
"""

from argparse import ArgumentTypeError
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from ccdmon.errors import DeviceError, InputError
from ccdmon.extras import how_to_install
from ccdmon.link.device import ANSWER_LIMIT_S
from ccdmon.rigs import RIGS
from ccdmon_hil.rigs.image import find_image
from ccdmon_hil.rigs.session import Session
from ccdmon_hil.rigs.target import Target

if TYPE_CHECKING:
    from ccdmon_hil.rigs.wiring import Wiring

EMULATED, EMULATED_PAIR = "emulated", "emulated-pair"
PORT_HELP = (
    f"serial port or wiring file of --rig board, or `{EMULATED}`: an emulated Pico, or "
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


def _board(image: str | Path | None, port: str | None, opened: ExitStack) -> Target:
    from ccdmon_hil.rigs.board import BoardTarget
    from ccdmon_hil.rigs.stimulus.player import StimulusTarget
    from ccdmon_hil.rigs.wiring import Wiring, wiring_of

    if port == EMULATED:
        path = find_image(image)
        try:
            from ccdmon_hil.rigs.serial_urls.protocol_emulated import emulated_board
        except ImportError as error:
            raise _not_installed(error) from error
        url, now_s = opened.enter_context(emulated_board(path))
        return BoardTarget(Wiring(port=url), now_s)
    wiring = _pair(find_image(image), opened) if port == EMULATED_PAIR else wiring_of(port)
    return StimulusTarget(wiring) if wiring.stimulus.kind == "board" else BoardTarget(wiring)


def _pair(image: Path, opened: ExitStack) -> "Wiring":
    try:
        from ccdmon_hil.rigs.pico_pair import PairPty
    except ImportError as error:
        raise _not_installed(error) from error
    pair = PairPty(image)
    opened.callback(pair.close)
    return pair.wiring


def _target(rig: str, image: str | Path | None, port: str | None, opened: ExitStack) -> Target:
    if rig == "model":
        from ccdmon_hil.rigs.model import ModelTarget

        return ModelTarget()
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
        return _board(image, port, opened)
    raise InputError(f"no rig {rig!r}; one of {', '.join(RIGS)}")


def _not_installed(error: ImportError) -> InputError:
    return InputError(f"rig pico: {error.name} is not installed; {how_to_install('pico')}")
