"""`ccdmon watch`: the live page of one or more recordings, in a browser on this machine."""

import argparse
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ccdmon.errors import EXIT_DEVICE, EXIT_FINE, DeviceError, InputError

START_LIMIT_S = 30.0
DEFAULT_HTTP_PORT = 5006
TOKEN_SETTING = "CCDMON_CONTROL_TOKEN"
_OWN_GROUP = getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0)  # Windows; else its session is its own
LEAST_TOKEN, MOST_TOKEN = 8, 1000


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("folders", nargs="*", type=Path, metavar="DIR", help="run folders, one rig each")
    parser.add_argument("--port", metavar="P", help="record the board on this port, too, and watch it")
    parser.add_argument("--out", type=Path, metavar="DIR", help="run folder of --port")
    parser.add_argument("--rig-file", type=Path, metavar="FILE", help="rig file of --port")
    parser.add_argument(
        "--token-file",
        type=Path,
        metavar="FILE",
        help=f"show disarm, trip and reset-trip to whoever types its first line on the page (or {TOKEN_SETTING})",
    )
    parser.add_argument("--token", help=argparse.SUPPRESS)
    parser.add_argument(
        "--http-port",
        type=http_port,
        default=DEFAULT_HTTP_PORT,
        metavar="N",
        help="default %(default)s; 0 takes a free one",
    )
    parser.add_argument(
        "--address", default="127.0.0.1", metavar="A", help="default %(default)s: this machine only"
    )


def http_port(text: str) -> int:
    """0 to 65535, for argparse."""
    if not 0 <= int(text) < 1 << 16:
        raise argparse.ArgumentTypeError(f"{text} is no port; name one from 0 to 65535")
    return int(text)


def run(args: argparse.Namespace) -> int:
    """Serve until Ctrl-C."""
    if not args.folders and not args.port:
        raise InputError("name a run folder to watch, or a board with --port")
    for folder in args.folders:
        if not folder.is_dir():
            raise InputError(f"{folder}: there is no such folder; `ccdmon record --out {folder}` makes one")
    token = control_token(args)
    asked = [signal.SIGINT]  # how it is ended, at last
    with _recorder(args, asked) as recorded:
        from ccdmon.live.server import WatchServer

        server = WatchServer(
            [*args.folders, *recorded], address=args.address, port=args.http_port, token=token
        )
        print(f"watching at {server.url}; Ctrl-C ends it", file=sys.stderr, flush=True)

        def stop(number: int, _frame: object) -> None:
            asked.append(signal.Signals(number))
            server.stop()

        signal.signal(signal.SIGTERM, stop)
        signal.signal(signal.SIGINT, stop)
        server.run()
    return EXIT_FINE


def control_token(args: argparse.Namespace) -> str | None:
    """The token that unlocks the page's controls; None: there are none. Raises `InputError`."""
    if args.token is not None:
        raise InputError(
            "--token: a command line is seen by everybody on this machine; write the text into a file "
            f"of your own and name it with --token-file, or set {TOKEN_SETTING}"
        )
    token, where = os.environ.get(TOKEN_SETTING), TOKEN_SETTING
    if args.token_file is not None:
        token, where = _token_of(args.token_file), f"--token-file {args.token_file}"
    if token is not None and len(token) < LEAST_TOKEN:
        raise InputError(f"{where}: use at least {LEAST_TOKEN} characters")
    return token


def _token_of(path: Path) -> str:
    try:
        with path.open(encoding="utf-8") as file:
            if os.name == "posix" and os.fstat(file.fileno()).st_mode & 0o077:
                raise InputError(f"--token-file {path}: others may read it; run `chmod 600 {path}`")
            return file.readline(MOST_TOKEN).strip()
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is no text"
        raise InputError(f"--token-file {path}: cannot be read ({why}); name a file of one line") from error


@contextmanager
def _recorder(args: argparse.Namespace, asked: list[signal.Signals]) -> Iterator[list[Path]]:
    """A recorder of its own process for `--port`: a page that fails must not end a recording.

    It is ended by the last signal in `asked`, and Ctrl-C then skips its report.
    """
    if not args.port:
        yield []
        return
    folder = args.out or Path("ccdmon-runs") / time.strftime("watch-%Y%m%d-%H%M%S")
    command = [sys.executable, "-m", "ccdmon", "record", "--port", args.port, "--out", str(folder)]
    command += [] if args.rig_file is None else ["--rig-file", str(args.rig_file)]
    process = subprocess.Popen(command, start_new_session=True, creationflags=_OWN_GROUP)
    try:
        _wait_for(folder, process)
        yield [folder]
    finally:
        process.send_signal(getattr(signal, "CTRL_BREAK_EVENT", asked[-1]))  # Windows sends no other
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda sent, _frame: process.send_signal(sent))
        process.wait()


def _wait_for(folder: Path, process: "subprocess.Popen[bytes]") -> None:
    until_s = time.monotonic() + START_LIMIT_S
    while not (folder / "run.toml").is_file():
        if process.poll() is not None:
            error = DeviceError(f"{folder}: the recorder ended (see its message above)")
            error.exit_code = process.returncode or EXIT_DEVICE
            raise error
        if time.monotonic() > until_s:
            raise DeviceError(f"{folder}: the recorder does not begin")
        time.sleep(0.05)
