# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
"""The rows of the running segment in at most 64 blocks, compiled: `_reference_blocks.py` says the same, row by row.

What is added up is added up as a binary counter adds, so blocks of 2**k rows are those that joining neighbours two by
two would give, and those of half as many may be joined at any time: whoever knows how many rows come joins first and
takes them 32 at once. The state is two such segments (one with rows that may not belong to it) and a row.
"""

from cpython.buffer cimport PyBuffer_Release
from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize
from libc.math cimport INFINITY, NAN, fabs, isfinite
from libc.string cimport memcpy

from ccd_fastcore cimport _summary as summary
from ccd_fastcore._columns cimport open_column

cdef enum:
    MOST = 64  # blocks of a segment
    LEVELS = 60  # of the counter: 2**60 rows
    NUMBERS = 10  # of a block, in the order of their places
    HEAD = 5  # numbers before a segment's blocks: how many, V and A of the first row and of the last

cdef enum:  # places of a block's numbers
    ROW, TIME, SUM_V, SUM_A, LOWEST, HIGHEST, FALL, RISE, TEMPERATURE, PRESSURE


cdef struct blocks_t:
    long long rows, width, count  # rows so far; rows of a whole block, and how many of those there are
    long long begun  # rows of the block that is not whole yet
    double first_V, first_A, last_V, last_A
    double whole[NUMBERS][MOST]
    double part[NUMBERS]  # of the block that is not whole, but its sums:
    double sum_V[LEVELS]  # of 2**k rows, where bit k of `begun` is set
    double sum_A[LEVELS]


cdef struct row_t:
    double row, time_s, volts, amperes, temperature_degC, pressure_Pa


cdef struct columns_t:  # of a chunk; the last two may be missing
    const double* time_s
    const double* volts
    const double* amperes
    const double* temperature_degC
    const double* pressure_Pa


BLOCKS_BYTES = 2 * sizeof(blocks_t) + sizeof(row_t)


cdef void _clear(blocks_t* b) noexcept nogil:
    b.rows = b.count = b.begun = 0
    b.width = 1


cdef void _begin_block(blocks_t* b, double row, double time_s) noexcept nogil:
    if b.count == MOST:
        _widen(b)
    b.part[ROW] = row
    b.part[TIME] = time_s
    b.part[LOWEST] = INFINITY
    b.part[HIGHEST] = -INFINITY
    b.part[FALL] = b.part[RISE] = 0.0
    b.part[TEMPERATURE] = b.part[PRESSURE] = NAN


cdef void _widen(blocks_t* b) noexcept nogil:
    """Half as many blocks, each of two; a whole one that is left over becomes part of the one that is not whole."""
    cdef long long pairs = b.count // 2
    cdef int k, n, level = 0
    cdef double* x
    if b.count & 1:
        while (1LL << level) < b.width:
            level += 1
        b.sum_V[level] = b.whole[SUM_V][b.count - 1]
        b.sum_A[level] = b.whole[SUM_A][b.count - 1]
        for k in range(NUMBERS):
            x = b.part + k
            if b.begun == 0 or k == ROW or k == TIME:
                x[0] = b.whole[k][b.count - 1]
            else:
                x[0] = _joined(k, b.whole[k][b.count - 1], x[0])
        b.begun += b.width
    for k in range(NUMBERS):
        x = b.whole[k]
        for n in range(pairs):
            x[n] = _joined(k, x[2 * n], x[2 * n + 1])
    b.count = pairs
    b.width *= 2


cdef inline double _joined(int place, double a, double b) noexcept nogil:
    if place == ROW or place == TIME:
        return a
    if place == SUM_V or place == SUM_A:
        return a + b
    if place == LOWEST:
        return b if b < a else a
    if place == HIGHEST or place == FALL or place == RISE:
        return b if b > a else a
    return a if isfinite(a) else b


