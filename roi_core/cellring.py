"""The last traces of cells, whose ids come and go, for onlookers in other threads.

The protocol is that of `roi_core.ring`: one writer, no lock; a reader copies and then looks which rows the
writer may have touched meanwhile. Columns live in blocks of `WIDTH`, so that a new cell never moves the
history of the others; a column whose cell is dead for a whole ring is given to a new one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from roi_core.jit import fence, kernel

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

__all__ = ["CellRing", "CellRows"]

WIDTH: Final = 64
"""Columns of a block."""
ROWS: Final = 8192
"""Rows of a session kept at most: with `WIDTH`, 6 MB a block."""
ALIVE: Final = np.iinfo(np.int64).max
NEVER: Final = np.iinfo(np.int64).min


@dataclass(frozen=True, slots=True)
class CellRows:
    """Consecutive rows from ``first`` on: (n,) times in s, (n, K) traces in the order that was asked for."""

    first: int
    times: NDArray[np.float64]
    raw: NDArray[np.float32]
    calcium: NDArray[np.float32]
    spikes: NDArray[np.float32]


class CellRing:
    """The last `capacity` rows of raw traces, calcium and spikes of every cell alive in them."""

    def __init__(self, capacity: int, most: int = ROWS) -> None:
        self.capacity = max(2, min(capacity, most))
        self._times = np.zeros(self.capacity)
        self._head = np.zeros(1, np.int64)
        self._blocks: list[NDArray[np.float32]] = []
        self._column: dict[int, tuple[int, int]] = {}
        """Column and first row of each cell; replaced whole, so that a reader sees one state of it."""
        self._alive: tuple[int, ...] = ()
        self._places = np.zeros(0, np.int64)
        self._ends = np.zeros(0, np.int64)
        """Row after the last of each column's cell; `ALIVE` while it lives."""

    @property
    def head(self) -> int:
        """How many rows have been published."""
        return int(self._head[0])

    @property
    def ids(self) -> tuple[int, ...]:
        """The cells of which there are rows, in the order of their columns."""
        return tuple(self._column)

    def push(
        self,
        time: float,
        ids: Sequence[int],
        raw: NDArray[np.float32],
        calcium: NDArray[np.float32],
        spikes: NDArray[np.float32],
    ) -> None:
        """Publish one row of the cells `ids`; all others are NaN."""
        if ids is not self._alive:
            self._follow(tuple(ids))
        slot = self.head % self.capacity
        self._times[slot] = time
        for number, block in enumerate(self._blocks):
            _put(block[slot], number * WIDTH, self._places, raw, calcium, spikes)
        _publish(self._head)

    def since(self, cursor: int, ids: Iterable[int], most: int = ROWS) -> CellRows:
        """Return the rows from `cursor` on that are still whole; ``first > cursor``: older ones are gone.

        At most so many of them, the oldest. A cell that the ring does not know is NaN.
        """
        known, head, ids = self._column, self.head, tuple(ids)
        first = min(max(cursor, head - self.capacity + 1, 0), head)
        rows = np.arange(first, min(head, first + most))
        slots = rows % self.capacity
        out = np.full((3, len(rows), len(ids)), np.nan, np.float32)
        times = self._times[slots]
        places = np.array([known.get(cell, (0, head)) for cell in ids], np.int64).reshape(-1, 2)
        number, column = np.divmod(places[:, 0], WIDTH)
        # a few copies of whole blocks, not one a cell: each could wait for the interpreter
        for block in np.unique(number[places[:, 1] < head]):
            mine = np.flatnonzero(number == block)
            out[:, :, mine] = self._blocks[block][slots][:, :, column[mine]].transpose(1, 0, 2)
        out[:, rows[:, None] < places[:, 1]] = np.nan
        torn = max(0, min(self.head - self.capacity + 1 - first, len(rows)))
        raw, calcium, spikes = out[:, torn:]
        return CellRows(first + torn, times[torn:], raw, calcium, spikes)

    def row_at(self, time: float) -> int:
        """Return the first row at or after a time, s, of those kept; `head` when there is none yet."""
        head = self.head
        first = max(head - self.capacity + 1, 0)
        return first + int(np.searchsorted(self._times[np.arange(first, head) % self.capacity], time))

    def _follow(self, ids: tuple[int, ...]) -> None:
        """Give columns to new cells, and note which have died."""
        now = set(ids)
        for cell in self._alive:
            if cell not in now:
                self._ends[self._column[cell][0]] = self.head
        # a cell that comes back goes on in its column, which nobody else may have
        self._live(cell for cell in ids if cell in self._column)
        new = [cell for cell in ids if cell not in self._column]
        if new:
            self._give_columns(new)
            self._live(new)
        self._places = np.array([self._column[cell][0] for cell in ids], np.int64)
        self._alive = ids

    def _live(self, cells: Iterable[int]) -> None:
        self._ends[[self._column[cell][0] for cell in cells]] = ALIVE

    def _give_columns(self, new: list[int]) -> None:
        free = np.flatnonzero(self._ends < self.head - self.capacity).tolist()
        while len(free) < len(new):
            free += range(len(self._ends), len(self._ends) + WIDTH)
            self._ends = np.concatenate([self._ends, np.full(WIDTH, NEVER)])
            # not filled: nobody reads a column before its cell's first row, and 6 MB take a frame's time
            self._blocks.append(np.empty((self.capacity, 3, WIDTH), np.float32))
        given = dict(zip(new, free, strict=False))
        taken = set(given.values())
        known = {cell: place for cell, place in self._column.items() if place[0] not in taken}
        self._column = known | {cell: (column, self.head) for cell, column in given.items()}


@kernel
def _put(
    row: NDArray[np.float32],
    first: int,
    places: NDArray[np.int64],
    raw: NDArray[np.float32],
    calcium: NDArray[np.float32],
    spikes: NDArray[np.float32],
) -> None:
    row[:] = np.nan
    for k in range(places.size):
        column = places[k] - first
        if 0 <= column < row.shape[1]:
            row[0, column] = raw[k]
            row[1, column] = calcium[k]
            row[2, column] = spikes[k]


@kernel
def _publish(head: NDArray[np.int64]) -> None:
    fence()
    head[0] += 1
    fence()
