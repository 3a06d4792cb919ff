"""The types of `_learning.py`; local names not told here are doubles."""

cimport cython
from libc cimport math

cimport ccd_fastcore._few as few
cimport ccd_fastcore._shape as shape
from ccd_fastcore._level_state cimport half_t, level_t

cdef double CLEAR, LEAST_OHM

cdef void learn(level_t* s, half_t* h) noexcept nogil

@cython.locals(told="bint")
cdef void _follow(level_t* s, half_t* h) noexcept nogil

@cython.locals(sound="bint", whole="bint")
cdef int _as_it_was(level_t* s, half_t* h) noexcept nogil

@cython.locals(k="int")
cdef bint _whole(level_t* s, half_t* h) noexcept nogil

@cython.locals(k="int", count="int")
cdef int _as_the_shape_says(level_t* s, half_t* h) noexcept nogil

@cython.locals(at="int", before="int", n="int", k="int")
cdef int _odd(level_t* s, half_t* h) noexcept nogil

@cython.locals(n="int", k="int", low="int", high="int")
cdef double rho_of(level_t* s, half_t* h) noexcept nogil

cdef double kept_ohm(level_t* s, half_t* h) noexcept nogil

@cython.locals(k="int", known="int", half="int")
cdef double lower_half_ohm(level_t* s, half_t* h) noexcept nogil

@cython.locals(n="int", k="int")
cdef double noise_of(level_t* s, half_t* h) noexcept nogil

@cython.locals(k="int", clear="int")
cdef double size_of(level_t* s, half_t* h) noexcept nogil
