"""What the window learns by itself from the frames it draws: a baseline of each pixel, and summary pictures.

Knows no toolkit. Of a large camera it learns blocks of pixels, so that the cost of a frame is bounded; where
motion correction is at work, frames are put in their places first, to whole pixels.
"""

from __future__ import annotations

from math import ceil, exp, sqrt
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from roi_core.jit import kernel
from roi_core.maps import Maps

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Picture = NDArray[np.float32]

__all__ = ["FALL", "RISE", "SMOOTH", "Running", "warm_up"]

LARGE: Final = 1_000_000
"""Pixels learned at most; a larger frame is taken in blocks."""
SMOOTH: Final = 0.2
"""Seconds over which F is averaged, so that one frame's noise does not hide a cell."""
RISE: Final = 20.0
"""Seconds in which the baseline follows what is brighter: longer than calcium stays up."""
FALL: Final = 5.0
"""Seconds in which it follows what is darker."""
FLOOR: Final = 0.02
"""Share of the mean baseline that a pixel's baseline counts as at least: nothing is divided by darkness."""


class Running:
    """Learns from (H, W) uint16 frames; its pictures have one value for `step` x `step` px."""

    def __init__(self, shape: tuple[int, int]) -> None:
        self.step = max(1, ceil(sqrt(shape[0] * shape[1] / LARGE)))
        small = max(shape[0] // self.step, 1), max(shape[1] // self.step, 1)
        self.frames = 0
        self._now, self._smooth, self._baseline = (np.zeros(small, np.float32) for _ in range(3))
        self._maps = Maps(small)
        self._time = 0.0

    def learn(self, image: NDArray[np.uint16], time: float, shift: tuple[float, float]) -> None:
        """Take in a frame of `time` s that motion correction moves by `shift` (dy, dx) px."""
        _place(image, round(shift[0]), round(shift[1]), self.step, self._now)
        if self.frames == 0:
            self._smooth[:] = self._baseline[:] = self._now
        passed, self._time = max(time - self._time, 1e-3), time
        self.frames += 1
        first = 1.0 / self.frames  # at the start a plain mean
        quick, rise, fall = (
            np.float32(max(1.0 - exp(-passed / over), first)) for over in (SMOOTH, RISE, FALL)
        )
        _follow(self._now, quick, rise, fall, self._smooth, self._baseline)
        self._maps.step(self._now)

    def dff(self) -> Picture:
        """Return (F - B) / B of each pixel, float32.

        F is the mean of the last `SMOOTH` s. B follows F with a time constant of `RISE` s where F is above
        it and `FALL` s where it is below: a running expectile (20 %), low in the range of F. B counts as at
        least `FLOOR` of its mean over the picture.
        """
        out = np.empty_like(self._now)
        _ratio(self._smooth, self._baseline, np.float32(max(FLOOR * float(self._baseline.mean()), 1.0)), out)
        return out

    def pictures(self) -> dict[str, Picture]:
        """Return ``mean max std correlation`` of the frames so far; NaN where nothing was learned yet."""
        return {} if self.frames == 0 else self._maps.pictures()


def warm_up() -> None:
    """Compile the kernels."""
    running = Running((4, 4))
    running.learn(np.zeros((4, 4), np.uint16), 0.0, (0.0, 0.0))
    running.dff()
    running.pictures()


@kernel
def _place(image: NDArray[np.uint16], dy: int, dx: int, step: int, out: Picture) -> None:
    """Write the frame moved by (dy, dx) into `out`, a mean of step x step px each; its border is repeated."""
    height, width = image.shape
    scale = np.float32(1.0 / (step * step))
    for y in range(out.shape[0]):
        line = out[y]
        line[:] = np.float32(0)
        for i in range(step):
            source = image[min(max(y * step + i - dy, 0), height - 1)]
            if step == 1 and dx == 0:
                for x in range(line.size):
                    line[x] = np.float32(source[x])
            else:
                for x in range(line.size):
                    for j in range(step):
                        line[x] += np.float32(source[min(max(x * step + j - dx, 0), width - 1)])
        if step > 1:
            for x in range(line.size):
                line[x] *= scale


@kernel
def _follow(now: Picture, quick: Any, rise: Any, fall: Any, smooth: Picture, baseline: Picture) -> None:
    for y in range(now.shape[0]):
        x, s, b = now[y], smooth[y], baseline[y]
        for i in range(x.size):
            s[i] += quick * (x[i] - s[i])
        for i in range(x.size):
            d = s[i] - b[i]
            b[i] += (rise if d > 0 else fall) * d


@kernel
def _ratio(f: Picture, b: Picture, floor: Any, out: Picture) -> None:
    for y in range(f.shape[0]):
        for x in range(f.shape[1]):
            low = b[y, x] if b[y, x] > floor else floor
            out[y, x] = (f[y, x] - b[y, x]) / low
