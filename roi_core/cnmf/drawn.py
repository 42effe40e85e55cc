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
    """Keeps one component of fixed shape for every drawn region."""

    def __init__(self) -> None:
        self._known: dict[int, tuple[Roi, int]] = {}

    def follow(self, rois: Iterable[Roi], census: Census, row: int) -> None:
        """Add, replace and remove components as regions were drawn, changed and deleted."""
        wanted = {roi.id: roi for roi in rois}
        for roi_id, (roi, cell) in list(self._known.items()):
            if wanted.get(roi_id) is not roi:
                census.drop(cell, "its region was changed or deleted")
                del self._known[roi_id]
        for roi_id, roi in wanted.items():
            if roi_id not in self._known:
                new = census.promote(roi, row, frozen=True)
                if new is not None:
                    self._known[roi_id] = roi, new
