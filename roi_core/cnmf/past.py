"""The fluorescence of all cells in the last frames: for unions, for births beside them, for its changes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from roi_core.cnmf import statistics
from roi_core.cnmf.state import SWINGS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from roi_core.cnmf.state import Table

__all__ = ["Past"]

STRIDE = 0.1
"""Seconds between two looks at how traces change."""


class Past:
    """As many ``frames`` as the residual ring has, the same ones; NaN where a cell was not there yet."""

    def __init__(self, frames: int, rate: float, room: int) -> None:
        self._values = np.full((frames, room), np.nan, np.float32)
        self._lessons = np.zeros_like(self._values)
        """The instrument with which each cell learned from a frame, since its shape was made anew."""
        self.rows = 0
        """Frames seen."""
        self._stride = max(1, round(STRIDE * rate))
        self._share = self._stride / (statistics.MEMORY * rate)
        self._lengths = np.array([max(1, round(seconds * rate)) for seconds in SWINGS])

    def remember(self, fluorescence: NDArray[np.float32], t: Table, learns: bool = True) -> None:
        """Keep this frame's (N,) fluorescence and what the next will teach; now and then how it changed.

        ``learns`` is whether shapes are learned at all.
        """
        n = len(fluorescence)
        self._values[self.rows % len(self._values), :n] = fluorescence
        self.rows += 1
        self._lessons[self.rows % len(self._values), :n] = t.prediction[:n] if learns else 0
        if self.rows % self._stride == 0:
            self._swing(np.array([self.rows]), 0, n, t)

    def begin(self, i: int, trace: NDArray[np.float32], t: Table) -> None:
        """Make room for a new cell i, with its fluorescence in the last frames (n,) and how that changed."""
        if i >= self._values.shape[1]:
            self._values = np.concatenate([self._values, np.full_like(self._values, np.nan)], 1)
            self._lessons = np.concatenate([self._lessons, np.zeros_like(self._lessons)], 1)
        self._values[:, i] = np.nan
        self.replace(i, trace)
        first = self.rows - len(trace) + 2 * int(self._lengths.max())
        self._swing(np.arange(first, self.rows + 1, self._stride), i, i + 1, t)

    def replace(self, i: int, trace: NDArray[np.float32]) -> None:
        """Give cell i, whose shape is new, another fluorescence in the last frames (n,)."""
        self._values[self._slots(len(trace)), i] = trace
        self._lessons[:, i] = 0

    def drop(self, i: int, last: int) -> None:
        """Forget cell i; the ``last`` one takes its place."""
        self._values[:, i] = self._values[:, last]
        self._lessons[:, i] = self._lessons[:, last]

    def forget_lessons(self) -> None:
        """Let all shapes have been made anew."""
        self._lessons[:] = 0

    def taught(self, course: NDArray[np.float32], cells: NDArray[np.int64]) -> NDArray[np.float32]:
        """Return how much of a light with this course (n,), last frames, each of some cells has learned."""
        return course @ self._lessons[self._slots(len(course))[:, None], cells]

    def of(self, i: int) -> NDArray[np.float32]:
        """Return the remembered fluorescence of cell i, oldest first."""
        past: NDArray[np.float32] = self._values[self._slots(min(self.rows, len(self._values))), i]
        return past

    def before(self, late: int, frames: int, cells: NDArray[np.int64]) -> NDArray[np.float32]:
        """Return that of some cells in at most so many frames, up to ``late`` frames ago."""
        known = max(0, min(frames, self.rows - late, len(self._values) - late))
        order = np.arange(self.rows - late - known, self.rows - late) % len(self._values)
        part: NDArray[np.float32] = self._values[order[:, None], cells]
        return part

    def _swing(self, heads: NDArray[np.int64], first: int, last: int, t: Table) -> None:
        statistics.swing(self._values, heads, self._lengths, first, last, t, self._share)

    def _slots(self, number: int) -> NDArray[np.int64]:
        return np.arange(self.rows - number, self.rows) % len(self._values)
