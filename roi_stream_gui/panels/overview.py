"""The strip below the traces: the whole session so far, and the window on it, which can be dragged."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

import dearpygui.dearpygui as dpg
import numpy as np

from roi_stream_gui import words
from roi_stream_gui.heights import limits_of
from roi_stream_gui.history import thin, woven
from roi_stream_gui.panels.base import then
from roi_stream_gui.panels.cursor import Cursor
from roi_stream_gui.panels.lanes import put
from roi_stream_gui.panels.marks import CLOSE, Marks, Tip
from roi_stream_gui.resting import RAW
from roi_stream_gui.timeline import MEAN

if TYPE_CHECKING:
    from roi_core.settings import Display
    from roi_stream_gui.panels.base import Desk
    from roi_stream_gui.tracks import Points
    from roi_stream_gui.view import View

__all__ = ["HEIGHT", "Overview"]

HEIGHT: Final = 28
"""Screen px."""
LOW: Final = 20
"""Screen px where there is little room."""
ENOUGH: Final = 130
"""Screen px of traces and strip together for the strip to have its height ..."""
LEAST_ROOM: Final = 100
"""... and to be shown."""
PERIOD: Final = 0.5
"""Seconds between two drawings of the whole session, which may take 5 ms."""
LEAST: Final = 8.0
"""Screen px that the window is wide at least, to be got hold of."""
SHADE: Final = (110, 184, 255, 46)
EDGE: Final = (110, 184, 255, 200)


class Overview:
    """One line of the mean, or of what is chosen; marks; the window as a pane of glass."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._do = desk.controller
        bare = {"no_tick_labels": True, "no_tick_marks": True, "no_gridlines": True, "no_highlight": True}
        self._plot = dpg.add_plot(
            width=-1, height=HEIGHT, no_menus=True, no_box_select=True, no_title=True, no_mouse_pos=True,
            no_inputs=True,
        )  # fmt: skip
        dpg.bind_item_theme(self._plot, desk.theme.strip)
        desk.named("overview", self._plot)
        self._tip = Tip(desk, "overview.tip")
        self._x = dpg.add_plot_axis(dpg.mvXAxis, parent=self._plot, **bare)
        self._y = dpg.add_plot_axis(dpg.mvYAxis, parent=self._plot, **bare)
        self._line = int(dpg.add_line_series([0.0], [0.0], parent=self._y, show=False))
        dpg.bind_item_theme(self._line, desk.theme.line("wave", 1.0)[0])
        self._marks = Marks(desk, self._plot, self._y, labels=False)
        self._cursor = Cursor(desk, self._y)
        with dpg.draw_layer(parent=self._plot):
            self._pane = dpg.draw_rectangle((0, 0), (1, 1), color=EDGE, fill=SHADE, thickness=0.0)
        self._words = dpg.add_plot_annotation(
            label=" ",
            default_value=(0.0, 1.0),
            offset=(4, 1),
            color=(0, 0, 0, 0),
            clamped=True,
            parent=self._plot,
        )
        self._said = ""
        self._next = 0.0
        self._key: tuple[object, ...] = ()
        self._grip: float | None = None
        """Seconds from the mouse to the end of the window, while it is dragged."""
        self._whole = 1.0
        with dpg.handler_registry():
            dpg.add_mouse_click_handler(dpg.mvMouseButton_Left, callback=then(self._press))
            dpg.add_mouse_release_handler(dpg.mvMouseButton_Left, callback=then(self._release))

    def update(self, view: View) -> None:
        """Follow the hand, draw the window, and now and then the session."""
        timeline, shown = self._do.timeline, view.settings.display
        if self._grip is not None:
            timeline.look(self._mouse() + self._grip, shown.trace_window)
        one = self._chosen(view)
        now = time.monotonic()
        width = max(dpg.get_item_rect_size(self._plot)[0], 100)
        key = (one, shown.trace_kind, shown.cell_kind, width)
        if now >= self._next or key != self._key:
            self._key, self._next = key, now + PERIOD
            self._whole = max(timeline.newest, shown.trace_window)
            self._draw(one, shown, width)
        start, end = timeline.stretch(shown.trace_window)
        self._tell(width)
        self._cursor.show(self._do.replay.cursor)
        least = LEAST * self._whole / width
        dpg.configure_item(self._pane, pmin=(min(start, end - least), 0.0), pmax=(max(end, least), 1.0))

    def fit(self, room: float) -> int:
        """Be less high where there is little room, or not there at all; return the height, px."""
        plain = room / self._desk.scale
        height = self._desk.px(HEIGHT if plain >= ENOUGH else LOW)
        if dpg.get_item_height(self._plot) != height:
            dpg.configure_item(self._plot, height=height)
        shown = plain >= LEAST_ROOM
        if dpg.is_item_shown(self._plot) != shown:
            dpg.configure_item(self._plot, show=shown)
        return height if shown else 0

    def tell(self) -> dict[str, object]:
        """Return what tests ask for."""
        return {"tip": self._tip.said, "said": self._said}

    def _tell(self, width: float) -> None:
        """Tell the moment under the mouse, and the marks there."""
        text = ""
        if dpg.is_item_hovered(self._plot) and self._grip is None:
            at = self._mouse()
            marks = self._marks.at(at, CLOSE * self._whole / width)
            text = marks or words.LOOK.format(words.moment(at))
        self._tip.say(text)

    def _chosen(self, view: View) -> tuple[bool, int]:
        """Return whether a cell, and which, is drawn: the one that is chosen, else the mean."""
        chosen = self._do.cells.chosen
        if len(chosen) == 1 and not view.selection:
            return True, chosen[0]
        if len(view.selection) == 1:
            return False, view.selection[0]
        return not len(view.rois) and view.snapshot is not None and view.snapshot.cells is not None, MEAN

    def _draw(self, one: tuple[bool, int], shown: Display, width: float) -> None:
        is_cell, number = one
        points = woven(thin(self._points(is_cell, number, shown), 0.0, 2 * self._whole / width))
        low, high = limits_of(points[1])
        y = 0.08 + (points[1] - low) * (0.8 / max(high - low, 1e-9))
        put(self._line, [(points[0], y)] if high > low else [])
        dpg.set_axis_limits(self._x, 0.0, self._whole)
        dpg.set_axis_limits(self._y, 0.0, 1.0)
        self._marks.show(self._do.timeline.marks, 0.0, self._whole, width)
        said = words.WHOLE.format(
            what=self._name(is_cell, number), long=words.clock(self._do.timeline.newest)
        )
        if said != self._said:
            self._said = said
            dpg.configure_item(self._words, label=said)

    def _points(self, is_cell: bool, number: int, shown: Display) -> Points:
        """Return the whole trace; the strip has no unit, and dF/F of a cell the shape of its raw trace."""
        if not is_cell:
            return self._do.timeline.regions.points(shown.trace_kind, number, 0.0, self._whole)
        dff, cells = shown.cell_kind == "dff", self._do.timeline.cells
        if dff and number != MEAN and number not in self._do.resting.f0:
            return np.zeros(0), np.zeros(0)
        return cells.points(RAW if dff else shown.cell_kind, number, 0.0, self._whole)

    def _name(self, is_cell: bool, number: int) -> str:
        if number == MEAN:
            return "mean of all cells" if is_cell else "mean of all regions"
        return f"cell {number}" if is_cell else next(
            (roi.name or f"region {roi.id}" for roi in self._do.editor.rois if roi.id == number), ""
        )  # fmt: skip

    def _mouse(self) -> float:
        """Return the moment under the mouse, also when it is beside the strip."""
        left, width = dpg.get_item_rect_min(self._plot)[0], dpg.get_item_rect_size(self._plot)[0]
        return float((dpg.get_mouse_pos(local=False)[0] - left) / max(width, 1) * self._whole)

    def _press(self) -> None:
        """Take hold of the window; beside it, bring its middle here first."""
        if not dpg.is_item_hovered(self._plot) or self._do.session is None:
            return
        window = self._do.settings.current.display.trace_window
        start, end = self._do.timeline.stretch(window)
        at = self._mouse()
        slack = LEAST * self._whole / max(dpg.get_item_rect_size(self._plot)[0], 1)
        self._grip = end - at if start - slack <= at <= end + slack else window / 2

    def _release(self) -> None:
        self._grip = None
