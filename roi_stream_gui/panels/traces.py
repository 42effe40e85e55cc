"""Scrolling traces, stacked, thinned to two values a column: regions as raw means or dF/F, below them cells.

Of hundreds of cells a few have a lane: those clicked on the picture, else the best. Theirs is the denoised
calcium, with the spikes as ticks under it.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, ClassVar

import dearpygui.dearpygui as dpg
import numpy as np

from roi_core.ring import Rows
from roi_stream_gui import words
from roi_stream_gui.celltraces import CellTraces, Scale, ticks
from roi_stream_gui.panels.base import Place, then, value
from roi_stream_gui.panels.lanes import LANES, Lane, Lanes
from roi_stream_gui.theme import CELL
from roi_stream_gui.thinned import Thinned

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from roi_core.ring import TraceRing
    from roi_core.session import Snapshot
    from roi_stream_gui.panels.base import Desk
    from roi_stream_gui.view import View

__all__ = ["Traces"]

LANE_HEIGHT = 17
"""Screen px that a lane needs at least."""
KINDS = {"Raw": "raw", "dF/F": "dff"}
FILL = 0.86
"""Part of its lane that a trace may fill."""
FOOT = 0.3
"""Part of a cell's lane that is for its spikes."""


class Traces:
    """The traces of up to `LANES` regions and cells at a time."""

    title: ClassVar[str] = "Traces"
    place: ClassVar[Place] = Place.BOTTOM

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._do = desk.controller
        desk.scale_traces = self._scale
        self._thinned: Thinned | None = None
        self._made_for: tuple[object, ...] = ()
        self._cursor = 0
        self._first = 0
        self._span = 0.0
        self._cell_span = 0.0
        self._cells = CellTraces()
        self._selection: tuple[int, ...] = ()
        self._end: int | None = None
        self._rows = 0
        self._drawn: tuple[object, ...] = ()
        self._fixed = False
        self._shown: list[Lane] = []

    # -- building -----------------------------------------------------------------------------------------

    def build(self, parent: int) -> None:
        """Make the controls, the plot and one series per lane."""
        with dpg.group(parent=parent):
            self._build_controls()
            self._plot = dpg.add_plot(
                width=-1, height=-1, no_menus=True, no_box_select=True, no_title=True, no_mouse_pos=True,
                pan_button=dpg.mvMouseButton_Middle, fit_button=dpg.mvMouseButton_X1,
            )  # fmt: skip
            self._desk.named("traces", self._plot)
            dpg.bind_item_theme(self._plot, self._desk.theme.traces)
            self._x = dpg.add_plot_axis(dpg.mvXAxis, parent=self._plot, no_highlight=True, tick_format="%g s")
            options = {"no_gridlines": True, "no_tick_marks": True, "no_highlight": True}
            self._y = dpg.add_plot_axis(dpg.mvYAxis, parent=self._plot, **options)
            self._lanes = Lanes(self._desk, self._y)
        with dpg.handler_registry():
            dpg.add_mouse_click_handler(dpg.mvMouseButton_Left, callback=then(self._click))
            dpg.add_mouse_wheel_handler(callback=value(self._wheel))

    def _build_controls(self) -> None:
        desk, do = self._desk, self._do
        with dpg.group(horizontal=True):
            self._kind = dpg.add_combo(
                list(KINDS), width=74, callback=value(lambda word: do.show_traces(KINDS[word]))
            )
            desk.tip(desk.named("kind", self._kind), "traces")
            self._seconds = dpg.add_input_double(width=64, step=0, format="%.6g s")
            desk.tip(desk.named("seconds", self._seconds), "seconds")
            desk.after_edit(
                self._seconds, lambda: do.edit("display.trace_window", dpg.get_value(self._seconds))
            )
            self._auto = dpg.add_checkbox(
                label="Own scale", callback=value(lambda on: do.edit("display.trace_autoscale", on))
            )
            desk.tip(desk.named("autoscale", self._auto), "scale")
            for name, label, factor in (("flatter", "-", 1.25), ("taller", "+", 0.8)):
                button = dpg.add_button(label=label, width=26, callback=then(partial(self._scale, factor)))
                desk.tip(desk.named(name, button), "scale")
            self._hold = dpg.add_button(label="Pause", width=74, callback=then(do.pause))
            desk.tip(desk.named("pause", self._hold), "pause")
            for name, label, step in (("previous", "<", -1), ("next", ">", 1)):
                button = dpg.add_button(label=label, width=26, callback=then(partial(self._page, step)))
                desk.named(f"traces.{name}", button)
            self._which = desk.text(tone="dim")

    # -- every drawn frame --------------------------------------------------------------------------------

    def update(self, view: View) -> None:
        """Take the new rows in and draw; held still, draw again only what the user changed."""
        self._show_settings(view)
        if view.snapshot is None:
            return
        traces = view.snapshot.traces
        self._hold_or_run(view.paused, traces.head)
        self._follow(view, view.snapshot)
        self._read(view, traces)
        self._choose(view, view.snapshot)
        if self._thinned is not None and (not view.paused or self._look(view) != self._drawn):
            self._draw(view, self._thinned, traces)
            self._drawn, self._fixed = self._look(view), True
        elif self._fixed:  # the hand may move what is held still
            self._fixed = False
            for axis in (self._x, self._y):
                dpg.set_axis_limits_auto(axis)

    def _hold_or_run(self, paused: bool, head: int) -> None:
        """Remember the row at which the traces are held; after that start with the newest window."""
        if paused and self._end is None:
            self._end = self._cursor
        elif not paused and self._end is not None:
            self._end = None
            self._cursor = max(self._cursor, head - self._rows)

    def _look(self, view: View) -> tuple[object, ...]:
        """Return what a drawing depends on besides the rows; lanes are clicked as they were drawn."""
        autoscale = view.settings.display.trace_autoscale
        return self._thinned, tuple(self._shown), autoscale, self._span, self._cell_span

    def _follow(self, view: View, snapshot: Snapshot) -> None:
        """Start over when the source, the kind or the time scale changes; the ring still has the past."""
        shown = view.settings.display
        width = max(int(dpg.get_item_rect_size(self._plot)[0]), 200)
        columns = width // 2 // 50 * 50
        key = (snapshot.frames, shown.trace_window, shown.trace_kind, columns)
        if self._made_for and all(a is b or a == b for a, b in zip(key, self._made_for, strict=True)):
            return
        if self._made_for and self._made_for[0] is not snapshot.frames:
            self._first = 0
        if not self._made_for or self._made_for[2] != shown.trace_kind:
            self._span = 0.0
        self._made_for = key
        self._scale_x = Scale(shown.trace_window, columns, snapshot.rate)
        self._thinned = Thinned(*self._scale_x)
        self._rows = int(shown.trace_window * snapshot.rate * 1.2) + 10
        end = snapshot.traces.head if self._end is None else self._end
        self._cursor = max(end - self._rows, 0)

    def _read(self, view: View, traces: TraceRing) -> None:
        end = traces.head if self._end is None else self._end
        if self._thinned is None or self._cursor >= end:
            return
        rows = traces.since(self._cursor)
        if self._end is not None:
            rows = _until(rows, self._end)
        self._cursor = rows.first + len(rows.times)
        self._thinned.take(rows, rows.dff if view.settings.display.trace_kind == "dff" else rows.raw)

    def _choose(self, view: View, snapshot: Snapshot) -> None:
        """Decide what has a lane: a page of all there is, moved so that a new selection is on it."""
        height = dpg.get_item_rect_size(self._plot)[1] - 26
        lanes = int(min(LANES, max(height // LANE_HEIGHT, 1)))
        traced = self._do.cells.traced(snapshot, view.settings.display.cell_traces)
        every = [Lane(roi.id, roi.name, roi.colour) for roi in view.rois]
        every += [Lane(cell, f"cell {cell}", CELL, True) for cell in traced]
        selection = (*view.selection, *(-cell for cell in self._do.cells.chosen))
        if selection != self._selection:
            new = set(selection) - set(self._selection)
            self._selection = selection
            places = [k for k, lane in enumerate(every) if (-lane.id if lane.is_cell else lane.id) in new]
            if places and not self._first <= places[-1] < self._first + lanes:
                self._first = places[-1] - lanes // 2
        self._first = max(0, min(self._first, len(every) - lanes))
        self._shown = every[self._first : self._first + lanes]
        cells = tuple(lane.id for lane in self._shown if lane.is_cell)
        self._cells.update(snapshot.cells, cells, self._scale_x, view.paused)
        self._say_which(snapshot, len(every), len(traced))

    def _say_which(self, snapshot: Snapshot, count: int, traced: int) -> None:
        last = self._first + len(self._shown)
        text = f"{self._first + 1}-{last} of {count}   " if count > len(self._shown) else ""
        if traced and snapshot.activity is not None:
            said = words.CELLS_CHOSEN if self._do.cells.chosen else words.CELLS_TRACED
            text += said.format(shown=traced, all=len(snapshot.activity.ids))
        if dpg.get_value(self._which) != text:
            dpg.set_value(self._which, text)

    def _draw(self, view: View, thinned: Thinned, traces: TraceRing) -> None:
        place = {roi_id: k for k, roi_id in enumerate(traces.ids)}
        times = thinned.times() if thinned.newest or len(thinned.latest) else np.zeros(0)
        cell_times, shown = self._cells.times(), view.settings.display
        lines = [
            self._cells.calcium(lane.id) if lane.is_cell
            else self._lane(thinned, place.get(lane.id, -1), times.size)
            for lane in self._shown
        ]  # fmt: skip
        ranges = [_range(line) for line in lines]
        self._find_spans(shown.trace_autoscale, ranges)
        for k, (lane, line, limits) in enumerate(zip(self._shown, lines, ranges, strict=True)):
            y = self._placed(line, limits, lane.is_cell, shown.trace_autoscale) + (len(lines) - k - 1)
            self._lanes.show(k, lane, cell_times if lane.is_cell else times, y)
        spiking = [(k, lane.id) for k, lane in enumerate(self._shown) if lane.is_cell and cell_times.size]
        drawn = [ticks(*self._cells.spikes(cell), len(lines) - k - 0.97, FOOT - 0.05) for k, cell in spiking]
        self._lanes.show_spikes(drawn)
        newest = max(thinned.newest, shown.trace_window)
        dpg.set_axis_limits(self._x, newest - shown.trace_window, newest)
        dpg.set_axis_limits(self._y, 0.0, max(len(lines), 1))
        self._lanes.name(self._shown)

    def _lane(self, thinned: Thinned, column: int, size: int) -> NDArray[np.float64]:
        if not 0 <= column < len(thinned.latest):
            return np.full(size, np.nan)
        return thinned.lane(column)

    def _find_spans(self, own: bool, ranges: list[tuple[float, float]]) -> None:
        """Fix one height for all regions, and one for all cells, when lanes begin to share it."""
        if own:
            self._span = self._cell_span = 0.0
            return
        heights = [high - low for low, high in ranges]
        cells = [height for lane, height in zip(self._shown, heights, strict=True) if lane.is_cell]
        rois = [height for lane, height in zip(self._shown, heights, strict=True) if not lane.is_cell]
        self._span = self._span or max(rois, default=0.0)
        self._cell_span = self._cell_span or max(cells, default=0.0)

    def _placed(
        self, line: NDArray[np.float64], limits: tuple[float, float], is_cell: bool, own: bool
    ) -> NDArray[np.float64]:
        """Return a line within 0..1: a region's about the middle, a cell's above its spikes."""
        low, high = limits
        span = max((high - low) if own else (self._cell_span if is_cell else self._span), 1e-9)
        if is_cell:
            return FOOT + (line - low) * ((1 - FOOT) * FILL / span)
        return (line - (high + low) / 2) * (FILL / span) + 0.5

    def _show_settings(self, view: View) -> None:
        shown = view.settings.display
        word = next(word for word, kind in KINDS.items() if kind == shown.trace_kind)
        for item, new in (
            (self._kind, word), (self._auto, shown.trace_autoscale), (self._seconds, shown.trace_window)
        ):  # fmt: skip
            if dpg.get_value(item) != new and not dpg.is_item_active(item):
                dpg.set_value(item, new)
        label = "Resume" if view.paused else "Pause"
        if dpg.get_item_label(self._hold) != label:
            dpg.configure_item(self._hold, label=label)

    # -- what the user does -------------------------------------------------------------------------------

    def _scale(self, factor: float) -> None:
        """Make the shared scale coarser (factor > 1) or finer."""
        if self._do.settings.current.display.trace_autoscale:
            self._do.edit("display.trace_autoscale", False)
        else:
            self._span *= factor
            self._cell_span *= factor

    def _page(self, step: int) -> None:
        self._first += step * max(len(self._shown), 1)

    def _wheel(self, turn: float) -> None:
        if dpg.is_item_hovered(self._plot) and self._end is None:
            self._first -= int(turn)

    def _click(self) -> None:
        """Select the region, or choose the cell, whose lane was clicked."""
        if not dpg.is_item_hovered(self._plot) or not self._shown:
            return
        y = dpg.get_plot_mouse_pos()[1]
        lane = len(self._shown) - 1 - int(np.floor(y))
        if 0 <= lane < len(self._shown):
            choose = self._do.cells.click if self._shown[lane].is_cell else self._do.editor.select
            choose(self._shown[lane].id)


def _until(rows: Rows, end: int) -> Rows:
    """Return the rows before number `end`."""
    n = max(end - rows.first, 0)
    return Rows(rows.first, rows.times[:n], rows.index[:n], rows.raw[:n], rows.dff[:n])


def _range(lane: NDArray[np.float64]) -> tuple[float, float]:
    known = lane[~np.isnan(lane)]
    return (float(known.min()), float(known.max())) if known.size else (0.0, 0.0)
