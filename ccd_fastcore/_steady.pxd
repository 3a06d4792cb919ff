"""The other way of rows, in vectors: many at once where nothing happens, the same sums in the same order.

Blocks of four rows, eight at a time, a lane each. It leaves off where a row does not belong; what a block says
(`stream.judge`) is asked as ever, but for the nearly all that say nothing (`_judge_calm`). Functions with their bodies
in a .pxd become part of the module that calls them, `_stream`: as one of its own this would be a sixth slower where V
swings. `_steady.py` stands in where nothing is compiled. Longer than the house's 250 lines because it is one pass over
one set of blocks.
"""

from libc.math cimport INFINITY, fabs

cimport ccd_fastcore._segment as segment
cimport ccd_fastcore._steps as steps
cimport ccd_fastcore._stream as stream
from ccd_fastcore._state cimport state_t

cdef extern from *:
    # A second copy of `take_many` for processors with wider vectors, chosen when the module is loaded. The bits are the
    # same: a lane computes what it did, and nothing is contracted. The name in C is given by hand, here and below; were
    # the function ever called otherwise there, the copy would be lost in silence: `CCD_IS_NAMED` then fails the build.
    """
    #if defined(__x86_64__) && defined(__GLIBC__) && defined(__GNUC__) && !defined(__clang__)
    struct ccd_state;
    static int ccd_take_many(
        struct ccd_state *, double const *, double const *, double const *, Py_ssize_t, Py_ssize_t
    ) __attribute__((target_clones("avx2", "default"), flatten));
    #define CCD_IS_NAMED() _Static_assert(sizeof __func__ == sizeof "ccd_take_many", "take_many has another name in C")
    #else
    #define CCD_IS_NAMED() (void)0
    #endif
    """
    void is_named "CCD_IS_NAMED" () noexcept nogil


cdef struct Blocks:  # of four rows each, a lane for a block; where there are nine, place 0 is from before the first
    double t[9]  # of the last row
    double y[9]
    double i[9]
    double follow_y[9]  # V without what it follows of I's wobble
    double follow_d[9]
    double mean[9]
    double beta[9]
    double cov[9]
    double var[9]
    double spread[9]
    double charge[8]  # sums
    double amperes[8]
    double volts[8]
    double block_cov[8]
    double block_var[8]
    double deviation[8]
    double total[8]
    double d2[8]
    double shortest[8]  # extremes
    double longest[8]
    double furthest[8]
    double repeats[8]
    double highest[8]
    double sure[8]  # 0 or 1
    double m[12]  # means of V without what follows I, the four before these blocks first
    int along  # 1 where V counts as measured, -1 where its sign is turned


cdef inline int take_many "ccd_take_many" (
    state_t* s, const double* t, const double* v, const double* i, Py_ssize_t first, Py_ssize_t end
) noexcept nogil:
    """Take up to eight blocks of four rows from `first` on, where nothing can happen to a row but `stream._take`.

    Each block is a lane, so that the compiler makes vectors of them. Returns the flags of the records completed; -1
    less these where one of the next four rows may not belong to the segment. None may be taken: `s.row` tells.
    """
    cdef Blocks b[1]
    cdef double size[32]
    cdef const double* y
    cdef int k, n, sure, flags
    is_named()
    if (
        s.sign == 0 or s.waiting or s.seen < 64 or s.n < 8 or s.spread_n <= 32 or s.valid < 4 or s.valid & 3
        or s.time_last != s.segment_time or (s.mode != 2 and -stream.VOTES < s.votes < stream.VOTES)
    ):
        return 0
    t += first
    v += first
    i += first
    y = v
    b.along = 1 if s.mode == 2 else stream.along(s)
    # The ring does not wrap within, and a step is confirmed, if at all, by the last block.
    n = 8 if first + 32 <= end else <int>((end - first) >> 2)
    n = n if n < 16 - ((s.valid & 63) >> 2) else 16 - ((s.valid & 63) >> 2)
    n = s.pending if 0 < s.pending < n else n
    n = 2 if s.valid < 16 and n > 2 else n
    if s.mode == 2:
        for k in range(4 * n):
            size[k] = fabs(v[k])
        y = size
    _add_rows(s, b, t, y, i, n)
    if s.mode == 2:
        for k in range(n):
            b.volts[k] = v[4 * k] + v[4 * k + 1] + v[4 * k + 2] + v[4 * k + 3]
    _follow_current(s, b, n)
    _add_deviations(s, b, i, n)
    sure = _sure(s, b, n)
    if sure == 0:
        return -1
    _compensate(s, b, y, i, sure)
    _take_blocks(s, b, t, v, i, sure)
    flags = _take_volts(s, b, y, sure)
    return flags if sure == n else -1 - flags


