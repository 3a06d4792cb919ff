# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
"""Smallest and largest values for plots, compiled: the twin of `_reference_envelope.py`, which explains it."""

from libc.math cimport INFINITY, isfinite
from libc.stdlib cimport free, malloc
from libc.string cimport memcpy, memset

import numpy as np

cdef enum:
    LEVELS = 62  # 2**62 rows


cdef struct Bucket:
    double start_s, end_s, first, lowest, highest, last, lowest_s, highest_s


cdef const double[::1] _column(x):
    try:
        return x
    except (TypeError, ValueError, BufferError):
        return np.ascontiguousarray(x, dtype=np.float64)


cdef class Envelope:
    """First, smallest, largest and last value of one signal over time, at every resolution, in constant memory."""

    cdef Bucket* _levels[LEVELS]
    cdef double _time_last
    cdef readonly long long buckets, rows

    def __cinit__(self, long long buckets=1024):
        memset(self._levels, 0, sizeof(self._levels))
        if buckets < 2:
            raise ValueError(f"an envelope needs at least 2 buckets, not {buckets}")
        self.buckets = 1 << (int(buckets) - 1).bit_length()
        self.rows = 0
        self._time_last = -INFINITY

    def __dealloc__(self):
        cdef int level
        for level in range(LEVELS):
            free(self._levels[level])

    def feed(self, time_s, value):
        """Take rows; a value that is not finite is left out."""
        cdef const double[::1] t = _column(time_s)
        cdef const double[::1] y = _column(value)
        cdef Py_ssize_t k, n = t.shape[0]
        if y.shape[0] != n:
            raise ValueError("all columns must have the same length")
        self._make_room(self.rows + n)
        with nogil:
            for k in range(n):
                self._row(t[k], y[k])

    def view(self, double start_s=-INFINITY, double end_s=INFINITY, long long most=1024):
        """The finest at most `most` buckets that cover the span, `ENVELOPE_FIELDS` each."""
        cdef long long first = 0, stop = 0, k
        cdef int level = 0
        cdef Bucket bucket
        if most < 1:
            raise ValueError(f"a view needs at least 1 bucket, not {most}")
        while not self._fits(level, start_s, end_s, most):
            level += 1
        self._span(level, start_s, end_s, &first, &stop)
        found = np.empty((stop - first, 8), dtype=np.float64)
        cdef double[:, ::1] rows = found
        for k in range(first, stop):
            bucket = self._at(level, k)
            memcpy(&rows[k - first, 0], &bucket, sizeof(Bucket))
        return found

    cdef int _make_room(self, long long rows) except -1:
        """The rings of all levels that so many rows will need; pages that are not used cost nothing."""
        cdef int level = 0
        while rows >> level > 0:
            if self._levels[level] == NULL:
                self._levels[level] = <Bucket*>malloc(self.buckets * sizeof(Bucket))
                if self._levels[level] == NULL:
                    raise MemoryError
            level += 1
        return 0

    cdef void _row(self, double t, double y) noexcept nogil:
        cdef Bucket bucket
        cdef int level
        cdef long long count, k
        if not isfinite(t) or t < self._time_last:
            t = self._time_last
        if not (isfinite(y) and isfinite(t)):
            return
        self._time_last = t
        bucket = Bucket(t, t, y, y, y, y, t, t)
        self._levels[0][self.rows & (self.buckets - 1)] = bucket
        self.rows += 1
        level = 0
        count = self.rows
        while count & 1 == 0:
            k = count - 2
            bucket = _merged(
                &self._levels[level][k & (self.buckets - 1)], &self._levels[level][(k + 1) & (self.buckets - 1)]
            )
            level += 1
            count >>= 1
            self._levels[level][(count - 1) & (self.buckets - 1)] = bucket

    cdef Bucket _at(self, int level, long long k) noexcept nogil:
        """Bucket k of a level; the one after the last whole one is what the rows since then make."""
        cdef int below
        cdef Bucket last, rest
        if k < self.rows >> level:
            return self._levels[level][k & (self.buckets - 1)]
        below = level - 1
        while self.rows >> below & 1 == 0:
            below -= 1
        last = self._at(below, (self.rows >> below) - 1)
        if self.rows & ((<long long>1 << below) - 1) == 0:
            return last
        rest = self._at(below, self.rows >> below)
        return _merged(&last, &rest)

    cdef void _span(self, int level, double start_s, double end_s, long long* first, long long* stop) noexcept nogil:
        """The buckets [first, stop) of a level that touch the span."""
        cdef long long whole, oldest, count, low, high, middle
        whole = self.rows >> level
        oldest = whole - self.buckets if whole > self.buckets else 0
        count = whole + (1 if self.rows & ((<long long>1 << level) - 1) else 0)
        low = oldest
        high = count
        while low < high:
            middle = (low + high) >> 1
            if self._at(level, middle).end_s < start_s:
                low = middle + 1
            else:
                high = middle
        first[0] = low
        high = count
        while low < high:
            middle = (low + high) >> 1
            if self._at(level, middle).start_s <= end_s:
                low = middle + 1
            else:
                high = middle
        stop[0] = low

    cdef bint _fits(self, int level, double start_s, double end_s, long long most) noexcept nogil:
        cdef long long whole, first = 0, stop = 0
        whole = self.rows >> level
        if whole > self.buckets and self._at(level, whole - self.buckets).start_s > start_s:
            return False  # the ring of this level has forgotten the start
        self._span(level, start_s, end_s, &first, &stop)
        return stop - first <= most


cdef Bucket _merged(const Bucket* a, const Bucket* b) noexcept nogil:
    cdef const Bucket* low
    cdef const Bucket* high
    low = b if b.lowest < a.lowest else a
    high = b if b.highest > a.highest else a
    return Bucket(a.start_s, b.end_s, a.first, low.lowest, high.highest, b.last, low.lowest_s, high.highest_s)
