"""Traces of every cell over all frames, from products of footprints and frames that were measured before.

Each pixel counts by the inverse of its noise variance. The glow is taken out here, not in the pictures: its
product with each footprint is known, so a frame costs a product of small matrices. All this runs through
the rows a few thousand at a time, or through a few cells at a time.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from roi_core.cnmf.neighbours import renew_gram
from roi_core.cnmf.traces import FLOOR, demix
from roi_core.jit import kernel
from roi_core.offline.glow import courses, node_shares
from roi_core.offline.levels import Levels, levels, mean_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from roi_core.cnmf.state import Cells, Table
    from roi_core.offline.glow import Blocks, Modes

__all__ = ["Weighted", "demixed", "weighed"]

ROWS = 1024
"""Rows in memory at once."""
STEADY = 0.2, 20.0
"""A pixel's noise variance is taken as within these multiples of the usual one."""


class Weighted(NamedTuple):
    """Footprints of N cells divided by noise variance and scaled so that each has a unit product with itself.

    ``table`` holds them as boxes, with the products of neighbours in ``gram``; a trace in these units is
    ``scale`` (N,) times the trace. ``shares`` (N, nodes) are their products with the nodes of the glow.
    """

    table: Table
    scale: NDArray[np.float32]
    shares: NDArray[np.float32]


def weighed(cells: Cells, variance: NDArray[np.float32] | None, blocks: Blocks) -> Weighted:
    """Return the footprints as they meet frames; ``variance`` (rows, columns) is that of binned pixels."""
    n, t, field = cells.count, cells.t, cells.field
    weights = np.ones(field.binned, np.float32) if variance is None else _weights(variance)
    half, scale = np.empty_like(t.boxes), np.ones(n, np.float32)
    boxes = np.zeros_like(t.boxes)
    for i in range(n):
        w = _under(weights, t.centres[i], field.reach, field.factor)
        # an empty box must not become a trace of NaN, which would spread
        scale[i] = np.sqrt(max(float((w.astype(np.float64) * t.boxes[i] ** 2).sum()), 1e-12))
        half[i] = np.sqrt(w) * t.boxes[i] / scale[i]
        boxes[i] = w * t.boxes[i] / scale[i]
    table = t._replace(boxes=half, gram=t.gram.copy())
    for i in range(n):
        renew_gram(i, table)
    shares = node_shares(field, blocks.grid, boxes[:n], t.centres[:n])
    return Weighted(table._replace(boxes=boxes), scale, shares)


def demixed(
    products: NDArray[np.float32],
    means: NDArray[np.float32],
    good: NDArray[np.bool_],
    modes: Modes,
    blocks: Blocks,
    w: Weighted,
    settings: tuple[float, float],
    out: NDArray[np.float32],
) -> Levels:
    """Fill ``out`` (rows, N) with traces as deviations from their means; return their levels.

    ``products`` (rows, N) are of weighted footprints and frames, ``means`` (rows, blocks) of the glow;
    ``settings`` the rate, Hz, and the baseline's time, s. Solved twice: the first time freely, the second
    with fluorescence that is not negative.
    """
    free = np.full((1, len(w.scale)), -np.inf, np.float32)
    _solve(products, means, good, modes, blocks, w, Levels(free, free[0], len(out)), out)
    found = levels(out, good, *settings)
    least = (found.base - np.float32(FLOOR) * found.noise) * w.scale
    _solve(products, means, good, modes, blocks, w, found._replace(base=least), out)
    return levels(out, good, *settings)


def _solve(
    products: NDArray[np.float32],
    means: NDArray[np.float32],
    good: NDArray[np.bool_],
    modes: Modes,
    blocks: Blocks,
    w: Weighted,
    least: Levels,
    out: NDArray[np.float32],
) -> None:
    by_mode, by_block = modes.maps @ w.shares.T, blocks.spread @ w.shares.T
    level = mean_of(products, good)
    table = w.table
    for first in range(0, len(products), ROWS):
        rows = slice(first, first + ROWS)
        course, left = courses(modes, means[rows])
        part = products[rows] - level - course @ by_mode - left @ by_block
        traces = np.empty_like(part)
        solve_rows(part, table.near, table.gram, least.base, first, least.length, traces)
        out[rows] = traces / w.scale
    out -= mean_of(out, good)


def _weights(variance: NDArray[np.float32]) -> NDArray[np.float32]:
    usual = float(np.median(variance)) or 1.0
    return (1 / (variance / usual).clip(*STEADY)).astype(np.float32)


def _under(picture: NDArray[np.float32], centre: Any, reach: int, factor: int) -> NDArray[np.float32]:
    """Return a binned picture as a box (S, S) of pixels round a centre; the edge goes on beyond it."""
    rows, columns = (
        ((np.arange(-reach, reach + 1) + int(centre[k])) // factor).clip(0, picture.shape[k] - 1)
        for k in (0, 1)
    )
    box: NDArray[np.float32] = picture[np.ix_(rows, columns)]
    return box


@kernel
def solve_rows(products: Any, near: Any, gram: Any, floors: Any, first: Any, length: Any, out: Any) -> None:
    """Demix rows of products (n, N) one after another, each from the solution of the one before."""
    n = products.shape[1]
    for t in range(products.shape[0]):
        out[t] = products[t] if t == 0 else out[t - 1]
        tolerance = np.float32(1e-3) * np.sqrt(np.mean(products[t] ** 2))
        demix(n, products[t], near, gram, floors[(first + t) // length], out[t], tolerance)
