"""What `ccdmon record` says while it runs: messages on stderr, and on a terminal a state line that lives below them."""

import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

from ccdmon.run.state_line import state_line

if TYPE_CHECKING:
    from rich.console import Console

SHOWN_EVERY_S = 0.25
State = Callable[[], Mapping[str, Any]]


class Terminal:
    """One console for both: a message goes above the state line, never into it.

    A recorder that nobody looks at for weeks does without the library that draws: 2 MB.
    """

    def __init__(self, console: "Console | None" = None) -> None:
        if console is None and sys.stderr.isatty():
            from rich.console import Console

            console = Console(stderr=True, highlight=False)
        self._out_file = sys.stderr if console is None else console.file
        self._console = console if console is not None and console.is_terminal else None

    def begin(self, line: str) -> None:
        """The first line, as it stands."""
        self._out(f"{line}\n")

    def say(self, line: str) -> None:
        """One message; a trip stands out. A terminal that is gone is told nothing: the recording goes on."""
        if self._console is None:
            self._out(f"ccdmon record: {line}\n")
            return
        style = "bold red" if line.startswith("TRIP ") else ""
        with suppress(OSError):
            self._console.print(f"{time.strftime('%H:%M:%S')} {line}", markup=False, style=style)

    def _out(self, text: str) -> None:
        with suppress(OSError):
            self._out_file.write(text)
            self._out_file.flush()

    @contextmanager
    def state_line(self) -> Iterator[Callable[[State], object]]:
        """Takes `Recording.state`, which it asks now and then; never where stderr is no terminal."""
        if self._console is None:
            yield lambda _state: None
            return
        from rich.live import Live
        from rich.text import Text

        due_s = 0.0
        with Live(console=self._console, auto_refresh=False, transient=True) as live:

            def show(state: State) -> None:
                nonlocal due_s
                if time.monotonic() >= due_s:
                    due_s = time.monotonic() + SHOWN_EVERY_S
                    live.update(Text(state_line(state()), overflow="ellipsis", no_wrap=True), refresh=True)

            yield show
