"""Whether a candidate is more than an error in the footprint of a bright neighbour.

A footprint is known to a few per cent only. While a bright cell is active, what it shows beyond its footprint
can be brighter than a dim cell, and looks like one. So a candidate counts only as far as it exceeds, frame by
frame, the error that its neighbours' light allows for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from roi_core.cnmf.detect import lead_of
from roi_core.jit import kernel, lean

if TYPE_CHECKING:
    from typing import Any

    from numpy.typing import NDArray

    from roi_core.cnmf.detect import Candidate
    from roi_core.cnmf.state import Table

__all__ = ["beside", "stands_alone"]

ERROR = 0.1
"""Error of a neighbour's footprint, as a share of what it shows there or one pixel beside."""
LEAST_Z = 5.0
"""Significance that must be left to the candidate."""


def beside(candidate: Candidate, count: int, t: Table) -> NDArray[np.int64]:
    """Return which cells could touch a candidate."""
    apart = abs(t.corners[:count] - (candidate.y, candidate.x)).max(1, initial=0)
    return np.flatnonzero(apart < max(len(candidate.shape), t.patches.shape[1]))


def stands_alone(
    candidate: Candidate, near: NDArray[np.int64], t: Table, past: NDArray[np.float32], step: int
) -> bool:
    """Return whether a candidate is significant beyond the errors of its neighbours, the cells ``near`` (n,).

    As in its fit, frames weigh as far as the ``step`` frames before stood out: noise cannot confirm itself.
    ``past`` (frames, n) is the neighbours' fluorescence in the last frames of the candidate's trace.
    """
    trace = candidate.trace[len(candidate.trace) - len(past) :]
    if len(trace) <= step or 2 * len(trace) < len(candidate.trace):
        return True  # too little is known to tell
    noise = 1.4826 * float(np.median(abs(np.diff(trace)))) / np.sqrt(2) + 1e-9
    beyond = trace - _error((candidate.y, candidate.x), candidate.shape, near, t.patches, t.corners, past)
    lead = lead_of(beyond, step, noise)
    return bool(lead @ beyond >= LEAST_Z * noise * np.sqrt(lead @ lead) > 0)


@kernel
def _error(corner: Any, shape: Any, near: Any, patches: Any, corners: Any, past: Any) -> Any:
    """Return what neighbours could add to the trace of a candidate by mistake, frame by frame."""
    total, known = np.zeros((2, past.shape[0]), np.float32)
    for k in range(near.size):
        j = near[k]
        share = _share(shape, patches[j], corners[j, 0] - corner[0], corners[j, 1] - corner[1])
        number = 0
        for frame in range(past.shape[0]):
            if np.isfinite(past[frame, k]):
                known[number] = past[frame, k]
                number += 1
        if share == 0 or number == 0:
            continue
        middle = np.float32(np.median(known[:number]))
        for frame in range(past.shape[0]):
            if np.isfinite(past[frame, k]):
                total[frame] += np.float32(ERROR * share) * abs(past[frame, k] - middle)
    return total


@lean
def _share(shape: Any, patch: Any, dy: Any, dx: Any) -> Any:
    """Return how much of a shape (s, s) a patch at (dy, dx) shows there or one pixel beside."""
    side, reach = shape.shape[0], patch.shape[0]
    energy, product = 0.0, 0.0
    for y in range(side):
        for x in range(side):
            energy += shape[y, x] * shape[y, x]
            most = np.float32(0)
            for v in range(max(y - 1, dy, 0), min(y + 2, dy + reach, side)):
                for u in range(max(x - 1, dx, 0), min(x + 2, dx + reach, side)):
                    most = max(most, patch[v - dy, u - dx])
            product += shape[y, x] * most
    return product / max(energy, 1e-30)
