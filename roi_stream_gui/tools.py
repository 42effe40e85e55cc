"""The mouse on the picture: drawing shapes and changing them. Knows no toolkit.

Everything is in image px; `reach` is how many of them the hand may miss by. While a shape is being dragged
only its preview changes; the region itself, and with it the recording, changes once, at release.
"""

from __future__ import annotations

import logging
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from roi_core.errors import RoiGeometryError
from roi_core.rois import Circle, Ellipse, Freehand, Polygon, Rectangle
from roi_stream_gui import geometry

if TYPE_CHECKING:
    from collections.abc import Callable

    from roi_core.rois import Roi
    from roi_stream_gui.editing import Editor

    Point = tuple[float, float]

__all__ = ["Hand", "Keys", "Tool"]

log = logging.getLogger(__name__)

CLICK_RADIUS = 10.0
"""px; what a click with the circle tool draws before a circle was ever dragged."""


class Tool(StrEnum):
    """What the left mouse button does on the picture."""

    SELECT = "select"
    CIRCLE = "circle"
    ELLIPSE = "ellipse"
    RECTANGLE = "rectangle"
    POLYGON = "polygon"
    FREEHAND = "freehand"


class Keys(NamedTuple):
    """Modifier keys held with the mouse."""

    shift: bool = False
    ctrl: bool = False


NO_KEYS = Keys()