cdef inline void _carry(blocks_t* b, int level, double volts, double amperes) noexcept nogil:
    """Add sums of 2**level rows; a block that is whole by that becomes one."""
    cdef int k
    cdef long long begun = b.begun + (1LL << level)
    while b.begun >> level & 1:
        volts = b.sum_V[level] + volts
        amperes = b.sum_A[level] + amperes
        level += 1
    b.rows += begun - b.begun
    b.begun = begun
    if begun < b.width:
        b.sum_V[level] = volts
        b.sum_A[level] = amperes
        return
    b.part[SUM_V] = volts
    b.part[SUM_A] = amperes
    for k in range(NUMBERS):
        b.whole[k][b.count] = b.part[k]
    b.count += 1
    b.begun = 0


cdef void _add_row(blocks_t* b, const row_t* x) noexcept nogil:
    cdef double step, volts = x.volts + 0.0  # no -0.0, of which it depends on the order which zero is the lowest
    if b.begun == 0:
        _begin_block(b, x.row, x.time_s)
    if b.rows == 0:
        b.first_V = b.last_V = x.volts
        b.first_A = x.amperes
    step = fabs(x.volts) - fabs(b.last_V)
    b.part[LOWEST] = volts if volts < b.part[LOWEST] else b.part[LOWEST]
    b.part[HIGHEST] = volts if volts > b.part[HIGHEST] else b.part[HIGHEST]
    b.part[FALL] = -step if -step > b.part[FALL] else b.part[FALL]
    b.part[RISE] = step if step > b.part[RISE] else b.part[RISE]
    if isfinite(x.temperature_degC) and not isfinite(b.part[TEMPERATURE]):
        b.part[TEMPERATURE] = x.temperature_degC
    if isfinite(x.pressure_Pa) and not isfinite(b.part[PRESSURE]):
        b.part[PRESSURE] = x.pressure_Pa
    b.last_V = x.volts
    b.last_A = x.amperes
    _carry(b, 0, x.volts, x.amperes)


cdef inline void _add_group(
    blocks_t* b, const columns_t* c, Py_ssize_t at, double row, int size, int level
) noexcept nogil:
    """Rows `at` to before `at + size` of the chunk, 2**level finite ones within one block, the first its `row`."""
    cdef double sum_V[16]
    cdef double sum_A[16]
    cdef const double* v = c.volts + at
    cdef const double* a = c.amperes + at
    cdef int k, n = size // 2
    if b.begun == 0:
        _begin_block(b, row, c.time_s[at])
    if b.rows == 0:
        b.first_V = b.last_V = v[0]
        b.first_A = a[0]
    _add_extremes(b, v, size)
    for k in range(n):
        sum_V[k] = v[2 * k] + v[2 * k + 1]
        sum_A[k] = a[2 * k] + a[2 * k + 1]
    while n > 1:
        n //= 2
        for k in range(n):
            sum_V[k] = sum_V[2 * k] + sum_V[2 * k + 1]
            sum_A[k] = sum_A[2 * k] + sum_A[2 * k + 1]
    if c.temperature_degC != NULL:
        b.part[TEMPERATURE] = _first_known(b.part[TEMPERATURE], c.temperature_degC + at, size)
    if c.pressure_Pa != NULL:
        b.part[PRESSURE] = _first_known(b.part[PRESSURE], c.pressure_Pa + at, size)
    b.last_V = v[size - 1]
    b.last_A = a[size - 1]
    _carry(b, level, sum_V[0], sum_A[0])


