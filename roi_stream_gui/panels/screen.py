"""The picture itself: a texture in a plot whose data coordinates are camera px; pan and zoom."""

from __future__ import annotations

from typing import TYPE_CHECKING

import dearpygui.dearpygui as dpg
import numpy as np

from roi_stream_gui import display

if TYPE_CHECKING:
    from roi_stream_gui.panels.base import Desk
    from roi_stream_gui.picture import Picture
    from roi_stream_gui.texture import Sheet

    Box = tuple[float, float, float, float]

__all__ = ["Screen"]


class Screen:
    """One image series; ``box`` (x0, y0, x1, y1) is what is in sight, camera px."""

    def __init__(self, desk: Desk, width: int, height: int) -> None:
        self._desk = desk
        self.plot = dpg.add_plot(
            width=width, height=height, equal_aspects=True, no_menus=True, no_box_select=True, no_title=True,
            no_mouse_pos=True, pan_button=dpg.mvMouseButton_Middle, fit_button=dpg.mvMouseButton_X1,
        )  # fmt: skip
        desk.named("picture", self.plot)
        dpg.bind_item_theme(self.plot, desk.theme.picture)
        bare = {"no_tick_labels": True, "no_tick_marks": True, "no_gridlines": True}
        self._x = dpg.add_plot_axis(dpg.mvXAxis, parent=self.plot, **bare)
        self.y_axis = int(dpg.add_plot_axis(dpg.mvYAxis, parent=self.plot, invert=True, **bare))
        self._series = dpg.add_image_series(
            desk.texture.sheets[0].id, [0, 0], [1, 1], parent=self.y_axis, show=False
        )
        self.box: Box = (0.0, 0.0, 0.0, 0.0)
        self._shape = (0, 0)
        self._painted: tuple[object, ...] = ()
        self._pending: tuple[Sheet, display.Region, int] | None = None
        self._fit_wanted = True
        self._fitted: tuple[float, ...] | None = None
        self._free_axes = self._shown = False

    # -- where things are ---------------------------------------------------------------------------------

    def zoom(self) -> float:
        """Return screen px per camera px."""
        x0, _, x1, _ = self.box
        return float(dpg.get_item_rect_size(self.plot)[0]) / (x1 - x0) if x1 > x0 else 1.0

    def mouse(self) -> tuple[float, float]:
        """Return the mouse in camera px, also outside the plot."""
        mouse, (left, top) = dpg.get_mouse_pos(local=False), dpg.get_item_rect_min(self.plot)
        zoom = self.zoom()
        return self.box[0] + (mouse[0] - left) / zoom, self.box[1] + (mouse[1] - top) / zoom

    def mapping(self) -> dict[str, float]:
        """Return how camera px become window px: ``window = origin + zoom * image``; used by tests."""
        left, top = dpg.get_item_rect_min(self.plot)
        zoom = self.zoom()
        return {"x": left - self.box[0] * zoom, "y": top - self.box[1] * zoom, "zoom": zoom}

    def hovered(self) -> bool:
        """Tell whether the mouse is on it."""
        return bool(dpg.is_item_hovered(self.plot))

    def fit(self) -> None:
        """Show the whole picture at the next frame."""
        self._fit_wanted = True

    def place(self, shape: tuple[int, int], still: bool) -> None:
        """Read what is in sight of a camera's (H, W); fit when asked, and after a resize unless zoomed.

        While the picture is to keep `still`, the hand can neither zoom nor pan.
        """
        if shape != self._shape:
            self._shape, self._fit_wanted = shape, True
        width, height = dpg.get_item_rect_size(self.plot)
        if width < 2 or height < 2:
            return
        self._free_or_hold(still)
        (x0, x1), (y0, y1) = dpg.get_axis_limits(self._x), dpg.get_axis_limits(self.y_axis)
        self.box = (x0, y0, x1, y1)
        size = (*shape, width, height)
        untouched = self._fitted is not None and np.allclose(self._fitted[4:], self.box, atol=0.51)
        if self._fit_wanted or (untouched and self._fitted is not None and self._fitted[:4] != size):
            self._fit_wanted, self._free_axes = False, True
            self.box = _whole(shape, width, height)
            dpg.set_axis_limits(self._x, self.box[0], self.box[2])
            dpg.set_axis_limits(self.y_axis, self.box[1], self.box[3])
            self._fitted = (*size, *self.box)

    def _free_or_hold(self, still: bool) -> None:
        if still and self.box[2] > self.box[0]:
            dpg.set_axis_limits(self._x, self.box[0], self.box[2])
            dpg.set_axis_limits(self.y_axis, self.box[1], self.box[3])
            self._free_axes = True
        elif self._free_axes:
            dpg.set_axis_limits_auto(self._x)
            dpg.set_axis_limits_auto(self.y_axis)
            self._free_axes = False

    # -- what is on it ------------------------------------------------------------------------------------

    def paint(self, picture: Picture) -> None:
        """Write the visible part into the texture; where it lies on screen follows one render later."""
        canvas = picture.canvas
        if canvas is None:
            return
        if self._pending is not None:
            self._lay(*self._pending)
            self._pending = None
        x0, y0, x1, y1 = ((edge + 0.5) / canvas.step - 0.5 for edge in self.box)
        texture, shape = self._desk.texture, canvas.codes.shape
        zoom = max(self.zoom() * canvas.step, 1e-3)
        region = display.visible_region((shape[0], shape[1]), (x0, y0, x1, y1), texture.room, zoom)
        colours, (full, dark) = picture.colours(), picture.marks()
        state = (canvas.name, canvas.number, region, picture.limits, picture.gamma, full, dark, id(colours))
        if state != self._painted:
            sheet = texture.sheet(region.rows, region.columns)
            display.to_rgba(canvas.codes, region, picture.table(), colours, sheet.pixels, full, dark)
            sheet.written()
            self._painted, self._pending = state, (sheet, region, canvas.step)

    def hide(self) -> None:
        """Show no picture until the next one is painted."""
        if self._shown:
            self._shown, self._painted, self._pending = False, (), None
            dpg.configure_item(self._series, show=False)

    def _lay(self, sheet: Sheet, region: display.Region, step: int) -> None:
        """Put the sheet's region where it lies on the camera."""
        uv_min, uv_max = sheet.corners(region.rows, region.columns)
        right = region.x + region.columns * region.step
        bottom = region.y + region.rows * region.step
        self._shown = True
        dpg.configure_item(
            self._series, bounds_min=[region.x * step - 0.5, region.y * step - 0.5],
            bounds_max=[right * step - 0.5, bottom * step - 0.5], uv_min=uv_min, uv_max=uv_max, show=True,
            texture_tag=sheet.id,
        )  # fmt: skip


def _whole(shape: tuple[int, ...], width: float, height: float) -> tuple[float, float, float, float]:
    """Return the limits (x0, y0, x1, y1) that show a whole (H, W) image in a plot of that size."""
    scale = max(shape[1] / width, shape[0] / height)
    dx, dy = scale * width / 2, scale * height / 2
    x, y = (shape[1] - 1) / 2, (shape[0] - 1) / 2
    return x - dx, y - dy, x + dx, y + dy
