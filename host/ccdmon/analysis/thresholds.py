"""Every threshold of the analysis, dimensionless, with its reason. (The core's own lie in `ccd_fastcore/_stream.py`.)

Ratios only, so that they hold for a 4 mV and a 2 V cell. No published criterion is validated for solid-state Li|Li
cells; these follow from the classes of Lu et al. 2021 (Adv. Funct. Mater. 31, 2009925), section 2.2.3.
"""

# -- half-cycles and levels
SMALLEST_CURRENT = 0.35  # of its neighbours: below, and short, it is a scan in a rest
SHORT_TIME = 0.3  # of its neighbours
SCAN_CHARGE = 0.12  # of its neighbours' charge, at another current: a scan, whatever its amplitude
LEAST_REST_ROWS = 8  # between segments of one sign: fewer, and a current gave way or stepped
OFFSET_CURRENT = 0.02  # of its neighbours: an offset or noise in a rest, however long
ONE_LEVEL = 0.04  # relative difference of two currents that are one level; ramps step by more
CONSTANT = 0.06  # relative deviation of times or charges that count as constant: a row at either end
COMPLETE = 0.9  # of the expected time or charge: a half-cycle cut off earlier is not complete
LAST_COMPLETE = 0.75  # the same for the last one of a recording: loggers stop early
MOSTLY = 0.75  # of the half-cycles must be alike: a hole in the recording can shorten some
HALF = 0.5  # of them are enough when no other is longer: holes only shorten
SLACK_ROWS = 2  # a recording may start late and end early by a row or two
MERGED = 1.15  # of the usual duration: two pieces that make up no more are one half-cycle with a hole

# -- steps of the polarisation
HARD_REMAINS = (
    0.38  # of V after a hard short; the deepest partial short leaves half, a leak below R/2 a third
)
AGAINST = 0.2  # of V, against the current: no cell has that, a broken lead has
KEPT = 0.75  # of the lowest resistance it had kept: above, V only comes back from a growth
HARD_ABRUPT = 0.6  # of the drop lies between two neighbouring rows; a leak that forms slowly is fake stable
PARTIAL_DROP = 0.065  # the smallest step wanted is 10 %; a third is left for noise
NOISE_ROWS = 8  # that tell of noise
STEP_ERRORS = 4.8  # standard errors: about one false alarm in a million
BOUNDARY_SETTLED = 0.6  # of its end: below, V is still relaxing from the last half-cycle

# -- soft shorts
SOFT_WITHIN = 4  # half-cycles: a drop gone by then was soft
SOFT_DROP = 0.02  # of the mean resistance of a half-cycle in which it fluctuates
SOFT_ABOVE = 1.4  # of the resistance before: a leak can only lower it
SOFT_RATIO = 2.4  # fluctuation over the usual one, mean of the burst, when the burst is long
SOFT_RATIO_AFTER_DROP = 1.5  # the same where a sure drop begins it: two signs of one thing
LARGER = 1.5  # times the drops seen earlier in the test, which an excitation may make
SOFT_ACTIVE = 6  # blocks of 8 rows: chance makes shorter ones
SOFT_STRONG = 4.0  # the same ratio when it is short
SEVERE_RATIO = 3.0  # fluctuation over the usual one: enough by itself,
SEVERE_AMPLITUDE = 0.02  # when it is this large beside the polarisation
SOFT_AMPLITUDE = 0.008  # fluctuation over polarisation
SOFT_BLOCKS = 4  # of 8 rows
SOFT_LEAKS = 0.85  # of the lowest mean resistance before it: below, the leak is still there
NOISY_WINDOW = 8  # half-cycles that tell what is usual
NOISY_RATIO = 1.8  # noise of a whole half-cycle over the usual: its estimate scatters by a tenth or two
NOISY_BEND = 1.2  # of the median: the second largest may scatter that much
NOISY_DROP = 0.03  # of the mean resistance, below all of the half-cycles before
NOISY_WHOLE = 0.9  # of its rows must be there
NOISY_CUT = (
    0.8  # of the time and the charge of the half-cycle compared with: shorter, and only its start is there
)
NOISY_FLOOR = 0.002  # of V: noise below is the converter's
EXCITED = 0.5  # the current fluctuates more, too: V follows it, nothing happened to the cell

