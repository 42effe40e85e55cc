"""What another program found, in our terms."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import numpy as np

from roi_core.rois import RoiSet
from roi_core.rois.outline import outline

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from scipy.sparse import csc_matrix

    from roi_core.rois import Roi

__all__ = ["Found"]

LEVEL: Final = 0.2
"""Share of a footprint's peak above which a pixel belongs to the region round it."""


@dataclass(frozen=True, eq=False)
class Found:
    """Components of frames of ``shape`` (H, W).

    ``footprints`` is (H * W, N) float32 CSC with pixels in C order (y * W + x), ``names`` and ``accepted``
    are (N,). ``notes`` say in sentences what was guessed or left out. Traces are not read.
    """

    program: str
    shape: tuple[int, int]
    footprints: csc_matrix
    names: tuple[str, ...]
    accepted: NDArray[np.bool_]
    notes: tuple[str, ...] = ()

    def rois(self, *, rejected: bool = False, level: float = LEVEL) -> RoiSet:
        """Return a region round each accepted component, or round all; empty footprints have none.

        A pixel belongs to it above `level` of the peak; of one in several pieces the largest is taken.
        """
        wanted = np.flatnonzero(self.accepted | rejected).tolist()
        return RoiSet(roi for k in wanted if (roi := self._roi(k, level)) is not None)

    def transposed(self) -> Found:
        """Return the same with the axes of the picture exchanged."""
        height, width = self.shape
        y, x = np.divmod(self.footprints.indices.astype(np.int64), width)
        parts = (self.footprints.data, x * height + y, self.footprints.indptr)
        return replace(
            self, shape=(width, height), footprints=type(self.footprints)(parts, self.footprints.shape)
        )

    def _roi(self, k: int, level: float) -> Roi | None:
        column = slice(self.footprints.indptr[k], self.footprints.indptr[k + 1])
        weights, pixels = self.footprints.data[column], self.footprints.indices[column]
        if not weights.size or not weights.max() > 0:
            return None
        y, x = np.divmod(pixels[weights > level * weights.max()], self.shape[1])
        mask = np.zeros((np.ptp(y) + 1, np.ptp(x) + 1), np.uint8)
        mask[y - y.min(), x - x.min()] = 1
        return outline(mask, self.names[k], float(y.min()), float(x.min()))
