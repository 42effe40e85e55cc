"""What onlookers see: the rings of pictures and traces, and the last word of each stage."""

from __future__ import annotations

from typing import TYPE_CHECKING

from roi_core.cellring import CellRing
from roi_core.ring import FrameRing, TraceRing

if TYPE_CHECKING:
    from roi_core.frame import Activity, Sample

__all__ = ["Board"]


class Board:
    """Filled by the worker, read by any thread."""

    def __init__(self, depth: int, shape: tuple[int, int], rows: int, ids: tuple[int, ...]) -> None:
        self.frames = FrameRing(depth, shape)
        self.traces = TraceRing(rows, ids)
        self.cells: CellRing | None = None
        """The traces of cells, from when the first was looked for."""
        self.activity: Activity | None = None
        self.shift: tuple[float, float] | None = None
        self.confidence: float | None = None
        self.flag = ""
        self._rows = rows
        self._ids: tuple[int, ...] | None = None

    def publish(self, sample: Sample) -> None:
        """Show one sample, whose picture is in the claimed slot of the frame ring."""
        if sample.ids != self._ids:
            self._ids = sample.ids
            self.traces = self.traces.with_ids(sample.ids)
            self._columns = self.traces.columns(sample.ids)
        self.shift, self.confidence, self.flag = sample.shift, sample.confidence, sample.flag
        self.activity = sample.activity
        self.frames.publish(sample.index, sample.time)
        self.traces.push(sample.time, sample.index, self._columns, sample.means, sample.dff)
        if sample.activity is not None:
            self._publish_cells(sample.time, sample.activity)

    def _publish_cells(self, time: float, activity: Activity) -> None:
        if self.cells is None:
            self.cells = CellRing(self._rows)
        self.cells.push(time, activity.ids, activity.raw, activity.calcium, activity.spikes)
