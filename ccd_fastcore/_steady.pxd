from ccd_fastcore._state cimport state_t

cdef int run(
    state_t* s, const double* t, const double* v, const double* i, const double* p, Py_ssize_t n, Py_ssize_t* at
) noexcept nogil
