"""The types of `_kept.py`; local names not told here are doubles."""

cimport cython
from libc cimport math

cimport ccd_fastcore._few as few
from ccd_fastcore._level_state cimport kept_t, seen_t

cdef int MOST_BLOCKS, BEFORE_THE_THIRD

@cython.locals(k="int")
cdef void look(kept_t* s, seen_t* h, const double* error) noexcept nogil

@cython.locals(k="int", known="bint")
cdef int within(kept_t* s, seen_t* h, const double* level) noexcept nogil

cdef void append(kept_t* s, double level) noexcept nogil

@cython.locals(most="long long", n="long long", k="long long")
cdef double median(kept_t* s, seen_t* h) noexcept nogil

@cython.locals(n="long long")
cdef void close(kept_t* s, seen_t* h, const double* level, const double* error) noexcept nogil

@cython.locals(n="int", k="int")
cdef void _misfit(kept_t* s, seen_t* h, const double* level, const double* error) noexcept nogil
