"""The types of `_level.py`; local names not told here are doubles."""

cimport cython
from libc cimport math

cimport ccd_fastcore._few as few
cimport ccd_fastcore._filters as filters
cimport ccd_fastcore._learning as learning
cimport ccd_fastcore._shape as shape
from ccd_fastcore._level_state cimport half_t, level_t

cdef double NEW_SCALE, OF_LARGEST, FLAT, CONVERTER_STEPS, BEYOND
cdef double[7] UNSURE
cdef double[7] EARLY

@cython.locals(leveled="int")
cdef int feed(level_t* s, half_t* h, const double* blocks) noexcept nogil

@cython.locals(j="int")
cdef void start(level_t* s) noexcept nogil

cdef void _forget(level_t* s) noexcept nogil

cdef void _begin(level_t* s) noexcept nogil

cdef void _look(level_t* s, half_t* h, const double* blocks) noexcept nogil

@cython.locals(n="int", k="int")
cdef void _spans(half_t* h, const double* blocks) noexcept nogil

@cython.locals(k="int")
cdef void _ohms(half_t* h, double amperes, double most_ohm) noexcept nogil

@cython.locals(n="int", third="int", k="int")
cdef void _against_shape(half_t* h, const double* blocks) noexcept nogil

@cython.locals(k="int", stands="int")
cdef double _converter_step_V(half_t* h, const double* blocks) noexcept nogil

@cython.locals(k="int", known="long long")
cdef void _errors(level_t* s, half_t* h, const double* blocks) noexcept nogil

@cython.locals(n="int", k="int")
cdef void _stray_rows(level_t* s, half_t* h, const double* blocks) noexcept nogil

@cython.locals(n="int", k="int")
cdef void write(half_t* h, const double* blocks, double* out) noexcept nogil
