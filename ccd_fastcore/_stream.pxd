"""The types of `_stream.py`; local names not told here are doubles.

`inline` is for what only `_stream.py` calls: such a function may be inlined though C sees its address taken. (Cython
warns of the word in a .pxd; for a .py this is its place. Not where `_steady.pxd` calls: other modules inherit that.)
"""

cimport cython
from libc cimport math

cimport ccd_fastcore._segment as segment
cimport ccd_fastcore._steps as steps
from ccd_fastcore._state cimport state_t

cdef double ON_FRACTION, LOW_LEVEL, STEP_FRACTION, SPREAD_FACTOR, GAP, LONG
cdef double SCREEN_DROP, SCREEN_NOISE
cdef int VOTES, MAJORITY, CONFIRM_BLOCKS

@cython.locals(k="Py_ssize_t", m="Py_ssize_t", first="long long", flags="int", singly="int")
cdef int run(
    state_t* s, const double* t, const double* v, const double* i, const double* p, Py_ssize_t n, Py_ssize_t* at
) noexcept nogil

@cython.locals(row="long long", flags="long long", sign="long long", gap="long long")
cdef inline int take_row(state_t* s, double t, double v, double i) noexcept nogil

cdef inline int _sign(state_t* s, double i) noexcept nogil

@cython.locals(gap="long long")
cdef inline int _clock(state_t* s, double t) noexcept nogil

cdef inline bint _belongs(state_t* s, long long sign, double a) noexcept nogil

cdef inline bint _agrees(state_t* s, long long sign, double a) noexcept nogil

@cython.locals(flags="long long")
cdef inline int _take(state_t* s, long long row, double t, double v, double i) noexcept nogil

@cython.locals(before="bint")
cdef inline int _direction(state_t* s, double v) noexcept nogil

cdef inline bint turned(state_t* s) noexcept nogil

cdef int along(state_t* s) noexcept nogil

cdef inline int _rest(state_t* s, double i) noexcept nogil

cdef int finish(state_t* s) noexcept nogil

@cython.locals(k="long long")
cdef inline int sample(state_t* s, long long row, double t, double y_raw, double y_last, double a) noexcept nogil

@cython.locals(flags="long long")
cdef inline int _block(state_t* s) noexcept nogil

cdef inline void _regress(state_t* s) noexcept nogil

cdef double followed(double cov, double var, double volts, double amperes) noexcept nogil

@cython.locals(blocks="long long")
cdef int judge(state_t* s, double mean, double d2) noexcept nogil

cdef inline void screen(state_t* s, long long blocks) noexcept nogil

# Last, for it calls what is named above.
cimport ccd_fastcore._steady as steady
