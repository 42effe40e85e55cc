"""Two components that are one cell, and one component that is two."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from roi_core.cnmf.neighbours import overlap
from roi_core.cnmf.state import shifted
from roi_core.cnmf.statistics import MEMORY
from roi_core.frame import Status
from roi_core.jit import lean

if TYPE_CHECKING:
    from typing import Any

    from numpy.typing import NDArray

    from roi_core.cnmf.state import Table

__all__ = ["Pair", "closest", "joined", "likest"]

OLD = 2.0
"""Seconds that both must have lived."""
MUCH, SAME = 0.2, 0.75
"""Product of two footprints (cosine): from the first on they may be parts of one cell; above the
second they are the same place."""
ALIKE = 0.5
"""The more two overlap, the less correlation is asked to join them, down to this share of it: demixing takes
from each what the other shows."""
NEAR, LITTLE = 0.5, 0.3
"""Centres closer than so many radii, with at least this product, are the same place too."""
HALVES, TOGETHER, WHOLE = 0.03, 0.9, 1.4
"""Two that touch (product) and do the same (correlation of calcium) are halves of a cell if both together are
no larger than so many times a cell; below that product two are strangers."""
APART = 0.5
"""Two at one place whose calcium correlates less than this are a cell and its shadow: one is dropped."""
ACCEPTED = int(Status.ACCEPTED)
CALCIUM = 0.5
"""Skewness of a trace from which it is calcium and not glow."""
ERROR, BESIDE = 0.1, 2.0
"""A footprint is known to about that share: what lies within so many radii of a cell, does the same and has
no more of its light, is not another. Where both overlap, demixing passes on more: half of the overlap."""


class Pair(NamedTuple):
    """Rows of two components: the first stays, the second joins it (``join``) or is dropped."""

    keep: int
    drop: int
    join: bool


def likest(count: int, t: Table, now: int, rate: float, radius: float, merge_r: float) -> Pair | None:
    """Return the two components that are most clearly one cell, if there are any.

    One that was judged by hand stays; two of these, and those of fixed shape, are left alone.
    """
    keep, drop, join = _likest(count, t, now, rate, radius, merge_r)
    return Pair(int(keep), int(drop), bool(join)) if keep >= 0 else None


def joined(t: Table, i: int, j: int) -> tuple[NDArray[np.float32], float, float]:
    """Return one box of unit energy for two cells, weighed by activity, and what each gives to its trace.

    The trace of the whole is the sum of theirs times these two factors.
    """
    dy, dx = (int(v) for v in t.centres[j] - t.centres[i])
    other = shifted(t.boxes[j], dy, dx)
    box = t.boxes[i] * np.sqrt(t.second[i] + 1e-9) + other * np.sqrt(t.second[j] + 1e-9)
    box /= np.sqrt((box**2).sum())
    return box, float((box * t.boxes[i]).sum()), float((box * other).sum())


@lean
def closest(box: Any, centre: Any, count: Any, t: Any) -> Any:
    """Return the largest product of a box (S, S) at a centre with the footprints that are known."""
    side, best = box.shape[0], np.float32(0)
    for j in range(count):
        dy, dx = t.centres[j, 0] - centre[0], t.centres[j, 1] - centre[1]
        if max(abs(dy), abs(dx)) < side:
            best = max(best, overlap(box, t.boxes[j], dy, dx))
    return best


@lean
def _likest(count: Any, t: Any, now: Any, rate: Any, radius: Any, merge_r: Any) -> Any:
    oldest = now - OLD * rate
    best, keep, drop, join, by_power = -np.inf, -1, -1, False, False
    for i in range(count):
        for m in range(t.near.shape[1]):
            j = t.near[i, m]
            if j < 0:
                break
            if j < i or t.born[i] > oldest or t.born[j] > oldest:
                continue
            if t.frozen[i] > 0 or t.frozen[j] > 0 or (t.verdict[i] > 0 and t.verdict[j] > 0):
                continue
            shape = t.gram[i, m]
            spread = (t.second[i] - t.first[i] ** 2) * (t.second[j] - t.first[j] ** 2)
            time = (t.sync[i, m] - t.first[i] * t.first[j]) / np.sqrt(max(spread, 1e-12))
            dy, dx = t.centres[i, 0] - t.centres[j, 0], t.centres[i, 1] - t.centres[j, 1]
            far = (dy * dy + dx * dx) / (radius * radius)
            same = (far < NEAR * NEAR and shape > LITTLE) or shape > SAME
            parts = shape > MUCH and time > merge_r * max(1 - shape, ALIKE)
            whole = WHOLE * np.pi * radius * radius
            halves = shape >= HALVES and t.size[i] + t.size[j] < whole
            parts = parts or (halves and time > max(TOGETHER, merge_r))
            error = far < BESIDE * BESIDE and time > APART * (1 - shape)
            error = error and _is_error(i, j, (ERROR + shape / 2) ** 2, now, MEMORY * rate, t)
            if (same or parts or error) and shape + time > best:
                best, keep, drop = shape + time, i, j
                join = parts or (same and time >= APART)
                by_power = join or error
    if keep >= 0:
        weaker = t.power[keep] < t.power[drop] if by_power else _merit(keep, t) < _merit(drop, t)
        if t.verdict[drop] > 0 or (weaker and t.verdict[keep] == 0):
            keep, drop = drop, keep
    return keep, drop, join


@lean
def _is_error(i: Any, j: Any, share: Any, now: Any, memory: Any, t: Any) -> Any:
    """Return whether one of two has less than a share of the other's power, in all and since it lives.

    ``memory`` is that of the running moments, in frames: until then they are means over the life so far. A
    part that was split off has those of the whole, which lets it alone for a while.
    """
    less, more = (i, j) if t.power[i] < t.power[j] else (j, i)
    if t.verdict[less] or t.status[more] != ACCEPTED or t.power[less] >= share * t.power[more]:
        return False
    known = 1 - np.exp((t.born[less] - now) / memory), 1 - np.exp((t.born[more] - now) / memory)
    return t.second[less] / known[0] < share * t.second[more] / known[1]


@lean
def _merit(i: Any, t: Any) -> Any:
    """Return the skewness of a trace if that is little, for then it is glow; else the evidence for it."""
    first, second = t.tail[i, 0], t.tail[i, 1]
    spread = max(second - first * first, 1e-12)
    skewness = (t.tail[i, 2] - 3 * first * second + 2 * first**3) / spread**1.5
    return skewness if skewness < CALCIUM else CALCIUM + t.evidence[i]
