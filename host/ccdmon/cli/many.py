"""`ccdmon analyze --catalogue`: thousands of traces, each a row; what was wrong with one is told, never the end."""

import argparse
import json
import sys
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from ccdmon.catalogue.build import Built, Order, build
from ccdmon.catalogue.tables import RUNS_FILE, outcomes
from ccdmon.errors import EXIT_FINE, EXIT_NEGATIVE, EXIT_UNUSABLE, InputError

SCHEMA = "ccdmon.catalogue/1"
SHOWN_EVERY_S = 0.5


def run_many(args: argparse.Namespace) -> int:
    """Exit 2 if any of the files named was unreadable, else 1 if any cell failed."""
    order = _order(args)
    progress = _Progress()
    built = build(order, progress.more)
    progress.end()
    told = _told(order, built)
    for file, error in told.unreadable:
        print(f"{file}: {error}", file=sys.stderr)
    print(json.dumps(told.document) if args.json else told.text)
    if not built.files:
        raise InputError(
            f"{', '.join(args.traces)}: no trace below; name folders with traces or cyclers' files"
        )
    if told.unreadable:
        return EXIT_UNUSABLE
    return EXIT_NEGATIVE if told.verdicts["failed"] else EXIT_FINE


def _order(args: argparse.Namespace) -> Order:
    for option in ("out", "eis", "eis_before", "eis_after"):
        if getattr(args, option) is not None:
            raise InputError(
                f"--{option.replace('_', '-')}: is of one trace; a catalogue takes NAME.eis-before.csv and "
                "NAME.eis-after.csv from beside each"
            )
    if args.jobs < 1:
        raise InputError(f"--jobs {args.jobs}: a number of processes from 1")
    if "-" in args.traces:
        raise InputError("-: a catalogue knows files by their names; save what comes on stdin as one")
    own = args.catalogue.resolve()
    if any(Path(name).resolve() == own for name in args.traces):
        raise InputError(f"--catalogue {args.catalogue}: is the folder of the traces; choose one of its own")
    if args.jobs > 1 and args.cluster is not None:
        raise InputError("--jobs: is of this machine, --cluster of another; give one of them")
    names = ("area_cm2", "columns", "salvage", "eis_columns", "eis_select", "min_probability")
    options = {name: getattr(args, name) for name in names}
    return Order(args.traces, args.catalogue, options, args.jobs, args.cluster, args.again)


@dataclass(frozen=True)
class _Told:
    document: dict[str, object]
    text: str
    verdicts: Counter[str]
    unreadable: list[tuple[str, str]]


def _told(order: Order, built: Built) -> _Told:
    """What came of the files of this call."""
    verdicts: Counter[str] = Counter()
    unreadable = []
    for file, verdict, error in outcomes(order.folder, built.files):
        if error is None:
            verdicts[verdict or "not_judged"] += 1
        else:
            unreadable.append((file, error))
    counts = {"files": len(built.files), "judged": built.judged, "unreadable": len(unreadable)}
    document = {
        "schema": SCHEMA, "catalogue": str(order.folder), **counts, "verdicts": dict(sorted(verdicts.items())),
        "errors": [{"file": file, "error": error} for file, error in unreadable],
    }  # fmt: skip
    found = ", ".join(f"{number} {verdict}" for verdict, number in sorted(verdicts.items()))
    text = (
        f"{order.folder / RUNS_FILE}: {counts['files']} files ({counts['judged']} judged now): "
        f"{found or 'none judged'}, {counts['unreadable']} unreadable"
    )
    return _Told(document, text, verdicts, unreadable)


class _Progress:
    """A line on a terminal that counts."""

    def __init__(self) -> None:
        self._done, self._due_s = 0, 0.0
        self._write: Callable[[str], object] | None = sys.stderr.write if sys.stderr.isatty() else None

    def more(self, count: int) -> None:
        """So many more are judged."""
        self._done += count
        if self._write is not None and time.monotonic() >= self._due_s:
            self._due_s = time.monotonic() + SHOWN_EVERY_S
            self._write(f"\r{self._done} judged")
            sys.stderr.flush()

    def end(self) -> None:
        """The line makes room."""
        if self._write is not None:
            self._write("\r\x1b[K")
