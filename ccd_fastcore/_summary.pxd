"""The types of `_summary.py`; local names not told here are doubles."""

cimport cython
from libc cimport math

cdef double UNKNOWN
cdef int ROWS, SUM_V, SUM_A, TEMPERATURE

@cython.locals(third="Py_ssize_t", few="Py_ssize_t", begin="Py_ssize_t", k="Py_ssize_t", least="double", most="double", settled="double")
cdef void of_blocks(
    const double* told, Py_ssize_t n, int fields, double* volts, double* x, double* out
) noexcept nogil

@cython.locals(k="Py_ssize_t")
cdef inline double _middle_of(const double* volts, Py_ssize_t first, Py_ssize_t end, double* x) noexcept nogil

@cython.locals(half="Py_ssize_t")
cdef double middle(double* x, Py_ssize_t n) noexcept nogil

@cython.locals(below="Py_ssize_t")
cdef inline double _quantile(double* x, Py_ssize_t n, double share) noexcept nogil

@cython.locals(gap="Py_ssize_t", k="Py_ssize_t", at="Py_ssize_t", number="double")
cdef inline void _put_in_order(double* x, Py_ssize_t n) noexcept nogil
