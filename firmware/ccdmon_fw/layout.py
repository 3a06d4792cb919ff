"""The detector's memory and the words around it: every number that more than one file of the tick knows, once.

Not on the board's way: `const` folds a number within one module only, so each module of the tick writes down those it
uses, and `tests/firmware/test_layout.py` holds each against this file, by its name (a leading underscore aside).
After a word or a rule was added `python -m ccdmon_fw.layout` writes the numbers into those modules.
"""

import re
from pathlib import Path  # type: ignore[import-not-found]  # of CPython, where this runs

from ccdmon_fw import limits

TICK = ("detector", "rules", "sampler", "trends", "wires")  # modules that write numbers down
_RULES = len(limits.RULES)

# Name and number of words, array 'i', all of them >= 0. What begins with a star names the place of the next. A rule has
# its name from limits.RULES, which no word may have.
_MEMORY = """
V 1                 code of the voltage
I 1                 of the current
P 1                 of the pressure
T 1                 when the sample was taken, microseconds modulo 2**30
*SETTINGS_AT        in the order of limits.DETECTOR_SETTINGS
MODE 1              index into limits.CONFIGURATIONS
CONFIRM 1
SETTLE 1
BLOCK_SHIFT 1
COLLAPSE 1
CURRENT_ON 1
DROP_MIN 1
V_MIN 1
V_MAX 1
I_MIN 1
I_MAX 1
P_MIN 1
P_MAX 1
LIMIT_CONFIRM 1
HYSTERESIS 1
RATES 3             of voltage, current, pressure: codes per block
PARTIAL 1
FLUCTUATION 1
SOFT_BLOCKS 1
PERSIST_BLOCKS 1
DIVERGENCE_64THS 1
OUTGROWN 1
R_FIRST 1           a cell that begins with a smaller r is shorted; 0: no such limit
R_MIN 1             the same at any time, as the rig file says
R_MAX 1             with a larger r it is open
R_DOUBTFUL 1        a cell that never had more is told; 0: no such limit
V_ZERO 1            code of 0 V, as calibration found it
ACTIONS_AT RULES    one for each rule
*STATE_AT           cleared when a run begins
SAMPLE 1            samples of this run so far
RULE 1              what the verdict's reason stands for: index into limits.RULES
VALUE 1             and what decided it, as limits.COMPARED says
LIMIT 1
ACTIVE 1            bit for each rule that has fired and not yet calmed
FIRED 1             firings of all rules in this run
EVENTS_AT 5*RULES   for each rule: count, sample, time, value, limit
SIGN 1              0 rest, 1 current positive, 2 negative
ODD 1               samples in a row whose current does not belong to this phase
LEVEL 1             average |I| of this phase, Q8 units
LEVEL_0 1           |I| at the first settled sample of this phase, units
N 1                 samples of this phase
LOW 1               samples in a row that look shorted
LOW_X 1             x at the first of them + 2**15
RISES 1             times that it rose again in this phase
REF 1               running reference of x, Q4; 0: none yet
SHARE 1             of it below which x looks shorted, 64ths
HELD 1              quarters of a block in which it did not follow a deep fall
TREND 1             by how much x fell in the two blocks that are over, Q4
BASE 1              what x keeps when it jumps up and comes back, Q4; follows a jump by 1/128 in a block
JUMPED 1            blocks for which it is above that; 0: it is not
AGE 1               blocks that taught it, at most 8
SLOW 1              slow reference of the blocks of this phase, Q4; 0: none yet
SAGS 1              blocks that taught it, at most 64
X1 1                x one and two samples ago, those that looked shorted aside, + 2**15
X2 1
B1 1                x one and two samples ago, whatever it looked like, + 2**15
B2 1
NOISE 1             average |second difference| of x, Q4
FADED 1             blocks in a row with far less noise than there was
QUIET 1             the same when nothing fluctuates; 0: unknown
GRAIN 1             smallest step of x that was seen, units; 0: unknown
MARK_AT 1           sample of the next mark
MARK_K 1            its place in the profile
PAST 1              r that earlier phases had at the last mark, biased; 0: unknown
X_MARK 1            x at the last mark and at the one before, + 2**15
X_HALF 1
FALLS 1             a half cell's first phase in which no block has stood yet: it falls from its open circuit
FELL 1              marks in a row at which x was far below what earlier phases had there
ROSE 1              in this phase x has been a quarter of what the last one ended with
END 1               r at the end of the last phase; 0: unknown
ENDS 3              unused; r at the end of the last phase with positive, negative current; 0: unknown
R_HIGHS 3           unused; the largest of either
X_HIGH 1            the largest |V| with current, units
TYPICAL 1           the largest |I| of any phase, units
PLAIN 1             this phase's current is comparable with it
TAUGHT 1            phases that taught the profile, at most 2
WIRED 1             a phase has shown which way round the voltage is wired; until then it is as its sign says
FLIPPED 1           the other way round
AGAINST 1           in this phase the voltage began against the current
RECTIFIED 1         a cell whose voltage has one sign for both currents: judged by |V|
V_ENDS 3            unused; voltage code at the end of phases with positive, negative current; 0: none
RESTS 1             |V| at the end of the last rest, units
V_BEFORE 1          voltage code and current code at the end of the phase before; 0: there was none
I_BEFORE 1
V_DRIFT 1           by how much the voltage code changed in the sample before that, + 2**16
OVER_COUNT 1        samples in a row beyond a limit of voltage, current, pressure
OVER_COUNT_I 1
OVER_COUNT_P 1
SPIKE 1             the last sample jumped
BLOCK_N 1           samples of the block so far; its sums of codes: voltage, current, pressure
BLOCK_V 1
BLOCK_I 1
BLOCK_P 1
STAGE 1             of judging the last block; 0: nothing left to do
NEW_V 1             its mean codes of voltage and current; 0: not settled
NEW_I 1
M0 5                x of the last five blocks, newest first, + 2**15; 0: not of this phase
MEANS 3             codes of the block before: voltage, current (0: not settled), pressure
PRESSED 1           blocks until the pressure counts as steady again
SOFT 1              blocks that fluctuated
SOFT_LASTS 1        blocks since then; 0: it is calm
MARK_N 1            sample of the last power of two
MARK_X 1            x there and at the one before, + 2**15; 0: none
MARK_OLD 1
GROWN 1             blocks in a row that diverge
CALM_BLOCKS 1       blocks that told what is quiet
BEND 1              average |second difference| of block means: a slow wave on the current, Q2
ANSWER 1            |dV|/|dI| of the last step of the current, Q14, + 1; 0: unknown
ANSWER_OLD 1        and of the one before it
ANSWER_3 1          and of the two before these
ANSWER_4 1
TURNED 1            quarters of a block in a row in which the voltage stood against the current, which did not turn
AT_OPEN 1           blocks since the voltage jumped to where an open wire shows it
P_LOW 1             below this code the load cell's amplifier is dead; 0: no pressure was seen yet
LAST 3              code of voltage, current, pressure at the end of the last block, and of the one before it
LAST_OLD 3
STILL 3             blocks in a row in which each hardly stirred
RATE_COUNTS 3       blocks in a row that change too fast, of each channel
PROFILE 32          r at a mark, biased
PROFILE_N 32        0: nothing, 1: expected by superposition, 2: seen, 3: first phase
*STATE_END
I_ZERO 1            code of 0 A, taken while the gate was open; with the next word not cleared
V_NOISE 1           average |second difference| of the voltage there, Q4: the noise that a run begins with
STIRS 3             the same of voltage, current, pressure, codes
OPEN_CODE 1         of the voltage when its wire is off, as the board says; 0: it does not
ON 1                from here on a current flows, units: CURRENT_ON, or what noise asks for
REASONS_AT RULES    reason of each rule: a setting, not cleared
*MEMORY_WORDS
"""


