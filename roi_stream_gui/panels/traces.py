"""Traces of regions and cells over time: below each other, over each other, or all of them as a raster.

The cells clicked on the picture have a line, else the best; of hundreds a page at a time is drawn. Under them
lies the whole session; the stretch that is looked at can be dragged there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Final

import dearpygui.dearpygui as dpg
import numpy as np

from roi_stream_gui import heights, words
from roi_stream_gui.lineup import LANES, Lineup, lanes_of, told_apart
from roi_stream_gui.panels.base import Place, then, value
from roi_stream_gui.panels.cursor import Cursor
from roi_stream_gui.panels.lanes import Lanes
from roi_stream_gui.panels.legend import Legend
from roi_stream_gui.panels.marks import CLOSE, LINE, TICKS, Marks, Tip
from roi_stream_gui.panels.overview import HEIGHT, Overview
from roi_stream_gui.panels.raster import Raster
from roi_stream_gui.panels.scrollbar import WIDTH, ScrollBar
from roi_stream_gui.panels.tracebar import TraceBar
from roi_stream_gui.panels.tracelines import TraceLines
from roi_stream_gui.theme import CELL
from roi_stream_gui.tracks import Scale, Stretch

if TYPE_CHECKING:
    from roi_core.settings import Display
    from roi_core.snapshot import Snapshot
    from roi_stream_gui.lineup import Lane
    from roi_stream_gui.panels.base import Desk
    from roi_stream_gui.view import View

__all__ = ["Traces"]

LANE_HEIGHT: Final = 15
"""Screen px that a lane needs at least."""
NAMED: Final = 78
"""px at 100 % of the plot from which there is room for marks above and below the lanes."""
AXIS: Final = 26
"""Screen px below the plot for the clock."""
GAP: Final = 6
EDGE: Final = 6
"""px at 100 % between what is in a pane and its border."""


class Traces:
    """The plot, its controls and the strip below it."""

    title: ClassVar[str] = "Traces"
    place: ClassVar[Place] = Place.BOTTOM

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._do = desk.controller
        self._lineup = Lineup()
        desk.scale_traces, desk.page_traces = self._scale, self._lineup.page
        self._of: object = None
        self._kinds: tuple[str, ...] = ()
        self._drawn: tuple[object, ...] = ()
        self._beyond = 0.0, 0.0
        """Heights below and above the lanes for marks, in heights of all lanes."""
        self._fixed = False
        self._said: heights.Ticks = ()

    # -- building -----------------------------------------------------------------------------------------

    def build(self, parent: int) -> None:
        """Make the controls, the plot and everything in it."""
        desk = self._desk
        with dpg.group(parent=parent):
            self._bar = TraceBar(desk, self._scale, self._lineup.page)
            with dpg.group(horizontal=True, horizontal_spacing=1):
                self._plot = dpg.add_plot(
                    width=-1, height=-(HEIGHT + GAP), no_menus=True, no_box_select=True, no_title=True,
                    no_mouse_pos=True, pan_button=dpg.mvMouseButton_Middle, fit_button=dpg.mvMouseButton_X1,
                )  # fmt: skip
                self._strip = ScrollBar(desk, "traces.scroll")
                self._legend = Legend(desk)
            dpg.bind_item_theme(desk.named("traces", self._plot), desk.theme.traces)
            self._x = dpg.add_plot_axis(dpg.mvXAxis, parent=self._plot, no_highlight=True)
            bare = {"no_gridlines": True, "no_tick_marks": True, "no_highlight": True}
            self._y = dpg.add_plot_axis(dpg.mvYAxis, parent=self._plot, **bare)
            self._units = dpg.add_plot_axis(dpg.mvYAxis2, parent=self._plot, opposite=True, **bare)
            self._lanes = Lanes(desk, self._y, self._units)
            self._lines = TraceLines(self._lanes, self._do.resting)
            self._marks = Marks(desk, self._plot, self._y)
            self._raster = Raster(desk, self._y)
            self._cursor = Cursor(desk, self._y)
            self._overview = Overview(desk)
        self._tip = Tip(desk, "traces.tip")
        with dpg.handler_registry():
            dpg.add_mouse_click_handler(dpg.mvMouseButton_Left, callback=then(self._click))
            dpg.add_mouse_wheel_handler(callback=value(self._wheel))

    # -- every drawn frame --------------------------------------------------------------------------------

    def update(self, view: View) -> None:
        """Take the new rows in and draw; held still, draw again only what the user changed."""
        self._bar.show(view)
        snapshot = view.snapshot
        if snapshot is None:
            return
        self._begin(view.settings.display)
        width, room = self._room()
        height = self._share(room)
        scale = Scale(view.settings.display.trace_window, width // 2 // 50 * 50, snapshot.rate)
        stretch = self._stretch(scale.seconds)
        if view.settings.display.trace_mode == "raster":
            self._show_raster(view, snapshot, scale, stretch, height)
        else:
            self._raster.hide()
            self._show_lines(view, snapshot, scale, stretch, height)
        stacked = view.settings.display.trace_mode == "stacked"
        ends = self._ends(max(len(self._lineup.shown), 1) if stacked else 1)
        self._marks.show(self._do.timeline.marks, *stretch[:2], width, ends, named=room > height)
        self._cursor.show(self._do.replay.cursor, ends[1])
        self._overview.update(view)
        self._tell(view.settings.display, stretch, width)

    def tell(self) -> dict[str, Any]:
        """Return what tests ask for."""
        start, end = self._do.timeline.stretch(self._do.settings.current.display.trace_window)
        return {
            "start": start, "end": end, "newest": self._do.timeline.newest, "tip": self._tip.said,
            "lanes": [lane.name for lane in self._lineup.shown], "count": self._lineup.count,
            "legend": [dpg.get_value(item) for item in self._legend.shown()],
            "raster": self._raster.tell(), "cursor": self._cursor.at, "overview": self._overview.tell(),
            "marks": [[mark.time, mark.group, mark.text] for cluster in self._marks.clusters
                      for mark in cluster.marks],
            "labels": self._marks.tell(),
        }  # fmt: skip

    def _room(self) -> tuple[int, float]:
        """Share the room of the pane with the strip below; return width and height of the plot, about, px."""
        desk, width = self._desk, dpg.get_item_rect_size(self._plot)[0]
        room = self._down()
        strip = self._overview.fit(room)
        below = strip + GAP * bool(strip) + 1
        if dpg.get_item_height(self._plot) != -below:
            dpg.configure_item(self._plot, height=-below)
            self._strip.resize(-below)
        return max(int(width), 200), max(room - below - desk.px(AXIS), desk.px(LANE_HEIGHT))

    def _share(self, room: float) -> float:
        """Give marks a line above and ticks below the lanes if there is room; return what lanes have, px."""
        below, above = (self._desk.px(length) * (room >= self._desk.px(NAMED)) for length in (TICKS, LINE))
        height = room - below - above
        self._beyond = below / height, above / height
        return height

    def _ends(self, top: float) -> tuple[float, float]:
        """Return where the axis ends of a plot whose lanes go from 0 to `top`."""
        below, above = self._beyond
        return -top * below, top * (1 + above)

    def _down(self) -> float:
        """Return px from the top of the plot to the end of the pane.

        It does not ask how high the plot is: that was drawn with the strip of a frame ago.
        """
        pane = self._desk.names.get("pane.bottom")
        if pane is None:
            return 0.0
        top = dpg.get_item_rect_min(self._plot)[1] - dpg.get_item_pos(pane)[1]
        return float(dpg.get_item_height(pane) - top - int(EDGE * self._desk.scale))

    def _begin(self, shown: Display) -> None:
        """Start over with another session, measure anew when values have another unit."""
        if self._of is not self._do.timeline.regions:
            self._of = self._do.timeline.regions
            self._lineup.begin()
        kinds = (shown.trace_kind, shown.cell_kind)
        if kinds != self._kinds:
            self._kinds = kinds
            self._lines.heights.forget()

    def _stretch(self, window: float) -> Stretch:
        start, end = self._do.timeline.stretch(window)
        return Stretch(start, end, self._do.timeline.end, self._do.timeline.marks.gaps(start, end))

    def _show_raster(
        self, view: View, snapshot: Snapshot, scale: Scale, stretch: Stretch, height: float
    ) -> None:
        if self._lineup.shown or self._drawn:
            self._lineup.shown, self._drawn = [], ()
            self._lines.hide()
            self._scroll(0)
            self._legend.hide()
        shown = view.settings.display
        self._raster.update(view, snapshot, scale, stretch, height)
        self._lanes.tick(self._raster.names(), ())
        self._desk.say(self._bar.which, self._raster.said() + self._missing(shown))
        self._limit(stretch, 1.0)

    def _show_lines(
        self, view: View, snapshot: Snapshot, scale: Scale, stretch: Stretch, height: float
    ) -> None:
        shown = view.settings.display
        lanes = self._choose(view, snapshot, height)
        self._lines.read(snapshot, self._do.timeline, lanes, shown, scale, stretch)
        newest = 0.0 if self._do.timeline.held else self._do.timeline.newest // max(scale.width, 1e-3)
        look = (
            tuple(lanes), shown, self._lines.heights.key(), scale, stretch.upto, newest, height,
            self._beyond, self._do.resting.f0,
        )  # fmt: skip
        if look != self._drawn or self._lines.busy:
            self._drawn, self._fixed = look, True
            self._lines.draw(lanes, shown, stretch, height)
            overlay = shown.trace_mode == "overlay"
            self._legend.show(lanes if overlay else (), height * (1 + sum(self._beyond)))
            self._limit(stretch, 1.0 if overlay else max(len(lanes), 1))
        elif self._fixed and stretch.upto is not None:  # the hand may move what is held still
            self._fixed = False
            for axis in (self._x, self._y, self._units):
                dpg.set_axis_limits_auto(axis)

    def _choose(self, view: View, snapshot: Snapshot, height: float) -> list[Lane]:
        """Decide what has a line."""
        do, shown = self._do, view.settings.display
        overlay = shown.trace_mode == "overlay"
        traced = do.cells.traced(snapshot, shown.cell_traces)
        every = lanes_of(view.rois, traced, do.keeper.names, CELL)
        room = LANES if overlay else int(min(LANES, max(height // self._desk.px(LANE_HEIGHT), 1)))
        lanes = self._lineup.choose(every, room, view.selection, do.cells.chosen)
        self._scroll(room)
        first = self._lineup.first + 1
        text = f"{first}-{first + len(lanes) - 1} of {len(every)}   " if len(every) > len(lanes) else ""
        if traced and snapshot.activity is not None:
            said = words.CELLS_CHOSEN if do.cells.chosen else words.CELLS_TRACED
            text += said.format(shown=len(traced), all=len(snapshot.activity.ids)) + self._missing(shown)
        self._desk.say(self._bar.which, text)
        return told_apart(lanes) if overlay else lanes

    def _missing(self, shown: Display) -> str:
        """Return why cells have no dF/F, while it is to be shown."""
        why = self._do.resting.why if shown.cell_kind == "dff" else ""
        return f"   {why}" if why else ""

    def _scroll(self, fit: int) -> None:
        """Let the bar beside the plot tell the page that is shown; when the hand moves it, turn there."""
        lineup, count = self._lineup, self._lineup.count if fit else 0
        wide = -1 - (WIDTH + 1) * (count > fit) - self._legend.wide
        if dpg.get_item_width(self._plot) != wide:
            dpg.configure_item(self._plot, width=wide)
        lineup.first = self._strip.follow(lineup.first, fit, count)

    def _limit(self, stretch: Stretch, top: float) -> None:
        width = max(int(dpg.get_item_rect_size(self._plot)[0]), 200)
        dpg.set_axis_limits(self._x, stretch.start, stretch.end)
        self._clock(heights.clock_ticks(stretch.start, stretch.end, width))
        for axis in (self._y, self._units):
            dpg.set_axis_limits(axis, *self._ends(top))

    def _clock(self, ticks: heights.Ticks) -> None:
        if ticks != self._said:
            self._said = ticks
            dpg.set_axis_ticks(self._x, ticks)

    # -- what the user does -------------------------------------------------------------------------------

    def _tell(self, shown: Display, stretch: Stretch, width: int) -> None:
        """Tell what is under the mouse: a mark, or a trace of the raster."""
        text = ""
        if dpg.is_item_hovered(self._plot):
            x, y = dpg.get_plot_mouse_pos()
            text = self._marks.at(x, CLOSE * (stretch.end - stretch.start) / width, y)
            hit = self._raster.at(x, y) if shown.trace_mode == "raster" and not text else None
            if hit is not None and hit[1] == hit[1]:
                lane, height = hit
                text = f"{lane.name}   {words.moment(x, 0.1)}   {words.value(height, lane.is_cell, shown)}"
        self._tip.say(text)

    def _scale(self, factor: float) -> None:
        """Make the shared scale coarser (factor > 1) or finer."""
        if self._do.settings.current.display.trace_autoscale:
            self._do.edit("display.trace_autoscale", False)
        else:
            self._lines.heights.scale(factor)

    def _wheel(self, turn: float) -> None:
        if dpg.is_item_hovered(self._plot) and not self._do.timeline.held:
            self._lineup.scroll(-int(turn))

    def _click(self) -> None:
        """Select the region, or choose the cell, whose trace was clicked."""
        if dpg.is_item_hovered(self._plot):
            lane = self._under(*dpg.get_plot_mouse_pos())
            if lane is not None:
                (self._do.cells.click if lane.is_cell else self._do.editor.select)(lane.id)

    def _under(self, x: float, y: float) -> Lane | None:
        """Return what is drawn at a point of the plot."""
        mode, lanes = self._do.settings.current.display.trace_mode, self._lineup.shown
        if mode == "raster":
            hit = self._raster.at(x, y)
            return None if hit is None else hit[0]
        if mode == "stacked":
            k = len(lanes) - 1 - int(np.floor(y))
            return lanes[k] if 0 <= k < len(lanes) else None
        return self._lines.nearest(x, y)
