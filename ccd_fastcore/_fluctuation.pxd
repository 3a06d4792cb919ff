"""The types of `_fluctuation.py`; what is not named here is a double."""

cimport cython
from libc cimport math

from ccd_fastcore._state cimport state_t

cdef double FLOOR, DRIFT, DRIFT_BLOCK, WHITE_BLOCK, CAP, CAP_BLOCK, FULL, ALARM, QUIET
cdef int BURST, LEARN_BLOCKS

@cython.locals(calm="bint")
cdef int fluctuate(state_t* s, long long row, double t, long long pairs, double d2, double i2) noexcept nogil

cdef double _turn(state_t* s, double m8, long long pairs) noexcept nogil

cdef double _accumulate(double g, double ratio, double cap, double drift) noexcept nogil

cdef void _learn(state_t* s, double e1, double e8, double ei, double weight) noexcept nogil

cdef int _follow(
    state_t* s, long long row, double t, double m8, double e1, double e8, double ei, double r1, double r8, double ri, bint calm
) noexcept nogil

cdef void _learn_slowly(state_t* s, double e1, double e8, double ei, double r) noexcept nogil

cdef void _begin_burst(state_t* s, double r) noexcept nogil

@cython.locals(n="long long")
cdef int burst_record(state_t* s, long long still_open) noexcept nogil