def _laid_out(text):
    words, at = {}, 0
    for line in text.strip().splitlines():
        name, _, rest = line.partition(" ")
        words[name.lstrip("*")] = at
        if not name.startswith("*"):
            at += _count(rest.split()[0])
    return words


def _count(text):
    product = 1
    for factor in text.split("*"):
        product *= _RULES if factor == "RULES" else int(factor)
    return product


WORDS = _laid_out(_MEMORY)
COUNTS = {"EVENT_WORDS": 5, "RULE_COUNT": _RULES, "MARKS": 32}
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
# -- codes, bounds, and what is added to keep words from being negative
NUMBERS = {
    "ZERO": 32768,  # code of 0 V and 0 A
    "RAIL_LOW": 256,  # below: an amplifier is dead, its converter's reading some steps above ground
    "RAIL_HIGH": 65280,  # from here on
    "RAIL_P": 65520,  # of the load cell, whose range may be used to its end
    "X_BIAS": 0x8000,
    "R_BIAS": 0x1000000,
    "FOREVER": 0x10000000,  # counters stop here
    "WRAP": 0x3FFFFFFF,  # these wrap
    "ALL_RULES": (1 << _RULES) - 1,
    "FULL_CELL": 2,  # MODE
    "HALF_CELL": 1,
    "TRIP": 3,  # index into limits.ACTIONS
    "STILL_CODES": 32,  # two steps of 12 bits: a converter that froze, its last value and a step
    "STIRRED": 56,  # front ends that rustle less than this cannot be told from one that froze
    "STILL_BLOCKS": 24,
    "AT_OPEN_CODES": 300,  # 1 % resistors
    "AWAY_CODES": 1000,
    "FAINT": 96,  # noise of a converter that froze: its last value and a step of 12 bits, Q4
    "HOLD": 10,  # quarters of a block for which the reference does not follow a deep fall
    "FULL_64THS": 56,  # what a full cell keeps: its voltage is not its polarisation, and falls abruptly only by a short
    "FELL_64THS": 22,  # of what earlier phases had at the same age; formation and most ovens take more phases for that
    "SAG_64THS": 18,  # the same share as a hard short's, of a slower reference
}

KNOWN = {name.upper(): number for number, name in enumerate(limits.RULES)}
KNOWN.update(WORDS)
KNOWN.update(COUNTS)
KNOWN.update(BITS)
KNOWN.update(NUMBERS)


def renumbered(source):
    """The text of a module with every `NAME = const(number)` as it is here; names that are not known here stay."""

    def line(match):
        name, number = match.groups()
        known = KNOWN.get(name.lstrip("_"), int(number, 0))
        if known == int(number, 0):
            return match[0]
        return ("%s = const(0x%X)" if number.startswith("0x") else "%s = const(%d)") % (name, known)

    return re.sub(r"(?m)^(\w+) = const\((\w+)\)", line, source)


if __name__ == "__main__":
    for module in TICK:
        path = Path(__file__).with_name(module + ".py")
        path.write_text(renumbered(path.read_text()))
