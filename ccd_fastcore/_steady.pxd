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
    double di[9]
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
    double i2[8]
    double d2[8]
    double shortest[8]  # extremes
    double longest[8]
    double furthest[8]
    double least[8]
    double highest[8]
    double sure[8]  # 0 or 1
    double m[12]  # means of V without what follows I, the four before these blocks first
    double m8[5]  # of eight rows: a pair of blocks
    double turn[5]
    double e1[4]
    double e8[4]
    double ei[4]
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
    cdef double along, t_last, y_last, i_last, di_last, dt, d, di
    cdef double charge, amperes, volts, cov, var, i2, shortest, longest, least, highest
    cdef int k, j
    along = b.along
    b.t[0] = s.time_last
    b.y[0] = fabs(s.v_last) if s.mode == 2 else s.v_last
    b.i[0] = s.sign * s.current_last
    b.di[0] = s.sign * s.di1
    for k in range(n):
        b.t[k + 1] = t[4 * k + 3]
        b.y[k + 1] = y[4 * k + 3]
        b.i[k + 1] = i[4 * k + 3]
        b.di[k + 1] = i[4 * k + 3] - i[4 * k + 2]
    for k in range(n):
        t_last = b.t[k]
        y_last = b.y[k]
        i_last = b.i[k]
        di_last = b.di[k]
        charge = amperes = volts = cov = var = i2 = longest = 0.0
        shortest = least = INFINITY
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
            i2 += fabs(di - di_last)
            d = fabs(d)
            least = d if d < least else least
            d = along * y[4 * k + j]
            highest = d if d > highest else highest
            t_last = t[4 * k + j]
            y_last = y[4 * k + j]
            i_last = i[4 * k + j]
            di_last = di
        b.shortest[k] = shortest
        b.longest[k] = longest
        b.charge[k] = charge
        b.amperes[k] = amperes
        b.volts[k] = volts
        b.block_cov[k] = cov
        b.block_var[k] = var
        b.i2[k] = i2
        b.least[k] = least
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
    s.di1 = s.sign * i[4 * n - 1] - s.sign * i[4 * n - 2]
    s.y1 = b.follow_y[n]
    s.d1 = b.follow_d[n]
    s.row += 4 * n
    s.seen += 4 * n
    s.n += 4 * n
    s.last_row = s.row - 1


cdef inline int _take_volts(state_t* s, Blocks* b, const double* y, int n) noexcept nogil:
    """Largest, smallest step and repeats of V, then what its means and differences say."""
    cdef double highest, least
    cdef long long before
    cdef int k, flags, finer
    highest = b.highest[0]
    least = b.least[0]
    for k in range(1, n):
        highest = b.highest[k] if b.highest[k] > highest else highest
        least = b.least[k] if b.least[k] < least else least
    _count_near_top(s, b, y, 4 * n, highest)
    if least == 0.0:
        _count_repeats(s, b, y, n)
    finer = least < s.lsb or s.lsb == 0.0
    if not finer and _judge_calm(s, b, n) == 1:
        return 0
    flags = 0
    before = s.row - 4 * n
    for k in range(n):
        if finer and (b.least[k] < s.lsb or (s.lsb == 0.0 and b.least[k] < INFINITY)):
            s.lsb = b.least[k]
        s.valid += 4
        s.mean = b.mean[k + 1]
        flags = flags | stream.judge(s, before + 4 * k + 3, b.t[k + 1], b.total[k] * 0.25, b.d2[k], b.i2[k])
    return flags


cdef inline int _judge_calm(state_t* s, Blocks* b, int n) noexcept nogil:
    """`stream.judge` for blocks in which nothing happens, nearly all; 0, and nothing done, where something might."""
    cdef double suspicion, before, excess
    cdef int k
    if n & 1 or s.valid & 7 or s.valid < 16 or s.pending or s.burst or s.learned < stream.LEARN_BLOCKS:
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
    if suspicion > 0.0 or _fluctuate_calmly(s, b, n >> 1) == 0:
        return 0
    s.m1 = b.m[n + 3]
    s.m2 = b.m[n + 2]
    s.m3 = b.m[n + 1]
    s.m4 = b.m[n]
    s.m5 = b.m[n - 1]
    s.pair_u = b.d2[n - 2]
    s.pair_iu = b.i2[n - 2]
    for k in range(n):
        s.valid += 4
        s.octave_sum += b.m[k + 4]
        if s.valid >> 2 >= 1 << (s.octave - 1) and s.octave < 15:
            segment.octave(s)
    return 1


