"""The reference twin: the modules of the streaming analysis interpreted as they stand, and their class of Python.

`import ccd_fastcore._stream` finds the compiled module; here the source beside it is loaded, under the names
`ccd_fastcore._interpreted._stream` and so on, so that `from . import` leads from one to the next.
"""

import importlib.util
import math
import re
import struct
import sys
from collections.abc import Iterable, Sequence
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

Column = Iterable[float]
Records = tuple[list[Sequence[float]], list[Sequence[float]]]

_HERE = Path(__file__).parent
_CODES = {"long long": "q", "double": "d", "int": "i"}


def source_of(name: str) -> ModuleType:
    """The module `name` of this package from its source, though there is a compiled one."""
    spec = importlib.util.spec_from_file_location(f"{__name__}.{name}", _HERE / f"{name}.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    setattr(sys.modules[__name__], name, module)
    spec.loader.exec_module(module)
    return module


@cache
def fields_of(pxd: str, struct: str) -> list[tuple[str, str, tuple[int, ...]]]:
    """(name, code of `struct`, lengths of an array) of each field of a C struct, read from the file that has it."""
    text = (_HERE / pxd).read_text(encoding="utf-8")
    body = re.search(rf"^cdef struct {struct}\b.*\n((?:    .*\n)+)", text, re.MULTILINE)
    assert body is not None
    fields = []
    for kind, names in re.findall(r"^    (long long|double|int) ([^#\n]+)", body[1], re.MULTILINE):
        for name, lengths in re.findall(r"(\w+)((?:\[\d+\])*)", names):
            fields.append((name, _CODES[kind], tuple(map(int, re.findall(r"\d+", lengths)))))
    return fields


def zeros(code: str, lengths: tuple[int, ...]) -> Any:
    """A field's value at first: lists stand in for arrays."""
    if lengths:
        return [zeros(code, lengths[1:]) for _ in range(lengths[0])]
    return 0.0 if code == "d" else 0


_ALL = fields_of("_state.pxd", "state_t")
_SAVED = _ALL[: [name for name, _, _ in _ALL].index("segment")]
_LAYOUT = "=" + "".join(f"{math.prod(lengths)}{code}" for _, code, lengths in _SAVED)
STATE_BYTES = struct.calcsize(_LAYOUT)


class State:
    """The fields of `_state.pxd`, where they are explained: all zero at first."""

    __slots__ = tuple(name for name, _, _ in _ALL)

    def __init__(self) -> None:
        for name, code, lengths in _ALL:
            setattr(self, name, zeros(code, lengths))

    if TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any: ...
        def __setattr__(self, name: str, value: Any) -> None: ...


if TYPE_CHECKING:
    from . import _segment, _steps, _stream
    from . import _summary as _summary
else:  # first those that import none of the others
    _steps, _segment, _steady, _stream, _few, _summary = map(
        source_of, ("_steps", "_segment", "_steady", "_stream", "_few", "_summary")
    )


class Stream:
    """State of one channel. `mode` indexes `MODES`: in a full cell |V| is looked at, else V along the current."""

    def __init__(self, mode: int = 0) -> None:
        self.s = State()
        self.s.mode = mode

    def feed(
        self,
        time_s: Column,
        voltage_V: Column,
        current_A: Column,
        pressure_Pa: Column | None = None,
    ) -> Records:
        """Take rows. Returns what they completed: segment and step records."""
        t, v, i = ([float(x) for x in column] for column in (time_s, voltage_V, current_A))
        p = None if pressure_Pa is None else [float(x) for x in pressure_Pa]
        if not len(t) == len(v) == len(i) or (p is not None and len(p) != len(t)):
            raise ValueError("all columns must have the same length")
        records: Records = ([], [])
        at = [0]
        while at[0] < len(t):
            self._collect(_stream.run(self.s, t, v, i, p, len(t), at), records)
        return records

    def finish(self) -> Records:
        """Close what is open: (segments, steps). The stream takes no more rows."""
        records: Records = ([], [])
        self._collect(_stream.finish(self.s), records)
        return records

    @property
    def running(self) -> tuple[int, int] | None:
        """First and last row of the segment that is running; None before the first row."""
        return (self.s.first_row, self.s.last_row) if self.s.n > 0 else None

    def save(self) -> bytes:
        """The whole state as bytes, to `restore` on the same kind of machine; the compiled twin's are the same."""
        values = [getattr(self.s, name) for name, _, _ in _SAVED]
        return struct.pack(_LAYOUT, *(x for v in values for x in (v if isinstance(v, list) else [v])))

    def restore(self, state: bytes) -> None:
        """Take over a saved state. Raises ValueError for bytes of another version."""
        if len(state) != STATE_BYTES:
            raise ValueError(f"a saved state has {STATE_BYTES} bytes, not {len(state)}")
        values = iter(struct.unpack(_LAYOUT, state))
        for name, _, lengths in _SAVED:
            setattr(self.s, name, [next(values) for _ in range(*lengths)] if lengths else next(values))

    def _collect(self, flags: int, records: Records) -> None:
        if flags & _steps.STEP:
            records[1].append(tuple(map(float, self.s.step)))
        if flags & _segment.SEGMENT:
            records[0].append(tuple(map(float, self.s.segment)))


def _number(name: str, kind: type) -> Any:
    at = tuple(_segment.SEGMENT_FIELDS).index(name)
    return property(lambda named: kind(named.record[at]))


class Named:
    """A segment's record with its numbers by their names; see `_core.pyi`."""

    __slots__ = (
        "after_gap", "before_gap", "cycle", "duration_s", "index", "level_A", "record", "resistance_end_ohm",
        "resistance_start_ohm",
    )  # fmt: skip

    for _name in (
        "start_s", "end_s", "current_A", "charge_C", "voltage_mean_V", "start_V", "end_V", "noise_V", "highest_V",
        "current_end_A", "interval_s", "pressure_start_Pa", "pressure_end_Pa",
    ):  # fmt: skip
        locals()[_name] = _number(_name, float)
    for _name in ("first_row", "last_row", "rows", "rows_highest", "stuck_rows"):
        locals()[_name] = _number(_name, int)

    def __init__(self, record: Sequence[float], *, after_gap: bool = False, before_gap: bool = False) -> None:
        self.record, self.after_gap, self.before_gap, self.index, self.cycle = (
            record,
            after_gap,
            before_gap,
            0,
            0,
        )
        level_A = self.level_A = abs(record[6])
        self.duration_s = record[7] / level_A if level_A else 0.0
        self.resistance_start_ohm, self.resistance_end_ohm = (
            record[k] / level_A if level_A else math.nan for k in (9, 10)
        )


def add_known(column: Column, total: float) -> tuple[float, int]:
    """`total` plus the finite values of a column of shape (n,), one after the other, and how many there were."""
    count = 0
    for value in map(float, column):
        if math.isfinite(value):
            total += value
            count += 1
    return total, count


def feed_many(
    streams: list[Stream], time_s: Sequence[Column], voltage_V: Sequence[Column], current_A: Sequence[Column]
) -> list[Records]:
    """Rows of many channels in one call: columns of shape (channels, rows), one `Stream` each.

    Returns a list of what `Stream.feed` returns. Raises ValueError for shapes that do not agree.
    """
    if not len(streams) == len(time_s) == len(voltage_V) == len(current_A):
        raise ValueError("time, voltage and current need the shape (channels, rows)")
    return [s.feed(t, v, i) for s, t, v, i in zip(streams, time_s, voltage_V, current_A, strict=True)]
