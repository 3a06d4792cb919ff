# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
"""Frames of the wire, compiled; `_reference_frames.py` says the same in plain Python and explains the format."""

from libc.stdint cimport int64_t, uint8_t, uint16_t, uint32_t
from libc.stdlib cimport free, malloc
from libc.string cimport memchr, memcpy

import numpy as np

from ccd_fastcore._reference_frames import MAX_FRAME_BYTES as _MAX_FRAME_BYTES
from ccd_fastcore._reference_frames import SAMPLES as _SAMPLES

cdef Py_ssize_t MAX_FRAME_BYTES = _MAX_FRAME_BYTES
cdef int SAMPLES_TYPE = _SAMPLES
cdef uint32_t CRC[8][256]
cdef uint32_t POLYNOMIAL = <uint32_t>0xEDB88320


cdef void _fill_crc() noexcept nogil:
    """Tables of CRC-32 (polynomial 0xEDB88320), eight bytes at a time."""
    cdef uint32_t k, j, c
    for k in range(256):
        c = k
        for j in range(8):
            c = (c >> 1) ^ (POLYNOMIAL if c & 1 else 0)
        CRC[0][k] = c
    for k in range(256):
        for j in range(1, 8):
            CRC[j][k] = (CRC[j - 1][k] >> 8) ^ CRC[0][CRC[j - 1][k] & 255]


_fill_crc()


cdef uint32_t _crc32(const uint8_t* p, Py_ssize_t n) noexcept nogil:
    cdef uint32_t c = ~(<uint32_t>0)
    cdef uint32_t a, b
    while n >= 8:
        a = c ^ (p[0] | (<uint32_t>p[1] << 8) | (<uint32_t>p[2] << 16) | (<uint32_t>p[3] << 24))
        b = p[4] | (<uint32_t>p[5] << 8) | (<uint32_t>p[6] << 16) | (<uint32_t>p[7] << 24)
        c = (
            CRC[7][a & 255] ^ CRC[6][(a >> 8) & 255] ^ CRC[5][(a >> 16) & 255] ^ CRC[4][a >> 24]
            ^ CRC[3][b & 255] ^ CRC[2][(b >> 8) & 255] ^ CRC[1][(b >> 16) & 255] ^ CRC[0][b >> 24]
        )
        p += 8
        n -= 8
    while n > 0:
        c = CRC[0][(c ^ p[0]) & 255] ^ (c >> 8)
        p += 1
        n -= 1
    return ~c


cdef Py_ssize_t _unstuff(const uint8_t* block, Py_ssize_t n, uint8_t* out) noexcept nogil:
    """Bytes written to `out` (room for n), -1 for a block that is none."""
    cdef Py_ssize_t at = 0, end, size = 0
    while at < n:
        end = at + block[at]
        if end == at or end > n:
            return -1
        memcpy(out + size, block + at + 1, end - at - 1)
        size += end - at - 1
        if block[at] < 255 and end < n:
            out[size] = 0
            size += 1
        at = end
    return size


cdef class Unframer:
    """Cuts a byte stream into frames. Counts what it cannot read in `crc_errors`; never raises on input."""

    cdef bytes _held
    cdef bint _skipping
    cdef readonly long long crc_errors

    def __init__(self):
        self._held = b""
        self._skipping = False
        self.crc_errors = 0

    def feed(self, data):
        """The frames `data` completes: (type, sequence, body)."""
        frames = []
        self._cut(data, frames, None, None)
        return frames

    def feed_samples(self, data):
        """As `feed`, with the samples in two arrays: (heads, codes, other frames).

        `heads` is int64 of shape (frames, 7): sequence, first sample, dropped, time in us, run, count, flags; `codes` is
        uint16 of shape (samples, 4): voltage, current, pressure code, verdict. Other frames: (type, sequence, body,
        number of heads before it).
        """
        cdef Py_ssize_t room = (len(data) + len(self._held)) // 8 + 1
        codes = np.empty((room, 4), dtype=np.uint16)
        heads = np.empty((room // 2 + 1, 7), dtype=np.int64)
        frames = []
        n_heads, n_codes = self._cut(data, frames, heads, codes)
        return heads[:n_heads], codes[:n_codes], frames

    cdef _cut(self, data, list frames, heads, codes):
        cdef bytes whole = self._held + bytes(data) if self._held else bytes(data)
        cdef const uint8_t* p = whole
        cdef const uint8_t* end
        cdef Py_ssize_t at = 0, n = len(whole), size, n_heads = 0, n_codes = 0
        cdef int64_t[:, ::1] head_rows = heads
        cdef uint16_t[:, ::1] code_rows = codes
        cdef bint apart = codes is not None
        cdef uint8_t* out = <uint8_t*>malloc(n + 1)
        if out == NULL:
            raise MemoryError
        try:
            while at < n:
                end = <const uint8_t*>memchr(p + at, 0, n - at)
                if end == NULL:
                    break
                size = -1 if self._skipping else _unstuff(p + at, end - p - at, out)
                if size >= 7 and _crc32(out, size - 4) == _u32(out + size - 4):
                    if apart and out[0] == SAMPLES_TYPE and size >= 23 and size == 23 + 8 * out[17]:
                        _head(out, &head_rows[n_heads, 0])
                        memcpy(&code_rows[n_codes, 0], out + 19, 8 * out[17])
                        n_heads += 1
                        n_codes += out[17]
                    elif apart:
                        frames.append((out[0], out[1] | (out[2] << 8), (<char*>out)[3 : size - 4], n_heads))
                    else:
                        frames.append((out[0], out[1] | (out[2] << 8), (<char*>out)[3 : size - 4]))
                elif end != p + at or self._skipping:
                    self.crc_errors += 1
                self._skipping = False
                at = end - p + 1
        finally:
            free(out)
        self._held = whole[at:]
        if len(self._held) > MAX_FRAME_BYTES:
            self._held = b""
            self._skipping = True
        return n_heads, n_codes


cdef void _head(const uint8_t* p, int64_t* row) noexcept nogil:
    row[0] = p[1] | (p[2] << 8)
    row[1] = _u32(p + 3)
    row[2] = _u32(p + 7)
    row[3] = _u32(p + 11)
    row[4] = p[15] | (p[16] << 8)
    row[5] = p[17]
    row[6] = p[18]


def unpack_samples(bytes body):
    """(first sample, dropped, time in us, run, flags, codes) of a SAMPLES body; codes uint16 of shape (count, 4).

    Raises ValueError for a body shorter or longer than it says.
    """
    cdef const uint8_t* p = body
    cdef Py_ssize_t n = len(body)
    if n < 16:
        raise ValueError(f"a samples body of {n} bytes is short")
    if n != 16 + 8 * p[14]:
        raise ValueError(f"a samples body of {n} bytes cannot hold {p[14]} samples")
    codes = np.frombuffer(body, "<u2", -1, 16).reshape(-1, 4)
    return _u32(p), _u32(p + 4), _u32(p + 8), p[12] | (p[13] << 8), p[15], codes


cdef uint32_t _u32(const uint8_t* p) noexcept nogil:
    return p[0] | (<uint32_t>p[1] << 8) | (<uint32_t>p[2] << 16) | (<uint32_t>p[3] << 24)
