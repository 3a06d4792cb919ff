# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
"""The level as classes of Python: blocks in, levels out. The algorithms are `_level.py` and `_kept.py`, compiled."""

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize
from libc.math cimport NAN, isnan
from libc.string cimport memcpy, memset

import numpy as np

cimport ccd_fastcore._filters as filters
cimport ccd_fastcore._kept as kept
cimport ccd_fastcore._learning as learning
cimport ccd_fastcore._level as level
from ccd_fastcore._level_state cimport half_t, kept_t, level_t, seen_t

cdef enum:
    MOST = 64  # blocks of a half-cycle
    HEAD = 5  # numbers before a segment's blocks, see `_blocks.pyi`
    LEAST_FIELDS = 9  # of a block
    COLUMNS = 5  # of what is told of a half-cycle

FILTERS = filters.FILTERS
LEVEL_BYTES = sizeof(level_t) + sizeof(kept_t)


cdef class Filters:
    """As `_levels.pyi` says."""

    cdef double currents_A[9]

    def __cinit__(self):
        memset(self.currents_A, 0, sizeof(self.currents_A))

    def passed(self, double amperes, double lasted_s):
        """As `_levels.pyi` says."""
        filters.passed(self.currents_A, amperes, lasted_s)

    def answers(self, double amperes, begin_s, stop_s):
        """As `_levels.pyi` says."""
        cdef const double[::1] begin = begin_s
        cdef const double[::1] stop = stop_s
        cdef Py_ssize_t n = begin.shape[0], k
        cdef double left[9]
        cdef double away[9]
        found = np.empty((n, filters.FILTERS))
        cdef double[:, ::1] out = found
        if stop.shape[0] != n:
            raise ValueError("as many ends as beginnings")
        filters.beside(self.currents_A, amperes, away)
        for k in range(n):
            filters.answers(away, begin[k], stop[k], k > 0 and begin[k] == stop[k - 1], left, &out[k, 0])
        return found


cdef class Level:
    """As `_levels.pyi` says."""

    cdef level_t s

    def __init__(
        self, double least_A, double most_ohm, double fall, double spike_noise, double hard_remains, double unknown
    ):
        memset(&self.s, 0, sizeof(level_t))
        self.s.least_A = least_A
        self.s.most_ohm = most_ohm
        self.s.fall = fall
        self.s.spike_noise = spike_noise
        self.s.hard_remains = hard_remains
        self.s.unknown = unknown
        level.start(&self.s)

    def feed(self, summary, bytes told, bint flows):
        """As `_levels.pyi` says."""
        cdef half_t h
        cdef const double* x = <const double*>PyBytes_AS_STRING(told)
        cdef Py_ssize_t numbers = len(told) // sizeof(double) - HEAD
        cdef Py_ssize_t n = <Py_ssize_t>x[0] if numbers > 0 else 0
        cdef bytes found
        if not 1 <= n <= MOST or numbers % n or numbers // n < LEAST_FIELDS:
            raise ValueError("not what RowBlocks told of a segment")
        h.n = <int>n
        h.start_s = summary.start_s
        h.end_s = summary.end_s
        h.count = summary.count
        h.sign = summary.sign
        h.flows = flows
        h.current_A = summary.current_A
        h.charge_C = summary.charge_C
        h.noise_V = summary.noise_V
        h.middle_V = summary.middle_V
        h.after_gap = summary.after_gap
        if not level.feed(&self.s, &h, x + HEAD):
            return None
        found = PyBytes_FromStringAndSize(NULL, COLUMNS * n * sizeof(double))
        level.write(&h, x + HEAD, <double*>PyBytes_AS_STRING(found))
        dips = [h.dips[k] for k in range(h.dips_n)] if h.dips_n else None
        lower_half_ohm = learning.lower_half_ohm(&self.s, &h)
        first_s = (<double*>PyBytes_AS_STRING(found))[0]
        return found, first_s, h.level_ohm * h.scale, lower_half_ohm, self.s.number - 1, bool(h.sound), h.peaks, dips

    def start(self):
        """As `_levels.pyi` says."""
        level.start(&self.s)

    def copy(self):
        """As `_levels.pyi` says."""
        cdef Level other = Level.__new__(Level)
        memcpy(&other.s, &self.s, sizeof(level_t))
        return other

    @property
    def taught(self):
        """As `_levels.pyi` says."""
        return min(self.s.taught_n, 8)

    @property
    def fresh(self):
        """As `_levels.pyi` says."""
        return bool(self.s.fresh)

    @fresh.setter
    def fresh(self, bint value):
        self.s.fresh = value