# -- contact loss
CONTACT_GROWTH = 1.3  # of the resistance; ageing and conditioning stay below in the time of a test
CONTACT_FAST = (
    1.03  # of the half-cycle before of its sign: voids grow from one to the next, ageing takes longer
)
CONTACT_AGED = 1.5  # of the resistance, when it grew more slowly
CONTACT_KEPT = 1.1  # of the lowest start: the reversal does not undo it, as it does salt depletion
LIMIT_ROWS = 3  # rows at the highest |V|
FLAT_ROWS = 4  # a flat top of as many rows,
FLAT_FACTOR = 4.0  # times those it would have taken to rise through it: the voltage is held
LIMIT_TOP = 0.99  # of the highest |V| of the test
LIMIT_FOLLOWS = 0.5  # of the current's loss: V that falls by less is held
LIMIT_CURRENT = 0.985  # of the level: below, the cycler holds the voltage, not the current

# -- fake stable
FAKE_DC_TO_EIS = 0.5  # U/I below half of the impedance: not the same magnitude (review, 2.3.2)

# -- what is controlled
HELD_CURRENT = 0.01  # relative change of I within a stretch: more, and it is not constant
HELD_FOLLOWS = 0.33  # of it V would follow at least that far
HELD_STANDS = 0.01  # relative change of V that is none

# -- full and half cells
OCV_LOSS = 0.06  # of V within a row at constant I: no open-circuit voltage falls like that
KNEE_ROWS = 5  # left of a stretch: fewer, and V gave way where the charge ends
KNEE_SHARE = 0.2  # of its rows, where an earlier one went as far
OCV_DIP_V = 0.004  # V below its neighbours: a dip
OCV_DIPS = 4  # of them: micro-shorts
OCV_SPAN = 0.3  # V between the ends of a charge: it has an open-circuit voltage that tells the charge
OVERCHARGE = 1.3  # of all that the cell ever held
CHARGE_LOST = 0.08  # of the charge: efficiency fell by that much
SAG_V = 0.02  # V lost in a rest
SAG_STEADY = 0.75  # of the loss of its first half, in its second: no relaxation
STEP_GROWTH = 1.6  # of the resistance of steps of the current
OPEN_ohm_cm2 = 1e6  # no solid electrolyte has more
SHORTED_ohm_cm2 = 5.0  # nor less, with an interface

# -- excursions of the level
DIP_LEAST = 0.03  # of the level: smaller ones are nobody's
DIP_ERROR = 0.25  # of the level, five standard errors: where less is known a dip is none
DEEP = 0.15  # of the level: one dip as deep that comes back tells by itself
SWING = 3.0  # times the usual step from block to block: a leak that forms and dissolves
FALL = 0.075  # of the level: the smallest step wanted is a tenth
DRIFT_SHARE = 0.4  # of a fall, lost within the half-cycles next to it: a slow change, not a step
SUDDEN = 0.6  # of a fall, between neighbouring blocks
OCV_LOSS_V = 0.25  # V, across a step of the current: more than its resistance scatters
MICRO_DIPS = 6  # more than there are the other way, three times over
LOWERED = 0.004  # of the level, mean while it fluctuates: interference lowers nothing
LEAST_mA_cm2 = 1e-6  # less is no current that anybody set
OPEN_ROWS = 8  # without current at the rail: it has reached its limit
LIKELY_mA_cm2 = 50.0  # the review's highest critical current density is 20, at 160 degC
STANDING = 0.4  # of V under current, before any flowed, or in rests after one direction: it stands on its own
