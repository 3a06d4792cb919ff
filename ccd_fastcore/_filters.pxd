"""The types of `_filters.py`; local names not told here are doubles."""

cimport cython
from libc cimport math

cdef int FILTERS
cdef double[9] TAU_s

@cython.locals(j="int")
cdef void passed(double* filters, double amperes, double lasted_s) noexcept nogil

cdef double _decayed(double time_s, double tau_s) noexcept nogil

@cython.locals(j="int")
cdef void beside(const double* filters, double amperes, double* out) noexcept nogil

@cython.locals(j="int", early="double")
cdef void answers(
    const double* away, double begin_s, double stop_s, bint goes_on, double* left, double* out
) noexcept nogil

@cython.locals(j="int")
cdef double reach(const double* answers) noexcept nogil
