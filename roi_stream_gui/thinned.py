"""Traces thinned to two values a column of the screen, while their rows arrive. Knows no toolkit."""

from __future__ import annotations

from math import ceil
from typing import TYPE_CHECKING

import numpy as np

from roi_core.jit import kernel

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from roi_core.cellring import CellRows
    from roi_core.ring import Rows

__all__ = ["Thinned", "warm_up"]


class Thinned:
    """Lowest and highest value of each trace in each column of the screen, kept while rows arrive.

    A column is a fixed slice of time, so that it never changes its mind while the trace scrolls by. The cost
    is in the new rows only.
    """

    def __init__(self, seconds: float, columns: int, rate: float) -> None:
        # A column shorter than a frame would be empty every now and then.
        self.width = max(seconds / max(columns, 1), 1.0 / max(rate, 1e-3))
        self.count = ceil(seconds / self.width) + 2
        self.latest = np.full(0, np.nan, np.float32)
        self._number = np.full(self.count, -1, np.int64)
        self._low = np.zeros((0, self.count), np.float32)
        self._high = np.zeros((0, self.count), np.float32)
        self._falls = np.zeros((0, self.count), np.bool_)
        self.newest = 0.0
        self._order = np.zeros(0, np.intp)
        """Where the columns lie that are shown, oldest first."""

    def take(self, rows: Rows | CellRows, values: NDArray[np.float32]) -> None:
        """Add rows; `values` (n, K) is the kind of trace that is shown."""
        if len(rows.times) == 0:
            return
        self._grow(values.shape[1])
        _thin(rows.times, values, self.width, self._number, self._low, self._high, self._falls)
        self.latest = values[-1]
        self.newest = float(rows.times[-1])
        self._order = self._ordered()

    def times(self) -> NDArray[np.float64]:
        """Return the (2n,) times of the points of `lane`, oldest first."""
        return np.repeat((self._number[self._order] + 0.5) * self.width, 2)

    def lane(self, column: int) -> NDArray[np.float64]:
        """Return (2n,) values of one trace: the extremes of each column as they came, or NaN."""
        low, high, falls = (part[column, self._order] for part in (self._low, self._high, self._falls))
        out = np.empty(2 * self._order.size)
        out[0::2] = np.where(falls, high, low)
        out[1::2] = np.where(falls, low, high)
        return out

    def columns(self) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """Return the numbers (n,) of the columns, oldest first, and the highest values (K, n) in them."""
        return self._number[self._order], self._high[:, self._order]

    def _ordered(self) -> NDArray[np.intp]:
        order = np.argsort(self._number, kind="stable")
        newest = self._number[order[-1]]
        kept: NDArray[np.intp] = order[self._number[order] > max(newest - self.count, -1)]
        return kept

    def _grow(self, traces: int) -> None:
        missing = traces - len(self._low)
        if missing > 0:
            empty = np.full((missing, self.count), np.nan, np.float32)
            self._low = np.vstack([self._low, empty])
            self._high = np.vstack([self._high, empty])
            self._falls = np.vstack([self._falls, np.zeros_like(empty, np.bool_)])


def warm_up() -> None:
    """Compile the kernel."""
    values, number = np.zeros((1, 1), np.float32), np.zeros(2, np.int64)
    low = np.zeros((1, 2), np.float32)
    _thin(np.zeros(1), values, 1.0, number, low, low.copy(), np.zeros((1, 2), np.bool_))


@kernel
def _thin(
    times: NDArray[np.float64],
    values: NDArray[np.float32],
    width: float,
    number: NDArray[np.int64],
    low: NDArray[np.float32],
    high: NDArray[np.float32],
    falls: NDArray[np.bool_],
) -> None:
    for i in range(times.size):
        column = int(times[i] // width)
        slot = column % number.size
        if number[slot] != column:
            number[slot] = column
            low[:, slot] = np.nan
            high[:, slot] = np.nan
            falls[:, slot] = False
        for k in range(values.shape[1]):
            value = values[i, k]
            if value == value:
                if not value >= low[k, slot]:
                    falls[k, slot] = low[k, slot] == low[k, slot]
                    low[k, slot] = value
                if not value <= high[k, slot]:
                    high[k, slot] = value
                    falls[k, slot] = False
