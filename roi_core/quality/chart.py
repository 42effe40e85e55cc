"""The figures of a whole session with their limits, for the control charts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from roi_core.figures import METRICS

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Chart", "Log"]

N: Final = len(METRICS)


@dataclass(frozen=True, slots=True)
class Chart:
    """Looks so far: ``times`` (n,) s; ``values``, ``low``, ``high`` (n, 15), NaN where there is none.

    Columns are in the order of `METRICS`.
    """

    times: NDArray[np.float64]
    values: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]


class Log:
    """Grows by a row a look, on one thread; `chart` may be asked from any."""

    def __init__(self) -> None:
        self._rows = np.zeros((256, 1 + 3 * N))
        self._count = 0

    def add(
        self, time: float, values: NDArray[np.float64], low: NDArray[np.float64], high: NDArray[np.float64]
    ) -> None:
        """Take one look at `time` (s)."""
        if self._count == len(self._rows):  # a new array: a reader may hold the old one
            self._rows = np.concatenate([self._rows, np.zeros_like(self._rows)])
        self._rows[self._count] = (time, *values, *low, *high)
        self._count += 1

    def chart(self) -> Chart:
        """Return what has been seen so far; nothing is copied."""
        rows = self._rows[: self._count]
        values, low, high = (rows[:, 1 + k * N : 1 + (k + 1) * N] for k in range(3))
        return Chart(rows[:, 0], values, low, high)