class Hand:
    """One hand with one tool: turns press, drag and release into regions."""

    def __init__(self, editor: Editor) -> None:
        self.tool = Tool.SELECT
        self.line: tuple[Point, ...] = ()
        self.preview: tuple[Roi, ...] = ()
        self.picture: tuple[int, int] | None = None
        """(W, H) of the picture drawn on; nothing is drawn wholly outside it."""
        self._editor = editor
        self._start: Point | None = None
        self._drag: Callable[[Point], tuple[Roi, ...]] | None = None
        self._grabbed: tuple[Roi, ...] = ()
        self._what = ""
        self._clicked: int | None = None
        self._radius = CLICK_RADIUS

    @property
    def busy(self) -> bool:
        """True while something is drawn or dragged."""
        return bool(self.line or self._start is not None)

    def take(self, tool: Tool) -> None:
        """Take up another tool; what was being drawn is dropped."""
        self.cancel()
        self.tool = tool

    # -- what the mouse does ------------------------------------------------------------------------------

    def press(self, x: float, y: float, reach: float, keys: Keys = NO_KEYS) -> None:
        """Begin at (x, y): grab a handle, a region, or start a new shape."""
        if self.tool is Tool.POLYGON and self.line:
            self._add_corner((x, y), reach)
            return
        self._start = (x, y)
        if self._grab_handle((x, y), reach, keys):
            return
        if self.tool is Tool.SELECT:
            self._grab_roi((x, y), keys)
        elif self.tool is Tool.POLYGON:
            self.line = ((x, y), (x, y))
        elif self.tool is Tool.FREEHAND:
            self.line = ((x, y),)

    def move(self, x: float, y: float, reach: float) -> None:
        """Follow the mouse, with or without a button held."""
        if self._drag is not None and self._start is not None:
            if self._overtaken():
                return
            if not self.preview and _away(self._start, (x, y)) < reach / 3:
                return
            self.preview = self._drag((x, y))
        elif self.tool is Tool.POLYGON and self.line:
            self.line = (*self.line[:-1], (x, y))
        elif self.tool is Tool.FREEHAND and self.line:
            if _away(self.line[-1], (x, y)) >= 0.75:
                self.line = (*self.line, (x, y))
        elif self._start is not None and self.tool is not Tool.SELECT:
            self.preview = tuple(filter(None, [self._shape(self._start, (x, y))]))

    def release(self, x: float, y: float, reach: float) -> None:
        """End a drag at (x, y): what was shown becomes real."""
        if self._start is None:
            return
        start, self._start = self._start, None
        if self._drag is not None:
            if not self._overtaken():
                self._drop()
        elif self.tool is Tool.FREEHAND:
            self._finish_line(Freehand)
        elif self.tool in (Tool.CIRCLE, Tool.ELLIPSE, Tool.RECTANGLE):
            self._finish_shape(start, (x, y), reach)

    def double_click(self) -> None:
        """End a polygon."""
        self.finish()

    def finish(self) -> None:
        """End the polygon being drawn; fewer than three corners make none."""
        if self.tool is Tool.POLYGON and self.line:
            self.line = self.line[:-1]
            self._finish_line(Polygon)

    def cancel(self) -> None:
        """Drop what is being drawn; with nothing being drawn, take up the select tool."""
        if not self.busy:
            self.tool = Tool.SELECT
        self.line, self.preview, self._start, self._drag = (), (), None, None
        self._clicked = None

    def _overtaken(self) -> bool:
        """End a drag whose regions were changed meanwhile (locked, undone): its copies are stale."""
        if all(self._editor.get(roi.id) == roi for roi in self._grabbed):
            return False
        self.preview, self._start, self._drag, self._clicked = (), None, None, None
        log.info("the region was changed meanwhile; the drag was dropped")
        return True

    # -- grabbing -----------------------------------------------------------------------------------------

    def _grab_handle(self, at: Point, reach: float, keys: Keys) -> bool:
        rois = self._editor.selected()
        if len(rois) != 1:
            return False
        roi = rois[0]
        # On a small shape the handles leave room for the hand to move it.
        reach = min(reach, geometry.extent(roi) / 4)
        number = geometry.nearest(geometry.handles(roi), *at, reach)
        is_polygon = isinstance(roi, Polygon) and not isinstance(roi, Freehand)
        if keys.ctrl and is_polygon and isinstance(roi, Polygon):
            return self._change_corners(roi, number, at, reach)
        if number is None or not self._editor.unlocked([roi]):
            return number is not None
        self._what, self._grabbed = "reshape", (roi,)
        self._drag = lambda to: (geometry.with_handle(roi, number, *to),)
        return True

    def _change_corners(self, roi: Polygon, number: int | None, at: Point, reach: float) -> bool:
        edge = geometry.nearest_edge(geometry.handles(roi), *at, reach)
        if (number is None and edge is None) or not self._editor.unlocked([roi]):
            return False
        if number is not None:
            self._editor.replace(geometry.without_vertex(roi, number), what="delete corner")
        elif edge is not None:
            self._editor.replace(geometry.with_vertex(roi, edge, *at), what="insert corner")
        self._start = None
        return True

    def _grab_roi(self, at: Point, keys: Keys) -> None:
        roi = self._editor.rois.at(*at)
        if roi is None:
            if not keys.shift:
                self._editor.select()
            return
        if keys.shift:
            self._clicked = roi.id
        elif roi.id not in self._editor.selection:
            self._editor.select(roi.id)
        together = self._editor.selected() if roi.id in self._editor.selection else (roi,)
        rois = [one for one in together if not one.locked]
        self._grabbed = tuple(rois)
        if roi.locked or not rois:
            self._drag = self._refuse
        else:
            self._what = "scale" if keys.shift else "move"
            self._drag = _scaler(rois, roi, at) if keys.shift else _mover(rois, at)

    def _refuse(self, _to: Point) -> tuple[Roi, ...]:
        self._drag = None
        self._editor.unlocked(self._editor.selected())
        return ()

    def _drop(self) -> None:
        rois, self.preview, self._drag = self.preview, (), None
        if rois:
            self._editor.replace(*rois, what=self._what)
        elif self._clicked is not None:
            self._editor.toggle(self._clicked)
        self._clicked = None

    # -- drawing ------------------------------------------------------------------------------------------

    def _add_corner(self, at: Point, reach: float) -> None:
        if len(self.line) > 3 and _away(self.line[0], at) <= reach:
            self.finish()
        elif _away(self.line[-2], at) > reach / 4:
            self.line = (*self.line[:-1], at, at)

    def _finish_shape(self, start: Point, end: Point, reach: float) -> None:
        self.preview = ()
        if _away(start, end) < reach / 2:
            if self.tool is Tool.CIRCLE:
                self._add(Circle(round(start[0], 2), round(start[1], 2), self._radius))
            return
        roi = self._shape(start, end)
        if isinstance(roi, Circle):
            self._radius = roi.r
        if roi is not None:
            self._add(geometry.rounded(roi))

    def _add(self, roi: Roi) -> None:
        if self.picture is not None and geometry.outside(roi, self.picture):
            log.warning("that %s lies outside the picture; nothing was drawn", roi.kind)
        else:
            self._editor.add(roi)

    def _finish_line(self, kind: type[Polygon]) -> None:
        points = tuple((round(x, 2), round(y, 2)) for x, y in self.line)
        self.line, self._start = (), None
        try:
            roi = kind(points)
        except RoiGeometryError:
            if kind is Polygon:
                log.warning("a polygon needs three corners or more; nothing was drawn")
            return
        if roi.area() >= 1.0:
            self._add(roi)

    def _shape(self, start: Point, end: Point) -> Roi | None:
        """Return a circle drawn from its centre, or another shape from corner to corner."""
        (x0, y0), (x1, y1) = (round(start[0], 2), round(start[1], 2)), (round(end[0], 2), round(end[1], 2))
        if self.tool is Tool.CIRCLE:
            return Circle(x0, y0, round(_away(start, end), 2))
        if x0 == x1 or y0 == y1:
            return None
        if self.tool is Tool.ELLIPSE:
            return Ellipse((x0 + x1) / 2, (y0 + y1) / 2, abs(x1 - x0) / 2, abs(y1 - y0) / 2)
        return Rectangle(x0, y0, x1, y1)


def _mover(rois: list[Roi], at: Point) -> Callable[[Point], tuple[Roi, ...]]:
    def drag(to: Point) -> tuple[Roi, ...]:
        dx, dy = round(to[0] - at[0], 2), round(to[1] - at[1], 2)
        return tuple(geometry.rounded(roi.moved(dx, dy)) for roi in rois)

    return drag


def _scaler(rois: list[Roi], grabbed: Roi, at: Point) -> Callable[[Point], tuple[Roi, ...]]:
    centre = grabbed.centroid()
    first = max(_away(centre, at), 1.0)

    def drag(to: Point) -> tuple[Roi, ...]:
        factor = min(max(_away(centre, to) / first, 0.1), 20.0)
        return tuple(geometry.rounded(roi.scaled(factor)) for roi in rois)

    return drag


def _away(a: Point, b: Point) -> float:
    return float(np.hypot(a[0] - b[0], a[1] - b[1]))
