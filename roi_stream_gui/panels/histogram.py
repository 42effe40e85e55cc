"""The histogram beside the picture, with a colour bar and two limits that can be dragged."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

import dearpygui.dearpygui as dpg
import numpy as np

from roi_stream_gui.histogram import BINS, Grip, Histogram
from roi_stream_gui.lut import SHADES
from roi_stream_gui.panels.base import then

if TYPE_CHECKING:
    from roi_stream_gui.panels.base import Desk
    from roi_stream_gui.picture import Picture

__all__ = ["HistogramPlot"]

PERIOD: Final = 0.2
"""Seconds between two looks at the frame."""
BAR: Final = 0.16
"""Width of the colour bar, of the histogram's."""
REACH: Final = 6.0
"""Screen px by which the hand may miss a limit."""
LINE: Final = 0.018
"""Thickness of a limit, in units of the horizontal axis: about 2 px."""
MIDDLES: Final = (np.arange(BINS) + 0.5) / BINS
"""Of the bins, along the vertical axis."""
GRAY: Final = (136, 148, 166, 200)
WHITE: Final = (250, 250, 250, 255)
BLACK: Final = (10, 12, 14, 255)


class HistogramPlot:
    """Values upwards, counts to the right. Items are moved, never deleted."""

    def __init__(self, desk: Desk, width: int, height: int) -> None:
        self._do = desk.controller
        self._plot = dpg.add_plot(
            width=width, height=height, no_menus=True, no_box_select=True, no_title=True, no_mouse_pos=True,
            no_inputs=True,
        )  # fmt: skip
        desk.named("histogram", self._plot)
        dpg.bind_item_theme(self._plot, desk.theme.picture)
        bare = {"no_tick_labels": True, "no_tick_marks": True, "no_gridlines": True}
        x = dpg.add_plot_axis(dpg.mvXAxis, parent=self._plot, **bare)
        y = dpg.add_plot_axis(dpg.mvYAxis, parent=self._plot, **bare)
        dpg.set_axis_limits(x, -BAR - 0.04, 1.02)
        dpg.set_axis_limits(y, 0, 1)
        self._bars = int(dpg.add_bar_series(
            list(np.zeros(BINS)), list(MIDDLES), parent=y, weight=1 / BINS, horizontal=True
        ))  # fmt: skip
        dpg.bind_item_theme(self._bars, _plain())
        self._shades = desk.texture.make((BINS, 1))
        inside = 0.5 / BINS  # at its very end a texture blends into its other end
        dpg.add_image_series(
            self._shades.id, [-BAR, 0], [-0.04, 1], uv_min=[0, inside], uv_max=[1, 1 - inside], parent=y
        )
        with dpg.draw_layer(parent=self._plot):
            self._lines = [_line(colour) for colour in (BLACK, WHITE, BLACK, WHITE)]
        self._histogram, self._grip = Histogram(), Grip()
        self._looked = -PERIOD
        self._shown: tuple[object, ...] = ()
        with dpg.handler_registry():
            dpg.add_mouse_click_handler(dpg.mvMouseButton_Left, callback=then(self._press))
            dpg.add_mouse_release_handler(dpg.mvMouseButton_Left, callback=then(self._release))
            dpg.add_mouse_double_click_handler(dpg.mvMouseButton_Left, callback=then(self._automatic))

    def resize(self, height: int) -> None:
        """Take another height, px; below zero what is left free under it."""
        dpg.configure_item(self._plot, height=height)

    def update(self, picture: Picture, gamma: float) -> None:
        """Show the levels of the picture, a few times a second, and the limits at once."""
        canvas = picture.canvas
        if canvas is None:
            return
        now = time.monotonic()
        if self._grip.busy:
            levels = self._histogram.levels
            picture.held = self._grip.move(self._place(), picture.limits, levels.end - levels.start)
        elif now - self._looked >= PERIOD:
            self._looked = now
            levels = self._histogram.look(canvas, picture.limits, canvas.name)
            dpg.set_value(self._bars, [levels.heights, MIDDLES])
        state = (picture.limits, gamma, id(picture.colours()), *self._histogram.levels[:2])
        if state != self._shown:
            self._shown = state
            self._show_limits(picture, gamma)

    def tell(self) -> dict[str, list[float]]:
        """Return the window places (x, y) of the two limits, for tests."""
        left, top = dpg.get_item_rect_min(self._plot)
        width, height = dpg.get_item_rect_size(self._plot)
        levels = self._histogram.levels
        places = (levels.place(limit) for limit in self._do.picture.limits)
        return {
            name: [left + width / 2, top + height * (1 - place)]
            for name, place in zip(("low", "high"), places, strict=True)
        }

    def _show_limits(self, picture: Picture, gamma: float) -> None:
        levels, colours = self._histogram.levels, picture.colours()
        low, high = (levels.place(limit) for limit in picture.limits)
        shade = np.clip((MIDDLES - low) / max(high - low, 1e-9), 0, 1) ** gamma
        self._shades.pixels[::-1, 0, :3] = colours[np.round(shade * (SHADES - 1)).astype(int)]
        self._shades.written()
        for k, place in enumerate((low, low, high, high)):
            place = min(max(place, 0.004), 0.996) - (0.006 if k % 2 == 0 else 0.0)
            dpg.configure_item(self._lines[k], p1=[-BAR, place], p2=[1.0, place])

    def _place(self) -> float:
        """Return the mouse on the scale, 0 at its lower end and 1 at its upper."""
        mouse, (_, top) = dpg.get_mouse_pos(local=False), dpg.get_item_rect_min(self._plot)
        return 1.0 - float(mouse[1] - top) / float(max(dpg.get_item_rect_size(self._plot)[1], 1))

    def _press(self) -> None:
        picture = self._do.picture
        if picture.canvas is None or not dpg.is_item_hovered(self._plot):
            return
        low, high = (self._histogram.levels.place(limit) for limit in picture.limits)
        self._grip.press(self._place(), low, high, REACH / max(dpg.get_item_rect_size(self._plot)[1], 1))

    def _release(self) -> None:
        picture = self._do.picture
        if self._grip.busy:
            self._grip.release()
            if picture.held is not None:
                picture.fix(*picture.held)

    def _automatic(self) -> None:
        if dpg.is_item_hovered(self._plot):
            self._grip.release()
            self._do.picture.held = None
            self._do.picture.automatic(True)


def _plain() -> int:
    """Return a theme of bars without a rim."""
    with dpg.theme() as theme, dpg.theme_component(dpg.mvBarSeries):
        dpg.add_theme_color(dpg.mvPlotCol_Fill, GRAY, category=dpg.mvThemeCat_Plots)
        dpg.add_theme_color(dpg.mvPlotCol_Line, (0, 0, 0, 0), category=dpg.mvThemeCat_Plots)
    return int(theme)


def _line(colour: tuple[int, ...]) -> int:
    item: int = dpg.draw_line([0, 0], [1, 0], color=colour, thickness=LINE)
    return item
