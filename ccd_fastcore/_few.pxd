"""What other modules call of `_few.pyx`: numbers at `x` are put in another order."""

cdef double middle_of(double* x, Py_ssize_t n) noexcept nogil
cdef double quantile_of(double* x, Py_ssize_t n, double share) noexcept nogil
