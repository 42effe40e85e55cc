"""Decay time of the indicator, learned from every cell while it is deconvolved and pooled over the field.

The trace is kept in bins of .1 s, where the rise does not matter and order 1 is exact by OASIS pools
(Friedrich, Zhou and Paninski, PLoS Comput Biol 2017, algorithm 1). For each decay of a grid the cost sum (y
- c)^2 / 2 noise^2 + Z |h| sum s / noise of the best spikes is a negative log posterior: a decay too short
pays in spikes, one too long in residual, and for bursts as for single spikes the true one is cheapest
(within 5 % in the simulator, for decays of .3 to 1.5 s at 10 to 60 Hz; autocovariance would see a burst as
decay). Costs add up over time and cells: a cell believes its own, with a normal prior round the decay of
the field, and the field its cells, with a wide prior round `DECAY`. One decay of one cell is tried per
frame.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from roi_core.jit import kernel, part

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = [
    "BIN",
    "BINS",
    "DECAY",
    "GRID",
    "NOTES",
    "Z",
    "collect",
    "estimate",
    "pool_field",
    "pools",
    "search",
]

DECAY = 0.6
"""Decay time of a common indicator, s."""
Z = 2.0
"""A spike is kept when a matched filter would see it with this many standard deviations."""
BINS = 200
BIN = 0.1
"""Bins kept per cell, and their length, s."""
NEW = 20
"""Bins that must be new before a cell is tried again."""
GRID = np.log(0.1 * 2 ** (np.arange(12) / 2))
"""Log of the decays tried, .1 to 4.5 s."""
MEMORY = 6000
"""Bins after which costs are forgotten."""
CELL_SD, FIELD_SD = 0.25, 0.7
"""Spread of log decay between the cells of a field, and between fields."""
LOUD = 50.0
"""A cell's cost counts for the field as if it differed by no more than this: none speaks for all."""
# Columns of notes (cap, 6) float64
SUM, LENGTH, NEXT, FILLED, FRESH, LOG_DECAY = range(6)
NOTES = 6


@part
def collect(notes: NDArray[np.float64], ring: NDArray[np.float32], raw: float, length: int) -> None:
    """Take one finite value of the trace above its baseline into the bins."""
    notes[SUM] += raw
    notes[LENGTH] += 1
    if notes[LENGTH] >= length:
        place = int(notes[NEXT])
        ring[place] = notes[SUM] / notes[LENGTH]
        notes[NEXT] = (place + 1) % BINS
        notes[FILLED] = min(notes[FILLED] + 1, BINS)
        notes[FRESH] += 1
        notes[SUM] = notes[LENGTH] = 0


@kernel
def search(
    hunt: NDArray[np.float64], notes: NDArray[np.float64], rings: NDArray[np.float32],
    costs: NDArray[np.float64], bin_length: float,
) -> None:  # fmt: skip
    """Try the next decay of the cell whose turn it is; `hunt` has cell, decay and the costs so far."""
    if hunt[0] >= len(notes):
        hunt[0] = hunt[1] = 0
    if len(notes) == 0:
        return
    k, g = int(hunt[0]), int(hunt[1])
    if g == 0 and (notes[k, FRESH] < NEW or notes[k, FILLED] < 2 * NEW):
        hunt[0] += 1
        return
    hunt[2 + g] = _try_decay(rings[k], notes[k], np.exp(GRID[g]), bin_length)
    hunt[1] += 1
    if hunt[1] == len(GRID):
        _settle(costs[k], hunt[2:], notes[k])
        hunt[0] += 1
        hunt[1] = 0


@kernel
def _try_decay(
    ring: NDArray[np.float32], notes: NDArray[np.float64], decay: float, bin_length: float
) -> float:
    """Return the cost of the last bins when calcium decays in `decay` s."""
    n = int(notes[FILLED])
    first = int(notes[NEXT]) - n
    y = np.empty(n)
    for i in range(n):
        y[i] = ring[(first + i) % BINS]
    noise = _noise(y)
    if noise <= 0:
        return 0.0
    d = np.exp(-bin_length / decay)
    penalty = Z * noise / np.sqrt(1 - d * d)
    spikes = pools(y, d, penalty)
    cost, c = 0.0, 0.0
    for i in range(n):
        c = d * c + spikes[i]
        cost += 0.5 * (y[i] - c) ** 2 + (penalty * spikes[i] if i > 0 else 0.0)
    return cost / (noise * noise)


