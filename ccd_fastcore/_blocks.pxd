"""The types of `_blocks.py`; what is not named here is a double."""

cimport cython
from libc cimport math

from ccd_fastcore cimport _fluctuation as fluctuation
from ccd_fastcore cimport _steps as steps
from ccd_fastcore._state cimport state_t

cdef int MAJORITY

@cython.locals(k="long long")
cdef int sample(state_t* s, long long row, double t, double y_raw, double y_last, double a) noexcept nogil

@cython.locals(flags="long long")
cdef int _block(state_t* s, long long row, double t) noexcept nogil

cdef void _regress(state_t* s) noexcept nogil

cdef double followed(double cov, double var, double volts, double amperes) noexcept nogil

cdef bint turned(state_t* s) noexcept nogil

cdef int along(state_t* s) noexcept nogil

@cython.locals(flags="long long", blocks="long long")
cdef int judge(state_t* s, long long row, double t, double mean, double d2, double i2) noexcept nogil

cdef void octave(state_t* s) noexcept nogil

cdef long long octave_blocks(state_t* s) noexcept nogil
