"""The parser of every verb: errors are one line on stderr, with the nearest name there is."""

import argparse
import re
import sys
from collections.abc import Iterable, Sequence
from typing import Any, NoReturn

from ccdmon.errors import EXIT_UNUSABLE

_OPTION = re.compile(r"(?<![\w-])--[A-Za-z0-9][A-Za-z0-9-]*")


class Parser(argparse.ArgumentParser):
    """An argument parser whose errors are one line on stderr and exit code 2."""

    def parse_args(self, args: Sequence[str] | None = None, namespace: Any = None) -> Any:  # type: ignore[override]
        """As argparse; an option that it does not know is told with the nearest that it does."""
        if (empty := _empty(sys.argv[1:] if args is None else args)) is not None:
            self.error(f"{empty} is empty: a variable that was not set?")
        parsed, unknown = self.parse_known_args(args, namespace)
        if unknown:
            known = set(_OPTION.findall(self.format_help()))
            self.error(f"unrecognized arguments: {' '.join(unknown)}{nearest(unknown[0], known)}")
        return parsed

    def error(self, message: str) -> NoReturn:
        tell(f"{self.prog}: {message} (see {self.prog} --help)")
        raise SystemExit(EXIT_UNUSABLE)


def _empty(words: Sequence[str]) -> str | None:
    """What was given and says nothing, for an empty path would be the current folder; None: all say something."""
    for before, word in zip(["", *words], words, strict=False):
        if word == "":
            return before if before.startswith("--") else "an argument"
        if word.startswith("--") and word.find("=") == len(word) - 1:
            return word[:-1]
    return None


def tell(line: str) -> None:
    """A line about an error; where not even that can be written the exit code says it."""
    try:
        print(line, file=sys.stderr)
    except OSError:
        sys.stderr = None


def nearest(word: str, known: Iterable[str]) -> str:
    """`; did you mean NAME?` with the name closest to `word`, or nothing where none is close."""
    from difflib import get_close_matches

    by_small_letters = {name.lower(): name for name in known}
    close = get_close_matches(word.split("=")[0].lower(), by_small_letters, n=1)
    return f"; did you mean {by_small_letters[close[0]]}?" if close else ""
