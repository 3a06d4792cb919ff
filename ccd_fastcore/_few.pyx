# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
"""Order statistics and least squares of a few dozen numbers, compiled: `_reference_few.py` says the same with numpy.

numpy takes a microsecond or two for each of its calls, and a half-cycle needs a hundred of them.
"""

from cpython.buffer cimport PyBuffer_Release
from libc.math cimport NAN, exp, fabs, isfinite, isnan
from libc.stdlib cimport free, malloc
from libc.string cimport memcpy

import numpy as np

from ccd_fastcore._columns cimport open_column

cdef enum:
    FEW = 512  # numbers that need no memory of their own


cdef double _nth(double* x, Py_ssize_t n, Py_ssize_t k) noexcept nogil:
    """The k-th smallest; none before it is larger then, none behind it smaller. No NaN."""
    cdef Py_ssize_t low = 0, high = n - 1, i, j
    cdef double pivot, swapped
    while low < high:
        pivot = x[(low + high) // 2]
        i = low
        j = high
        while i <= j:
            while x[i] < pivot:
                i += 1
            while x[j] > pivot:
                j -= 1
            if i <= j:
                swapped = x[i]
                x[i] = x[j]
                x[j] = swapped
                i += 1
                j -= 1
        if k <= j:
            high = j
        elif k >= i:
            low = i
        else:
            break
    return x[k]


cdef Py_ssize_t _known(double* x, Py_ssize_t n) noexcept nogil:
    """NaN last, as numpy sorts; how many numbers are before them."""
    cdef Py_ssize_t k, known = 0
    cdef double swapped
    for k in range(n):
        if not isnan(x[k]):
            swapped = x[known]
            x[known] = x[k]
            x[k] = swapped
            known += 1
    return known


cdef double _between(double* x, Py_ssize_t n, Py_ssize_t below, bint two, double share) noexcept nogil:
    """`share` of the way from the number at place `below` in order to the next one (or itself)."""
    cdef Py_ssize_t k, known = _known(x, n)
    cdef double low, high
    if below + (1 if two else 0) >= known:
        return NAN
    low = _nth(x, known, below)
    high = low
    if two:
        high = x[below + 1]
        for k in range(below + 2, known):
            high = x[k] if x[k] < high else high
    return low + share * (high - low) if share != 0.5 else 0.5 * (low + high)


cdef double middle_of(double* x, Py_ssize_t n) noexcept nogil:
    return _between(x, n, (n - 1) // 2, n % 2 == 0, 0.5) if n else NAN


cdef double quantile_of(double* x, Py_ssize_t n, double share) noexcept nogil:
    cdef double at = share * (n - 1)
    cdef Py_ssize_t below = <Py_ssize_t>at
    cdef double low
    if n == 0:
        return NAN
    if below >= n - 1:
        return _nth_of(x, n, n - 1)
    low = _nth_of(x, n, below)
    return low + (at - below) * (_nth_of(x, n, below + 1) - low)


cdef double _nth_of(double* x, Py_ssize_t n, Py_ssize_t k) noexcept nogil:
    """As numpy sorts: NaN last."""
    cdef Py_ssize_t known = _known(x, n)
    return _nth(x, known, k) if k < known else NAN


def middle(values):
    """As `_few.pyi` says."""
    return _statistic(values, -1.0)


def quantile(values, double share):
    """As `_few.pyi` says."""
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


def robust(pool):
    """As `_few.pyi` says."""
    cdef Py_ssize_t count = len(pool), n, k, j, told
    cdef double x[FEW]
    cdef double usual
    table = np.array(pool)
    cdef const double[:, ::1] found = table
    n = found.shape[1]
    centers, spreads = np.empty(n), np.empty(n)
    cdef double[::1] center = centers
    cdef double[::1] spread = spreads
    if count > FEW:
        raise ValueError(f"at most {FEW} rows, not {count}")
    for k in range(n):
        told = 0
        for j in range(count):
            if isfinite(found[j, k]):
                x[told] = found[j, k]
                told += 1
        usual = middle_of(x, told)
        for j in range(told):
            x[j] = fabs(x[j] - usual)
        center[k] = usual
        spread[k] = 1.4826 * middle_of(x, told) if told > 2 else 0.0
    return centers, spreads


def of_bins(values, bins, Py_ssize_t count):
    """As `_few.pyi` says."""
    cdef const double[::1] v = values
    cdef const long long[::1] b = bins
    cdef double x[FEW]
    cdef Py_ssize_t n = v.shape[0], k, bin, at
    found = np.empty(count)
    cdef double[::1] out = found
    if n > FEW:
        raise ValueError(f"at most {FEW} numbers, not {n}")
    for bin in range(count):
        at = 0
        for k in range(n):
            if b[k] == bin:
                x[at] = v[k]
                at += 1
        out[bin] = middle_of(x, at)
    return found


def answers(tau_s, filters, double amperes, start_s, end_s):
    """As `_few.pyi` says."""
    cdef const double[::1] tau = tau_s
    cdef const double[::1] known = filters
    cdef const double[::1] start = start_s
    cdef const double[::1] end = end_s
    cdef Py_ssize_t n = start.shape[0], m = tau.shape[0], k, j
    cdef double width, late, early, mean
    found = np.empty((n, m + 1))
    cdef double[:, ::1] out = found
    with nogil:
        for j in range(m):
            late = 0.0
            for k in range(n):
                # Mostly a block begins where the last one ended.
                early = late if k and start[k] == end[k - 1] else exp(-start[k] / tau[j])
                late = exp(-end[k] / tau[j])
                width = end[k] - start[k]
                width = width if width > 1e-9 else 1e-9
                mean = tau[j] * (early - late) / width
                out[k, j + 1] = (amperes + (known[j] - amperes) * mean) / amperes
        for k in range(n):
            out[k, 0] = 1.0
    return found


def normal_equations(A, y):
    """As `_few.pyi` says."""
    cdef const double[:, ::1] a = A
    cdef const double[::1] b = y
    cdef Py_ssize_t n = a.shape[0], m = a.shape[1], k, i, j
    found = np.zeros((m, m + 1))
    cdef double[:, ::1] out = found
    with nogil:
        for k in range(n):
            for i in range(m):
                for j in range(m):
                    out[i, j] += a[k, i] * a[k, j]
                out[i, m] += a[k, i] * b[k]
    return found


def fitted(pairs, usual, double pull, double clear, Py_ssize_t least):
    """As `_few.pyi` says."""
    cdef double x[FEW]
    cdef const double[:, ::1] a
    cdef const double[::1] y
    cdef const double[::1] first = usual
    cdef Py_ssize_t m = first.shape[0], count = 0, k, j
    cdef double said, rows = 0.0
    equations, found = np.zeros((m, m + 1)), np.empty(m)
    cdef double[:, ::1] e = equations
    cdef double[::1] w = found
    for _, b, told in pairs:
        a = told
        rows += len(b)
        for k in range(m):
            for j in range(m + 1):
                e[k, j] += a[k, j]
    for k in range(m):
        e[k, k] += pull * rows
        e[k, m] += pull * rows * first[k]
    _solve(e, w)
    for A, b, _ in pairs:
        a = A
        y = b
        for k in range(a.shape[0]):
            said = 0.0
            for j in range(m):
                said += a[k, j] * w[j]
            if said > clear:
                if count == FEW:
                    raise ValueError(f"at most {FEW} numbers")
                x[count] = y[k] / said
                count += 1
    if count >= least:
        said = middle_of(x, count)
        for k in range(m):
            w[k] *= said
    return found


cdef void _solve(double[:, ::1] e, double[::1] w) noexcept nogil:
    """Elimination with the largest pivot of each column; the last column is the right side."""
    cdef Py_ssize_t m = w.shape[0], k, i, j, top
    cdef double factor
    for k in range(m):
        top = k
        for i in range(k + 1, m):
            top = i if fabs(e[i, k]) > fabs(e[top, k]) else top
        for j in range(k, m + 1):
            factor = e[k, j]
            e[k, j] = e[top, j]
            e[top, j] = factor
        for i in range(k + 1, m):
            factor = e[i, k] / e[k, k]
            for j in range(k + 1, m + 1):
                e[i, j] -= factor * e[k, j]
    for k in range(m - 1, -1, -1):
        w[k] = e[k, m]
        for j in range(k + 1, m):
            w[k] -= e[k, j] * w[j]
        w[k] /= e[k, k]
