"""What onlookers see: the rings of pictures and traces, the diary, and the last word of each stage."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from roi_core.cellring import CellRing
from roi_core.ring import FrameRing, TraceRing

if TYPE_CHECKING:
    from collections.abc import Iterable

    from roi_core.frame import Activity, Event, Sample

__all__ = ["SPARE_SLOTS", "Board", "Diary", "queue_length"]

RING_BYTES: Final = 512 * 2**20
"""The frame ring holds the recorder's whole queue, but never more than this."""
SPARE_SLOTS: Final = 4
"""Ring slots beyond the queue: the one being written, the one being recorded, and room to read one."""
KEPT: Final = 20_000
"""Events kept at least; a storm of them must not fill the memory."""


class Diary:
    """The events of a session, oldest first: written by one thread, read by any."""

    def __init__(self) -> None:
        self._state: tuple[int, list[Event]] = (0, [])
        """Number of the first event kept, and those kept; replaced whole."""

    @property
    def head(self) -> int:
        """How many events there have been."""
        first, events = self._state
        return first + len(events)

    def add(self, events: Iterable[Event]) -> None:
        """Write events down."""
        first, kept = self._state
        if len(kept) > 2 * KEPT:  # a new list: a reader may hold the old one
            self._state = first, kept = first + len(kept) - KEPT, kept[-KEPT:]
        kept.extend(events)

    def since(self, cursor: int) -> tuple[int, list[Event]]:
        """Return the next cursor and the events from number `cursor` on that are still kept."""
        first, events = self._state
        news = events[max(cursor - first, 0) :]
        return max(cursor, first) + len(news), news


class Board:
    """Filled by the worker, read by any thread."""

    def __init__(self, depth: int, shape: tuple[int, int], rows: int, ids: tuple[int, ...]) -> None:
        self.frames = FrameRing(depth, shape)
        self.traces = TraceRing(rows, ids)
        self.diary = Diary()
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
        self.diary.add(sample.events)
        self.frames.publish(sample.index, sample.time, sample.shown)
        if sample.shown:
            self.traces.push(sample.time, sample.index, self._columns, sample.means, sample.dff)
        if sample.activity is not None:
            self._publish_cells(sample.time, sample.activity)

    def _publish_cells(self, time: float, activity: Activity) -> None:
        if self.cells is None:
            self.cells = CellRing(self._rows)
        self.cells.push(time, activity.ids, activity.raw, activity.calcium, activity.spikes)


def queue_length(wanted: int, shape: tuple[int, int]) -> int:
    """Return how many frames of a shape may wait for a recorder, so that the frame ring holds them all."""
    frame = 2 * shape[0] * shape[1]
    return max(2, min(wanted, RING_BYTES // frame - SPARE_SLOTS))
