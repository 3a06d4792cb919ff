"""The types of `_shape.py`; local names not told here are doubles."""

cimport cython
from libc cimport math

cimport ccd_fastcore._few as few
cimport ccd_fastcore._filters as filters
from ccd_fastcore._level_state cimport half_t, level_t

cdef int LEAST_CLEAR, BINS, PICKED
cdef double AT_ONCE, PULL, CLEAR, ODD_ROWS

@cython.locals(k="int", goes_on="bint")
cdef void expect(level_t* s, half_t* h) noexcept nogil

@cython.locals(k="Py_ssize_t")
cdef double interpolated(double x, const double* xs, const double* ys, Py_ssize_t n) noexcept nogil

@cython.locals(j="int")
cdef double _answer(const double* a, const double* w) noexcept nogil

@cython.locals(first="long long", k="long long", at="int", i="int", j="int", count="int")
cdef void _fit(level_t* s, half_t* h) noexcept nogil

@cython.locals(m="int", k="int", i="int", j="int", top="int")
cdef void _solve(half_t* h) noexcept nogil

@cython.locals(side="int", other="int", oldest="long long", bin="int", count="int", k="int", least="int")
cdef void bend(level_t* s, half_t* h) noexcept nogil

@cython.locals(kept="int", k="int")
cdef int _gathered(
    level_t* s, double* out, int side, int bin, long long oldest, int count
) noexcept nogil

@cython.locals(k="int")
cdef void begin(level_t* s, half_t* h) noexcept nogil

@cython.locals(at="int", place="int", last="int", count="int", k="int", j="int")
cdef void teach(level_t* s, half_t* h) noexcept nogil

cdef double _taught(level_t* s, half_t* h, int k) noexcept nogil

@cython.locals(i="int", j="int", k="int", a="const double*")
cdef void _normal_equations(level_t* s, int at, int count) noexcept nogil

@cython.locals(side="int", place="int", k="int", bin="int", count="int")
cdef void teach_bend(level_t* s, half_t* h) noexcept nogil

cdef void clear(level_t* s) noexcept nogil
