"""Whether a candidate is more than an error in the footprint of a bright neighbour.

A footprint is known to a few per cent only. While a bright cell is active, what it shows beyond its footprint
can be brighter than a dim cell, and looks like one. So a candidate counts only as far as it exceeds, frame by
frame, the error that its neighbours' light allows for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

from roi_core.cnmf.detect import lead_of

if TYPE_CHECKING:
    from typing import Any

    from numpy.typing import NDArray

    from roi_core.cnmf.detect import Candidate
    from roi_core.cnmf.state import Table

__all__ = ["stands_alone"]

ERROR = 0.1
"""Error of a neighbour's footprint, as a share of what it shows there or one pixel beside."""
LEAST_Z = 5.0
"""Significance that must be left to the candidate."""


def stands_alone(candidate: Candidate, count: int, t: Table, past: NDArray[np.float32], step: int) -> bool:
    """Return whether a candidate is significant beyond the errors of its neighbours.

    As in its fit, frames weigh as far as the ``step`` frames before stood out: noise cannot confirm itself.
    ``past`` (frames, N) is the fluorescence of all cells in the last frames of the candidate's trace.
    """
    trace = candidate.trace[len(candidate.trace) - len(past) :]
    if len(trace) <= step or 2 * len(trace) < len(candidate.trace):
        return True  # too little is known to tell
    noise = 1.4826 * float(np.median(abs(np.diff(trace)))) / np.sqrt(2) + 1e-9
    beyond = trace - _error(candidate, count, t, past)
    lead = lead_of(beyond, step, noise)
    return bool(lead @ beyond >= LEAST_Z * noise * np.sqrt(lead @ lead) > 0)


def _error(candidate: Candidate, count: int, t: Table, past: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return what neighbours could add to the candidate's trace by mistake, frame by frame."""
    shape = candidate.shape
    side, energy = len(shape), float((shape**2).sum())
    total = np.zeros(len(past), np.float32)
    corners, reach = t.corners[:count], t.patches.shape[1]
    for j in np.flatnonzero((abs(corners - (candidate.y, candidate.x)) < max(side, reach)).all(1)).tolist():
        dy, dx = (int(v) for v in corners[j] - (candidate.y, candidate.x))
        there = _shown(t.patches[j], dy, dx, side)
        share = float((cv2.dilate(there, np.ones((3, 3), np.uint8)) * shape).sum()) / energy
        if share > 0:
            known = np.isfinite(past[:, j])
            if known.any():
                total[known] += np.float32(ERROR * share) * abs(past[known, j] - np.median(past[known, j]))
    return total


def _shown(patch: NDArray[Any], dy: int, dx: int, side: int) -> NDArray[np.float32]:
    """Return a patch as it lies on a square of so many pixels, whose corner is (dy, dx) before its own."""
    reach = len(patch)
    wide = np.zeros((side + 2 * reach, side + 2 * reach), np.float32)
    y, x = (min(max(d + reach, 0), side + reach) for d in (dy, dx))
    wide[y : y + reach, x : x + reach] = np.maximum(patch, 0)
    return wide[reach:-reach, reach:-reach]