cdef inline void _add_extremes(blocks_t* b, const double* v, int size) noexcept nogil:
    """Four lanes, for the compiler to make vectors of."""
    cdef double lowest[4]
    cdef double highest[4]
    cdef double fall[4]
    cdef double rise[4]
    cdef double step, volts
    cdef int k, j
    for j in range(4):
        lowest[j] = highest[j] = v[j] + 0.0
        rise[j] = fabs(v[j]) - fabs(v[j - 1] if j else b.last_V)
        fall[j] = -rise[j]
    for k in range(4, size, 4):
        for j in range(4):
            volts = v[k + j] + 0.0
            lowest[j] = volts if volts < lowest[j] else lowest[j]
            highest[j] = volts if volts > highest[j] else highest[j]
            step = fabs(v[k + j]) - fabs(v[k + j - 1])
            rise[j] = step if step > rise[j] else rise[j]
            fall[j] = -step if -step > fall[j] else fall[j]
    for j in range(2):
        lowest[j] = lowest[j + 2] if lowest[j + 2] < lowest[j] else lowest[j]
        highest[j] = highest[j + 2] if highest[j + 2] > highest[j] else highest[j]
        fall[j] = fall[j + 2] if fall[j + 2] > fall[j] else fall[j]
        rise[j] = rise[j + 2] if rise[j + 2] > rise[j] else rise[j]
    for j in range(2):
        b.part[LOWEST] = lowest[j] if lowest[j] < b.part[LOWEST] else b.part[LOWEST]
        b.part[HIGHEST] = highest[j] if highest[j] > b.part[HIGHEST] else b.part[HIGHEST]
        b.part[FALL] = fall[j] if fall[j] > b.part[FALL] else b.part[FALL]
        b.part[RISE] = rise[j] if rise[j] > b.part[RISE] else b.part[RISE]


cdef inline double _first_known(double known, const double* x, int size) noexcept nogil:
    cdef int k = 0
    while k < size and not isfinite(known):
        known = x[k] if isfinite(x[k]) else NAN
        k += 1
    return known


cdef inline row_t _row(const columns_t* c, Py_ssize_t at, long long before) noexcept nogil:
    """Row `at` of the chunk; `before` rows came before the chunk."""
    cdef row_t x
    x.row = before + at
    x.time_s = c.time_s[at]
    x.volts = c.volts[at]
    x.amperes = c.amperes[at]
    x.temperature_degC = c.temperature_degC[at] if c.temperature_degC != NULL else NAN
    x.pressure_Pa = c.pressure_Pa[at] if c.pressure_Pa != NULL else NAN
    return x


cdef inline bint _finite(const double* v, const double* a, Py_ssize_t n) noexcept nogil:
    cdef double nothing[4]
    cdef Py_ssize_t k, whole = n - n % 4
    cdef int j
    for j in range(4):
        nothing[j] = 0.0
    for k in range(0, whole, 4):
        for j in range(4):
            nothing[j] += v[k + j] * 0.0 + a[k + j] * 0.0  # NaN, of what is not finite
    for k in range(whole, n):
        nothing[0] += v[k] * 0.0 + a[k] * 0.0
    return nothing[0] + nothing[1] + nothing[2] + nothing[3] == 0.0


cdef void _add_single(blocks_t* b, const columns_t* c, Py_ssize_t at, Py_ssize_t end, long long before) noexcept nogil:
    """Finite rows, each a block of its own: there is room for them."""
    cdef Py_ssize_t n = b.count, k
    cdef double step
    if b.rows == 0:
        b.first_V = b.last_V = c.volts[at]
        b.first_A = c.amperes[at]
    for k in range(end - at):
        b.whole[ROW][n + k] = before + at + k
        b.whole[TIME][n + k] = c.time_s[at + k]
        b.whole[SUM_V][n + k] = c.volts[at + k]
        b.whole[SUM_A][n + k] = c.amperes[at + k]
        b.whole[LOWEST][n + k] = b.whole[HIGHEST][n + k] = c.volts[at + k] + 0.0
        step = fabs(c.volts[at + k]) - fabs(c.volts[at + k - 1] if k else b.last_V)
        b.whole[FALL][n + k] = -step if step < 0.0 else 0.0
        b.whole[RISE][n + k] = step if step > 0.0 else 0.0
        b.whole[TEMPERATURE][n + k] = b.whole[PRESSURE][n + k] = NAN
    if c.temperature_degC != NULL:
        for k in range(end - at):
            b.whole[TEMPERATURE][n + k] = _first_known(NAN, c.temperature_degC + at + k, 1)
    if c.pressure_Pa != NULL:
        for k in range(end - at):
            b.whole[PRESSURE][n + k] = _first_known(NAN, c.pressure_Pa + at + k, 1)
    b.rows += end - at
    b.count += end - at
    b.last_V = c.volts[end - 1]
    b.last_A = c.amperes[end - 1]


