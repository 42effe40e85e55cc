"""The fine picture: the most telling pixels of the full frame, where the sub-pixel displacement comes from.

A displacement is seen where the template is steep: on the outlines of cells and vessels. In the simulated
512x512 field, 30 % of the pixels in runs of 16 hold 73 % of what all of them know about it, at 30 % of the
cost; binning by two, at about the same cost, keeps half.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from roi_core.motion.kernels import LINES, PAD, RUN, energies, gathered, high_passed, matched, sloped

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

__all__ = ["Fine"]

PIXELS = 80_000
"""At most so many pixels are looked at in a step, whatever the size of the field."""
REACH = 8
"""Half side of the box that the high-pass subtracts from the template, px: neuropil must not pull."""
STEPS, SMALL = 3, 0.15
"""Gauss-Newton ends after so many steps or with one this small, px: what it leaves is about its square."""
LONGEST = 1.0
"""A step is cut to this, px."""


class Fine:
    """Registers frames of `shape` on the runs of pixels that tell most."""

    def __init__(self, shape: tuple[int, int]) -> None:
        h, w = shape
        self._columns = max(0, (w - 2) // RUN)
        self._left = (w - self._columns * RUN) // 2
        count = max(0, min((h - 2) * self._columns, PIXELS // RUN))
        self._energy = np.zeros((h, self._columns), np.float32)
        self._flat, self._work = np.zeros((h, w), np.float32), np.zeros((h + 1, w), np.float32)
        self._slopes = np.zeros((2, h, w), np.float32)
        self._next, self._now = _Runs(count), _Runs(count)
        self._scratch = np.zeros((LINES, w + 2 * PAD), np.float32)
        self._sums = np.zeros(10)

    def teach(self, mean: NDArray[np.float32]) -> Iterator[None]:
        """Take the template's mean picture in four parts of similar cost, one after each ``next``."""
        high_passed(mean, REACH, self._work, self._flat)
        yield
        sloped(self._flat, self._slopes)
        yield
        energies(self._slopes, self._left, self._energy)
        self._next.places[:] = self._chosen()
        yield
        gathered(mean, self._slopes, self._next.places, self._next.weights, self._next.facts)
        self._next, self._now = self._now, self._next

    def refine(
        self, image: NDArray[np.float32], u: tuple[float, float], gain: float, offset: float
    ) -> tuple[float, float]:
        """Return the displacement of the image near `u`, which must be good to about half a pixel."""
        y, x = u
        for _ in range(STEPS):
            runs = self._now
            matched(image, (y, x), runs.places, runs.weights, runs.facts, self._scratch, self._sums)
            dy, dx = _step(self._sums, gain, offset)
            y, x = y - dy, x - dx
            if max(abs(dy), abs(dx)) < SMALL:
                break
        return y, x

    def _chosen(self) -> NDArray[np.int32]:
        """Return the (y, x) of the steepest runs, in memory order."""
        count = len(self._next.places)
        inner = self._energy[1:-1].reshape(-1)
        if count == 0:
            return np.zeros((0, 2), np.int32)
        best = np.sort(np.argpartition(inner, inner.size - count)[inner.size - count :])
        y, column = np.divmod(best.astype(np.int32), self._columns)
        return np.stack([y + 1, column * RUN + self._left], axis=1)


class _Runs:
    """Where the runs begin, their weights, and their facts (see `gathered`)."""

    def __init__(self, count: int) -> None:
        self.places = np.zeros((count, 2), np.int32)
        self.weights = np.zeros((count, 2, RUN), np.float32)
        self.facts = np.zeros((count, 8))


def _step(sums: NDArray[np.float64], gain: float, offset: float) -> tuple[float, float]:
    """Return H^-1 (sum W v - gain sum W model - offset sum W) / gain, cut to what can be believed."""
    sy, sx, a, b, c, d, my, mx, oney, onex = sums.tolist()
    det, gain_ = a * d - b * c, max(gain, 0.05)
    if not det > 1e-6 * (a + d) ** 2:
        return 0.0, 0.0
    sy, sx = (sy - gain * my - offset * oney) / gain_, (sx - gain * mx - offset * onex) / gain_
    dy, dx = (d * sy - b * sx) / det, (a * sx - c * sy) / det
    return max(-LONGEST, min(LONGEST, dy)), max(-LONGEST, min(LONGEST, dx))
