"""Summary pictures of a whole session, kept while frames flow: a part of the rows at each frame.

Every pixel keeps its exact moments over the frames it has seen, all or every n-th::

    mean  m  <- m + w d                              with d = x - m and w = 1 / n
    var   v  <- (1 - w) (v + w d^2)
    third t  <- (1 - w) (t - 3 w d v + w (1 - 2 w) d^3)
    covariance with the neighbour on the right or below  c <- (1 - w) (c + w d d')

which are the moments of the mixture of what was (weight 1 - w) and the new value (weight w).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from roi_core.jit import kernel

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Maps", "on_camera"]

PIXELS: Final = 16_384
"""About so many pixels learn from one frame, whatever its size: 0.05 ms."""


class Maps:
    """Running mean, max, std, local correlation and activity of (h, w) float32 pictures."""

    def __init__(self, shape: tuple[int, int]) -> None:
        self.shape = shape
        parts = max(1, min(shape[0] // 2, round(shape[0] * shape[1] / PIXELS)))
        self._edges = np.linspace(0, shape[0], parts + 1).astype(np.int64)
        self._counts = np.zeros(parts, np.int64)
        self._next = 0
        self._moments = np.zeros((5, *shape), np.float32)
        """Mean, variance, third moment, covariance with the right and with the lower neighbour."""
        self._max = np.full(shape, -np.inf, np.float32)

    def step(self, picture: NDArray[np.float32]) -> None:
        """Take one picture into the part of the rows whose turn it is."""
        part = self._next
        self._next = (part + 1) % len(self._counts)
        self._counts[part] += 1
        weight = np.float32(1.0 / self._counts[part])
        _learn(picture, self._edges[part], self._edges[part + 1], weight, self._moments, self._max)

    def pictures(self) -> dict[str, NDArray[np.float32]]:
        """Return (h, w) float32 ``mean max std correlation activity``, from any thread.

        ``correlation`` is the mean over the four neighbours that were seen in the same frames;
        ``activity`` is the skewness, high where something rises now and then. NaN where nothing was seen.
        """
        mean, var, third, right, below = self._moments.copy()
        seen = np.repeat(self._counts > 0, np.diff(self._edges))
        std = np.sqrt(np.maximum(var, 0))
        with np.errstate(divide="ignore", invalid="ignore"):
            found = {
                "mean": mean,
                "max": self._max.copy(),
                "std": std,
                "correlation": self._correlation(std, right, below),
                "activity": third / std**3,
            }
        for picture in found.values():
            picture[~seen] = np.nan
        return found

    def _correlation(
        self, std: NDArray[np.float32], right: NDArray[np.float32], below: NDArray[np.float32]
    ) -> NDArray[np.float32]:
        total, count = np.zeros_like(std), np.zeros_like(std)
        r = right[:, :-1] / (std[:, :-1] * std[:, 1:])
        for at in (np.s_[:, :-1], np.s_[:, 1:]):
            total[at] += r
            count[at] += 1
        for first, last in zip(self._edges[:-1], self._edges[1:], strict=True):
            r = below[first : last - 1] / (std[first : last - 1] * std[first + 1 : last])
            for rows in (slice(first, last - 1), slice(first + 1, last)):
                total[rows] += r
                count[rows] += 1
        return total / count


def on_camera(
    picture: NDArray[np.float32], shape: tuple[int, int], origin: tuple[int, int], bin: int
) -> NDArray[np.float32]:
    """Return an analysed picture as one of the camera (H, W): each value `bin` x `bin` px from `origin` on.

    NaN where nothing was analysed.
    """
    out = np.full(shape, np.nan, np.float32)
    large = np.repeat(np.repeat(picture, bin, axis=0), bin, axis=1) if bin > 1 else picture
    there = out[origin[0] : origin[0] + large.shape[0], origin[1] : origin[1] + large.shape[1]]
    there[:] = large[: there.shape[0], : there.shape[1]]
    return out


@kernel
def _learn(
    picture: NDArray[np.float32],
    first: int,
    end: int,
    w: np.float32,
    moments: NDArray[np.float32],
    top: NDArray[np.float32],
) -> None:
    width = picture.shape[1]
    keep = np.float32(1) - w
    skew, triple = np.float32(1) - w - w, np.float32(3) * w
    for y in range(first, end):
        # Sliced first, and few arrays a loop: only then the compiler vectorises.
        x, mean, var, third = picture[y], moments[0, y], moments[1, y], moments[2, y]
        right, below, high = moments[3, y], moments[4, y], top[y]
        x1, mean1 = x[1:], mean[1:]
        for i in range(width - 1):
            right[i] = keep * (right[i] + w * (x[i] - mean[i]) * (x1[i] - mean1[i]))
        if y + 1 < end:
            under, mean_under = picture[y + 1], moments[0, y + 1]
            for i in range(width):
                below[i] = keep * (below[i] + w * (x[i] - mean[i]) * (under[i] - mean_under[i]))
        for i in range(width):
            d = x[i] - mean[i]
            third[i] = keep * (third[i] - triple * d * var[i] + w * skew * d * d * d)
        for i in range(width):
            d = x[i] - mean[i]
            var[i] = keep * (var[i] + w * d * d)
        for i in range(width):
            mean[i] += w * (x[i] - mean[i])
            high[i] = x[i] if x[i] > high[i] else high[i]
