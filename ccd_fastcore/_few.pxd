"""The types of `_few.py`; local names not told here are doubles."""

cimport cython
from libc cimport math

cdef double NAN
cdef int HANDFUL

@cython.locals(k="Py_ssize_t", at="Py_ssize_t")
cdef void _sort(double* x, Py_ssize_t n) noexcept nogil

cdef inline double between(double a, double b, double c) noexcept nogil

@cython.locals(low="Py_ssize_t", high="Py_ssize_t", less="Py_ssize_t", part="Py_ssize_t", i="Py_ssize_t")
cdef double nth(double* x, Py_ssize_t n, Py_ssize_t k) noexcept nogil

@cython.locals(count="Py_ssize_t", k="Py_ssize_t")
cdef Py_ssize_t known(double* x, Py_ssize_t n) noexcept nogil

@cython.locals(k="Py_ssize_t")
cdef double least_of(double* x, Py_ssize_t first, Py_ssize_t end) noexcept nogil

@cython.locals(count="Py_ssize_t")
cdef double middle_of(double* x, Py_ssize_t n) noexcept nogil

@cython.locals(below="Py_ssize_t", count="Py_ssize_t")
cdef double quantile_of(double* x, Py_ssize_t n, double share) noexcept nogil

@cython.locals(k="Py_ssize_t")
cdef Py_ssize_t copied(const double* x, Py_ssize_t first, Py_ssize_t end, double* out) noexcept nogil
