# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
"""The blocks of a half-cycle against the shape its cell has, compiled: `_reference_level.py` says the same with numpy."""

from libc.math cimport INFINITY, exp, fabs, floor, isfinite, log2, sqrt

import numpy as np

from ccd_fastcore._few cimport middle_of, quantile_of

cdef enum:
    MOST = 64  # blocks of a half-cycle
    BINS = 41

cdef double FLAT = 0.08  # of the shape: what is nearer to nothing is taken for this much
cdef double CLEAR = 0.25  # of the shape: below it a block tells of the size of the level
cdef double LEAST_OHM = 1e-15  # no cell has less


def spans(const double[:, ::1] blocks, double start_s, double end_s, double count):
    """As `_level.pyi` says."""
    cdef Py_ssize_t n = blocks.shape[1], k
    cdef double interval = (end_s - start_s) / (count - 1 if count > 2 else 1.0)
    cdef double least = 1e-6 * (interval if interval > 1e-9 else 1e-9)
    cdef double rows, last
    found = np.empty((3, n))
    cdef double[:, ::1] out = found
    for k in range(n):
        out[0, k] = blocks[1, k] - start_s
        rows = blocks[2, k]
        out[2, k] = blocks[3, k] / rows
        if rows > 2:
            out[2, k] = (blocks[3, k] - blocks[5, k] - blocks[6, k]) / (rows - 2)
    for k in range(n):
        last = out[0, k + 1] if k + 1 < n else end_s - start_s + interval
        out[1, k] = last if last > out[0, k] + least else out[0, k] + least
    return found


def ohms(const double[::1] volts, double amperes, double most_ohm):
    """As `_level.pyi` says."""
    cdef Py_ssize_t n = volts.shape[0], k
    found = np.empty(n)
    cdef double[::1] out = found
    for k in range(n):
        out[k] = volts[k] / amperes
        out[k] = most_ohm if out[k] > most_ohm else -most_ohm if out[k] < -most_ohm else out[k]
    return found


def on_shape(
    const double[::1] row, const double[::1] rows, const double[::1] ohm, const double[::1] shape, bend,
    double unsure, double early, double noise_ohm, double kept_ohm
):
    """As `_level.pyi` says."""
    cdef Py_ssize_t n = row.shape[0], third = n // 3, k, known = 0, clear = 0
    cdef double at[BINS]
    cdef double usual[BINS]
    cdef double scatter[BINS]
    cdef double few[MOST]
    cdef double bent[MOST]
    cdef double m, size, noise, straight, x
    cdef const double[::1] center, spread
    if n > MOST:
        raise ValueError(f"at most {MOST} blocks, not {n}")
    found, places = np.empty((3, n)), np.empty(n, np.int64)
    cdef double[:, ::1] out = found  # level, error, shape
    cdef long long[::1] bins = places
    if bend is not None:
        center = bend[0]
        spread = bend[1]
        for k in range(BINS):
            if isfinite(center[k]):
                at[known] = k
                usual[known] = 3.0 if center[k] > 3.0 else 0.3 if center[k] < 0.3 else center[k]
                scatter[known] = spread[k]
                known += 1
    with nogil:
        for k in range(n):
            x = shape[k]
            out[2, k] = x if fabs(x) >= FLAT else -FLAT if x < 0 else FLAT
            out[0, k] = ohm[k] / out[2, k]
            x = 3 * log2(1 + (row[k] - row[0] + 0.5 * (rows[k] - 1)))
            bins[k] = <long long>(floor(x) if x < BINS else BINS - 1)
            out[1, k] = unsure + early * exp(-k / (0.1 * n + 1))
            if known:
                bent[k] = _interpolated(x - 0.5, at, usual, known)
                x = _interpolated(x - 0.5, at, scatter, known)
                out[1, k] = x if x > out[1, k] else out[1, k]
        if known:
            for k in range(third, n):
                few[k - third] = bent[k]
            straight = middle_of(few, n - third)
            for k in range(n):
                out[0, k] /= bent[k] / straight
        for k in range(third, n):
            few[k - third] = out[0, k]
        m = middle_of(few, n - third)
        for k in range(n):
            if fabs(out[2, k]) > CLEAR:
                few[clear] = fabs(out[0, k])
                clear += 1
        size = fabs(m)
        if clear:
            x = quantile_of(few, clear, 0.9)
            size = x if x > size else size
        size = kept_ohm if kept_ohm > size else size
        size = LEAST_OHM if LEAST_OHM > size else size
        for k in range(n):
            x = fabs(out[2, k])
            noise = noise_ohm / size / (x if x > 0.2 else 0.2)
            x = 1 / (x if x > 0.02 else 0.02)
            x = out[1, k] * (x if x > 1 else 1.0)
            out[1, k] = sqrt(noise * noise / (rows[k] if rows[k] < 3 else 3.0) + x * x)
            if out[2, k] < CLEAR:
                out[1, k] += 9.0
    return found, places, m, size


cdef double _interpolated(double x, const double* xs, const double* ys, Py_ssize_t n) noexcept nogil:
    """Straight lines between n points; the first and the last beyond them."""
    cdef Py_ssize_t k = 0
    if x <= xs[0]:
        return ys[0]
    if x >= xs[n - 1]:
        return ys[n - 1]
    while xs[k + 1] <= x:
        k += 1
    return (ys[k + 1] - ys[k]) / (xs[k + 1] - xs[k]) * (x - xs[k]) + ys[k]


def stray_rows(
    const double[:, ::1] blocks, const double[::1] volts, bint positive, double least_V, double converter_steps
):
    """As `_level.pyi` says."""
    cdef Py_ssize_t n = volts.shape[0], k
    cdef double finest = INFINITY, down, up, span
    cdef int peaks = 0
    cdef list dips = []
    for k in range(n):
        span = blocks[6, k] - blocks[5, k]
        finest = span if 0 < span < finest else finest
    least_V = converter_steps * finest if converter_steps * finest > least_V else least_V
    for k in range(2, n):
        down = volts[k] - blocks[5, k] if positive else blocks[6, k] - volts[k]
        up = blocks[6, k] - volts[k] if positive else volts[k] - blocks[5, k]
        if down > least_V and up < down:
            dips.append(blocks[0, k])
        elif up > least_V and down < up:
            peaks += 1
    return dips, peaks
