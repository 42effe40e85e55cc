"""Demixing: what each cell contributed to this frame, given all footprints and the background under them.

Least squares with a lower bound, min |d - A c|^2 with c >= floor, by cyclic coordinate descent from the last
frame's solution (Hsieh and Dhillon 2011). Updates are sequential: two cells that overlap by 95 % still
converge, where simultaneous updates oscillate.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from roi_core.jit import kernel, sums

if TYPE_CHECKING:
    from typing import Any

__all__ = ["demix", "planes", "project"]

SWEEPS = 30
"""Hard bound on the work of one frame; a few suffice from a warm start."""


@kernel
def planes(count: Any, nodes: Any, at: Any, share: Any, out: Any) -> None:
    """Fill ``out`` (N, 3) with the glow at each box: middle, and rise per pixel in y and in x.

    ``at`` (N, 4) are the nodes round the middle (flat), ``share`` (N, 3, 4) what each adds.
    """
    for i in range(count):
        for k in range(3):
            total = np.float32(0)
            for corner in range(4):
                total += share[i, k, corner] * nodes[at[i, corner]]
            out[i, k] = total


@sums
def project(count: Any, padded: Any, boxes: Any, centres: Any, glow: Any, moments: Any, out: Any) -> None:
    """Fill ``out`` (N,) with the products of the footprints and the frame, less the background under them.

    ``padded`` is the picture with a margin of the boxes' reach; ``glow`` (N, 3) the background plane of each
    box and ``moments`` (N, 3) the sums of the footprint and of it times y and x from the middle.
    """
    side = boxes.shape[1]
    for i in range(count):
        y0, x0 = centres[i, 0], centres[i, 1]
        total = np.float32(0)
        for y in range(side):
            a, d = boxes[i, y], padded[y0 + y, x0 : x0 + side]
            for x in range(side):
                total += a[x] * d[x]
        for k in range(3):
            total -= glow[i, k] * moments[i, k]
        out[i] = total


@kernel
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
