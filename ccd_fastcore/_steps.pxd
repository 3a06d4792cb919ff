"""The types of `_steps.py`; local names not told here are doubles."""

cimport cython
from libc cimport math

from ccd_fastcore._state cimport state_t

cdef double KEEP_DROP, KEEP_ERRORS, SIGMA_D2
cdef int STEP, RING, SETTLE_ROWS

@cython.locals(low="long long", at="long long", c="long long", w1="long long", w2="long long")
cdef int confirm(state_t* s) noexcept nogil

@cython.locals(first="long long", nb="long long", na="long long", k="long long", wb="long long", wa="long long")
cdef inline int _fit(state_t* s, long long low, long long at) noexcept nogil

@cython.locals(count="long long")
cdef bint tail_drops(state_t* s) noexcept nogil

@cython.locals(k="long long")
cdef inline double _mean_of(state_t* s, long long first, long long count) noexcept nogil

@cython.locals(k="long long")
cdef inline double _noise_of(state_t* s, long long first, long long count) noexcept nogil
