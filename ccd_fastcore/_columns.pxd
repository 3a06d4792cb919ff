"""The memory of a column of Python, for the modules that take rows."""

from cpython.buffer cimport PyBUF_C_CONTIGUOUS, PyBUF_FORMAT, PyBuffer_Release, PyObject_GetBuffer


cdef inline open_column(x, Py_buffer* view):
    """The memory of a float64 column of shape (n,), copied where it is anything else; a typed memoryview costs twice."""
    try:
        PyObject_GetBuffer(x, view, PyBUF_FORMAT | PyBUF_C_CONTIGUOUS)
    except (TypeError, ValueError, BufferError):
        PyObject_GetBuffer(as_column(x), view, PyBUF_FORMAT | PyBUF_C_CONTIGUOUS)
        return
    if view.ndim != 1 or view.format == NULL or view.format[0] != c'd' or view.format[1] != 0:
        PyBuffer_Release(view)
        PyObject_GetBuffer(as_column(x), view, PyBUF_FORMAT | PyBUF_C_CONTIGUOUS)


cdef inline as_column(x):
    import numpy

    column = numpy.ascontiguousarray(x, dtype=numpy.float64)
    if column.ndim != 1:
        raise ValueError(f"a column has one dimension, not {column.ndim}")
    return column
