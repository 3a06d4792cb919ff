"""What is remembered of one channel, in the order of memory; the interpreted twin reads its fields from this text.

From `segment` on are the records: filled when a function returns their flag, and nothing of them is read again. What
`Stream.save` returns is what lies before. The struct has a C name of its own, for `_steady.pxd` names it in C.
"""

cdef struct state_t "ccd_state":
    long long row, seen  # rows so far; those of them that are finite
    long long first_row, last_row  # of the running segment
    long long wait_row
    # Clock, current and charge of the running segment: amperes and volts along the current, seconds, coulombs.
    double time_last, interval, level, start, segment_time  # interval: between rows; level: |I| of the last half-cycle
    double mean, spread, current_sum  # running mean of |I|, mean of its |deviations|; its sum over whole blocks
    double current_last, charge, voltage_sum
    double block_charge, block_v  # sums over the rows of the unfinished block, as are all that begin with block_
    double wait_time, wait_v, wait_i  # a row that may begin a segment: the next one decides
    double beta, cov, var, block_cov, block_var  # ohms by which V follows the wobble of I, and what they come from
    double y1, d1  # the last row under load: V and its difference
    double block_sum, block_d2, block_a, block_dev
    double noise_sum, sigma  # sigma: noise of rows
    double m1, m2, m3, m4, m5  # means of the last blocks, the newest first
    double level_s  # |I| at which spread and sigma were learned
    double octave_sum, highest, top, v_last  # top: highest but for 0.2 %, of which rows_highest are within 0.2 %
    double p_first, p_last  # stack pressure, Pa
    double profile[16]  # means of V of rows 0-3, 4-7, 8-15, 16-31, ... of the segment
    double ring_y[64]  # the last rows: V, time, row of the segment
    double ring_t[64]
    int mode  # of the cell, an index of MODES
    int sign, n, after_gap  # of the running segment: sign of the current (0: a rest), rows, did a gap precede it
    int waiting, wait_gap, dt_long, spread_n
    int rest_level, valid, pending, octave  # valid: rows under load; pending: blocks until a step is looked for
    int rows_highest, stuck
    int p_n, votes  # votes: rows in which V runs along the current less those in which it does not
    int ring_r[64]
    double segment[37]
    double step[14]
