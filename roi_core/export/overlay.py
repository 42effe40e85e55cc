"""Outlines and names of regions and cells over the picture of one frame."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np

from roi_core.export.units import chosen
from roi_core.rois import RoiSet
from roi_core.sources.capture import cv2

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from roi_core.export.task import Wishes
    from roi_core.recording import Recording

__all__ = ["Overlay"]

CUT: Final = 0.4
"""A cell's outline is where its footprint falls below this share of its maximum."""
CELL: Final = (90, 220, 90)
"""Blue, green, red of the outlines of cells."""


class Line(NamedTuple):
    """A closed outline (n, 2) x, y px that holds from one camera frame until before another."""

    first: float
    end: float
    points: NDArray[np.float64]
    colour: tuple[int, int, int]
    name: str


class Overlay:
    """What is drawn over the frames of a recording, `zoom` times as large.

    A region is drawn as it was at the frame, an accepted cell from its birth on, with its id.
    """

    def __init__(self, recording: Recording, wishes: Wishes, zoom: int) -> None:
        self._lines = [*_regions(recording), *_cells(recording, wishes)]
        self._zoom = zoom
        self._thick = 1 if zoom == 1 else 2  # the colour of thinner lines is lost to compression

    def draw(self, picture: NDArray[np.uint8], index: int, offset: tuple[float, float]) -> None:
        """Draw what there is at the camera's frame `index`, moved by `offset` (dy, dx) px of the camera."""
        away = np.array(offset[::-1])
        for line in self._lines:
            if line.first <= index < line.end:
                points = np.rint((line.points + away + 0.5) * self._zoom - 0.5).astype(np.int32)
                cv2.polylines(picture, [points], True, line.colour, self._thick, cv2.LINE_AA)
                corner = (int(points[:, 0].max()) + 2, max(int(points[:, 1].min()) + 4, 28))
                cv2.putText(
                    picture, line.name, corner, cv2.FONT_HERSHEY_SIMPLEX, 0.35, line.colour, 1, cv2.LINE_AA
                )


def _regions(recording: Recording) -> Iterator[Line]:
    """Yield every version of every region that was drawn."""
    for shape in recording.shapes:
        versions: list[dict[str, Any]] = shape["versions"]
        removed = shape.get("removed")
        starts = [version["frame"] for version in versions]
        ends = [*starts[1:], math.inf if removed is None else removed]
        for version, first, end in zip(versions, starts, ends, strict=True):
            (roi,) = RoiSet.from_dicts([version])
            red, green, blue = roi.colour
            yield Line(first, end, roi.outline(), (blue, green, red), roi.name)


def _cells(recording: Recording, wishes: Wishes) -> Iterator[Line]:
    cells = chosen(recording, wishes)
    if cells is None:
        return
    matrix, index = cells.footprints, recording.frame_index
    for k in np.flatnonzero(cells.accepted):
        at = slice(matrix.indptr[k], matrix.indptr[k + 1])
        points = _outline(matrix.indices[at], matrix.data[at], recording.shape[1])
        if points is not None:
            born = min(int(cells.born[k]), recording.rows - 1)
            yield Line(float(index[born]), math.inf, points, CELL, str(cells.ids[k]))


def _outline(
    pixels: NDArray[np.int32], values: NDArray[np.float32], width: int
) -> NDArray[np.float64] | None:
    """Return the longest border (n, 2) x, y of the pixels above the cut, or None when there is none."""
    bright = pixels[values > CUT * values.max(initial=0.0)]
    if not len(bright):
        return None
    y, x = np.divmod(bright.astype(np.int64), width)
    mask = np.zeros((np.ptp(y) + 1, np.ptp(x) + 1), np.uint8)
    mask[y - y.min(), x - x.min()] = 1
    borders, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    longest = max(borders, key=len).reshape(-1, 2)
    return np.asarray(longest + np.array([x.min(), y.min()]), np.float64)
