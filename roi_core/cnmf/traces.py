"""Demixing: what each cell contributed to this frame, given all footprints and the background under them.

Least squares with a lower bound, min |d - A c|^2 with c >= floor, by cyclic coordinate descent from the last
frame's solution (Hsieh and Dhillon 2011). Updates are sequential: two cells that overlap by 95 % still
converge, where simultaneous updates oscillate.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from roi_core.jit import lean, sums

if TYPE_CHECKING:
    from typing import Any

__all__ = ["bound", "demix", "demixed", "follow", "planes", "project", "solve"]

SWEEPS = 30
"""Hard bound on the work of one frame; a few suffice from a warm start."""
EXACT = np.float32(1e-2)
"""A trace is exact enough at this share of the least noise."""
FLOOR = 4.0
"""A trace may fall this many times its noise below the baseline, not more: fluorescence is not negative."""


@lean
def demixed(
    count: Any, t: Any, padded: Any, nodes: Any, baseline: Any, noise: Any, rate: Any, glow: Any, rooms: Any
) -> None:
    """Do all of a frame that follows, in one call: to unpack a table in Python costs as much as to solve.

    ``rooms`` (2, N) is to work in; its second row gets the fluorescence (`follow`), ``glow`` what `solve`
    fills in.
    """
    products, out = rooms[0], rooms[1]
    project(count, t, padded, products)
    tolerance = bound(count, t, baseline, noise)
    solve(count, t, products, nodes, tolerance, glow, out)
    follow(count, t, rate, out)


@lean
def bound(count: Any, t: Any, baseline: Any, noise: Any) -> Any:
    """Set the least value of each trace from baseline and noise (N,); return how exact traces need be."""
    least = np.float32(np.inf)
    for i in range(count):
        t.floor[i] = baseline[i] - FLOOR * noise[i] - t.mean[i] if noise[i] > 0 else -np.inf
        least = min(least, noise[i])
    return EXACT * least


@lean
def solve(count: Any, t: Any, products: Any, nodes: Any, tolerance: Any, glow: Any, room: Any) -> None:
    """Demix, given the glow at its ``nodes``; ``glow`` gets the plane under each cell.

    ``products`` (N,) are those of footprints and picture (`project`), ``room`` (N,) is to work in.
    """
    planes(count, t, nodes, glow)
    for i in range(count):
        room[i] = products[i]
        for k in range(3):
            room[i] -= glow[i, k] * t.moments[i, k]
    demix(count, room, t.near, t.gram, t.floor, t.trace, tolerance)


@lean
def follow(count: Any, t: Any, rate: Any, out: Any) -> None:
    """Fill ``out`` (N,) with the fluorescence: the trace and the mean above which it was measured.

    That mean follows the trace by ``rate`` as the running mean of the pixels does, so that the sum is what a
    fixed reference would show.
    """
    for i in range(count):
        out[i] = t.mean[i] + t.trace[i]
        t.mean[i] += np.float32(rate) * t.trace[i]


@lean
def planes(count: Any, t: Any, nodes: Any, out: Any) -> None:
    """Fill ``out`` (N, 3) with the glow at the middle of each box and its rise per px in y and in x."""
    for i in range(count):
        for k in range(3):
            total = np.float32(0)
            for corner in range(4):
                total += t.share[i, k, corner] * nodes[t.at[i, corner]]
            out[i, k] = total


@sums
def project(count: Any, t: Any, padded: Any, out: Any) -> None:
    """Fill ``out`` (N,) with the products of the footprints and the frame.

    ``padded`` is the picture with a margin of the boxes' reach.
    """
    side = t.boxes.shape[1]
    columns = np.empty(side, np.float32)
    for i in range(count):
        y0, x0 = t.centres[i, 0], t.centres[i, 1]
        columns[:] = 0
        for y in range(t.rows[i, 0], t.rows[i, 1]):
            a, d = t.boxes[i, y], padded[y0 + y, x0 : x0 + side]
            for x in range(side):
                columns[x] += a[x] * d[x]
        total = np.float32(0)
        for x in range(side):
            total += columns[x]
        out[i] = total


@lean
def demix(count: Any, products: Any, near: Any, gram: Any, floor: Any, trace: Any, tolerance: Any) -> Any:
    """Solve for ``trace`` (N,) in place, starting from what it holds; return the number of sweeps.

    ``products`` is A^T d, ``gram`` holds A^T A of neighbouring pairs (the diagonal is 1).
    """
    for sweep in range(SWEEPS):
        change = np.float32(0)
        for i in range(count):
            value = products[i]
            for m in range(near.shape[1]):
                j = near[i, m]
                if j < 0:
                    break
                value -= gram[i, m] * trace[j]
            value = max(value, floor[i])
            change = max(change, abs(value - trace[i]))
            trace[i] = value
        if change <= tolerance:
            return sweep + 1
    return SWEEPS
