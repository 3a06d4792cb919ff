# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
"""The streaming analysis as a class of Python: columns in, records out. The algorithm is `_stream.py`, compiled."""

from cpython.buffer cimport PyBuffer_Release
from libc.math cimport NAN, fabs, isfinite
from libc.stdlib cimport free, malloc
from libc.string cimport memcpy, memset

import numpy as np

cimport ccd_fastcore._segment as segment
cimport ccd_fastcore._steps as steps
cimport ccd_fastcore._stream as stream
from ccd_fastcore._columns cimport open_column
from ccd_fastcore._state cimport state_t

from ccd_fastcore._interpreted import STATE_BYTES as _STATE_BYTES

cdef Py_ssize_t STATE_BYTES = _STATE_BYTES  # what lies before the records


cdef _collect(state_t* s, int flags, tuple records):
    if flags & steps.STEP:
        (<list>records[1]).append(_record(s.step, 14))
    if flags & segment.SEGMENT:
        (<list>records[0]).append(_record(s.segment, 37))


cdef class Record:
    """The numbers of a segment or step: a sequence of floats that are made when asked for.

    A tuple of them holds three times the memory and takes as long to make as the analysis of a hundred rows.
    """

    cdef int count
    cdef double values[37]

    def __len__(self):
        return self.count

    def __getitem__(self, at):
        cdef Py_ssize_t k
        if isinstance(at, slice):
            return tuple([self.values[k] for k in range(*at.indices(self.count))])
        k = at
        if k < 0:
            k += self.count
        if not 0 <= k < self.count:
            raise IndexError(f"a record of {self.count} numbers has no place {at}")
        return self.values[k]

    def __iter__(self):
        return iter(self[:])

    def __eq__(self, other):
        return self[:] == (other[:] if isinstance(other, Record) else other)

    __hash__ = None

    def __repr__(self):
        return repr(self[:])


cdef Record _record(const double* values, int count):
    cdef Record record = Record.__new__(Record)
    record.count = count
    memcpy(record.values, values, count * sizeof(double))
    return record


cdef class Named:
    """See `_core.pyi`."""

    cdef Record numbers
    cdef public int index, cycle
    cdef public bint after_gap, before_gap
    cdef readonly double level_A, duration_s, resistance_start_ohm, resistance_end_ohm

    def __init__(self, record, *, bint after_gap=False, bint before_gap=False):
        cdef double level
        self.numbers = record if type(record) is Record else _record_of(record)
        self.after_gap = after_gap
        self.before_gap = before_gap
        level = fabs(self.numbers.values[6])
        self.level_A = level
        self.duration_s = self.numbers.values[7] / level if level else 0.0
        self.resistance_start_ohm = self.numbers.values[9] / level if level else NAN
        self.resistance_end_ohm = self.numbers.values[10] / level if level else NAN

    @property
    def record(self):
        return self.numbers

    @property
    def first_row(self):
        return <long long>self.numbers.values[0]

    @property
    def last_row(self):
        return <long long>self.numbers.values[1]

    @property
    def rows(self):
        return <long long>self.numbers.values[2]

    @property
    def start_s(self):
        return self.numbers.values[3]

    @property
    def end_s(self):
        return self.numbers.values[4]

    @property
    def current_A(self):
        return self.numbers.values[6]

    @property
    def charge_C(self):
        return self.numbers.values[7]

    @property
    def voltage_mean_V(self):
        return self.numbers.values[8]

    @property
    def start_V(self):
        return self.numbers.values[9]

    @property
    def end_V(self):
        return self.numbers.values[10]

    @property
    def noise_V(self):
        return self.numbers.values[11]

    @property
    def highest_V(self):
        return self.numbers.values[12]

    @property
    def rows_highest(self):
        return <long long>self.numbers.values[13]

    @property
    def current_end_A(self):
        return self.numbers.values[14]

    @property
    def interval_s(self):
        return self.numbers.values[16]

    @property
    def pressure_start_Pa(self):
        return self.numbers.values[17]

    @property
    def pressure_end_Pa(self):
        return self.numbers.values[18]

    @property
    def stuck_rows(self):
        return <long long>self.numbers.values[20]


cdef Record _record_of(numbers):
    cdef double values[37]
    cdef int k = 0
    if len(numbers) > 37:
        raise ValueError(f"a record has at most 37 numbers, not {len(numbers)}")
    for x in numbers:
        values[k] = x
        k += 1
    return _record(values, k)


