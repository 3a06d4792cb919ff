"""The `ccdmon` command: a table of verbs, each loaded only when it is called.

`ccdmon --help` must answer in under half a second, so nothing here imports numpy or a verb's module.
A verb module has `add_arguments(parser)` and `run(args) -> int` (an exit code of `ccdmon.errors`).
"""

import argparse
import errno
import importlib
import sys
from collections.abc import Sequence
from types import ModuleType

from ccdmon.cli.parser import Parser, nearest, tell
from ccdmon.errors import EXIT_BUG, EXIT_UNUSABLE, CcdmonError

# verb -> (module under ccdmon.cli, one line for `ccdmon --help`)
VERBS: dict[str, tuple[str, str]] = {
    "demo": ("demo", "the whole job without hardware: a simulated cell shorts and is cut off"),
    "replay": ("replay", "feed a recorded trace into the firmware on a rig and check the cutoff"),
    "analyze": ("analyze", "full analysis of recorded traces or run folders"),
    "population": (
        "population",
        "the critical current density of many cells, and what differs between groups",
    ),
    "compare": ("compare", "what a new version judges otherwise, cell by cell"),
    "record": ("record", "write down what a board sends, for hours or weeks"),
    "watch": ("watch", "the live page of one or more recordings, in a browser on this machine"),
    "publish": ("publish", "state and events of recordings to MQTT, metrics for Prometheus"),
    "fleet": ("fleet", "all rigs on one page, in a browser"),
    "simulate": ("simulate", "write a labelled ground-truth trace from the cell model"),
    "report": ("report", "write the self-contained report of a trace or run folder"),
    "validate": ("validate", "check whether files are traces that can be used"),
    "convert": ("convert", "write a trace in another form of the Battery Data Format"),
    "calibrate": ("board.calibrate", "two-point calibration of a channel, written into the rig file"),
    "protocol": ("protocol", "write the rig file's test as a file for the cycler"),
    "merge": ("merge", "put a cycler's file and a rig's recording of one test on one time axis"),
    "doctor": ("board.doctor", "check machine and board, and say how to mend what is not fit"),
    "flash": ("board.flash", "put the firmware on a board and see it answer"),
    "status": ("board.status", "ask a board who it is and how it stands"),
    "arm": ("board.arm", "give a board the rig file's limits and close its gate"),
    "disarm": ("board.disarm", "open a board's gate without a trip"),
    "trip": ("board.trip", "emergency stop by hand: open a board's gate and latch it"),
    "reset-trip": ("board.reset_trip", "clear a board's latched trip by its id"),
    "init": ("board.init", "write a commented rig file: cell, limits, front end, port, recording"),
    "image": ("board.image", "find, fetch or build the MicroPython image of the emulated Pico"),
    "completion": ("completion", "print the script that completes verbs and options in a shell"),
}


class _Version(argparse.Action):
    """Print package, firmware and schema versions; import what that takes only now."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        from ccdmon.cli.version import version_text

        print(version_text())
        parser.exit()


def _top_parser() -> Parser:
    width = max(map(len, VERBS))
    verbs = "\n".join(f"  {verb:<{width}}  {line}" for verb, (_, line) in VERBS.items())
    parser = Parser(
        prog="ccdmon",
        description="Watches solid-state battery cells, cuts shorts off and reads the critical current density.",
        epilog=f"verbs:\n{verbs}\n\n`ccdmon help VERB` tells more of one.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "-V", "--version", action=_Version, nargs=0, help="package, firmware and schema versions"
    )
    parser.add_argument("verb", metavar="VERB")
    return parser


def verb_parser(verb: str) -> tuple[Parser, ModuleType]:
    """The parser of one verb and its module; loads what the module needs."""
    module_name, line = VERBS[verb]
    module = importlib.import_module(f"ccdmon.cli.{module_name}")
    parser = Parser(prog=f"ccdmon {verb}", description=f"{line[0].upper()}{line[1:]}.")
    module.add_arguments(parser)
    return parser, module


def _asked_help(argv: list[str]) -> list[str]:
    """`help` and `help VERB` as the options that mean the same."""
    return [*argv[1:2], "--help"] if argv[:1] == ["help"] else argv


def main(argv: Sequence[str] | None = None) -> int:
    """Run one verb; returns the process's exit code (see `ccdmon.errors`)."""
    _open_streams()
    argv = _asked_help(list(sys.argv[1:] if argv is None else argv))
    top = _top_parser()
    args = top.parse_args(argv[:1])
    if args.verb not in VERBS:
        top.error(f"there is no verb {args.verb!r}{nearest(args.verb, VERBS)}")
    parser, module = verb_parser(args.verb)
    try:
        code = int(module.run(parser.parse_args(argv[1:])))
        sys.stdout.flush()
        return code
    except CcdmonError as error:
        tell(f"ccdmon {args.verb}: {error}")
        return error.exit_code
    except KeyboardInterrupt:
        tell(f"ccdmon {args.verb}: interrupted")
        return 130
    except BrokenPipeError:
        # The reader of our output went away (`| head`): not an error of ours.
        sys.stderr.close()
        return 0
    except MemoryError:
        tell(f"ccdmon {args.verb}: not enough memory for this; split the file")
        return EXIT_UNUSABLE
    except Exception as error:  # noqa: BLE001  nobody foresaw it: no verdict, and no traceback
        if isinstance(error, OSError) and error.errno in (errno.ENAMETOOLONG, errno.ELOOP):
            name = str(error.filename)
            tell(f"ccdmon {args.verb}: {name:.80}: {error.strerror}; check the path")
            return EXIT_UNUSABLE
        if not isinstance(error, OSError) or error.errno != errno.ENOSPC:
            return _bug(args.verb, error)
        sys.stdout = None  # what it holds is not tried again at exit
        tell(f"ccdmon {args.verb}: {error.strerror} for what it writes; free some and try again")
        return EXIT_UNUSABLE


def _open_streams() -> None:
    """Standard streams that are closed lead nowhere: no file that is opened later may take their place."""
    import os

    while (descriptor := os.open(os.devnull, os.O_RDWR)) < 3:
        pass
    os.close(descriptor)
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, os.fdopen(os.open(os.devnull, os.O_RDWR), mode, encoding="utf-8"))


def _bug(verb: str, error: Exception) -> int:
    """One line about an exception that nobody foresaw, its traceback in a file."""
    import os
    import tempfile
    import traceback

    from ccdmon.errors import describe

    where = ""
    try:
        handle, path = tempfile.mkstemp(prefix="ccdmon-bug-", suffix=".txt")
        with os.fdopen(handle, "w", encoding="utf-8", errors="replace") as file:
            file.write(f"ccdmon {' '.join(sys.argv[1:])}\n" + "".join(traceback.format_exception(error)))
        where = f"; details in {path}, please report them"
    except OSError:
        pass  # no place to write: the line is all there is
    tell(f"ccdmon {verb}: a bug ({describe(error)}){where}")
    return EXIT_BUG
