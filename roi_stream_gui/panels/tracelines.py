"""The lines of the traces' plot: read, put beside or over each other, drawn, with their units."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from roi_stream_gui import heights, words
from roi_stream_gui.heights import FOOT, Heights, limits_of
from roi_stream_gui.panels.lanes import names
from roi_stream_gui.slim import SEEN, slim
from roi_stream_gui.tracks import Tracks, ticks

if TYPE_CHECKING:
    from roi_core.settings import Display
    from roi_core.snapshot import Snapshot
    from roi_stream_gui.lineup import Lane
    from roi_stream_gui.panels.lanes import Lanes
    from roi_stream_gui.resting import Resting
    from roi_stream_gui.timeline import Timeline
    from roi_stream_gui.tracks import Points, Scale, Stretch

__all__ = ["TraceLines"]

BAR: Final = 0.004
"""Where bars stand, in windows before the end."""


class TraceLines:
    """What the lanes show; ``heights`` are their scales."""

    def __init__(self, lanes: Lanes, resting: Resting) -> None:
        self.heights = Heights()
        self._lanes = lanes
        self._regions, self._cells = Tracks(), Tracks(resting)
        self._shown: list[Lane] = []
        self._places: list[heights.Place] = []
        self._lines: list[Points] = []

    @property
    def busy(self) -> bool:
        """Tell whether there are rows of a stretch held that were not read yet."""
        return self._regions.busy or self._cells.busy

    def read(
        self,
        snapshot: Snapshot,
        timeline: Timeline,
        lanes: list[Lane],
        shown: Display,
        scale: Scale,
        stretch: Stretch,
    ) -> None:
        """Take in the new rows of these lanes."""
        rois = tuple(lane.id for lane in lanes if not lane.is_cell)
        cells = tuple(lane.id for lane in lanes if lane.is_cell)
        kinds = tuple(dict.fromkeys((shown.cell_kind, "spikes")))
        self._regions.update(snapshot.traces, timeline.regions, rois, (shown.trace_kind,), scale, stretch)
        self._cells.update(snapshot.cells, timeline.cells, cells, kinds, scale, stretch)

    def hide(self) -> None:
        """Draw nothing."""
        self._lanes.hide(0)
        self._lanes.show_spikes([])
        self._lanes.show_bars([])

    def draw(self, lanes: list[Lane], shown: Display, stretch: Stretch, height: float) -> None:
        """Draw lanes, their spikes and their units, in a plot so many px high."""
        overlay = shown.trace_mode == "overlay"
        self._shown = lanes
        self._lines = [
            self._cells.line(shown.cell_kind, lane.id) if lane.is_cell
            else self._regions.line(shown.trace_kind, lane.id)
            for lane in lanes
        ]  # fmt: skip
        ranges = [limits_of(values) for _, values in self._lines]
        own, foot = shown.trace_autoscale, 0.05 if shown.cell_kind == "spikes" else FOOT
        self._places = (
            self.heights.overlaid(lanes, ranges, own)
            if overlay
            else self.heights.stacked(lanes, ranges, own, foot)
        )
        away = SEEN / height * (1 if overlay else max(len(lanes), 1))
        for k, (lane, (x, values), place) in enumerate(zip(lanes, self._lines, self._places, strict=True)):
            self._lanes.show(k, lane, *slim(x, place.y(values), away))
        self._lanes.hide(len(lanes))
        spiking = [] if overlay or shown.cell_kind == "spikes" else enumerate(lanes)
        self._lanes.show_spikes([
            ticks(*self._cells.spikes(lane.id), len(lanes) - k - 0.97, FOOT - 0.05)
            for k, lane in spiking if lane.is_cell
        ])  # fmt: skip
        if overlay:
            self._scale_overlay(lanes, own, shown)
        else:
            self._scale_stack(lanes, shown, stretch)

    def _scale_stack(self, lanes: list[Lane], shown: Display, stretch: Stretch) -> None:
        """Stand a bar of a round value at the end of each lane, and say it."""
        x = stretch.end - BAR * (stretch.end - stretch.start)
        drawn, said = [], []
        for k, (lane, place) in enumerate(zip(lanes, self._places, strict=True)):
            size, bottom = heights.bar(place.gain), len(lanes) - k - 1.0
            if size and limits_of(self._lines[k][1]) != (0.0, 0.0):
                middle = bottom + 0.5
                tall = size * place.gain / 2
                drawn.append((np.array([x, x, x]), np.array([middle - tall, middle + tall, np.nan])))
                said.append((words.value(size, lane.is_cell, shown), middle))
        self._lanes.show_bars(drawn)
        self._lanes.tick(names(lanes), tuple(said))

    def _scale_overlay(self, lanes: list[Lane], own: bool, shown: Display) -> None:
        """Write the values of regions at the left, those of cells at the right."""
        sides = []
        for is_cell in (False, True):
            place = next(
                (p for lane, p in zip(lanes, self._places, strict=True) if lane.is_cell is is_cell), None
            )
            sides.append(() if place is None or own else heights.value_ticks(place))
        left = ((words.OWN, 0.5),) if own and lanes else sides[0]
        self._lanes.show_bars([(np.array([-1.0]), np.array([np.nan]))])
        self._lanes.tick(left or (((words.NO_CELLS, 0.5),) if not lanes else ()), sides[1])

    def nearest(self, x: float, y: float) -> Lane | None:
        """Return the line of the overlay that passes closest above or below a point."""
        away = []
        for lane, (times, values), place in zip(self._shown, self._lines, self._places, strict=False):
            near = (
                slice(*np.searchsorted(times, (x - 0.02 * (times[-1] - times[0]), x + 1e-9)))
                if times.size
                else slice(0)
            )
            there = np.abs(place.y(values[near]) - y)
            away.append((float(np.nanmin(there, initial=np.inf)), lane))
        return min(away, key=lambda one: one[0])[1] if away else None