cdef const double[::1] _column(x):
    try:
        return x
    except (TypeError, ValueError, BufferError):
        return np.ascontiguousarray(x, dtype=np.float64)


def add_known(column, double total):
    """`total` plus the finite values of a column of shape (n,), one after the other, and how many there were."""
    cdef const double[::1] x = _column(column)
    cdef Py_ssize_t k
    cdef long long count = 0
    with nogil:
        for k in range(x.shape[0]):
            if isfinite(x[k]):
                total += x[k]
                count += 1
    return total, count


cdef class Stream:
    """State of one channel; see `_core.pyi`. Memory does not grow with the rows."""

    cdef state_t s

    def __init__(self, int mode=0):
        memset(&self.s, 0, sizeof(state_t))
        self.s.mode = mode

    def feed(self, time_s, voltage_V, current_A, pressure_Pa=None):
        """Take rows: float64 arrays of shape (n,). Returns what they completed: (segments, steps)."""
        cdef Py_buffer columns[4]
        cdef int opened = 0, k
        records = ([], [])
        try:
            for column in (time_s, voltage_V, current_A):
                open_column(column, &columns[opened])
                opened += 1
            if pressure_Pa is not None:
                open_column(pressure_Pa, &columns[3])
                opened += 1
            self._take(columns, opened, records)
        finally:
            for k in range(opened):
                PyBuffer_Release(&columns[k])
        return records

    cdef _take(self, const Py_buffer* columns, int opened, tuple records):
        cdef const double* p = <const double*>columns[3].buf if opened == 4 else NULL
        cdef Py_ssize_t n = columns[0].len // 8, at = 0
        cdef int flags, k
        for k in range(1, opened):
            if columns[k].len != columns[0].len:
                raise ValueError("all columns must have the same length")
        while at < n:
            with nogil:
                flags = stream.run(
                    &self.s, <const double*>columns[0].buf, <const double*>columns[1].buf,
                    <const double*>columns[2].buf, p, n, &at
                )
            if flags:
                _collect(&self.s, flags, records)

    def finish(self):
        """Close what is open: (segments, steps). The stream takes no more rows."""
        records = ([], [])
        _collect(&self.s, stream.finish(&self.s), records)
        return records

    @property
    def running(self):
        """First and last row of the segment that is running; None before the first row."""
        return (self.s.first_row, self.s.last_row) if self.s.n > 0 else None

    def save(self):
        """The whole state as bytes, to `restore` later on the same kind of machine."""
        return (<char*>&self.s)[:STATE_BYTES]

    def restore(self, bytes state):
        """Take over a saved state. Raises ValueError for bytes of another version."""
        if len(state) != STATE_BYTES:
            raise ValueError(f"a saved state has {STATE_BYTES} bytes, not {len(state)}")
        memcpy(&self.s, <const char*>state, STATE_BYTES)


def feed_many(list streams, time_s, voltage_V, current_A):
    """Rows of many channels in one call: float64 arrays of shape (channels, rows), one `Stream` each.

    Returns a list of what `Stream.feed` returns. Raises ValueError for shapes that do not agree.
    """
    cdef const double[:, ::1] t = np.ascontiguousarray(time_s, dtype=np.float64)
    cdef const double[:, ::1] v = np.ascontiguousarray(voltage_V, dtype=np.float64)
    cdef const double[:, ::1] i = np.ascontiguousarray(current_A, dtype=np.float64)
    cdef Py_ssize_t channels = len(streams), n = t.shape[1], c, k
    cdef int flags
    cdef state_t** states
    if not (t.shape[0] == v.shape[0] == i.shape[0] == channels and v.shape[1] == n and i.shape[1] == n):
        raise ValueError("time, voltage and current need the shape (channels, rows)")
    found = [([], []) for _ in range(channels)]
    states = <state_t**>malloc((channels + 1) * sizeof(state_t*))
    if states == NULL:
        raise MemoryError
    try:
        for c in range(channels):
            states[c] = &(<Stream?>streams[c]).s
        with nogil:
            for c in range(channels):
                k = 0
                while k < n:
                    flags = stream.run(states[c], &t[c, 0], &v[c, 0], &i[c, 0], NULL, n, &k)
                    if flags:
                        with gil:
                            _collect(states[c], flags, found[c])
    finally:
        free(states)
    return found
