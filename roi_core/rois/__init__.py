"""Regions of interest: shapes, the set a session measures, and the files that keep them."""

from roi_core.rois.roiset import Loaded, RoiSet
from roi_core.rois.shape import UNCOLOURED, Shape
from roi_core.rois.shapes import KINDS, Circle, Ellipse, Freehand, Polygon, Rectangle, Roi, from_dict

__all__ = [
    "KINDS",
    "UNCOLOURED",
    "Circle",
    "Ellipse",
    "Freehand",
    "Loaded",
    "Polygon",
    "Rectangle",
    "Roi",
    "RoiSet",
    "Shape",
    "from_dict",
]
