"""What is remembered of the level of one channel; the interpreted twin reads the fields from this text.

Where something is kept of the last so many, `_n` counts all there were: the next one's place is `_n` modulo so many.
"""

cdef struct level_t "ccd_level":
    double least_A, most_ohm, fall, spike_noise, hard_remains, unknown  # the caller's thresholds
    double filters[9]  # currents behind the filters, A
    double end_s, largest_C, largest_A
    double hole_s  # where the last hole in the rows ended, if `holed`
    double along  # rows in which V runs along the current less those in which it does not
    double best, most_raw_ohm  # the highest kept level; the highest V / I before there was a shape
    double last_median_ohm
    double asymmetry[6]  # half log ratios of the two directions
    double kept_ohm[5]  # levels of the last sound half-cycles
    double noise_V[8]  # and their noise, and at what current
    double noise_A[8]
    double odd_level[4]  # half-cycles that are no part of what was taught
    double odd_ohm[4][64]
    # The shape: of the last eight sound half-cycles some blocks' answers of the filters, what V made of them, and the
    # normal equations; of the last six of either sign what was left, median of each bin.
    double answers[8][24][9]
    double y[8][24]
    double equations[8][10][11]
    double left[2][6][41]
    double first_x[64]  # the first half-cycle: log of the time, share of the level
    double first_y[64]
    long long asymmetry_n, kept_n, noise_n, odd_n, taught_n, all_left_n
    long long left_n[2]
    long long left_number[2][6]
    long long reversals, number  # half-cycles that taught after a reversal; half-cycles
    int picked[8]
    int odd_size[4]
    int first_n, ended, holed, fresh  # fresh: forgot all with the last stretch
    int last_known, last_sign, last_sound

cdef struct half_t "ccd_half":  # one stretch while it is looked at, one number a block
    double start_s, end_s, current_A, charge_C, noise_V, middle_V
    double begin_s[64]  # since the step
    double stop_s[64]
    double volts[64]
    double ohm[64]
    double shape[64]
    double level[64]  # not yet corrected for the direction
    double error[64]
    double answers[64][9]  # of the filters
    double away[9]  # their currents from this one, as it began, over it; what is left of them
    double left[9]
    double bins[64]
    double bent[64]
    double weights[10]
    double equations[10][11]
    double at[41]  # bins that are known: which, median, scatter
    double usual[41]
    double scatter[41]
    double few[192]
    double raw_ohm, level_ohm, size_ohm, usual_noise_V, rho, scale
    double dips[64]  # first rows of blocks with a row far towards 0
    long long count  # rows
    int n  # blocks
    int sign, flows, after_gap, after_hole, turned, sound, known, dips_n, peaks

cdef struct kept_t "ccd_kept":
    double least, sure, most, grown, sudden, fall  # the caller's thresholds
    long long least_rows
    double kept[64]  # levels of the last blocks that were within their error
    double medians[3]
    double misfits[6]  # largest deviation within each of the last sound half-cycles
    double level, lowest  # their median, the lowest of the last three half-cycles' medians; NaN: none yet
    double blocks  # of a half-cycle, running mean
    long long kept_n, medians_n, misfits_n, half_cycles

cdef struct seen_t "ccd_seen":  # one half-cycle while it is looked at
    double beyond[64]  # relative deviation of a block that is beyond its error
    double good[64]
    double few[64]
    long long number
    double median_ohm
    int n, good_n, sound