cdef void _add(blocks_t* b, const columns_t* c, Py_ssize_t at, Py_ssize_t end, long long before) noexcept nogil:
    """Rows `at` to before `end` of the chunk; those without a voltage or a current are left out."""
    cdef row_t x
    cdef bint finite = _finite(c.volts + at, c.amperes + at, end - at)
    if finite:  # all of them will be there
        while b.width * MOST < b.rows + end - at:
            _widen(b)
        if b.width == 1 and at < end:
            _add_single(b, c, at, end, before)
            return
    while at < end:
        if finite and b.width >= 32 and not b.begun & 31 and at + 32 <= end:
            _add_group(b, c, at, before + at, 32, 5)
            at += 32
        elif finite and b.width >= 16 and not b.begun & 15 and at + 16 <= end:
            _add_group(b, c, at, before + at, 16, 4)
            at += 16
        elif finite and b.width >= 8 and not b.begun & 7 and at + 8 <= end:
            _add_group(b, c, at, before + at, 8, 3)
            at += 8
        else:
            if isfinite(c.volts[at]) and isfinite(c.amperes[at]):
                x = _row(c, at, before)
                _add_row(b, &x)
            at += 1


cdef bytes _told(const blocks_t* b):
    """As `RowBlocks.look` says."""
    cdef Py_ssize_t n = b.count + (1 if b.begun else 0)
    cdef int fields = NUMBERS + 1, k, level = 0, place = 0
    cdef double volts = 0.0, amperes = 0.0
    cdef bytes told
    cdef double* x
    if not _any_known(b):
        fields -= 2
    told = PyBytes_FromStringAndSize(NULL, (HEAD + fields * n) * sizeof(double))
    x = <double*>PyBytes_AS_STRING(told)
    x[0] = n
    x[1] = b.first_V
    x[2] = b.first_A
    x[3] = b.last_V
    x[4] = b.last_A
    x += HEAD
    if b.begun:
        while not b.begun >> level & 1:
            level += 1
        volts = b.sum_V[level]
        amperes = b.sum_A[level]
        k = level + 1
        while b.begun >> k:
            if b.begun >> k & 1:
                volts = b.sum_V[k] + volts
                amperes = b.sum_A[k] + amperes
            k += 1
    for k in range(fields):
        if k == 2:  # rows
            for place in range(b.count):
                x[place] = b.width
            if b.begun:
                x[b.count] = b.begun
        else:
            place = k if k < 2 else k - 1
            memcpy(x, b.whole[place], b.count * sizeof(double))
            if b.begun:
                x[b.count] = volts if place == SUM_V else amperes if place == SUM_A else b.part[place]
        x += n
    return told


cdef bint _any_known(const blocks_t* b) noexcept nogil:
    cdef int k
    if b.begun and (isfinite(b.part[TEMPERATURE]) or isfinite(b.part[PRESSURE])):
        return True
    for k in range(b.count):
        if isfinite(b.whole[TEMPERATURE][k]) or isfinite(b.whole[PRESSURE][k]):
            return True
    return False


