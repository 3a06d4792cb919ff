# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
"""Medians and quantiles for Python, compiled: `_reference_statistics.py` says the same with numpy."""

from cpython.buffer cimport PyBuffer_Release
from libc.stdlib cimport free, malloc
from libc.string cimport memcpy

from ccd_fastcore._columns cimport open_column
from ccd_fastcore._few cimport middle_of, quantile_of

cdef enum:
    FEW = 512  # numbers that need no memory of their own


def middle(values):
    """As `_statistics.pyi` says."""
    return _statistic(values, -1.0)


def quantile(values, double share):
    """As `_statistics.pyi` says."""
    return _statistic(values, share)


cdef double _told(double* x, Py_ssize_t n, double share) noexcept nogil:
    return middle_of(x, n) if share < 0.0 else quantile_of(x, n, share)


cdef _statistic(values, double share):
    """The median below a share of 0."""
    cdef double few[FEW]
    cdef Py_buffer view
    cdef Py_ssize_t n, k
    cdef double* x
    cdef double found
    if type(values) is list and len(<list>values) <= FEW:
        n = len(<list>values)
        for k in range(n):
            few[k] = (<list>values)[k]
        return _told(few, n, share)
    open_column(values, &view)
    n = view.len // 8
    if n <= FEW:
        memcpy(few, view.buf, view.len)
        PyBuffer_Release(&view)
        return _told(few, n, share)
    x = <double*>malloc(view.len)
    if x == NULL:
        PyBuffer_Release(&view)
        raise MemoryError
    memcpy(x, view.buf, view.len)
    PyBuffer_Release(&view)
    found = _told(x, n, share)
    free(x)
    return found
