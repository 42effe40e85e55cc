"""Where cells were missed: the strongest evidence in the residual of a whole recording, at each pixel.

The same evidence as of `roi_core.cnmf.peaks`: the residual summed over windows of several lengths,
band-passed to the size of a cell, over its own noise. Here its maximum over all frames is kept.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from roi_core.cnmf.peaks import STEP, WINDOWS, banded, blurred, tops
from roi_core.jit import kernel

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from roi_core.cnmf.state import Field

__all__ = ["Evidence"]

CLIP = 6.0
"""Evidence above this many times its usual square is an event, not noise."""
WARM = 20
"""Looks before the noise of the evidence is known well enough."""
RENEW = 8
"""Looks between two smoothings of that noise."""
NAMES = ("sums", "power", "known", "best", "when", "pending", "counts")


class Evidence:
    """Takes residuals (rows, columns) frame by frame; ``best`` and ``when``, its row, are of that shape."""

    def __init__(self, field: Field, rate: float) -> None:
        self.step = max(1, round(STEP * rate))
        self._radius = field.radius / field.factor
        self.sums = np.zeros((max(WINDOWS), *field.binned), np.float32)
        self.power = np.ones((len(WINDOWS), *field.binned), np.float32)
        self.known = np.ones_like(self.power)
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
        total = self.pending / (deviation * np.float32(np.sqrt(self.step)))
        self.sums[looks % len(self.sums)], _ = banded(total, self._radius)
        self.pending[:] = 0
        self.counts[:] = 0, looks + 1
        self._look(row, looks + 1)

    def peaks(self, threshold: float) -> list[tuple[float, int, int, int]]:
        """Return (evidence, y, x, row) of all maxima above a threshold, the strongest first."""
        places = np.argwhere(tops(self.best, threshold, self._radius))
        found = [(float(self.best[y, x]), int(y), int(x), int(self.when[y, x])) for y, x in places]
        return sorted(found, reverse=True)

    def _look(self, row: int, looks: int) -> None:
        if looks % RENEW == 1:
            for part, known in zip(self.power, self.known, strict=True):
                known[:] = blurred(part, self._radius)
        share = np.float32(1 / (looks + 10))
        for k, window in enumerate(WINDOWS):
            slots = np.array([(looks - 1 - back) % len(self.sums) for back in range(min(window, looks))])
            if looks == 1:
                usual = 2.2 * float(np.median(self.sums[0] ** 2))
                self.power[k].fill(usual)
                self.known[k].fill(usual)
            compare(
                self.sums, slots, np.float32(1 / np.sqrt(window)), share, looks > WARM, row,
                self.known[k], self.power[k], self.best, self.when,
            )  # fmt: skip


@kernel
def compare(
    sums: Any, slots: Any, scale: Any, share: Any, warm: Any, row: Any, known: Any, power: Any, best: Any,
    when: Any,
) -> None:  # fmt: skip
    """Add up some slots of ``sums``, follow the square of that, and keep what it is above its noise."""
    line = np.empty(power.shape[1], np.float32)
    for y in range(power.shape[0]):
        line[:] = 0
        for slot in slots:
            line += sums[slot, y]
        for x in range(line.size):
            found, usual = line[x] * scale, known[y, x] + np.float32(1e-12)
            square = min(found * found, np.float32(CLIP) * usual) * np.float32(1.05)
            power[y, x] += share * (square - power[y, x])
            z = found / np.sqrt(usual)
            if warm and z > best[y, x]:
                best[y, x], when[y, x] = z, row
