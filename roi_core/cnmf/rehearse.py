"""A few frames with cells that are put in by hand, so that every kernel is compiled before a camera waits."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from roi_core.cnmf.detect import Candidate, Detector
from roi_core.cnmf.ground import Ground, Shapes
from roi_core.cnmf.merge import Pair
from roi_core.cnmf.peaks import Peak
from roi_core.frame import Status
from roi_core.settings import Settings

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from roi_core.cnmf.online import OnlineCNMF

__all__ = ["rehearse"]

SIDE, RATE, BEGIN, LENGTH = 48, 10.0, 25, 60
RADII = (4.0, 2.0)
"""With cells of the first radius the residual is binned, with the second not."""


def rehearse(kind: type[OnlineCNMF]) -> None:
    """Let finders live through births, learning, a union, a move, another size of cells and a death."""
    for radius in RADII:
        settings = Settings().with_texts(f"cnmf.cell_radius={radius:g}", "cnmf.buffer=3")
        finder, random = kind((SIDE, SIDE), RATE, settings), np.random.default_rng(0)
        pictures = random.normal(1000, 30, (LENGTH, SIDE, SIDE)).astype(np.float32)
        for row, picture in enumerate(pictures):
            finder.input[:] = picture
            finder.shift = (0.3, -0.4)
            finder.step(row, settings)
            cells = finder.census.cells
            cells.t.prediction[: cells.count] = 1
            if row == BEGIN:
                _people(finder, row)
        _live(finder, settings, pictures[0])
        finder.close()


def _people(finder: OnlineCNMF, row: int) -> None:
    """Make three cells, two of which overlap."""
    census, side = finder.census, 2 * round(finder.field.radius / finder.field.factor) + 3
    y, x = np.mgrid[:side, :side] - side // 2
    shape = np.exp(-(y**2 + x**2) / 3.0).astype(np.float32)
    ring = census.ring
    for k in range(3):
        place = finder.field.margin + 5 + 3 * k
        trace = np.linspace(0, 50, min(12, ring.head), dtype=np.float32)
        whole = census.birth(Candidate(place, place, shape, trace, ring.head), row, 10)
        if whole is not None:
            finder._detector.forget(whole, finder._noise)
    detector, middle = Detector(finder.field, RATE), finder.field.binned[0] // 2
    detector.skip(ring.head)
    detector._fit(Peak(9.0, middle, middle, detector.step, ring.head), ring, finder._noise)


def _live(finder: OnlineCNMF, settings: Settings, picture: NDArray[np.float32]) -> None:
    census = finder.census
    census.cells.move(0, 1, 1)
    Ground.under(Shapes.of(census.cells), finder.field, RATE, settings.cnmf)
    census._judge(settings.cnmf)
    census._weed(LENGTH, settings.cnmf)
    if census.cells.count > 1:
        census.unite(Pair(0, 1, True))
    while census.cells.count > 1:
        census.remove(0, Status.REMOVED)
    finder.input[:] = picture
    finder.step(LENGTH + 1, settings)  # the arrays of a lone cell are laid out in another way
    census.remove(0, Status.REMOVED)
    finder.pause()
    finder.step(LENGTH + 2, settings)
    finder.finish()
