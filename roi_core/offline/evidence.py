"""Where cells were missed: the strongest evidence in the residual of a whole recording, at each pixel.

The same evidence as of `roi_core.cnmf.detect`: the residual summed over windows of several lengths,
band-passed to the size of a cell, over its own noise. Here its maximum over all frames is kept.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

from roi_core.cnmf.detect import SMALL, STEP, WIDE, WINDOWS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from roi_core.cnmf.state import Field

__all__ = ["Evidence"]

CLIP = 6.0
"""Evidence above this many times its usual square is an event, not noise."""
WARM = 20
"""Looks before the noise of the evidence is known well enough."""
NAMES = ("sums", "power", "best", "when", "pending", "counts")


class Evidence:
    """Takes residuals (rows, columns), frame by frame; ``best`` and ``when`` (its row) are (rows, columns)."""

    def __init__(self, field: Field, rate: float) -> None:
        self.step = max(1, round(STEP * rate))
        self._radius = field.radius / field.factor
        self.sums = np.zeros((max(WINDOWS), *field.binned), np.float32)
        self.power = np.ones((len(WINDOWS), *field.binned), np.float32)
        self.best = np.zeros(field.binned, np.float32)
        self.when = np.zeros(field.binned, np.int64)
        self.pending = np.zeros(field.binned, np.float32)
        self.counts = np.zeros(2, np.int64)

    def state(self) -> dict[str, Any]:
        """Return everything it knows."""
        return {f"evidence_{name}": getattr(self, name) for name in NAMES}

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from a state."""
        for name in NAMES:
            setattr(self, name, state[f"evidence_{name}"])

    def take(self, row: int, residual: NDArray[np.float32], deviation: NDArray[np.float32]) -> None:
        """Add one residual; ``deviation`` (rows, columns) is the noise of a pixel."""
        self.pending += residual
        self.counts[0] += 1
        if self.counts[0] < self.step:
            return
        looks = int(self.counts[1])
        self.sums[looks % len(self.sums)] = self.pending / (deviation * np.float32(np.sqrt(self.step)))
        self.pending[:] = 0
        self.counts[:] = 0, looks + 1
        self._look(row, looks + 1)

    def peaks(self, threshold: float) -> list[tuple[float, int, int, int]]:
        """Return (evidence, y, x, row) of all maxima above a threshold, the strongest first."""
        side = 2 * max(1, round(0.6 * self._radius)) + 1
        best = self.best
        top = (best == cv2.dilate(best, np.ones((side, side), np.uint8))) & (best > threshold)
        found = [(float(best[y, x]), int(y), int(x), int(self.when[y, x])) for y, x in np.argwhere(top)]
        return sorted(found, reverse=True)

    def _look(self, row: int, looks: int) -> None:
        share = np.float32(1 / (looks + 10))
        for k, window in enumerate(WINDOWS):
            slots = [(looks - 1 - back) % len(self.sums) for back in range(min(window, looks))]
            total = self.sums[slots].sum(0) / np.float32(np.sqrt(window))
            found = _blurred(total, SMALL * self._radius) - _blurred(total, WIDE * self._radius)
            square = found**2
            if looks == 1:
                self.power[k] = np.median(square) * 2.2
            known = _blurred(self.power[k], self._radius) + np.float32(1e-12)
            self.power[k] += share * (np.minimum(square, CLIP * known) * np.float32(1.05) - self.power[k])
            if looks > WARM:
                z = found / np.sqrt(known)
                better = z > self.best
                self.best[better] = z[better]
                self.when[better] = row


def _blurred(image: NDArray[np.float32], width: float) -> NDArray[np.float32]:
    out: NDArray[np.float32] = cv2.GaussianBlur(image, (0, 0), width, borderType=cv2.BORDER_REFLECT)
    return out
