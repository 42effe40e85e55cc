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

__all__ = ["demix", "project"]

SWEEPS = 30
"""Hard bound on the work of one frame; a few suffice from a warm start."""


@sums
def project(count: Any, padded: Any, boxes: Any, centres: Any, glow: Any, mass: Any, out: Any) -> None:
    """Fill ``out`` (N,) with the products of the footprints and the frame, less the background under them.

    ``padded`` is the picture with a margin of the boxes' reach; ``glow`` (N,) the background per pixel.
    """
    side = boxes.shape[1]
    for i in range(count):
        y0, x0 = centres[i, 0], centres[i, 1]
        total = np.float32(0)
        for y in range(side):
            a, d = boxes[i, y], padded[y0 + y, x0 : x0 + side]
            for x in range(side):
                total += a[x] * d[x]
        out[i] = total - glow[i] * mass[i]


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
