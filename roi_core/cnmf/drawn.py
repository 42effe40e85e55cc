"""Drawn regions as components: a seed for a cell, or in fibre photometry the component itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from roi_core.cnmf.census import Census
    from roi_core.cnmf.state import Field
    from roi_core.cnmf.view import Camera
    from roi_core.rois import Roi

__all__ = ["Fibres", "reach_of", "seed"]

OF_PIXELS = (
    "mean", "trace", "prediction", "smooth", "first", "second", "tail", "swings", "peak", "loud", "evidence",
)  # fmt: skip
"""What is known of a component from the light of its pixels."""
LITTLE = 1e-6
"""Power of a trace of which nothing is known."""


def seed(roi: Roi, field: Field, camera: Camera) -> tuple[NDArray[np.float32], tuple[int, int]] | None:
    """Return the box (S, S) of a region on the analysed picture and its centre; None if it lies outside.

    A pixel counts as far as the region covers it. What lies beyond the box is left out.
    """
    shares, side, q = _shares(roi, field, camera), field.side, field.reach
    if not shares.any():
        return None
    ys, xs = np.nonzero(shares)
    centre = (round(float(ys.mean())), round(float(xs.mean())))
    wide = np.pad(shares, q)
    return wide[centre[0] : centre[0] + side, centre[1] : centre[1] + side].copy(), centre


def reach_of(rois: Iterable[Roi], camera: Camera) -> float:
    """Return the radius, px of the analysed picture, of a cell whose box holds the largest of them."""
    sizes = [max(right - left, low - top) for left, top, right, low in (roi.bounds() for roi in rois)]
    return max(sizes, default=0.0) / 4 / camera.bin + 1


def _shares(roi: Roi, field: Field, camera: Camera) -> NDArray[np.float32]:
    mask = np.zeros(camera.shape, np.float32)
    for y, first, last in roi.runs(camera.shape):
        mask[y, first:last] = 1
    (y0, x0), (h, w), k = camera.origin, field.shape, camera.bin
    part = mask[y0 : y0 + h * k, x0 : x0 + w * k]
    return np.asarray(part.reshape(h, k, w, k).mean((1, 3)), np.float32)


class Fibres:
    """Keeps one component of fixed shape for every drawn region, as long as the region is there."""

    def __init__(self) -> None:
        self._known: dict[int, tuple[Roi, int | None]] = {}

    def follow(self, rois: Iterable[Roi], census: Census, row: int) -> None:
        """Add, change and remove components as regions were drawn, changed and deleted."""
        wanted = {roi.id: roi for roi in rois}
        for gone in self._known.keys() - wanted.keys():
            self._drop(self._known.pop(gone)[1], census, "its region was deleted")
        for roi in wanted.values():
            old, cell = self._known.get(roi.id, (None, None))
            if roi is not old:
                self._known[roi.id] = roi, self._kept(old, cell, roi, census, row)

    def _kept(self, old: Roi | None, cell: int | None, roi: Roi, census: Census, row: int) -> int | None:
        """Return the component of a region that is new or was changed; None if it lies outside."""
        if old is not None and old.geometry() == roi.geometry():
            return cell
        if cell is not None and _redrawn(cell, roi, census):
            return cell
        self._drop(cell, census, "its region left the picture")
        return census.promote(roi, row, frozen=True)

    @staticmethod
    def _drop(cell: int | None, census: Census, why: str) -> None:
        if cell is not None:
            census.drop(cell, why)


def _redrawn(cell: int, roi: Roi, census: Census) -> bool:
    """Give a component the footprint of a region; False when it is no more, or the region lies outside.

    What was known of its trace is known of other pixels, so that begins anew.
    """
    cells = census.cells
    found = seed(roi, cells.field, census.view.camera)
    places = np.flatnonzero(cells.t.ids[: cells.count] == cell)
    if found is None or not len(places):
        return False
    i, (box, centre) = int(places[0]), found
    cells.lift(i)
    cells.t.boxes[i], cells.t.floor[i] = box, -np.inf
    for name in OF_PIXELS:
        getattr(cells.t, name)[i] = 0
    cells.place(i, centre)
    census._renew(i, cells.t.boxes[i].copy(), np.full_like(census.past.of(i), np.nan), LITTLE)
    return True
