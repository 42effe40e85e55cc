"""The live picture: pan, zoom, contrast, the value under the cursor, saturation, and the mouse on it."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, ClassVar

import dearpygui.dearpygui as dpg
import numpy as np

from roi_stream_gui import display, words
from roi_stream_gui.panels.base import Place
from roi_stream_gui.panels.cells import CellOverlay
from roi_stream_gui.panels.contrast import Controls
from roi_stream_gui.panels.foresight import ForesightOverlay
from roi_stream_gui.panels.mouse import Mouse
from roi_stream_gui.panels.overlay import Overlay
from roi_stream_gui.tools import Tool
from roi_stream_gui.view import Phase

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from roi_core.ring import FrameRing
    from roi_stream_gui.panels.base import Desk
    from roi_stream_gui.view import View

__all__ = ["Preview"]

COUNT_PERIOD = 0.2
"""Seconds between two counts of saturated pixels."""


class Preview:
    """One texture in a plot whose data coordinates are image pixels."""

    title: ClassVar[str] = "Preview"
    place: ClassVar[Place] = Place.CENTRE

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._do = desk.controller
        desk.fit = self.fit
        self._contrast = display.Contrast()
        self._tone = display.Tone()
        self._frames: FrameRing | None = None
        self._image: NDArray[np.uint16] | None = None
        self._number = -1
        self._painted: tuple[object, ...] = ()
        self._pending: display.Region | None = None
        self._fit_wanted = True
        self._fitted: tuple[float, ...] | None = None
        self._free_axes = False
        self._box = (0.0, 0.0, 0.0, 0.0)
        self._saturated = (0.0, 0)
        self._status = ("", "")

    # -- building -----------------------------------------------------------------------------------------

    def build(self, parent: int) -> None:
        """Make the controls, the plot and the status line."""
        desk = self._desk
        with dpg.group(parent=parent):
            self._controls = Controls(desk, self._contrast)
            self._plot = dpg.add_plot(
                width=-1, height=-26, equal_aspects=True, no_menus=True, no_box_select=True, no_title=True,
                no_mouse_pos=True, pan_button=dpg.mvMouseButton_Middle, fit_button=dpg.mvMouseButton_X1,
            )  # fmt: skip
            desk.named("picture", self._plot)
            dpg.bind_item_theme(self._plot, desk.theme.picture)
            bare = {"no_tick_labels": True, "no_tick_marks": True, "no_gridlines": True}
            self._x = dpg.add_plot_axis(dpg.mvXAxis, parent=self._plot, **bare)
            self._y = dpg.add_plot_axis(dpg.mvYAxis, parent=self._plot, invert=True, **bare)
            uv = desk.texture.corners(1, 1)
            self._series = dpg.add_image_series(
                desk.texture.id, [0, 0], [1, 1], uv_min=uv[0], uv_max=uv[1], parent=self._y, show=False
            )
            self._cells = CellOverlay(desk, self._plot, self._y)
            self._foresight = ForesightOverlay(desk, self._plot, self._y)
            self._overlay = Overlay(desk, self._plot)
            with dpg.group(horizontal=True):
                self._cursor = dpg.add_text("")
                self._facts = desk.text(tone="dim")
        self._hand = Mouse(desk, self._plot, self._cells, self.mouse, self.zoom)

    # -- every drawn frame --------------------------------------------------------------------------------

    def update(self, view: View) -> None:
        """Show the newest frame and everything on it."""
        self._controls.show(view.settings.display)
        if view.snapshot is None:
            self._desk.say(
                self._cursor, words.OPENING if view.phase is Phase.CONNECTING else words.NO_PICTURE
            )
            return
        self._follow_source(view.snapshot.frames)
        self._place_axes()
        self._take_frame(view)
        self._paint(view)
        x, y = self.mouse()
        self._hand.update()
        over = self._hand.over and not self._do.hand.busy
        self._cells.update(view, self._box, self.zoom(), (x, y) if over else None)
        self._foresight.update(view, self._box, self.zoom())
        self._overlay.update(view, self.zoom())
        self._show_status(view, x, y)

    def tell(self) -> dict[str, Any]:
        """Return what tests ask for."""
        return {"mapping": self.mapping()}

    def mapping(self) -> dict[str, float]:
        """Return how image px become window px: ``window = origin + zoom * image``; used by tests."""
        left, top = dpg.get_item_rect_min(self._plot)
        zoom = self.zoom()
        return {"x": left - self._box[0] * zoom, "y": top - self._box[1] * zoom, "zoom": zoom}

    def zoom(self) -> float:
        """Return screen px per image px."""
        x0, _, x1, _ = self._box
        return float(dpg.get_item_rect_size(self._plot)[0]) / (x1 - x0) if x1 > x0 else 1.0

    def mouse(self) -> tuple[float, float]:
        """Return the mouse in image px, also outside the plot."""
        mouse, (left, top) = dpg.get_mouse_pos(local=False), dpg.get_item_rect_min(self._plot)
        zoom = self.zoom()
        return self._box[0] + (mouse[0] - left) / zoom, self._box[1] + (mouse[1] - top) / zoom

    def fit(self) -> None:
        """Show the whole picture at the next frame."""
        self._fit_wanted = True

    def _follow_source(self, frames: FrameRing) -> None:
        if frames is not self._frames:
            changed = self._frames is None or frames.shape != self._frames.shape
            self._frames, self._number = frames, -1
            if changed:
                self._image = np.zeros(frames.shape, np.uint16)
                self._fit_wanted = True
            self._contrast.forget()

    def _place_axes(self) -> None:
        """Read what is on screen; fit when asked, and after a resize unless the user has zoomed."""
        width, height = dpg.get_item_rect_size(self._plot)
        if self._image is None or width < 2 or height < 2:
            return
        self._free_or_hold_axes()
        (x0, x1), (y0, y1) = dpg.get_axis_limits(self._x), dpg.get_axis_limits(self._y)
        self._box = (x0, y0, x1, y1)
        size = (*self._image.shape, width, height)
        untouched = self._fitted is not None and np.allclose(self._fitted[4:], self._box, atol=0.51)
        if self._fit_wanted or (untouched and self._fitted is not None and self._fitted[:4] != size):
            self._fit_wanted, self._free_axes = False, True
            self._box = _whole(self._image.shape, width, height)
            dpg.set_axis_limits(self._x, self._box[0], self._box[2])
            dpg.set_axis_limits(self._y, self._box[1], self._box[3])
            self._fitted = (*size, *self._box)

    def _free_or_hold_axes(self) -> None:
        """Let the hand zoom and pan, but not while the wheel is the wand's."""
        if self._hand.holds_wheel and self._box[2] > self._box[0]:
            dpg.set_axis_limits(self._x, self._box[0], self._box[2])
            dpg.set_axis_limits(self._y, self._box[1], self._box[3])
            self._free_axes = True
        elif self._free_axes:
            dpg.set_axis_limits_auto(self._x)
            dpg.set_axis_limits_auto(self._y)
            self._free_axes = False

    def _take_frame(self, view: View) -> None:
        frames = view.snapshot.frames if view.snapshot else None
        if frames is None or frames.head - 1 == self._number or self._image is None:
            return
        shot = frames.latest(self._image)
        if shot is not None:
            self._number = shot.number
            dpg.configure_item(self._series, show=True)

    def _paint(self, view: View) -> None:
        """Write the visible part into the texture; where it lies on screen follows one render later."""
        if self._image is None or self._number < 0:
            return
        now, settings = time.monotonic(), view.settings.display
        if self._pending is not None:
            self._show_region(self._pending)
            self._pending = None
        low, high = self._contrast.follow(self._image, settings, now)
        low, high = self._controls.limits(low, high)
        region = display.visible_region(self._image.shape, self._box, self._desk.texture.room)
        state = (self._number, region, low, high, settings.saturation)
        if state != self._painted:
            table = self._tone.between(low, high)
            display.to_rgba(self._image, region, table, settings.saturation, self._desk.texture.pixels)
            self._painted, self._pending = state, region
        if now - self._saturated[0] > COUNT_PERIOD:
            self._saturated = (now, display.saturated(self._image))

    def _show_region(self, region: display.Region) -> None:
        uv_min, uv_max = self._desk.texture.corners(region.rows, region.columns)
        right = region.x + region.columns * region.step
        bottom = region.y + region.rows * region.step
        dpg.configure_item(
            self._series, bounds_min=[region.x - 0.5, region.y - 0.5], bounds_max=[right - 0.5, bottom - 0.5],
            uv_min=uv_min, uv_max=uv_max,
        )  # fmt: skip

    def _show_status(self, view: View, x: float, y: float) -> None:
        image, desk = self._image, self._desk
        if image is None:
            return
        height, width = image.shape
        column, row = int(np.floor(x + 0.5)), int(np.floor(y + 0.5))
        inside = 0 <= column < width and 0 <= row < height and dpg.is_item_hovered(self._plot)
        cursor = f"x {column}  y {row}  value {image[row, column]}" if inside else _hint(view)
        count = self._saturated[1]
        part = 100.0 * count / image.size
        facts = f"zoom {100 * self.zoom():.0f} %    saturated {count} px ({part:.2f} %)"
        if (cursor, facts) != self._status:
            self._status = (cursor, facts)
            desk.say(self._facts, facts, "warn" if count else "dim")
            room = dpg.get_item_rect_size(self._plot)[0] - (dpg.get_text_size(facts) or (0, 0))[0]
            long = (dpg.get_text_size(cursor) or (0, 0))[0] > room - 16
            dpg.set_value(self._cursor, "" if long and not inside else cursor)
            dpg.configure_item(self._facts, indent=max(int(room), desk.px(190)))


def _whole(shape: tuple[int, ...], width: float, height: float) -> tuple[float, float, float, float]:
    """Return the limits (x0, y0, x1, y1) that show a whole (H, W) image in a plot of that size."""
    scale = max(shape[1] / width, shape[0] / height)
    dx, dy = scale * width / 2, scale * height / 2
    x, y = (shape[1] - 1) / 2, (shape[0] - 1) / 2
    return x - dx, y - dy, x + dx, y + dy


def _hint(view: View) -> str:
    if view.hand.tool is Tool.POLYGON and view.hand.line:
        return "click corners; double-click or Enter ends, Esc cancels"
    return words.TOOLS[view.hand.tool.value][2].partition(".")[0]
