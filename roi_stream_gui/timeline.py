"""The session so far, and which stretch of it is looked at. Knows no toolkit.

`Timeline.tick` takes a bounded number of new rows into the histories for every drawn frame, so that hours can
be looked through although the rings of the session hold minutes only.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from roi_core.snapshot import State
from roi_stream_gui.history import History
from roi_stream_gui.markers import Markers

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from roi_core.ring import FrameRing
    from roi_core.snapshot import Snapshot

__all__ = ["CELL_KINDS", "MEAN", "REGION_KINDS", "Timeline"]

ROWS: Final = 128
"""Rows taken in at most for one drawn frame: 2 ms for 500 cells."""
AT_REST: Final = 8 * ROWS
"""The same while no frames come: half an hour of a recording is read in two seconds."""
MEAN: Final = -1
"""The id under which a history has the mean of all its traces."""
REGION_KINDS: Final = ("raw", "dff")
CELL_KINDS: Final = ("calcium", "raw", "spikes")


class Timeline:
    """Histories and marks of the session; ``end`` is the moment at which the traces are held, s."""

    def __init__(self) -> None:
        self.marks = Markers()
        self.end: float | None = None
        self._of: FrameRing | None = None
        self.forget()

    def forget(self) -> None:
        """Begin with another session, live."""
        self.regions = History(REGION_KINDS)
        self.cells = History(CELL_KINDS)
        self.end = None
        self._row = self._cell_row = 0
        self.marks.forget()

    def tick(self, snapshot: Snapshot) -> None:
        """Take in what is new; another session starts over."""
        if snapshot.frames is not self._of:
            self._of = snapshot.frames
            self.forget()
        self.marks.follow(snapshot.diary)
        self._take_regions(snapshot)
        self._take_cells(snapshot)

    @property
    def held(self) -> bool:
        """Tell whether the traces are held still."""
        return self.end is not None

    @property
    def newest(self) -> float:
        """The time of the last row, s."""
        return max(self.regions.newest, 0.0)

    def toggle(self) -> None:
        """Hold the traces where they are, or let them run again."""
        self.end = self.newest if self.end is None else None

    def go(self) -> None:
        """Show what happens now."""
        self.end = None

    def look(self, end: float, window: float) -> None:
        """Hold the traces with the window ending at a moment of the session."""
        self.end = min(max(end, min(window, self.newest)), self.newest)

    def move(self, seconds: float, window: float) -> None:
        """Look so much later, or earlier."""
        self.look((self.newest if self.end is None else self.end) + seconds, window)

    def stretch(self, window: float) -> tuple[float, float]:
        """Return the moments between which the traces are shown, s; a young session starts at its left."""
        end = self.newest if self.end is None else self.end
        end = max(end, window)
        return end - window, end

    def _take_regions(self, snapshot: Snapshot) -> None:
        ring = snapshot.traces
        if self._row < ring.head:
            rows = ring.since(self._row, _most(snapshot))
            self._row = rows.first + len(rows.times)
            self.regions.take(rows.times, *_known(ring.ids[: rows.raw.shape[1]], (rows.raw, rows.dff)))

    def _take_cells(self, snapshot: Snapshot) -> None:
        ring = snapshot.cells
        if ring is not None and self._cell_row < ring.head:
            rows = ring.since(self._cell_row, ids := ring.ids, _most(snapshot))
            self._cell_row = rows.first + len(rows.times)
            self.cells.take(rows.times, *_known(ids, (rows.calcium, rows.raw, rows.spikes)))


def _most(snapshot: Snapshot) -> int:
    return AT_REST if snapshot.state is State.FINISHED else ROWS


def _known(
    ids: tuple[int, ...], values: tuple[NDArray[np.float32], ...]
) -> tuple[tuple[int, ...], tuple[NDArray[np.float32], ...]]:
    """Return the ids of which there is a value, and theirs; the mean of each row before them."""
    there: NDArray[np.bool_] = ~np.all(np.isnan(values[0]), axis=0)
    if not there.all():
        ids = tuple(one for one, is_there in zip(ids, there.tolist(), strict=True) if is_there)
        values = tuple(kind[:, there] for kind in values)
    count = np.maximum((~np.isnan(values[0])).sum(axis=1, keepdims=True), 1)
    means = [np.nansum(kind, axis=1, keepdims=True) / count for kind in values]
    if not ids:
        means = [np.full_like(mean, np.nan) for mean in means]
    whole = (np.hstack([mean, kind]) for mean, kind in zip(means, values, strict=True))
    return (MEAN, *ids), tuple(part.astype(np.float32, copy=False) for part in whole)
