"""One component that holds two cells: how it is told, and what is left of it when the other has its own.

Two neighbours that at first fire together are found as one. As soon as one fires alone, the residual shows
it, and it becomes a component of its own, inside of the first. Then the first is the rest.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

from roi_core.cnmf.merge import APART, OLD
from roi_core.cnmf.state import shifted
from roi_core.frame import Status
from roi_core.jit import kernel, lean

if TYPE_CHECKING:
    from typing import Any

    from numpy.typing import NDArray

    from roi_core.cnmf.state import Table

__all__ = ["fused", "rest_of"]

INSIDE = 0.35
"""Product of two footprints from which the smaller one is a part of the larger."""
LARGER = 1.35
"""How many times as large as the other the one is that holds two."""
USUAL, ENOUGH = 1.2, 8
"""How many times as large as usual it is at least; accepted cells from which the usual size is known."""
BODY, LEAST = 0.25, 0.5
"""Share of the brightest pixel of both down to which the rest counts; its least size, in the other's."""
ACCEPTED = int(Status.ACCEPTED)


def fused(count: int, t: Table, now: int, rate: float, area: float) -> tuple[int, int] | None:
    """Return the rows of a component that holds two cells, and of the one it holds, if there are any.

    A cell is expected to have so many px of ``area``; once some are known, their median counts.
    """
    whole, part = _fused(count, t, now - OLD * rate, area)
    return (int(whole), int(part)) if whole >= 0 else None


def rest_of(t: Table, whole: int, part: int) -> NDArray[np.float32] | None:
    """Return the box (S, S) of what a component is without another; None when that is hardly a cell."""
    dy, dx = (int(v) for v in t.centres[part] - t.centres[whole])
    other = shifted(t.boxes[part], dy, dx)
    box = t.boxes[whole]
    rest = np.maximum(box - float((box * other).sum()) * other, 0)
    mask = (rest > BODY * box.max()).astype(np.uint8)
    number, labels, stats, _ = cv2.connectedComponentsWithStats(mask, connectivity=4)
    if number < 2:
        return None
    label = 1 + int(np.argmax(stats[1:, cv2.CC_STAT_AREA]))
    if stats[label, cv2.CC_STAT_AREA] < LEAST * t.size[part]:
        return None
    return np.where(labels == label, rest, 0).astype(np.float32)


@lean
def _fused(count: Any, t: Any, oldest: Any, area: Any) -> Any:
    large = USUAL * _usual(count, t, area)
    for i in range(count):
        if t.size[i] < large:
            continue
        for m in range(t.near.shape[1]):
            j = t.near[i, m]
            if j < 0:
                break
            young = t.born[i] > oldest or t.born[j] > oldest or t.born[j] < t.born[i]
            if young or t.frozen[i] or t.verdict[i] or t.status[j] != ACCEPTED:
                continue
            if t.gram[i, m] < INSIDE or t.size[i] < LARGER * t.size[j]:
                continue
            spread = (t.second[i] - t.first[i] ** 2) * (t.second[j] - t.first[j] ** 2)
            time = (t.sync[i, m] - t.first[i] * t.first[j]) / np.sqrt(max(spread, 1e-12))
            if time < APART:
                return i, j
    return -1, -1


@kernel
def _usual(count: Any, t: Any, area: Any) -> Any:
    """Return the median size of the accepted cells, px; the ``area`` expected while there are few."""
    sizes, number = np.empty(count, np.float64), 0
    for i in range(count):
        if t.status[i] == ACCEPTED:
            sizes[number] = t.size[i]
            number += 1
    return np.median(sizes[:number]) if number >= ENOUGH else area