cdef inline void _add_rows(
    state_t* s, Blocks* b, const double* t, const double* y, const double* i, int n
) noexcept nogil:
    """What needs no running value but those of the row before. Signs of I and V are as measured."""
    cdef double along, t_last, y_last, i_last, dt, d, di
    cdef double charge, amperes, volts, cov, var, repeats, shortest, longest, highest
    cdef int k, j
    along = b.along
    b.t[0] = s.time_last
    b.y[0] = fabs(s.v_last) if s.mode == 2 else s.v_last
    b.i[0] = s.sign * s.current_last
    for k in range(n):
        b.t[k + 1] = t[4 * k + 3]
        b.y[k + 1] = y[4 * k + 3]
        b.i[k + 1] = i[4 * k + 3]
    for k in range(n):
        t_last = b.t[k]
        y_last = b.y[k]
        i_last = b.i[k]
        charge = amperes = volts = cov = var = repeats = longest = 0.0
        shortest = INFINITY
        highest = -INFINITY
        for j in range(4):
            dt = t[4 * k + j] - t_last
            d = y[4 * k + j] - y_last
            di = i[4 * k + j] - i_last
            shortest = dt if dt < shortest else shortest
            longest = dt if dt > longest else longest
            charge += (i[4 * k + j] + i_last) * dt
            amperes += i[4 * k + j]
            volts += y[4 * k + j]
            cov += d * di
            var += di * di
            repeats += 1.0 if d == 0.0 else 0.0
            d = along * y[4 * k + j]
            highest = d if d > highest else highest
            t_last = t[4 * k + j]
            y_last = y[4 * k + j]
            i_last = i[4 * k + j]
        b.shortest[k] = shortest
        b.longest[k] = longest
        b.charge[k] = charge
        b.amperes[k] = amperes
        b.volts[k] = volts
        b.block_cov[k] = cov
        b.block_var[k] = var
        b.repeats[k] = repeats
        b.highest[k] = highest


cdef inline void _follow_current(state_t* s, Blocks* b, int n) noexcept nogil:
    """Mean current and what V follows of it, from block to block; place k: as block k begins."""
    cdef double mean, cov, var, sign, turn, volts
    cdef int k, rows
    sign = s.sign
    turn = sign * b.along
    mean = s.mean
    cov = s.cov
    var = s.var
    rows = s.n
    b.mean[0] = mean
    b.beta[0] = s.beta
    for k in range(n):
        rows += 4
        mean += (sign * b.amperes[k] * 0.25 - mean) * (4.0 / rows if rows < 64 else 0.0625)
        cov += (turn * b.block_cov[k] - cov) * 0.0625
        var += (b.block_var[k] - var) * 0.0625
        b.mean[k + 1] = mean
        b.cov[k + 1] = cov
        b.var[k + 1] = var
        b.beta[k + 1] = 0.0
        if var > 0.0:
            volts = b.volts[k] * 0.25
            volts = fabs(volts) if s.mode == 2 else b.along * volts
            b.beta[k + 1] = stream.followed(cov, var, volts, mean)