cdef class Summary:
    """See `_blocks.pyi`."""

    cdef readonly double middle_V, level_A, most_V, start_V, late_V, end_V, least_mean_V, most_mean_V, rise
    cdef readonly double begin_A, settled_A, begin_V, settled_V, temperature_degC, pressure_Pa
    cdef readonly long long first_row, last_row, count
    cdef readonly double start_s, end_s, current_A, charge_C, noise_V
    cdef readonly int sign
    cdef readonly bint after_gap

    def __init__(self, record, bytes told):
        cdef const double* x = <const double*>PyBytes_AS_STRING(told)
        cdef double volts[MOST]
        cdef double room[MOST]
        cdef Py_ssize_t numbers = len(told) // sizeof(double) - HEAD
        cdef Py_ssize_t n = <Py_ssize_t>x[0] if numbers > 0 else 0
        if not 1 <= n <= MOST or numbers % n or numbers // n < NUMBERS - 1:
            raise ValueError("not what RowBlocks told of a segment")
        # Its numbers have the order of `SUMMARY_FIELDS`.
        summary.of_blocks(x + HEAD, n, numbers // n, volts, room, &self.middle_V)
        self.first_row = <long long><double>record[0]
        self.last_row = <long long><double>record[1]
        self.count = self.last_row - self.first_row + 1
        self.start_s = record[3]
        self.end_s = record[4]
        self.sign = <int><double>record[5]
        self.current_A = record[6]
        self.charge_C = record[7]
        self.noise_V = record[11]
        self.after_gap = <double>record[15] != 0.0


cdef class RowBlocks:
    """The rows of each segment in blocks; see `_blocks.pyi`. Memory does not grow with the rows."""

    cdef blocks_t known  # rows that belong to the running segment
    cdef blocks_t maybe  # the same and rows behind them that do if a later one does, where `guessed`
    cdef row_t waiting  # the last row where it does not belong yet, and may begin a segment: where `waits`
    cdef bint guessed, waits
    cdef long long rows, first_row, last_row  # rows so far; of the running segment

    def __init__(self):
        _clear(&self.known)
        self.guessed = self.waits = False
        self.rows = 0
        self.first_row = self.last_row = -1

    def feed(
        self, time_s, voltage_V, current_A, temperature_degC, pressure_Pa, segments, running
    ):
        """As `_blocks.pyi` says."""
        cdef Py_buffer views[5]
        cdef const double* found[5]
        cdef columns_t c
        cdef int opened = 0, k = 0
        cdef Py_ssize_t n = 0
        cdef list done = []
        cdef long long first, last
        try:
            for column in (time_s, voltage_V, current_A, temperature_degC, pressure_Pa):
                found[k] = NULL
                if column is not None:
                    open_column(column, &views[opened])
                    opened += 1
                    found[k] = <const double*>views[opened - 1].buf
                    n = views[0].len // 8
                    if views[opened - 1].len // 8 != n:
                        raise ValueError("all columns must have the same length")
                k += 1
            c.time_s, c.volts, c.amperes, c.temperature_degC, c.pressure_Pa = (
                found[0], found[1], found[2], found[3], found[4]
            )
            for segment in segments:
                first = <long long><double>segment[0]
                last = <long long><double>segment[1]
                self._take(&c, first, last)
                done.append(_told(&self.known))
            if running is not None:
                first = running[0]
                last = running[1]
                self._take(&c, first, last)
            self._wait(&c, n)
            self.rows += n
        finally:
            for k in range(opened):
                PyBuffer_Release(&views[k])
        return done

    cdef void _take(self, const columns_t* c, long long first, long long last) noexcept nogil:
        """Rows `first` to `last` of the test belong to one segment: those of them that are not there yet."""
        cdef Py_ssize_t at
        if first != self.first_row:
            _clear(&self.known)
            self.guessed = False
            self.first_row = first
            self.last_row = first - 1
        if last <= self.last_row:
            return
        if self.guessed:  # a row behind what was guessed belongs, so that does
            memcpy(&self.known, &self.maybe, sizeof(blocks_t))
            self.guessed = False
        if self.waits and self.last_row < self.waiting.row <= last:
            _add_row(&self.known, &self.waiting)
        at = self.last_row + 1 - self.rows
        at = at if at > 0 else 0
        if last >= self.rows:
            _add(&self.known, c, at, last + 1 - self.rows, self.rows)
        if self.waits and self.waiting.row <= last:
            self.waits = False
        self.last_row = last

    cdef void _wait(self, const columns_t* c, Py_ssize_t n) noexcept nogil:
        """Rows behind the running segment: the last one may begin another, those before it belong if a later one does."""
        cdef Py_ssize_t at = self.last_row + 1 - self.rows
        cdef row_t x
        at = at if at > 0 else 0
        while at < n:
            if isfinite(c.volts[at]) and isfinite(c.amperes[at]):
                x = _row(c, at, self.rows)
                if self.waits:
                    if not self.guessed:
                        memcpy(&self.maybe, &self.known, sizeof(blocks_t))
                        self.guessed = True
                    _add_row(&self.maybe, &self.waiting)
                self.waiting = x
                self.waits = True
            at += 1

    def look(self):
        """As `_blocks.pyi` says."""
        return _told(&self.known) if self.known.rows else b""
