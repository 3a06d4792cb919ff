"""Where the current's zero lies and how much both channels rustle: from the newest samples, while the gate is open.

Taken when the self-test begins and before each arming, for an amplifier's zero wanders with the temperature. What lies
beyond `ZERO_CODES` of the board's description is no zero: something flows, or the amplifier is broken.
"""

from ccdmon_fw import detector, limits

_MOST = 64  # samples that are looked at


def allowed(board):
    """Codes by which a zero may be off on this board."""
    return getattr(board, "ZERO_CODES", limits.ZERO_CODES)


def voltage_allowed(judge, board):
    """Whether the voltage's zero, which calibration found, is one that this board may have."""
    return abs(judge.memory[detector.V_ZERO] - limits.CODE_ZERO) <= allowed(board)


def take(judge, samples, since, board):
    """Tell the detector zero and noise from the samples after the ring's place `since`; False: it is none."""
    head = samples.control[0]
    count = min(_MOST, (head - since) & 0x3FFFFFFF)
    if count < 2:
        return abs(judge.memory[detector.I_ZERO] - limits.CODE_ZERO) <= allowed(board)
    places = [(place & (samples.capacity - 1)) * 4 + 2 for place in range(head - count, head)]
    currents = [samples.records[place] >> 16 & 0xFFFF for place in places]
    zero = (sum(currents) + count // 2) // count
    if abs(zero - limits.CODE_ZERO) > allowed(board):
        return False
    voltages = [samples.records[place] & 0xFFFF for place in places]
    pressures = [samples.records[place + 1] & 0xFFFF for place in places]
    stirs = [_stirs(codes) for codes in (voltages, currents, pressures)]
    judge.take_zero(zero, (stirs[1] + 1) >> 1, (stirs[0] + 1) >> 1)
    judge.take_stirring(stirs)
    return True


def _stirs(codes):
    """Average |second difference|, rounded up; 0 where there are too few to tell."""
    if len(codes) < 8:
        return 0
    bends = [abs(codes[n] - 2 * codes[n - 1] + codes[n - 2]) for n in range(2, len(codes))]
    return -(-sum(bends) // len(bends))
