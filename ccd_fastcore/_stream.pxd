"""The types of `_stream.py`; what is not named here is a double."""

cimport cython
from libc cimport math

from ccd_fastcore cimport _blocks as blocks
from ccd_fastcore cimport _fluctuation as fluctuation
from ccd_fastcore cimport _segment as segment
from ccd_fastcore._state cimport state_t

cdef double ON_FRACTION, LOW_LEVEL, STEP_FRACTION, SPREAD_FACTOR, GAP, LONG
cdef int VOTES

@cython.locals(row="long long", flags="long long", sign="long long", gap="long long")
cdef int row(state_t* s, double t, double v, double i) noexcept nogil

cdef int _sign(state_t* s, double i) noexcept nogil

@cython.locals(gap="long long")
cdef int _clock(state_t* s, double t) noexcept nogil

cdef bint _belongs(state_t* s, long long sign, double a) noexcept nogil

cdef bint _agrees(state_t* s, long long sign, double a) noexcept nogil

@cython.locals(flags="long long")
cdef int _take(state_t* s, long long row, double t, double v, double i) noexcept nogil

cdef int _direction(state_t* s, double v) noexcept nogil

cdef int _rest(state_t* s, double i) noexcept nogil

@cython.locals(flags="long long")
cdef int finish(state_t* s) noexcept nogil
