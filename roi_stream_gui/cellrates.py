"""How often each cell fires: events a second over the last minute, counted as rows come. Knows no toolkit.

The sum of a cell's causal spikes of the last fifth of a second is an event when it rises above four times the
noise of its raw trace (from its mean step, as of a normal distribution), and the next is counted after it
has fallen below half of that. So one transient whose spikes are told over a few frames counts once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from roi_core.cellring import CellRing, CellRows

__all__ = ["Rates"]

WINDOW, BIN = 60.0, 2.0
"""Seconds over which is counted, and in steps of which the oldest are forgotten."""
BINS: Final = round(WINDOW / BIN)
TOGETHER = 0.2
"""Seconds in which the sum of spikes is forgotten."""
ABOVE, AGAIN = 4.0, 2.0
"""Noise that an event exceeds, and below which the next may begin."""
STEADY = 10.0
"""Seconds over which the noise is averaged."""
MOST: Final = 32
"""Rows taken in at a time: what is more waits."""


class Rates:
    """Counts for the cells in ``ids``; one that comes later begins with nothing known."""

    def __init__(self) -> None:
        self._start(None)

    def _start(self, ring: CellRing | None) -> None:
        """Begin with the rows of a ring that it still has."""
        self.ids: tuple[int, ...] = ()
        self._ring = ring
        self._cursor = 0
        self._time = np.nan
        self._values = np.zeros((4, 0))
        """Sum of spikes, whether it is above, noise, last raw of each cell."""
        self._events = np.zeros((BINS, 0))
        self._seconds = np.zeros((BINS, 0))

    def follow(self, ring: CellRing | None, ids: tuple[int, ...], rate: float) -> None:
        """Take in what is new of these cells, a bounded number of rows at a time; `rate` in rows per s."""
        if ring is not self._ring:
            self._start(ring)
        if ring is None:
            return
        if ids != self.ids:
            self._keep(ids)
        self._cursor = max(self._cursor, ring.head - round(WINDOW * rate))
        rows = ring.since(self._cursor, ids, MOST)
        self._cursor = rows.first + len(rows.times)
        self._count(rows)

    def of(self) -> NDArray[np.float64]:
        """Return the events per second (N,) of the cells; NaN of one that was not seen for a second yet."""
        seconds = self._seconds.sum(0)
        return np.where(seconds >= 1.0, self._events.sum(0) / np.maximum(seconds, 1.0), np.nan)

    def _keep(self, ids: tuple[int, ...]) -> None:
        """Go on with other cells; those that stay keep what was counted."""
        place = {cell: k for k, cell in enumerate(self.ids)}
        old = np.array([place.get(cell, -1) for cell in ids], np.intp)
        fresh = old < 0
        self._values, self._events, self._seconds = (
            np.where(fresh, 0.0, array[:, old]) if array.shape[1] else np.zeros((len(array), len(ids)))
            for array in (self._values, self._events, self._seconds)
        )
        self._values[2:, fresh] = np.nan
        if not place:
            self._values[2:] = np.nan
        self.ids = ids

    def _count(self, rows: CellRows) -> None:
        total, above, noise, last = self._values
        for time, raw, spikes in zip(rows.times.tolist(), rows.raw, rows.spikes, strict=True):
            passed = min(max(time - self._time, 0.0), 1.0) if np.isfinite(self._time) else 0.0
            self._turn(time)
            self._time = time
            step = np.abs(raw - last) / 1.128  # the mean of |a - b| of two normal values, in their deviations
            share = min(passed / STEADY, 1.0)
            noise[:] = np.where(np.isfinite(noise), noise + share * np.nan_to_num(step - noise), step)
            last[:] = raw
            total *= np.exp(-passed / TOGETHER)
            total += np.nan_to_num(spikes)
            begins = (above == 0) & (total > ABOVE * noise)
            above[:] = np.where(begins, 1, np.where(total < AGAIN * noise, 0, above))
            now = int(time // BIN) % BINS
            self._events[now] += begins
            self._seconds[now] += np.where(np.isfinite(raw), passed, 0.0)

    def _turn(self, time: float) -> None:
        """Forget the bins that lie between the last row and this one."""
        if np.isfinite(self._time):
            first, last = int(self._time // BIN) + 1, int(time // BIN)
            for number in range(max(first, last - BINS + 1), last + 1):
                self._events[number % BINS] = self._seconds[number % BINS] = 0
