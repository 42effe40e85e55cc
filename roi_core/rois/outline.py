"""From the pixels of a footprint to a region that can be drawn."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

from roi_core.errors import RoiGeometryError
from roi_core.rois.shapes import Circle, Polygon

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from roi_core.rois.shapes import Roi

__all__ = ["outline"]


def outline(mask: NDArray[np.uint8], name: str, y: float = 0.0, x: float = 0.0) -> Roi:
    """Return a region round the pixels of a (H, W) mask that are not 0, without its holes and islands.

    There must be one. ``(y, x)`` is where the mask's first pixel lies on the picture. The border runs through
    the centres of the outermost pixels, which belong to the region.
    """
    contours, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    points: Any = np.add(max(contours, key=cv2.contourArea)[:, 0], (x, y))
    try:
        return Polygon(tuple(map(tuple, points.tolist())), name=name)
    except RoiGeometryError:  # a few pixels in a line enclose nothing
        (x, y), radius = cv2.minEnclosingCircle(points.astype(np.float32))
        return Circle(float(x), float(y), max(float(radius), 0.5), name=name)
