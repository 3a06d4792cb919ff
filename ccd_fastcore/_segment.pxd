"""The types of `_segment.py`; local names not told here are doubles."""

cimport cython
from libc cimport math

cimport ccd_fastcore._steps as steps
from ccd_fastcore._state cimport state_t

cdef double NEW_SCALE
cdef int SEGMENT

cdef void open(state_t* s, long long row, double t, long long sign, double a, long long gap) noexcept nogil

cdef inline void _grow(state_t* s, double grown) noexcept nogil

@cython.locals(k="long long")
cdef void restart(state_t* s) noexcept nogil

cdef void octave(state_t* s) noexcept nogil

cdef long long octave_blocks(state_t* s) noexcept nogil

cdef void pressure(state_t* s, double p) noexcept nogil

@cython.locals(flags="long long", n="long long")
cdef int close(state_t* s, double end, long long gap, bint turned) noexcept nogil

@cython.locals(whole="long long", start="long long", k="long long", record="double*")
cdef inline void _write(state_t* s, long long n, double volts, double mean) noexcept nogil
