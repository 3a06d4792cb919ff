"""The detector's memory and the words around it: every number that more than one file of the tick knows, once.

Not on the board's way: `const` folds a number within one module only, so each module of the tick writes down those it
uses, and `tests/firmware/test_layout.py` holds each against this file, by its name (a leading underscore aside).
"""

# -- words of the memory, array 'i', all of them >= 0
WORDS = {
    # the sample
    "V": 0,  # code of the voltage
    "I": 1,  # of the current
    "P": 2,  # of the pressure
    "T": 3,  # when it was taken, microseconds modulo 2**30
    # settings, in the order of limits.DETECTOR_SETTINGS
    "SETTINGS_AT": 4,
    "MODE": 4,
    "CONFIRM": 5,
    "SETTLE": 6,
    "BLOCK_SHIFT": 7,
    "COLLAPSE": 8,
    "CURRENT_ON": 9,
    "DROP_MIN": 10,
    "V_MIN": 11,  # 12 maximum of the voltage; 13, 14 current; 15, 16 pressure
    "V_MAX": 12,
    "I_MIN": 13,
    "I_MAX": 14,
    "P_MIN": 15,
    "P_MAX": 16,
    "LIMIT_CONFIRM": 17,
    "HYSTERESIS": 18,
    "RATES": 19,  # of voltage, current, pressure: codes per block
    "PARTIAL": 22,
    "FLUCTUATION": 23,
    "SOFT_BLOCKS": 24,
    "PERSIST_BLOCKS": 25,
    "DIVERGENCE_64THS": 26,
    "OUTGROWN": 27,
    "ACTIONS_AT": 28,  # one for each rule
    # state, cleared when a run begins
    "STATE_AT": 43,
    "SAMPLE": 43,  # samples of this run so far
    "RULE": 44,  # what the verdict's reason stands for: index into limits.RULES
    "VALUE": 45,  # and what decided it, as limits.COMPARED says
    "LIMIT": 46,
    "ACTIVE": 47,  # bit for each rule that has fired and not yet calmed
    "SIGN": 48,  # 0 rest, 1 current positive, 2 negative
    "ODD": 49,  # samples in a row whose current does not belong to this phase
    "LEVEL": 50,  # average |I| of this phase, Q8 units
    "N": 51,  # samples of this phase
    "LOW": 52,  # samples in a row that look shorted
    "LOW_X": 53,  # x at the first of them + 2**15
    "REF": 54,  # running reference of x, Q4; 0: none yet
    "FLOOR": 55,  # a reference below this is no reference, Q4
    "X1": 56,  # x one and two samples ago, + 2**15
    "X2": 57,
    "NOISE": 58,  # average |second difference| of x, Q4
    "QUIET": 59,  # the same when nothing fluctuates; 0: unknown
    "MARK_AT": 60,  # sample of the next mark
    "MARK_K": 61,  # its place in the profile
    "X_MARK": 62,  # x at the last mark and at the one before, + 2**15
    "X_HALF": 63,
    "END": 64,  # r at the end of the last phase; 0: unknown
    "TYPICAL": 65,  # the largest |I| of any phase, units
    "PLAIN": 66,  # this phase's current is comparable with it
    "TAUGHT": 67,  # phases that taught the profile, at most 2
    "FLIPPED": 68,  # the voltage is wired the other way round
    "V_BEFORE": 69,  # voltage code and current code at the end of the phase before
    "I_BEFORE": 70,
    "MOVED": 71,  # the voltage code has moved since
    "CARRIED": 72,  # reference carried over a step of the same sign, Q4
    "OVER_COUNT": 73,  # 74, 75: samples in a row beyond a limit of voltage, current, pressure
    "OVER_COUNT_I": 74,
    "OVER_COUNT_P": 75,
    "SPIKE": 76,  # the last sample jumped
    "OPEN": 77,  # samples in a row without current in which the voltage did not move
    "BLOCK_N": 78,  # samples of the block so far; its sums of codes: voltage, current, pressure
    "BLOCK_V": 79,
    "BLOCK_I": 80,
    "BLOCK_P": 81,
    "RECTIFIED": 82,  # a half cell whose voltage has one sign for both currents: judged by |V|
    "M0": 83,  # x of the last five blocks, newest first, + 2**15; 0: not of this phase
    "MEANS": 88,  # codes of the block before: voltage, current (0: not settled), pressure
    "SOFT": 91,  # blocks that fluctuated
    "SOFT_LASTS": 92,  # blocks since then; 0: it is calm
    "MARK_N": 93,  # sample of the last power of two
    "MARK_X": 94,  # x there and at the one before, + 2**15; 0: none
    "MARK_OLD": 95,
    "GROWN": 96,  # blocks in a row that diverge
    "CALM_BLOCKS": 97,  # blocks that told what is quiet
    "BEND": 98,  # average |second difference| of block means: a slow wave on the current, Q2
    "RATE_COUNTS": 99,  # 100, 101: blocks in a row that change too fast, of each channel
    "LEVEL_0": 102,  # |I| at the first settled sample of this phase, units
    "EVENTS_AT": 103,  # for each rule: count, sample, time, value, limit
    "REASONS_AT": 178,  # reason of each rule: a setting, not cleared
    "PROFILE": 193,  # r at a mark, biased
    "PROFILE_N": 225,  # 0: nothing, 1: expected by superposition, 2: seen, 3: first phase
    "V_ENDS": 257,  # 258, 259: voltage code at the end of phases with positive, negative current; 0: none
    "ROSE": 260,  # in this phase x has been a quarter of what the last one ended with
    "FIRED": 261,  # firings of all rules in this run
    "STAGE": 262,  # of judging the last block; 0: nothing left to do
    "NEW_V": 263,  # its mean codes of voltage and current; 0: not settled
    "NEW_I": 264,
    "MEMORY_WORDS": 265,
}
COUNTS = {"EVENT_WORDS": 5, "RULE_COUNT": 15, "MARKS": 32}
# -- bits of a verdict; its low byte is the reason
BITS = {
    "REASON_MASK": 0xFF,
    "PENDING": 0x100,  # a rule is counting towards its confirmation
    "SETTLING": 0x200,  # rest, or a step that settles: no collapse is looked for
    "WATCHING": 0x400,  # it is
    "STATE_MASK": 0x700,
    "ACTION_SHIFT": 11,
    "ACTION_MASK": 0x1800,  # action of the rule whose reason the low byte has
    "TRIPS": 0x1800,
}
# -- codes and what is added to keep words from being negative
NUMBERS = {
    "ZERO": 32768,  # code of 0 V and 0 A
    "RAIL_LOW": 16,  # below: the converter is at its rail
    "RAIL_HIGH": 65520,  # from here on
    "X_BIAS": 0x8000,
    "R_BIAS": 0x1000000,
    "FOREVER": 0x10000000,  # counters stop here
    "WRAP": 0x3FFFFFFF,  # these wrap
    "ALL_RULES": 0x7FFF,
    "FULL_CELL": 2,  # MODE
    "HALF_CELL": 1,
    "TRIP": 3,  # index into limits.ACTIONS
}
