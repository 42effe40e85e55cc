"""All traces as one picture in the traces' plot: a row each, told and chosen by the mouse."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

import dearpygui.dearpygui as dpg
import numpy as np

from roi_core.frame import Status
from roi_stream_gui import words
from roi_stream_gui.heat import arranged, paint, rows_of
from roi_stream_gui.lineup import lanes_of
from roi_stream_gui.panels.lanes import NAME_LENGTH
from roi_stream_gui.theme import CELL
from roi_stream_gui.timeline import MEAN
from roi_stream_gui.tracks import Tracks

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from roi_core.snapshot import Snapshot
    from roi_stream_gui.lineup import Lane
    from roi_stream_gui.panels.base import Desk
    from roi_stream_gui.panels.lanes import Ticks
    from roi_stream_gui.tracks import Scale, Stretch
    from roi_stream_gui.view import View

__all__ = ["Raster"]

ROOM: Final = (512, 640)
"""Rows and columns of the texture, which goes to the graphics card at every drawn frame."""
PERIOD: Final = 5.0
"""Seconds between two sortings: rows must not jump about."""
NAMED: Final = 15.0
"""Screen px of a row from which it is named."""


class Raster:
    """One texture, made when it is first wanted."""

    def __init__(self, desk: Desk, axis: int) -> None:
        self._desk, self._axis = desk, axis
        self._do = desk.controller
        self._series: int | None = None
        self._regions, self._cells = Tracks(), Tracks(self._do.resting)
        self._ids: tuple[int, ...] = ()
        """Cells in the order in which they came: what was read of them goes on when others come."""
        self._of: object = None
        self._lanes: list[Lane] = []
        self._order = np.zeros(0, np.int64)
        self._sorted: tuple[object, ...] = ()
        self._next = 0.0
        self._first = self._rows = 0
        self._table = np.zeros((0, 1), np.float32)
        self._drawn: tuple[object, ...] = ()

    def update(self, view: View, snapshot: Snapshot, scale: Scale, stretch: Stretch, height: float) -> None:
        """Show every region and every cell that is alive, in a plot so many px high."""
        if self._series is None:
            self._make()
        scale = scale._replace(columns=min(scale.columns, ROOM[1] - 2))  # no more fit into the texture
        shown, timeline = view.settings.display, self._do.timeline
        self._read(view, snapshot, scale, stretch)
        self._first, count = int(stretch.start // self._cells.width), min(scale.columns + 2, ROOM[1])
        self._rows = max(min(int(height), ROOM[0]), 1)
        newest = int(timeline.newest // self._cells.width)
        key = (self._first, newest, self._rows, len(self._lanes), stretch.upto, shown.raster_order,
               shown.trace_kind, shown.cell_kind, scale, self._lanes and self._lanes[-1],
               self._do.resting.f0)  # fmt: skip
        if key == self._drawn and not (self._regions.busy or self._cells.busy):
            return
        self._drawn = key
        self._table = self._gather(shown.trace_kind, shown.cell_kind, count)
        self._arrange(snapshot, shown.raster_order, stretch)
        if len(self._lanes):
            paint(self._table, self._order, self._rows, self._sheet.pixels)
            self._sheet.written()
        left = self._first * self._cells.width
        dpg.configure_item(
            self._series, show=bool(self._lanes), bounds_min=(left, 0.0),
            bounds_max=(left + count * self._cells.width, 1.0),
            uv_max=(count / ROOM[1], self._rows / ROOM[0]),
        )  # fmt: skip

    def hide(self) -> None:
        """Show lines instead."""
        if self._series is not None and dpg.is_item_shown(self._series):
            dpg.configure_item(self._series, show=False)
            self._drawn = ()

    def at(self, moment: float, y: float) -> tuple[Lane, float] | None:
        """Return which trace is drawn at a point of the plot, and its value then."""
        if not self._lanes or not 0 <= y < 1 or not self._table.size:
            return None
        column = int(moment // self._cells.width) - self._first
        if not 0 <= column < self._table.shape[1]:
            return None
        row = min(int((1 - y) * self._rows), self._rows - 1)
        there = self._order[list(rows_of(row, self._rows, len(self._order)))]
        values = np.where(np.isnan(self._table[there, column]), -np.inf, self._table[there, column])
        k = int(there[int(np.argmax(values))])
        return self._lanes[k], float(self._table[k, column])

    def said(self) -> str:
        """Return what is shown, in a few words."""
        regions = sum(not lane.is_cell for lane in self._lanes)
        text = words.RASTER.format(regions=regions, cells=len(self._lanes) - regions)
        return text + (words.RASTER_JOINED if self._rows < len(self._lanes) else "")

    def names(self) -> Ticks:
        """Return the ticks that name the rows, when there is room for that."""
        shown = self._in_order()
        if not shown or self._rows / len(shown) < self._desk.px(NAMED):
            return ()
        return tuple((lane.name[:NAME_LENGTH], 1 - (k + 0.5) / len(shown)) for k, lane in enumerate(shown))

    def tell(self) -> dict[str, object]:
        """Return what tests ask for."""
        return {"lanes": [lane.name for lane in self._in_order()]}

    def _in_order(self) -> list[Lane]:
        return [self._lanes[k] for k in self._order if k < len(self._lanes)]

    def _make(self) -> None:
        self._sheet = self._desk.texture.make(ROOM)
        self._series = int(
            dpg.add_image_series(
                self._sheet.id, (0, 0), (1, 1), uv_min=(0, 0), parent=self._axis, before=self._below()
            )
        )

    def _below(self) -> int:
        """Return the first series of the axis: the picture lies under all of them."""
        return int(dpg.get_item_children(self._axis, 1)[0])

    def _read(self, view: View, snapshot: Snapshot, scale: Scale, stretch: Stretch) -> None:
        shown, timeline = view.settings.display, self._do.timeline
        alive = () if snapshot.activity is None else _judged(snapshot)
        if stretch.upto is not None:  # of the past, those that lived then
            alive = tuple(sorted({*alive, *_dead(snapshot, timeline.cells.ids(stretch.start, stretch.upto))}))
        if self._of is not timeline.cells or len(self._ids) > 2 * len(alive) + 64:
            self._of, self._ids = timeline.cells, ()
        known = set(self._ids)
        self._ids = (*self._ids, *(cell for cell in alive if cell not in known))
        now = set(alive)
        cells = [cell for cell in self._ids if cell in now]
        self._at = {cell: k for k, cell in enumerate(self._ids)}
        self._lanes = lanes_of(view.rois, sorted(cells), self._do.keeper.names, CELL)
        rois = tuple(roi.id for roi in view.rois)
        self._regions.update(snapshot.traces, timeline.regions, rois, (shown.trace_kind,), scale, stretch)
        self._cells.update(snapshot.cells, timeline.cells, self._ids, (shown.cell_kind,), scale, stretch)

    def _gather(self, kind: str, cell_kind: str, count: int) -> NDArray[np.float32]:
        regions = self._regions.table(kind, self._first, count)
        cells = self._cells.table(cell_kind, self._first, count)
        return np.vstack([regions, cells[[self._at[lane.id] for lane in self._lanes if lane.is_cell]]])

    def _arrange(self, snapshot: Snapshot, order: str, stretch: Stretch) -> None:
        key = (order, tuple((lane.is_cell, lane.id) for lane in self._lanes), stretch.upto)
        now = time.monotonic()
        if key == self._sorted and now < self._next:
            return
        self._sorted, self._next = key, now + PERIOD
        snr = dict[int, float]()
        if snapshot.activity is not None:
            c = snapshot.activity.components
            snr = dict(zip(c.ids.tolist(), c.snr.tolist(), strict=True))
        best = [snr.get(lane.id, 0.0) if lane.is_cell else np.inf for lane in self._lanes]
        self._order = arranged(order, best, self._table)


def _dead(snapshot: Snapshot, seen: set[int]) -> set[int]:
    """Return which of the cells seen are no more."""
    alive = () if snapshot.activity is None else snapshot.activity.ids
    return seen - {MEAN, *alive}


def _judged(snapshot: Snapshot) -> tuple[int, ...]:
    """Return the cells that are accepted."""
    if snapshot.activity is None:
        return ()
    c = snapshot.activity.components
    return tuple(c.ids[c.status == Status.ACCEPTED].tolist())