cdef inline int _fluctuate_calmly(state_t* s, Blocks* b, int pairs) noexcept nogil:
    """`stream.fluctuate` for pairs of blocks that swing no more than usual; 0, and nothing done, where one does."""
    cdef double s1, s8, si, g1, g8, r_slow, lsb, floor, before, usual, e1, e8, r1, r8, mean
    cdef double sigma, noise_sum, x
    cdef int k, j
    _turns(s, b, pairs)
    s1 = s.s1
    s8 = s.s8
    si = s.si
    g1 = s.g1
    g8 = s.g8
    r_slow = s.r_slow
    lsb = s.lsb
    sigma = s.sigma
    noise_sum = s.noise_sum
    for k in range(pairs):
        for j in range(2 * k, 2 * k + 2):
            noise_sum += b.d2[j]
            x = b.d2[j] * 0.25 * steps.SIGMA_D2
            sigma = x if sigma == 0.0 else sigma + ((x if x < 2.0 * sigma else 2.0 * sigma) - sigma) * 0.0625
        mean = b.mean[2 * k + 2]
        e1 = b.e1[k]
        e8 = b.e8[k]
        floor = stream.FLOOR * fabs(b.m8[k + 1])
        before = r_slow * mean * stream.FLOOR
        floor = before if before > floor else floor
        usual = lsb if lsb > floor else floor
        usual = s1 if s1 > usual else usual
        r1 = e1 / usual if usual > 0.0 else 0.0
        usual = stream.WHITE_BLOCK * s1
        usual = s8 if s8 > usual else usual
        usual = usual if usual > 0.5 * lsb else 0.5 * lsb
        usual = usual if usual > floor else floor
        r8 = e8 / usual if usual > 0.0 else 0.0
        g1 = stream.accumulate(g1, r1, stream.CAP, stream.DRIFT)
        g8 = stream.accumulate(g8, r8, stream.CAP_BLOCK, stream.DRIFT_BLOCK)
        if not (mean > 0.0 and g1 + g8 < stream.QUIET):
            return 0
        x = 3.0 * s1 if s1 > 0.0 else INFINITY  # from nothing it must be able to grow
        s1 += ((e1 if e1 < x else x) - s1) * 0.03125
        x = 4.0 * s8 if s8 > 0.0 else INFINITY
        s8 += ((e8 if e8 < x else x) - s8) * 0.03125
        si += (b.ei[k] - si) * 0.03125
        r_slow += (b.m8[k + 1] / mean - r_slow) * (0.25 if s.valid + 8 * k >= 32 else 0.125)
    s.s1 = s1
    s.s8 = s8
    s.si = si
    s.g1 = g1
    s.g8 = g8
    s.r_slow = r_slow
    s.sigma = sigma
    s.noise_sum = noise_sum
    s.level_s = b.mean[2 * pairs]
    s.pair_last = b.m8[pairs]
    s.pair_d = b.turn[pairs]
    return 1


cdef inline void _turns(state_t* s, Blocks* b, int pairs) noexcept nogil:
    """Means of eight rows, and by how much they and the rows turn around, as `stream.fluctuate` says."""
    cdef double d, x, z
    cdef int k
    b.m8[0] = s.pair_last
    b.turn[0] = s.pair_d
    for k in range(pairs):
        b.m8[k + 1] = 0.5 * (b.m[2 * k + 5] + b.m[2 * k + 4])
        b.e1[k] = (b.d2[2 * k] + b.d2[2 * k + 1]) * 0.125
        b.ei[k] = (b.i2[2 * k] + b.i2[2 * k + 1]) * 0.125
    for k in range(pairs):
        b.turn[k + 1] = b.m8[k + 1] - b.m8[k]
    for k in range(pairs):
        d = b.turn[k + 1]
        x = fabs(d)
        z = fabs(b.turn[k])
        x = x if x < z else z
        b.e8[k] = x if d * b.turn[k] < 0.0 else 0.0


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


cdef inline void _count_repeats(state_t* s, Blocks* b, const double* y, int n) noexcept nogil:
    """The rows that repeat a voltage; the smallest step of each block is that of the others."""
    cdef double last, d
    cdef int k, j
    for k in range(n):
        last = b.y[k]
        b.least[k] = INFINITY
        for j in range(4):
            d = fabs(y[4 * k + j] - last)
            last = y[4 * k + j]
            if d == 0.0:
                s.stuck += 1
            elif d < b.least[k]:
                b.least[k] = d
