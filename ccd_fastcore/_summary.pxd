"""The types of `_summary.py`; local names not told here are doubles."""

cimport cython
from libc cimport math

cimport ccd_fastcore._few as few

cdef double UNKNOWN
cdef int ROWS, SUM_V, SUM_A, TEMPERATURE

@cython.locals(third="Py_ssize_t", some="Py_ssize_t", begin="Py_ssize_t", k="Py_ssize_t", least="double", most="double", settled="double")
cdef void of_blocks(
    const double* told, Py_ssize_t n, int fields, double* volts, double* x, double* out
) noexcept nogil

cdef inline double _middle_of(const double* volts, Py_ssize_t first, Py_ssize_t end, double* x) noexcept nogil
