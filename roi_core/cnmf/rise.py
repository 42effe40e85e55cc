"""Rise time of the indicator, one for the whole field, learned beside the deconvolution.

A few cells at a time, the brightest of some, each for `TURN` s, are also deconvolved with other rise times,
and settled `WINDOW` s later: a slow rise is not told from a burst before. The cost of a rise time is sum (y -
c)^2 / 2 noise^2 + the price of every spike: one too short needs several spikes for one flank, one too long
does not fit. (The sum of spikes, as used for the decay, does not tell: a flank of many small spikes has the
sum of one.) The price is the log of how rare a spike is, so it grows with the frame rate: a price for all
rates makes rises at 30 to 60 Hz much too short. Costs are summed over cells, with a normal prior round
`RISE`.

The noise, in the penalty of a spike as well, counts as no smaller than `MISFIT` of the cell's usual spike:
flanks are no exact difference of two exponentials, and in a bright trace the costs would else be those of
what the model cannot show, which short rises and many spikes fit best. (Simulated bright bursts, rise .2 s:
learned as .003 to .1 s without.)

No drift is allowed for here: it would take what a burst leaves over, and a long rise would then fit bursts
best.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from roi_core.cnmf.window import SHAPE_ROWS, STATE, VALUES, roots, settle, shape_of, take
from roi_core.jit import kernel, lean, part

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Probes", "best_rise", "price", "probe", "restart", "settle_costs"]

RISE = 0.03
"""Rise time of a common indicator, s."""
GRID = np.log(0.0025 * 2.0 ** (np.arange(15) / 2))
"""Log of the rise times tried, .0025 to .32 s: costs grow so much faster above the best than below it that a
parabola through octaves comes out a third too short."""
SPREAD = 0.7
"""Spread of log rise between indicators."""
CELLS = 3
"""Cells that are probed at a time."""
LOOK = 8
"""Each is the brightest of so many, by its usual spike in units of the noise."""
WINDOW = 1.0
"""Time after which a spike has settled here, s."""
TURN = 10.0
FIRING = 3.5
"""Spikes a second where a rise has to be told from several spikes."""
MISFIT = 0.25
"""Error of the model, as a part of the usual spike."""
KEEP = 0.98
"""Part of the costs that is kept from turn to turn."""


class Probes:
    """The parallel deconvolutions: `CELLS` cells times `GRID` rise times, all arrays in one tuple."""

    def __init__(self, rate: float) -> None:
        size, width = (CELLS, len(GRID)), max(2, round(WINDOW * rate)) + 1
        self.arrays = (
            np.zeros((*size, 3, width), np.float32),
            np.zeros((*size, SHAPE_ROWS, width), np.float32),
            np.zeros((*size, STATE), np.float64),
            np.zeros(size),
            np.zeros((CELLS, 2), np.int64),
            np.zeros(len(GRID)),
            np.zeros(1, np.int64),
        )

    def drop(self, k: int, last: int) -> None:
        """Go on without cell k, whose place the last one gets: its turn begins anew, the last goes on."""
        turns = self.arrays[4]
        turns[turns[:, 0] == k, 1] = 0
        turns[turns[:, 0] == last, 0] = k


@lean
def restart(
    windows: NDArray[np.float32], shapes: NDArray[np.float32], states: NDArray[np.float64], decay: float,
    rate: float,
) -> None:  # fmt: skip
    """Begin a turn of one cell whose calcium decays in `decay` s."""
    windows[...] = 0
    states[...] = 0
    for g in range(len(GRID)):
        d, r = roots(decay, np.exp(GRID[g]), rate)
        shape_of(shapes[g], states[g], d, r)


@part
def price(rate: float) -> float:
    """Return what a spike costs: the log of how rare it is in a frame."""
    return float(np.log1p(rate / FIRING))


@lean
def probe(
    windows: NDArray[np.float32], shapes: NDArray[np.float32], states: NDArray[np.float64],
    costs: NDArray[np.float64], value: float, noise: float, z: float, spike_price: float, count: bool,
) -> None:  # fmt: skip
    """Take one frame of one cell with all rise times; `count` the frame that leaves the window."""
    for g in range(len(GRID)):
        take(windows[g], shapes[g], states[g], value, z * noise, 8, 1e-3 * noise * noise, 0.0, 0.0)
        c, spike = settle(windows[g], states[g], 0)
        left = windows[g, VALUES, 0] - c
        if count and np.isfinite(left):
            costs[g] += 0.5 * (left / noise) ** 2 + (spike_price if spike > 0 else 0.0)


@kernel
def settle_costs(total: NDArray[np.float64], costs: NDArray[np.float64]) -> None:
    """Add the costs of a turn to those of the field."""
    least = costs.min()
    for g in range(total.size):
        total[g] = KEEP * total[g] + costs[g] - least


@kernel
def best_rise(costs: NDArray[np.float64]) -> float:
    """Return the rise time of least cost, between the points of the grid by a parabola."""
    total = costs + 0.5 * ((GRID - np.log(RISE)) / SPREAD) ** 2
    g = int(np.argmin(total))
    if g == 0 or g == len(GRID) - 1:
        return float(np.exp(GRID[g]))
    a, b, c = total[g - 1], total[g], total[g + 1]
    return float(np.exp(GRID[g] + 0.5 * (GRID[g + 1] - GRID[g]) * (a - c) / max(a - 2 * b + c, 1e-9)))
