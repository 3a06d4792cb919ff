"""Between which two levels the supply of lithium ends: told by how half-cycles grow there and at later levels.

At the first level above the supply an interface loses so little that no half-cycle shows it for sure; those that follow
lose more, and from them the beginning is told. The flux balance (review, eq. 10, 11) integrated: an interface that is
stripped misses m, with dm/dt = A (j / c - J0), for what is left of the contact, c, carries the whole current; what is
plated on it brings some back. The resistance grows by the share s of that interface times 1 / c - 1. Nobody knows how
contact goes with missing lithium, or how it heals: four readings of it count alike, and A, s and J0 are integrated out.
"""

from dataclasses import dataclass

import numpy as np

from ccdmon.analysis.rows_in_blocks import Array

SUPPLIES = 4  # tried between two levels
YIELDS = np.geomspace(0.02, 3.0, 10)  # A, of m for the largest charge of a half-cycle
# (contact is 1 / (1 + m), or 1 - m; healing by plating of A j, and of A j m)
CLOSURES = ((0.0, 0.2, 0.0), (1.0, 0.0, 0.5), (1.0, 0.2, 0.0), (0.0, 0.0, 0.5))
SHARE, SHARE_SPREAD, SHARES = 0.25, 0.15, (0.02, 0.6)  # of the resistance, that one interface has
LAW = 0.25  # of a growth: no closure is better
MOST_GROWTH = 0.06  # within a half-cycle: what follows says more of the closure than of the supply
EARLY = 0.25  # of a half-cycle: growth is read after it


@dataclass(frozen=True)
class Grown:
    """A number for each half-cycle: level from 0, current, duration, relative growth and its standard error."""

    level: Array
    current_A: Array
    lasts_s: Array
    growth: Array
    error: Array


def first_starved(seen: Grown, below_A: float) -> tuple[Array, float]:
    """Probability that each level is the first above the supply, and how much better that is than none, -2 ln.

    `below_A` flowed before the first of them.
    """
    far = np.flatnonzero(seen.growth > MOST_GROWTH)
    last = int(far[0]) + 1 if far.size else seen.growth.size
    levels = int(seen.level.max()) + 1
    currents = np.array([below_A, *(float(seen.current_A[seen.level == k].max()) for k in range(levels))])
    inside = (np.arange(SUPPLIES) + 0.5) / SUPPLIES
    supply_A = (currents[:-1, None] + np.diff(currents)[:, None] * inside).ravel()
    grows = _growths(seen, last, supply_A)
    misfit = _misfit(grows, seen.growth[:last], seen.error[:last])
    likely = np.exp(-0.5 * np.minimum(misfit - misfit.min(), 400.0)).sum(axis=(1, 2))
    each = likely.reshape(levels, SUPPLIES).sum(axis=1)
    none = float(((seen.growth / seen.error)[:last] ** 2).sum())
    return np.asarray(each / each.sum()), none - float(misfit.min())


def _growths(seen: Grown, last: int, supply_A: Array) -> Array:
    """Of the interfaces' resistance in each half-cycle, (supplies, yields, closures, half-cycles)."""
    of_charge = YIELDS / float((seen.current_A * seen.lasts_s)[:last].max())
    supply, each = supply_A[:, None, None], of_charge[None, :, None]
    bare, back, mends = np.array(CLOSURES).T[:, None, None, :]
    missing = [np.zeros(np.broadcast(supply, each, bare).shape) for _ in range(2)]
    found = np.empty((*missing[0].shape, last))
    for k in range(last):
        stripped, plated = missing[k % 2], missing[1 - k % 2]
        current, moved = seen.current_A[k], each * seen.current_A[k] * seen.lasts_s[k]
        excess = 1 - supply / current
        grown = np.zeros(found.shape[:-1])
        for part, sign in ((EARLY, -1), (1.0, 1)):
            most = np.maximum((stripped + excess) * np.exp(np.minimum(part * moved, 8.0)) - excess, 0.0)
            left = np.maximum(plated * np.exp(-part * mends * moved) - part * back * moved, 0.0)
            grown = grown + sign * (_resistance(most, bare) + _resistance(left, bare))
        found[..., k] = grown / (1 - EARLY)
        missing[k % 2], missing[1 - k % 2] = most, left
    return found


def _resistance(missing: Array, bare: Array) -> Array:
    """1 / contact - 1."""
    return np.asarray(missing / np.maximum(1 - bare * missing, 0.05))


def _misfit(grows: Array, growth: Array, error: Array) -> Array:
    """-2 ln of the likelihood with the best share of the interface; shape of `grows` without its last axis."""
    weight = np.broadcast_to(1 / error**2, grows.shape)
    share = np.zeros(grows.shape[:-1])
    for _ in range(2):  # the second time with what the law is worth
        right = (weight * grows * growth).sum(axis=-1) + SHARE / SHARE_SPREAD**2
        share = np.clip(right / ((weight * grows**2).sum(axis=-1) + 1 / SHARE_SPREAD**2), *SHARES)
        told = share[..., None] * grows
        weight = 1 / (error**2 + (LAW * told) ** 2)
    off = (weight * (growth - told) ** 2 - np.log(weight * error**2)).sum(axis=-1)
    return np.asarray(off + ((share - SHARE) / SHARE_SPREAD) ** 2)
