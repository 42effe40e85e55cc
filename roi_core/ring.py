"""Rings between one writer and any number of readers, without a lock.

The writer fills the slot of item ``n`` and only then publishes ``head = n + 1``. It never waits and never
looks at a reader. A reader copies first and looks at ``head`` again afterwards: while it copied, the writer
can have touched no item newer than the head it then sees, so every copied item ``n > head - depth`` is
whole, and the others are reported as overwritten, never returned torn.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from roi_core.calm import there
from roi_core.jit import fence, kernel

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

__all__ = ["FrameRing", "Rows", "Shot", "TraceRing"]


TRACE_BYTES = 512 * 2**20
"""No trace ring takes more memory."""


@dataclass(frozen=True, slots=True)
class Shot:
    """A whole copy of one frame: its place in the ring's history, camera index, time (s), (H, W) uint16."""

    number: int
    index: int
    time: float
    image: NDArray[np.uint16]


@dataclass(frozen=True, slots=True)
class Rows:
    """Consecutive trace rows from ``first`` on; (n,) times in s, (n,) camera indices, (n, K) traces."""

    first: int
    times: NDArray[np.float64]
    index: NDArray[np.int64]
    raw: NDArray[np.float32]
    dff: NDArray[np.float32]


class FrameRing:
    """The last `depth` converted frames, (H, W) uint16 each."""

    def __init__(self, depth: int, shape: tuple[int, int]) -> None:
        if depth < 2:
            raise ValueError(f"a frame ring of depth {depth} cannot be read safely; use 2 or more")
        self.shape = shape
        self.depth = depth
        self._images = there(np.empty((depth, *shape), np.uint16))
        self._index = np.zeros(depth, np.int64)
        self._time = np.zeros(depth, np.float64)
        self._head = np.zeros(1, np.int64)
        self._shown = np.zeros(1, np.int64)

    @property
    def head(self) -> int:
        """How many frames have been published."""
        return int(self._head[0])

    @property
    def newest(self) -> int:
        """The number of the newest frame to be looked at; -1 before the first."""
        return int(self._shown[0]) - 1

    def claim(self) -> NDArray[np.uint16]:
        """Return the slot of the next frame for the writer to fill; call `publish` when it is whole."""
        slot: NDArray[np.uint16] = self._images[self.head % self.depth]
        return slot

    def publish(self, index: int, time: float, shown: bool = True) -> None:
        """Make the claimed slot the newest frame, and have it looked at if it is to be `shown`."""
        number = self.head
        self._index[number % self.depth] = index
        self._time[number % self.depth] = time
        self._head[0] = number + 1
        if shown:
            self._shown[0] = number + 1

    def latest(self, out: NDArray[np.uint16] | None = None) -> Shot | None:
        """Return a whole copy of the newest frame shown (into `out` when given), or None before the first."""
        image = np.empty(self.shape, np.uint16) if out is None else out
        while (number := self.newest) >= max(self.head - self.depth + 1, 0):
            slot = number % self.depth
            np.copyto(image, self._images[slot])
            shot = Shot(number, int(self._index[slot]), float(self._time[slot]), image)
            if self.head - self.depth < shot.number:
                return shot
        return None


class TraceRing:
    """The last `capacity` rows of ROI traces, raw and dF/F; column ``k`` belongs to ROI ``ids[k]``.

    Columns are only ever added. `with_ids` gives a wider ring with the same history when they run out. Of
    very many columns fewer rows are kept, never more than `TRACE_BYTES`.
    """

    def __init__(self, capacity: int, ids: Sequence[int] = (), columns: int = 32) -> None:
        self.ids = tuple(ids)
        self._wanted = capacity
        self._columns = max(columns, len(self.ids))
        self.capacity = max(2, min(capacity, TRACE_BYTES // (8 * self._columns)))
        capacity = self.capacity
        self._times = np.zeros(capacity, np.float64)
        self._index = np.zeros(capacity, np.int64)
        self._values = np.empty((capacity, 2, self._columns), np.float32)
        self._head = np.zeros(1, np.int64)

    @property
    def head(self) -> int:
        """How many rows have been published."""
        return int(self._head[0])

    def with_ids(self, ids: Sequence[int]) -> TraceRing:
        """Return a ring that also has columns for `ids`: this one if they fit, else a wider copy."""
        new = (*self.ids, *(i for i in ids if i not in self.ids))
        if len(new) <= self._columns:
            self.ids = new
            return self
        wider = TraceRing(self._wanted, new, 2 * len(new))
        rows = self.since(self.head - wider.capacity + 1)
        slots = np.arange(rows.first, self.head) % wider.capacity
        wider._times[slots], wider._index[slots] = rows.times, rows.index
        wider._values[slots] = np.nan
        wider._values[slots, 0, : len(self.ids)] = rows.raw
        wider._values[slots, 1, : len(self.ids)] = rows.dff
        wider._head[:] = self._head
        return wider

    def columns(self, ids: Sequence[int]) -> NDArray[np.int64]:
        """Return the column of each id, as `push` wants them."""
        place = {roi: column for column, roi in enumerate(self.ids)}
        return np.array([place[i] for i in ids], np.int64)

    def push(
        self,
        time: float,
        index: int,
        columns: NDArray[np.int64],
        raw: NDArray[np.float32],
        dff: NDArray[np.float32] | None,
    ) -> None:
        """Publish one row; columns not named are NaN."""
        second = raw[:0] if dff is None else dff
        _push(self._head, self._times, self._index, self._values, time, index, columns, raw, second)

    def since(self, cursor: int, most: int | None = None) -> Rows:
        """Return the rows from `cursor` on that are still whole, at most so many.

        ``first > cursor``: older ones are gone.
        """
        ids = len(self.ids)
        head = self.head
        first = min(max(cursor, head - self.capacity + 1, 0), head)
        head = head if most is None else min(head, first + most)
        where = np.arange(first, head) % self.capacity
        times, index, values = self._times[where], self._index[where], self._values[where, :, :ids]
        torn = max(0, min(self.head - self.capacity + 1 - first, head - first))
        return Rows(first + torn, times[torn:], index[torn:], values[torn:, 0], values[torn:, 1])

    def row_at(self, time: float) -> int:
        """Return the first row at or after a time, s, of those kept; `head` when there is none yet."""
        head = self.head
        first = max(head - self.capacity + 1, 0)
        return first + int(np.searchsorted(self._times[np.arange(first, head) % self.capacity], time))


@kernel
def _push(
    head: NDArray[np.int64],
    times: NDArray[np.float64],
    indices: NDArray[np.int64],
    values: NDArray[np.float32],
    time: float,
    index: int,
    columns: NDArray[np.int64],
    raw: NDArray[np.float32],
    dff: NDArray[np.float32],
) -> None:
    number = head[0]
    slot = number % times.size
    times[slot] = time
    indices[slot] = index
    values[slot] = np.nan
    for k in range(columns.size):
        values[slot, 0, columns[k]] = raw[k]
    for k in range(dff.size):
        values[slot, 1, columns[k]] = dff[k]
    fence()
    head[0] = number + 1
    fence()
