"""Cells that were missed: begun where the residual of the whole recording is high, dropped if none grows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from roi_core.cnmf.state import shifted
from roi_core.frame import Status
from roi_core.offline.levels import skewness

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from roi_core.cnmf.state import Cells
    from roi_core.offline.evidence import Evidence
    from roi_core.settings import Cnmf

__all__ = ["sow", "weed"]

PEAK = 5.5
"""Evidence from which a cell is begun."""
GLOW = 0.25
"""A trace of less than this share of the skewness that is asked of a cell is glow."""
TWIN = 0.65
"""Product of two footprints from which they count as the same cell."""


def sow(cells: Cells, evidence: Evidence, next_id: int, most: int) -> int:
    """Begin a round cell of the expected size at every peak of the evidence; return the next free id."""
    field = cells.field
    y, x = np.mgrid[-field.reach : field.reach + 1, -field.reach : field.reach + 1]
    disc = np.exp(-(y * y + x * x) / (2 * (0.6 * field.radius) ** 2)).astype(np.float32)
    disc[y * y + x * x > (1.2 * field.radius) ** 2] = 0
    for _, row, column, _ in evidence.peaks(PEAK):
        centre = (row * field.factor + field.factor // 2, column * field.factor + field.factor // 2)
        box = inside(disc, centre, field.shape, field.reach)
        if cells.count < most and not _known(cells, box, centre):
            cells.add(box, centre, 0, 0, next_id)
            next_id += 1
    return next_id


def weed(cells: Cells, first_new: int, settings: Cnmf) -> list[int]:
    """Drop what is glow, and those begun by `sow` that did not become cells; return the ids of the former.

    Left alive, glow would take from the cells that it overlaps. What was accepted while it was recorded is
    none: the first traces are not yet free of glow themselves.
    """
    t, gone = cells.t, []
    for i in range(cells.count - 1, -1, -1):
        new = t.ids[i] >= first_new
        weak = t.r[i] < settings.min_r or t.evidence[i] < settings.min_evidence or t.evidence[i] == 0
        empty = not t.boxes[i].any()
        glow = skewness(t.tail[i]) < GLOW * settings.min_skewness
        spared = Status.ACCEPTED in (t.verdict[i], t.status[i]) or t.frozen[i] > 0
        if empty or (new and weak) or (glow and not spared):
            if not new:
                gone.append(int(t.ids[i]))
            cells.remove(i)
    return gone


def inside(
    box: NDArray[np.float32], centre: tuple[int, int], shape: tuple[int, int], reach: int
) -> NDArray[np.float32]:
    """Return a box without what lies beyond the picture."""
    rows, columns = (np.arange(-reach, reach + 1) + c for c in centre)
    inside = np.outer((rows >= 0) & (rows < shape[0]), (columns >= 0) & (columns < shape[1]))
    return np.where(inside, box, 0)


def _known(cells: Cells, box: NDArray[np.float32], centre: tuple[int, int]) -> bool:
    t, side = cells.t, cells.field.side
    size = float(np.sqrt((box**2).sum()))
    for j in np.flatnonzero(np.abs(t.centres[: cells.count] - centre).max(1) < side):
        dy, dx = (int(v) for v in t.centres[j] - np.array(centre))
        if float((shifted(t.boxes[j], dy, dx) * box).sum()) > TWIN * size:
            return True
    return False
