"""Scrolling traces, stacked: one lane per region, raw means or dF/F, thinned to two values a column."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, ClassVar

import dearpygui.dearpygui as dpg
import numpy as np

from roi_core.ring import Rows
from roi_stream_gui.display import Thinned
from roi_stream_gui.panels.base import Place, then, value
from roi_stream_gui.theme import DIM

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from roi_core.ring import TraceRing
    from roi_core.rois import Roi
    from roi_core.session import Snapshot
    from roi_stream_gui.panels.base import Desk
    from roi_stream_gui.view import View

__all__ = ["Traces"]

LANES = 16
"""Traces drawn at most: 64 of them take 80 ms a frame without a graphics card, 16 take 28."""
LANE_HEIGHT = 17
"""Screen px that a lane needs at least."""
KINDS = {"Raw": "raw", "dF/F": "dff"}
FILL = 0.86
"""Part of its lane that a trace may fill."""


class Traces:
    """The traces of up to `LANES` regions at a time."""

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
        self._ticks: tuple[object, ...] | None = None
        self._selection: tuple[int, ...] = ()
        self._end: int | None = None
        self._rows = 0
        self._drawn: tuple[object, ...] = ()
        self._fixed = False
        self._shown: list[Roi] = []
        self._colours: list[tuple[int, int, int] | None] = [None] * LANES

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
            self._lines = []
            for _ in range(LANES):
                line = dpg.add_line_series([0.0], [0.0], parent=self._y, show=False)
                theme, colour = self._desk.theme.line((255, 255, 255))
                dpg.bind_item_theme(line, theme)
                self._lines.append((line, colour))
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
            self._which = dpg.add_text("", color=DIM)

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
        self._choose(view)
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
        lanes = tuple((roi.id, roi.name, roi.colour) for roi in self._shown)
        return self._thinned, lanes, view.settings.display.trace_autoscale, self._span

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
        self._thinned = Thinned(shown.trace_window, columns, snapshot.rate)
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

    def _choose(self, view: View) -> None:
        """Decide which regions have a lane: the page, moved so that a new selection is on it."""
        height = dpg.get_item_rect_size(self._plot)[1] - 26
        lanes = int(min(LANES, max(height // LANE_HEIGHT, 1)))
        rois = list(view.rois)
        if view.selection != self._selection:
            self._selection = view.selection
            places = [k for k, roi in enumerate(rois) if roi.id in view.selection]
            if places and not self._first <= places[-1] < self._first + lanes:
                self._first = places[-1] - lanes // 2
        self._first = max(0, min(self._first, len(rois) - lanes))
        self._shown = rois[self._first : self._first + lanes]
        last = self._first + len(self._shown)
        text = f"{self._first + 1}-{last} of {len(rois)}" if len(rois) > lanes else ""
        if dpg.get_value(self._which) != text:
            dpg.set_value(self._which, text)

    def _draw(self, view: View, thinned: Thinned, traces: TraceRing) -> None:
        place = {roi_id: k for k, roi_id in enumerate(traces.ids)}
        times = thinned.times() if thinned.newest or len(thinned.latest) else np.zeros(0)
        shown = view.settings.display
        own, count = shown.trace_autoscale, len(self._shown)
        lanes = [self._lane(thinned, place.get(roi.id, -1), times.size) for roi in self._shown]
        ranges = [_range(lane) for lane in lanes]
        self._find_span(own, ranges)
        for k, (roi, lane, (low, high)) in enumerate(zip(self._shown, lanes, ranges, strict=True)):
            span = max(high - low, 1e-9) if own else max(self._span, 1e-9)
            middle = (high + low) / 2
            y = (lane - middle) * (FILL / span) + (count - k - 0.5)
            self._show_lane(k, times, y, roi.colour)
        for line, _ in self._lines[count:]:
            dpg.configure_item(line, show=False)
        newest = max(thinned.newest, shown.trace_window)
        dpg.set_axis_limits(self._x, newest - shown.trace_window, newest)
        dpg.set_axis_limits(self._y, 0.0, max(count, 1))
        self._show_ticks()

    def _lane(self, thinned: Thinned, column: int, size: int) -> NDArray[np.float64]:
        if not 0 <= column < len(thinned.latest):
            return np.full(size, np.nan)
        return thinned.lane(column)

    def _find_span(self, own: bool, ranges: list[tuple[float, float]]) -> None:
        """Fix one height for all lanes when they begin to share it."""
        if own:
            self._span = 0.0
        elif self._span == 0.0 and ranges:
            self._span = max(high - low for low, high in ranges)

    def _show_lane(
        self, k: int, times: NDArray[np.float64], y: NDArray[np.float64], colour: tuple[int, int, int]
    ) -> None:
        line, paint = self._lines[k]
        dpg.set_value(line, [times, y])
        dpg.configure_item(line, show=True)
        if self._colours[k] != colour:
            self._colours[k] = colour
            dpg.set_value(paint, [*colour, 255])

    def _show_ticks(self) -> None:
        key = tuple((roi.id, roi.name) for roi in self._shown)
        if key != self._ticks:
            self._ticks = key
            count = len(self._shown)
            names = tuple((roi.name[:12] or "-", count - k - 0.5) for k, roi in enumerate(self._shown))
            dpg.set_axis_ticks(self._y, names or (("draw a region to see its trace", 0.5),))

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

    def _page(self, step: int) -> None:
        self._first += step * max(len(self._shown), 1)

    def _wheel(self, turn: float) -> None:
        if dpg.is_item_hovered(self._plot) and self._end is None:
            self._first -= int(turn)

    def _click(self) -> None:
        """Select the region whose lane was clicked."""
        if not dpg.is_item_hovered(self._plot) or not self._shown:
            return
        y = dpg.get_plot_mouse_pos()[1]
        lane = len(self._shown) - 1 - int(np.floor(y))
        if 0 <= lane < len(self._shown):
            self._do.editor.select(self._shown[lane].id)


def _until(rows: Rows, end: int) -> Rows:
    """Return the rows before number `end`."""
    n = max(end - rows.first, 0)
    return Rows(rows.first, rows.times[:n], rows.index[:n], rows.raw[:n], rows.dff[:n])


def _range(lane: NDArray[np.float64]) -> tuple[float, float]:
    known = lane[~np.isnan(lane)]
    return (float(known.min()), float(known.max())) if known.size else (0.0, 0.0)