cdef inline void _add_deviations(state_t* s, Blocks* b, const double* i, int n) noexcept nogil:
    """How far the current is from its mean."""
    cdef double sign, middle, dev, deviation, furthest
    cdef int k, j
    sign = s.sign
    for k in range(n):
        middle = sign * b.mean[k]
        deviation = furthest = 0.0
        for j in range(4):
            dev = fabs(i[4 * k + j] - middle)
            deviation += dev
            furthest = dev if dev > furthest else furthest
        b.deviation[k] = deviation
        b.furthest[k] = furthest


cdef inline int _sure(state_t* s, Blocks* b, int n) noexcept nogil:
    """How many of the blocks have no row that might not belong to the segment; what is not finite does not."""
    cdef double on, longest, spread, limit, sure
    cdef int k
    on = 1.01 * stream.ON_FRACTION * s.level  # a row within the limit, but below, might be a rest
    longest = 0.7 * stream.LONG * s.interval  # the interval may shrink by a sixteenth with every eighth row
    spread = b.spread[0] = s.spread
    for k in range(n):
        spread += (b.deviation[k] * 0.25 - spread) * 0.125
        b.spread[k + 1] = spread
    for k in range(n):
        limit = stream.STEP_FRACTION * b.mean[k] + stream.SPREAD_FACTOR * b.spread[k]
        sure = 1.0 if b.furthest[k] <= limit else 0.0
        sure = sure if b.mean[k] - limit > on else 0.0
        sure = sure if b.shortest[k] >= 0.0 else 0.0
        sure = sure if b.longest[k] <= longest else 0.0
        sure = sure if fabs(b.charge[k]) <= 1e300 else 0.0
        b.sure[k] = sure if fabs(b.volts[k]) <= 1e300 else 0.0
    k = 0
    while k < n and b.sure[k] > 0.0:
        k += 1
    return k


cdef inline void _compensate(state_t* s, Blocks* b, const double* y, const double* i, int n) noexcept nogil:
    """V without what it follows of I's wobble, into the ring, and its second differences."""
    cdef double sign, along, now, last, d, d_last, total, d2
    cdef double* ring
    cdef int k, j
    ring = s.ring_y + (s.valid & 63)  # a multiple of four: the places lie side by side
    sign = s.sign
    along = b.along
    b.follow_y[0] = s.y1
    b.follow_d[0] = s.d1
    for k in range(n):
        total = last = d = 0.0
        for j in range(4):
            now = along * y[4 * k + j] - b.beta[k] * (sign * i[4 * k + j] - b.mean[k])
            total += now
            ring[4 * k + j] = now
            d = now - last
            last = now
        b.total[k] = total
        b.follow_y[k + 1] = last
        b.follow_d[k + 1] = d
    for k in range(n):
        last = b.follow_y[k]
        d_last = b.follow_d[k]
        d2 = 0.0
        for j in range(4):
            now = ring[4 * k + j]
            d = now - last
            d2 += fabs(d - d_last)
            last = now
            d_last = d
        b.d2[k] = d2


cdef inline void _take_blocks(
    state_t* s, Blocks* b, const double* t, const double* v, const double* i, int n
) noexcept nogil:
    """Time, charge and current of the blocks become part of the state."""
    cdef double dt, interval, sign
    cdef int k, j, at, first
    sign = s.sign
    for k in range(n):
        s.current_sum += sign * b.amperes[k]
        s.voltage_sum += b.volts[k]
        s.charge += 0.5 * (sign * b.charge[k])
    s.mean = b.mean[n]
    s.cov = b.cov[n]
    s.var = b.var[n]
    s.beta = b.beta[n]
    s.spread = b.spread[n]
    # As `stream._clock`: one row in eight moves the interval.
    interval = s.interval
    j = -s.seen & 7
    while j < 4 * n:
        dt = t[j] - (t[j - 1] if j > 0 else b.t[0])
        if dt > 0.0:
            interval += (dt - interval) * 0.0625
        j += 8
    s.interval = interval
    if b.t[n] > s.time_last:
        s.dt_long = 0
    at = s.valid & 63
    first = <int>(s.row - s.first_row)
    for j in range(4 * n):
        s.ring_t[at + j] = t[j]
    for j in range(4 * n):
        s.ring_r[at + j] = first + j
    s.time_last = s.segment_time = b.t[n]
    s.v_last = v[4 * n - 1]
    s.current_last = s.sign * i[4 * n - 1]
    s.y1 = b.follow_y[n]
    s.d1 = b.follow_d[n]
    s.row += 4 * n
    s.seen += 4 * n
    s.n += 4 * n
    s.last_row = s.row - 1


