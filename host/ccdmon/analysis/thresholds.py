"""Every threshold of the analysis with its reason; what is not here is derived from these, from noise or from the cell.

Ratios where they can be, so that they hold for a 4 mV and a 2 V cell. No published criterion is validated for
solid-state Li|Li cells; these follow from the classes of Lu et al. 2021 (Adv. Funct. Mater. 31, 2009925), 2.2.3.
(The core's own lie in `ccd_fastcore/_stream.py`.)
"""

# -- shares of a whole, of whatever it is
HALF = 0.5  # of two things that may be the case, the border between them where nothing tells a better one
MOST = (
    0.75  # of it: half-cycles that are alike, a last one that a logger cut, a level kept, a fall that goes on
)
WHOLE = 0.9  # of it: less, and something is missing
ALIKE = 0.05  # relative difference of currents, times, charges that are the same; ramps step by more
STANDS = 0.01  # relative change of what is controlled, or stands at its limit

# -- rows and noise
LEAST_ROWS = 8  # that tell of noise, or that are no accident
SLACK_ROWS = 2  # a recording may start late and end early by a row or two
SURE = 5.0  # standard errors: less than one false alarm in a million
SPIKE_NOISE = 8.0  # standard deviations of a single row that is none of the noise, which has heavy tails

# -- half-cycles and what lies in the rests between them
OFFSET_CURRENT = 0.02  # of its neighbours: an offset or noise in a rest, however long
SCAN = 0.33  # of its neighbours' current and time: below both it is a scan in a rest
SCAN_CHARGE = 0.12  # of its neighbours' charge, at another current: a scan, whatever its amplitude
LIMIT_ROWS = 3  # rows at the highest |V|: one is a spike, two may be chance

# -- the level: V over I over what the cell's own linear response gives it
LEAST = 0.03  # smaller changes of it are nobody's: it holds to 0.3-1 %
UNKNOWN = 0.25  # five standard errors: where less is known of it a dip is none
FALL = 0.075  # the smallest step that is wanted is a tenth
SUDDEN = 0.6  # of a fall, between neighbouring blocks: a leak that forms slowly leaves less there
HARD_REMAINS = (
    0.38  # of it after a hard short; the deepest partial short leaves half, a leak below R / 2 a third
)
SOFT_WITHIN = 4  # half-cycles: a fall that is gone by then was soft
SWING = 3.0  # times the usual step from block to block: a leak that forms and dissolves
DIPS = 5  # more than there are the other way: micro-shorts
GROWN = 1.3  # times what it was: ageing and conditioning stay below in the time of a test, and so does charge
AGED = 1.5  # the same where it grew slowly, or is only asked at steps of the current

# -- temperature and pressure: more of a change is not theirs
ACTIVATION_eV = 0.8  # the highest of solid electrolytes
PRESSURE_EXPONENT = 1.0  # of R over pressure; R of circular contacts goes with -1/2 (review, 3.6)

# -- full and half cells, whose V stands on an open-circuit voltage: in V, for nothing scales it
OCV_LOSS_V = 0.25  # across a step of the current, more than its resistance scatters; a fifth within a stretch
OCV_DIP_V = 0.004  # below its neighbours: no state of charge does that
OCV_SPAN_V = 0.3  # between the ends of a charge: V tells the charge
SAG_V = 0.02  # lost in a rest

# -- what no solid electrolyte has
OPEN_ohm_cm2 = 1e6
SHORTED_ohm_cm2 = 5.0  # with an interface
LIKELY_mA_cm2 = 50.0  # the review's highest critical current density is 20, at 160 degC
LEAST_mA_cm2 = 1e-6  # less is no current that anybody set
