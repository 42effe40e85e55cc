"""Traces of a few cells out of hundreds: calcium and spikes, thinned to the columns of the screen.

Only the cells asked for are read from the ring, so what is shown costs the same however many are alive.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from roi_stream_gui.thinned import Thinned

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from roi_core.cellring import CellRing

__all__ = ["CellTraces", "Scale", "ticks"]

LEAST: Final = 0.08
"""Share of the largest spike in sight below which none is drawn."""


class Scale(NamedTuple):
    """The time scale of a screen: seconds and columns in all, frames per second."""

    seconds: float
    columns: int
    rate: float


class CellTraces:
    """Calcium and spikes of the cells in ``ids``, from the ring, the last seconds only."""

    def __init__(self) -> None:
        self.ids: tuple[int, ...] = ()
        self._ring: CellRing | None = None
        self._scale: Scale | None = None
        self._cursor = 0
        self._end: int | None = None
        self._calcium = self._spikes = Thinned(1.0, 1, 1.0)

    def update(self, ring: CellRing | None, ids: tuple[int, ...], scale: Scale, held: bool) -> None:
        """Take in what is new; another ring, choice or scale starts over, `held` stops at this row."""
        if ring is None:
            self.ids, self._ring = (), None
            self._calcium = self._spikes = Thinned(1.0, 1, 1.0)
            return
        if not held:
            self._end = None
        elif self._end is None or ring is not self._ring:
            self._end = self._cursor if ring is self._ring else ring.head
        if ring is not self._ring or ids != self.ids or scale != self._scale:
            self._start(ring, ids, scale)
        end = ring.head if self._end is None else self._end
        if self._cursor < end and ids:
            self._read(ring, end)

    def _start(self, ring: CellRing, ids: tuple[int, ...], scale: Scale) -> None:
        self._ring, self.ids, self._scale = ring, ids, scale
        self._calcium, self._spikes = Thinned(*scale), Thinned(*scale)
        end = ring.head if self._end is None else self._end
        self._cursor = max(end - int(scale.seconds * scale.rate * 1.2) - 10, 0)

    def _read(self, ring: CellRing, end: int) -> None:
        rows = ring.since(self._cursor, self.ids)
        n = max(end - rows.first, 0)
        self._cursor = rows.first + len(rows.times[:n])
        for thinned, values in ((self._calcium, rows.calcium), (self._spikes, rows.spikes)):
            thinned.take(replace(rows, times=rows.times[:n]), values[:n])

    def times(self) -> NDArray[np.float64]:
        """Return the times (2n,) of the points of `calcium`, s."""
        return self._calcium.times() if len(self._calcium.latest) else np.zeros(0)

    def calcium(self, cell: int) -> NDArray[np.float64]:
        """Return the (2n,) points of a cell's calcium; none before the first row."""
        if not len(self._calcium.latest):
            return np.zeros(0)
        return self._calcium.lane(self.ids.index(cell))

    def spikes(self, cell: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return times (s) and heights (0..1, of the largest in sight) of a cell's spikes."""
        high = np.fmax(*self._spikes.lane(self.ids.index(cell)).reshape(-1, 2).T)
        most = float(np.nanmax(high, initial=0.0))
        there = high > LEAST * most
        return self._spikes.times()[::2][there], high[there] / max(most, 1e-12)


def ticks(
    times: NDArray[np.float64], heights: NDArray[np.float64], base: float, tall: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return x and y of upright ticks from `base` on, `tall` for a height of 1, each ended by NaN."""
    x, y = np.repeat(times, 3), np.full(3 * len(times), base)
    y[1::3] += tall * heights
    y[2::3] = np.nan
    return x, y