cdef inline int _take_volts(state_t* s, Blocks* b, const double* y, int n) noexcept nogil:
    """Largest and repeats of V, then what its means and differences say."""
    cdef double highest, repeats
    cdef int k, flags
    highest = b.highest[0]
    repeats = b.repeats[0]
    for k in range(1, n):
        highest = b.highest[k] if b.highest[k] > highest else highest
        repeats += b.repeats[k]
    _count_near_top(s, b, y, 4 * n, highest)
    s.stuck += <int>(repeats)
    if _judge_calm(s, b, n) == 1:
        return 0
    flags = 0
    for k in range(n):
        s.valid += 4
        s.mean = b.mean[k + 1]
        flags = flags | stream.judge(s, b.total[k] * 0.25, b.d2[k])
    return flags


cdef inline int _judge_calm(state_t* s, Blocks* b, int n) noexcept nogil:
    """`stream.judge` for blocks in which nothing happens, nearly all; 0, and nothing done, where something might."""
    cdef double suspicion, before, excess, x
    cdef int k
    if s.valid < 16 or s.pending:
        return 0
    b.m[0] = s.m4
    b.m[1] = s.m3
    b.m[2] = s.m2
    b.m[3] = s.m1
    for k in range(n):
        b.m[k + 4] = b.total[k] * 0.25
    suspicion = 0.0
    for k in range(n):  # as `stream.screen` says
        before = 0.5 * (b.m[k] + b.m[k + 1])
        excess = before - 0.5 * (b.m[k + 3] + b.m[k + 4]) - stream.SCREEN_DROP * before
        suspicion = excess if excess > suspicion else suspicion
    if suspicion > 0.0:
        return 0
    for k in range(n):
        s.noise_sum += b.d2[k]
        x = b.d2[k] * 0.25 * steps.SIGMA_D2
        s.sigma = x if s.sigma == 0.0 else s.sigma + ((x if x < 2.0 * s.sigma else 2.0 * s.sigma) - s.sigma) * 0.0625
    s.m1 = b.m[n + 3]
    s.m2 = b.m[n + 2]
    s.m3 = b.m[n + 1]
    s.m4 = b.m[n]
    s.m5 = b.m[n - 1]
    for k in range(n):
        s.valid += 4
        s.octave_sum += b.m[k + 4]
        if s.valid >> 2 >= 1 << (s.octave - 1) and s.octave < 15:
            segment.octave(s)
    return 1


cdef inline void _count_near_top(state_t* s, Blocks* b, const double* y, int rows, double highest) noexcept nogil:
    """How often the largest voltage was nearly reached, as in `stream.sample`."""
    cdef double along, near_top, beyond
    cdef long long near
    cdef int k, since
    along = b.along
    s.highest = highest if highest > s.highest else s.highest
    since = 0
    if highest > 1.002 * s.top:
        beyond = 1.002 * s.top
        for k in range(rows):
            if along * y[k] > beyond:
                s.top = along * y[k]
                beyond = 1.002 * s.top
                since = k
        s.rows_highest = 0
    near_top = 0.998 * s.top
    if highest < near_top:
        return
    near = 0
    for k in range(since, rows):  # no branch: whether a row is near the top is as good as chance
        near += 1 if along * y[k] >= near_top else 0
    s.rows_highest += <int>(near)
