"""The corners of the selected polygon or freehand line: found, put in, taken out. Knows no toolkit."""

from __future__ import annotations

from typing import TYPE_CHECKING

from roi_core.rois import Polygon
from roi_stream_gui import geometry

if TYPE_CHECKING:
    from roi_core.rois import Roi
    from roi_stream_gui.editing import Editor

    Point = tuple[float, float]

__all__ = ["Corners"]


class Corners:
    """What the hand may do to the line of the one selected region."""

    def __init__(self, editor: Editor) -> None:
        self._editor = editor

    def one(self) -> Roi | None:
        """Return the selected region, if it is one and drawn."""
        rois = self._editor.selected()
        return rois[0] if len(rois) == 1 and rois[0].id not in self._editor.hidden else None

    def polygon(self) -> Polygon | None:
        """Return the selected region if it is a polygon, drawn corner by corner or freehand."""
        roi = self.one()
        return roi if isinstance(roi, Polygon) else None

    def at(self, at: Point, reach: float) -> int | None:
        """Return the number of the corner within `reach` px."""
        roi = self.polygon()
        return None if roi is None else geometry.nearest(roi.points, *at, reach)

    def edge(self, at: Point, reach: float) -> int | None:
        """Return the number of the edge within `reach` px."""
        roi = self.polygon()
        return None if roi is None else geometry.nearest_edge(roi.points, *at, reach)

    def on(self, at: Point, reach: float) -> bool:
        """Tell whether the hand is on a corner rather than between two, however close these are."""
        roi = self.polygon()
        return roi is not None and self.at(at, min(reach, geometry.apart(roi) / 3)) is not None

    def change(self, at: Point, reach: float) -> bool:
        """Delete the corner under the hand, or put one into the edge there; tell whether there was one."""
        return self.delete(at, reach) if self.on(at, reach) else self.insert(at, reach)

    def delete(self, at: Point, reach: float) -> bool:
        """Delete the corner under the hand; tell whether there was one."""
        roi, number = self.polygon(), self.at(at, reach)
        if roi is None or number is None:
            return False
        if self._editor.unlocked([roi]):
            self._editor.replace(geometry.without_vertex(roi, number), what="delete corner")
        return True

    def insert(self, at: Point, reach: float) -> bool:
        """Put a corner into the edge under the hand; tell whether there was one."""
        roi, edge = self.polygon(), self.edge(at, reach)
        if roi is None or edge is None:
            return False
        if self._editor.unlocked([roi]):
            self._editor.replace(geometry.with_vertex(roi, edge, *at), what="insert corner")
        return True
