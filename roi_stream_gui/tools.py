"""The mouse on the picture: drawing shapes and changing them. Knows no toolkit.

Everything is in image px; `reach` is how many of them the hand may miss by. While a shape is being dragged
only its preview changes; the region itself, and with it the recording, changes once, at release.
"""

from __future__ import annotations

import logging
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

from roi_core.errors import RoiGeometryError
from roi_core.rois import Circle, Ellipse, Freehand, Polygon, Rectangle
from roi_stream_gui import geometry, strokes
from roi_stream_gui.corners import Corners
from roi_stream_gui.net import Net
from roi_stream_gui.strokes import away
from roi_stream_gui.wand import Wand

if TYPE_CHECKING:
    from roi_core.rois import Roi
    from roi_stream_gui.editing import Editor
    from roi_stream_gui.strokes import Drag, Point

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
    WAND = "wand"


class Keys(NamedTuple):
    """Modifier keys held with the mouse."""

    shift: bool = False
    ctrl: bool = False
    alt: bool = False


NO_KEYS = Keys()


class Hand:
    """One hand with one tool: turns press, drag and release into regions."""

    def __init__(self, editor: Editor, wand: Wand | None = None) -> None:
        self.wand = wand or Wand()
        self.tool = Tool.SELECT
        self.line: tuple[Point, ...] = ()
        self.preview: tuple[Roi, ...] = ()
        self._editor = editor
        self._start: Point | None = None
        self._drag: Drag | None = None
        self._grabbed: tuple[Roi, ...] = ()
        self._what = ""
        self._clicked: int | None = None
        self._radius = CLICK_RADIUS
        self._corners = Corners(editor)
        self._net: Net | None = None

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
        if self.tool is Tool.WAND:
            self.preview = self.wand.touch((x, y))
        elif self._grab_handle((x, y), reach, keys):
            return
        elif self.tool is Tool.SELECT:
            self._grab_roi((x, y), reach, keys)
        elif self.tool is Tool.POLYGON:
            self.line = ((x, y), (x, y))
        elif self.tool is Tool.FREEHAND:
            self.line = ((x, y),)

    def move(self, x: float, y: float, reach: float) -> None:
        """Follow the mouse, with or without a button held."""
        if self._drag is not None and self._start is not None:
            if not self._overtaken() and (self.preview or away(self._start, (x, y)) >= reach / 3):
                self.preview = self._drag((x, y))
        elif self._net is not None and away(self._start or (x, y), (x, y)) >= reach / 3:
            self.line = self._net.cast(self.line, (x, y))
        elif self.tool is Tool.POLYGON and self.line:
            self.line = (*self.line[:-1], (x, y))
        elif self.tool is Tool.FREEHAND and self.line:
            self.line = strokes.drawn_on(self.line, (x, y))
        elif self.tool is Tool.WAND and self._start is not None:
            self.preview = self.wand.pull((x, y), reach)
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
        elif self._net is not None:
            self._put_down()
        elif self.tool is Tool.WAND:
            self.preview = ()
            for roi in self.wand.lift():
                self._add(roi)
        elif self.tool is Tool.FREEHAND:
            self._finish_line(Freehand)
        elif self.tool in (Tool.CIRCLE, Tool.ELLIPSE, Tool.RECTANGLE):
            self._finish_shape(start, (x, y), reach)

    def double_click(self, x: float, y: float, reach: float) -> bool:
        """End a polygon, or put a corner into the edge of the selected one; tell whether either was done."""
        if self.line and self.tool is Tool.POLYGON:
            self.finish()
            return True
        if self.tool is not Tool.SELECT or self._corners.on((x, y), reach):
            return False
        inserted = self._corners.insert((x, y), reach)
        if inserted:
            self._put_down()
        return inserted

    def on_corner(self, x: float, y: float, reach: float) -> bool:
        """Tell whether a corner of the selected polygon is at (x, y)."""
        return self._corners.at((x, y), reach) is not None

    def delete_corner(self, x: float, y: float, reach: float) -> None:
        """Delete the corner of the selected polygon at (x, y)."""
        self._corners.delete((x, y), reach)

    def scroll(self, steps: float) -> bool:
        """Let what the wand is growing grow on; tell whether the wheel was used up by that."""
        if self.tool is not Tool.WAND or self._start is None:
            return False
        self.preview = self.wand.turn(steps)
        return True

    def finish(self) -> None:
        """End the polygon being drawn; fewer than three corners make none."""
        if self.tool is Tool.POLYGON and self.line:
            self.line = self.line[:-1]
            self._finish_line(Polygon)

    def cancel(self) -> None:
        """Drop what is being drawn; else take up the select tool; with that in hand, select nothing."""
        if not self.busy and self.tool is Tool.SELECT:
            self._editor.select()
        elif not self.busy:
            self.tool = Tool.SELECT
        self._put_down()

    def _put_down(self) -> None:
        self.line, self.preview, self._start, self._drag = (), (), None, None
        self._clicked, self._net = None, None

    def _overtaken(self) -> bool:
        """End a drag whose regions were changed meanwhile (locked, undone): its copies are stale."""
        if all(self._editor.get(roi.id) == roi for roi in self._grabbed):
            return False
        self._put_down()
        log.info("the region was changed meanwhile; the drag was dropped")
        return True

    # -- grabbing -----------------------------------------------------------------------------------------

    def _grab_handle(self, at: Point, reach: float, keys: Keys) -> bool:
        roi = self._corners.one()
        if roi is None:
            return False
        points = geometry.handles(roi, reach)
        # On a small shape the handles leave room for the hand to move it.
        reach = min(reach, geometry.extent(roi) / 4)
        number = geometry.nearest(points, *at, reach)
        if (keys.ctrl or keys.alt) and self._corners.change(at, reach):
            self._start = None
            return True
        if number is None or not self._editor.unlocked([roi]):
            return number is not None
        self._what, self._grabbed = "reshape", (roi,)
        self._drag = lambda to: (geometry.with_handle(roi, number, *to),)
        return True

    def _grab_roi(self, at: Point, reach: float, keys: Keys) -> None:
        roi = self._editor.at(*at) or self._edged(at, reach)
        if roi is None:
            self._net = Net(self._editor, at, free=keys.ctrl or keys.alt, more=keys.shift)
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
            self._drag = strokes.scaler(rois, roi, at) if keys.shift else strokes.mover(rois, at)

    def _edged(self, at: Point, reach: float) -> Roi | None:
        """Return the selected polygon when the hand is on its line, a little outside."""
        return self._corners.polygon() if self._corners.edge(at, reach / 2) is not None else None

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
        if len(self.line) > 3 and away(self.line[0], at) <= reach:
            self.finish()
        elif away(self.line[-2], at) > reach / 4:
            self.line = (*self.line[:-1], at, at)

    def _finish_shape(self, start: Point, end: Point, reach: float) -> None:
        self.preview = ()
        if away(start, end) < reach / 2:
            if self.tool is Tool.CIRCLE:
                self._add(Circle(round(start[0], 2), round(start[1], 2), self._radius))
            return
        roi = self._shape(start, end)
        if isinstance(roi, Circle):
            self._radius = roi.r
        if roi is not None:
            self._add(geometry.rounded(roi))

    def _add(self, roi: Roi) -> None:
        picture = self._editor.picture
        if picture is not None and geometry.outside(roi, picture):
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
        if self.tool is Tool.CIRCLE:
            return strokes.circle(start, end)
        return strokes.corner_to_corner(Ellipse if self.tool is Tool.ELLIPSE else Rectangle, start, end)
