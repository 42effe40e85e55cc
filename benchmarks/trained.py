"""Causal filters trained on recorded spikes: how far an estimate of this kind gets on cells it never saw.

A filter is a weighted sum of what is known at a frame, cut at zero. Its weights are those with the highest
mean r, over the cells that train it, in 200 ms bins and in the same bins smoothed by one. Known at a frame:
the dF/F of the last two seconds, the spikes our window holds by their age and our causal spike, all in
units of the cell's noise.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from scipy.ndimage import gaussian_filter1d
from scipy.optimize import minimize

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

__all__ = ["Training", "by_age", "of_the_past", "respond", "train"]

AGES = np.array([0, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.4, 0.6, 1, 2])
"""Limits of the ages that share a weight, s."""
YOUNG = AGES[:8]
"""The same for the spikes of the window, s."""
RIDGE = 1e-4
STEPS = 200


class Training(NamedTuple):
    """What is known at the frames (T, F), the 200 ms bin of each, -1 for none, and the spikes of each bin."""

    known: Array
    place: NDArray[np.int64]
    spikes: Array


def of_the_past(trace: Array, rate: float) -> Array:
    """Return the means (T, 11) of a trace (T,) between the ages; nothing was before its first frame."""
    sums, now = np.append(0.0, np.cumsum(trace)), np.arange(1, len(trace) + 1)
    until = [np.interp(now - age * rate, np.arange(len(sums)), sums) for age in AGES]
    return np.array(
        [(a - b) / (n * rate) for a, b, n in zip(until, until[1:], np.diff(AGES), strict=False)]
    ).T


def by_age(window: Array, rate: float) -> Array:
    """Return the sums (T, 7) of the window's spikes (T, W), the newest last, between the young ages."""
    sums = np.pad(np.cumsum(window[:, ::-1], 1), ((0, 0), (1, 0)))
    places = np.minimum(YOUNG * rate, sums.shape[1] - 1)
    left = np.minimum(places.astype(int), sums.shape[1] - 2)
    return np.diff(sums[:, left] + (places - left) * (sums[:, left + 1] - sums[:, left]), axis=1)


def respond(weights: Array, known: Array) -> Array:
    return np.maximum(known @ weights[:-1] + weights[-1], 0)


def train(cells: list[Training]) -> Array:
    """Return the weights (F + 1,), the threshold last."""
    spread = np.concatenate([cell.known for cell in cells]).std(0) + 1e-9
    scaled = [cell._replace(known=cell.known / spread) for cell in cells]

    def cost(weights: Array) -> tuple[float, Array]:
        costs, slopes = zip(*(_cost(weights, cell) for cell in scaled), strict=True)
        ridge = RIDGE * weights[:-1] @ weights[:-1]
        slope = np.mean(slopes, 0) + 2 * RIDGE * np.append(weights[:-1], 0)
        return float(np.mean(costs) + ridge), slope

    start = np.append(np.full(len(spread), 0.1), 0.0)
    best = minimize(cost, start, jac=True, method="L-BFGS-B", options={"maxiter": STEPS}).x
    return np.append(best[:-1] / spread, best[-1])


def _cost(weights: Array, cell: Training) -> tuple[float, Array]:
    """Return how far both r of a cell are from 1, and the slope of that by the weights."""
    response, inside = respond(weights, cell.known), cell.place >= 0
    place, n = cell.place[inside], len(cell.spikes)
    sums = np.bincount(place, response[inside], n).astype(float)
    sharp, slope = _misfit(sums, cell.spikes)
    smooth, more = _misfit(_smooth(sums), _smooth(cell.spikes))
    passed = (response[inside] > 0) * (slope + _smooth(more))[place]
    return sharp + smooth, np.append(passed @ cell.known[inside], passed.sum())


def _misfit(found: Array, true: Array) -> tuple[float, Array]:
    """Return 1 - r and its slope by `found`."""
    a, b = found - found.mean(), true - true.mean()
    a_size, b_size = np.sqrt(a @ a) + 1e-9, np.sqrt(b @ b) + 1e-9
    r = a @ b / (a_size * b_size)
    slope = r * a / a_size**2 - b / (a_size * b_size)
    return 1 - r, slope - slope.mean()


def _smooth(counts: Array) -> Array:
    return np.asarray(gaussian_filter1d(counts, 1.0, mode="constant"), float)