@kernel
def _noise(y: NDArray[np.float64]) -> float:
    """Return the sd by second differences, winsorised three times."""
    total, limit = 0.0, np.inf
    for _ in range(4):
        total = 0.0
        for i in range(2, y.size):
            total += min((y[i] - 2 * y[i - 1] + y[i - 2]) ** 2 / 6, limit)
        total /= max(y.size - 2, 1) * (0.9205 if limit < np.inf else 1.0)
        limit = 4 * total
    return float(np.sqrt(total))


@kernel
def pools(y: NDArray[np.float64], d: float, penalty: float) -> NDArray[np.float64]:
    """Return the spikes s >= 0 that minimise sum (y - c)^2 / 2 + penalty sum s[1:]; c_t = d c_{t-1} + s_t."""
    n = y.size
    value, weight = np.empty(n), np.empty(n)
    start = np.empty(n + 1, np.int64)
    last = -1
    for t in range(n):
        last += 1
        linear = penalty * (1 - d) if t > 0 else -penalty * d
        if t == n - 1:
            linear += penalty * d
        value[last], weight[last], start[last] = y[t] - linear, 1.0, t
        while last > 0:
            length = start[last] - start[last - 1]
            power = d**length
            if value[last] > 0 and value[last] >= power * value[last - 1]:
                break
            total = weight[last - 1] + power * power * weight[last]
            value[last - 1] = (
                weight[last - 1] * value[last - 1] + power * weight[last] * value[last]
            ) / total
            weight[last - 1] = total
            last -= 1
    spikes = np.zeros(n)
    for p in range(last + 1):
        before = 0.0
        if p > 0:
            before = max(value[p - 1], 0.0) * d ** (start[p] - start[p - 1])
        spikes[start[p]] = max(max(value[p], 0.0) - before, 0.0)
    return spikes


@kernel
def _settle(costs: NDArray[np.float64], trial: NDArray[np.float64], notes: NDArray[np.float64]) -> None:
    """Add the trial's costs to the cell's, by the part of its bins that is new, and forget the old."""
    part = min(1.0, notes[FRESH] / max(notes[FILLED], 1.0))
    keep = np.exp(-notes[FRESH] / MEMORY)
    least = trial.min()
    for g in range(trial.size):
        costs[g] = keep * costs[g] + part * (trial[g] - least)
    notes[FRESH] = 0


@kernel
def estimate(costs: NDArray[np.float64], centre: float, sd: float = CELL_SD) -> float:
    """Return the log decay of least cost under a normal prior; a parabola between the points of the grid."""
    best, place = np.inf, 0
    total = np.empty(costs.size)
    for g in range(costs.size):
        total[g] = costs[g] + 0.5 * ((GRID[g] - centre) / sd) ** 2
        if total[g] < best:
            best, place = total[g], g
    step = GRID[1] - GRID[0]
    if place == 0 or place == costs.size - 1:
        return float(GRID[place])
    a, b, c = total[place - 1], total[place], total[place + 1]
    return float(GRID[place] + 0.5 * step * (a - c) / max(a - 2 * b + c, 1e-9))


@kernel
def pool_field(costs: NDArray[np.float64]) -> float:
    """Return the log decay of the field from the (N, G) costs of its cells."""
    total = np.zeros(costs.shape[1])
    for k in range(costs.shape[0]):
        least, most = costs[k].min(), costs[k].max()
        part = min(1.0, LOUD / max(most - least, 1e-9))
        for g in range(total.size):
            total[g] += part * (costs[k, g] - least)
    return estimate(total, np.log(DECAY), FIELD_SD)
