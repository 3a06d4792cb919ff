"""One trace judged: a row of the catalogue, or a row with what is wrong with it. Nothing that a file holds raises."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from ccdmon.analysis.impedance.comparison import Comparison, compare
from ccdmon.catalogue.columns import EVENT_LIST, EVENTS, HALF_CYCLE_LIST, HALF_CYCLES, of_document, only
from ccdmon.catalogue.keys import Task
from ccdmon.errors import CcdmonError, InputError, describe
from ccdmon.formats.impedance.files import read_eis, read_pair
from ccdmon.model.trace import Trace
from ccdmon.run.analysed import analysed
from ccdmon.run.sources import Source, source_of
from ccdmon.version import __version__

Row = dict[str, Any]
# The sidecar's own notes of an import are the file's story, not the cell's.
_NOT_OF_CELL = ("import",)


def judged(task: Task, options: Mapping[str, Any]) -> Row:
    """The row of one task; `options` as `keys.task_of` knows them."""
    try:
        return known(task) | _analysed(task, options)
    except CcdmonError as error:
        missing = not Path(task.path).exists()
        return failed(task, "missing" if missing else "unreadable", str(error))
    except MemoryError:
        return failed(task, "killed", "not enough memory for this; split the file")
    except OSError as error:
        return failed(task, "missing", f"{error.strerror or error}; check the path")
    except Exception as error:  # noqa: BLE001  one file's surprise is no other file's end
        return failed(task, "bug", f"a bug ({describe(error)})")


def known(task: Task) -> Row:
    """What is known of a task before it is judged."""
    return {
        "key": task.key,
        "inputs": task.inputs,
        "sha256": task.sha256,
        "core": task.core,
        "software": __version__,
    }


def failed(task: Task, kind: str, error: str) -> Row:
    """A row without a verdict; its error names no file, whose row it is."""
    return known(task) | {"error_kind": kind, "error": error.removeprefix(f"{task.path}: ")}


def _analysed(task: Task, options: Mapping[str, Any]) -> Row:
    path = Path(task.path)
    if path.exists() and not (path.is_file() or path.is_dir()):  # reading a pipe would wait for ever
        raise InputError(f"{path}: no regular file; save what it gives as one")
    source = _Counted(source_of(task.path, columns=options["columns"], salvage=options["salvage"]))
    impedance, notes = _impedance(task, options)
    found = analysed(
        source,
        drawn=False,
        area_cm2=options["area_cm2"],
        impedance=impedance,
        min_probability=options["min_probability"],
    )
    document, cell = found.document, found.trace.cell
    told = list(dict.fromkeys([*found.trace.notes, *(document.get("notes") or ()), *notes]))
    metadata = {key: value for key, value in cell.metadata.items() if key not in _NOT_OF_CELL}
    return of_document(document) | {
        "notes": told,
        "rows": source.rows,
        "half_cycles": len(document["half_cycles"]),
        "events": len(document["events"]),
        "configuration": cell.configuration,
        "electrolyte": cell.electrolyte,
        "cell": json.dumps(metadata, sort_keys=True),
        EVENT_LIST: [_event(event) for event in document["events"]],
        HALF_CYCLE_LIST: [only(half_cycle, HALF_CYCLES) for half_cycle in document["half_cycles"]],
    }


class _Counted(Source):
    """A source whose rows are counted as they pass."""

    def __init__(self, source: Source) -> None:
        self._source, self.rows = source, 0
        self.run = source.run

    def traces(self) -> Iterator[Trace]:
        self.rows = 0
        for trace in self._source.traces():
            self.rows += len(trace)
            self.place = self._source.place
            yield trace


def _event(event: Mapping[str, Any]) -> Row:
    return only(event, EVENTS) | {"evidence": json.dumps(event.get("evidence", {}), sort_keys=True)}


def _impedance(task: Task, options: Mapping[str, Any]) -> tuple[Comparison, tuple[str, ...]]:
    """The spectra beside the trace, compared; one file with a single spectrum is one before the test."""
    if task.eis_before is None and task.eis_after is None:
        return compare(None, None), ()
    after, columns = task.eis_after, options["eis_columns"]
    if after is not None and after == task.eis_before and len(read_eis(after, columns).spectra) < 2:
        after = None
    pair = read_pair(task.eis_before, after, columns, options["eis_select"])
    names = [Path(path).name for path in (task.eis_before, after) if path is not None]
    return compare(pair.before, pair.after, pair.series), (
        f"impedance of {' and '.join(dict.fromkeys(names))}",
        *pair.notes,
    )