cdef class KeptLevel:
    """As `_levels.pyi` says."""

    cdef kept_t s

    def __init__(
        self, double least, double sure, double most, double grown, double sudden, double fall, long long least_rows
    ):
        memset(&self.s, 0, sizeof(kept_t))
        self.s.least = least
        self.s.sure = sure
        self.s.most = most
        self.s.grown = grown
        self.s.sudden = sudden
        self.s.fall = fall
        self.s.least_rows = least_rows
        self.s.level = self.s.lowest = NAN

    def look(self, bytes told, long long number, bint sound, double median_ohm, bint calm):
        """As `_levels.pyi` says."""
        cdef seen_t h
        cdef const double* x = _open(told, &h, number, sound, median_ohm)
        kept.look(&self.s, &h, x + 3 * h.n)
        if calm and kept.within(&self.s, &h, x + 2 * h.n):
            kept.close(&self.s, &h, x + 2 * h.n, x + 3 * h.n)
            return None
        return [h.beyond[k] for k in range(h.n)]

    def close(self, bytes told, long long number, bint sound, double median_ohm, list good):
        """As `_levels.pyi` says."""
        cdef seen_t h
        cdef const double* x = _open(told, &h, number, sound, median_ohm)
        cdef int k
        if len(good) > MOST:
            raise ValueError(f"at most {MOST} levels, not {len(good)}")
        h.good_n = <int>len(good)
        for k in range(h.good_n):
            h.good[k] = good[k]
        kept.close(&self.s, &h, x + 2 * h.n, x + 3 * h.n)

    def append(self, double level):
        """As `_levels.pyi` says."""
        kept.append(&self.s, level)

    def restart(self, levels):
        """As `_levels.pyi` says."""
        self.s.kept_n = 0
        for level in levels:
            kept.append(&self.s, level)

    def undo(self, double lowest):
        """As `_levels.pyi` says."""
        self.s.lowest = lowest
        self.s.medians_n = 0

    def median(self):
        """As `_levels.pyi` says."""
        cdef seen_t h
        return kept.median(&self.s, &h)

    def copy(self):
        """As `_levels.pyi` says."""
        cdef KeptLevel other = KeptLevel.__new__(KeptLevel)
        memcpy(&other.s, &self.s, sizeof(kept_t))
        return other

    def __len__(self):
        return min(self.s.kept_n, MOST)

    @property
    def level(self):
        """As `_levels.pyi` says."""
        return self.s.level

    @level.setter
    def level(self, double value):
        self.s.level = value

    @property
    def lowest(self):
        """As `_levels.pyi` says."""
        return None if isnan(self.s.lowest) else self.s.lowest

    @lowest.setter
    def lowest(self, double value):
        self.s.lowest = value

    @property
    def blocks(self):
        """As `_levels.pyi` says."""
        return self.s.blocks

    @property
    def half_cycles(self):
        """As `_levels.pyi` says."""
        return self.s.half_cycles


cdef const double* _open(bytes told, seen_t* h, long long number, bint sound, double median_ohm) except NULL:
    """The numbers that `Level.feed` told."""
    h.n = <int>(len(told) // (COLUMNS * sizeof(double)))
    if not 0 < h.n <= MOST:
        raise ValueError(f"1 to {MOST} blocks, not {h.n}")
    h.number = number
    h.sound = sound
    h.median_ohm = median_ohm
    return <const double*>PyBytes_AS_STRING(told)
