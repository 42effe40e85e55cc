"""What a sensor does wrong: pixels that never agree with their neighbours, rows with their own offset."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from roi_core import jit

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["DeadPixels", "Lines"]

FIRST, MEMORY = 16, 512
"""Frames before dead pixels are looked for, and in which their mean forgets."""
BANDS = 64
"""They are looked for in so many bands of rows, one a frame."""
MOST = 0.01
"""Share of the pixels that may be dead; a picture with more is not mended further."""
STRANGE, SPREAD = 6.0, 3.0
"""Beyond all neighbours but one by so many times what is usual in the picture, and what those differ."""
WINDOW = 4
"""Rows on either side whose offsets a row's own is held against."""
USUAL = 30
"""Frames in which the usual profile of the rows forgets."""
SURE = 2.0
"""An offset within so many of its standard errors is none."""


class DeadPixels:
    """Replaces pixels whose mean stays outside what their neighbours show by the neighbours' median.

    A pixel counts when its mean over time lies beyond the second-largest (or second-smallest) of its eight
    neighbours by more than STRANGE times the usual step between pixels, and by more than SPREAD times what
    those neighbours differ among themselves: the optics spread every real thing over more than one pixel.
    """

    def __init__(self, shape: tuple[int, int]) -> None:
        self.places = np.zeros((0, 2), np.int64)
        self._mean = np.zeros(shape, np.float32)
        self._found = np.zeros((max(1, int(MOST * shape[0] * shape[1])), 2), np.int64)
        self._frames, self._count, self._usual = 0, 0, 0.0

    def step(self, image: NDArray[np.float32]) -> None:
        """Mend the image (h, w) in place."""
        self._frames += 1
        _averaged(image, 1.0 / min(self._frames, MEMORY), self._mean)
        if self._frames > FIRST:
            self._look((self._frames - FIRST - 1) % BANDS)
        _mended(image, self.places)

    def _look(self, band: int) -> None:
        if band == 0:
            self._count, self._usual = 0, _usual(self._mean)
        h = self._mean.shape[0]
        rows = band * h // BANDS, (band + 1) * h // BANDS
        self._count = _strange(self._mean, rows, STRANGE * self._usual, self._found, self._count)
        if band == BANDS - 1:
            self.places = self._found[: self._count].copy()


class Lines:
    """Takes from each row the offset that it has in this frame only and that the rows around do not share.

    The robust mean of the differences to the row above (clipped at 2.5 times their usual size, so that a
    cell that flashes does not count) is summed down the picture; what that profile has beyond its own mean
    over 2 WINDOW + 1 rows, and beyond what it usually has there, is the offset. So what stands still stays,
    whatever its shape, and so does what noise can make.
    """

    def __init__(self, shape: tuple[int, int]) -> None:
        self._offsets, self._usual_offsets = np.zeros(shape[0]), np.zeros(shape[0])
        self._profile = np.zeros(shape[0])
        self._step = 0.0
        self._frames = 0

    def step(self, image: NDArray[np.float32]) -> None:
        """Mend the image (h, w) in place."""
        self._frames += 1
        self._step = _profiled(image, self._step, self._profile)
        error = SURE * 1.25 * self._step / float(np.sqrt(image.shape[1]))
        rate = 1 / min(self._frames, USUAL)
        _lined(self._profile, rate, error, self._usual_offsets, self._offsets)
        _shifted(image, self._offsets)


@jit.sums
def _averaged(image: NDArray[np.float32], rate: float, mean: NDArray[np.float32]) -> None:
    part = np.float32(rate)
    for y in range(image.shape[0]):
        row, target = image[y], mean[y]
        for x in range(row.size):
            target[x] += part * (row[x] - target[x])


@jit.sums
def _usual(mean: NDArray[np.float32]) -> float:
    """Return the mean absolute difference of pixels side by side, without those 5 times as large."""
    h, w = mean.shape
    usual, limit = 0.0, np.float32(3e38)
    for _ in range(2):
        total, count = 0.0, 0
        for y in range(h):
            a, b = mean[y, : w - 1], mean[y, 1:]
            part, n = np.float32(0), 0
            for x in range(w - 1):
                d = abs(b[x] - a[x])
                part += d if d <= limit else np.float32(0)
                n += d <= limit
            total += float(part)
            count += n
        usual = float(total / max(1, count))
        limit = np.float32(5 * usual)
    return usual


@jit.kernel
def _strange(
    mean: NDArray[np.float32], rows: tuple[int, int], limit: float, found: NDArray[np.int64], count: int
) -> int:
    """Add the (y, x) of strange pixels in these rows to `found`; return how many there are now."""
    h, w = mean.shape
    for y in range(rows[0], rows[1]):
        for x in range(w):
            high = higher = np.float32(-3e38)
            low = lower = np.float32(3e38)
            for j in range(max(0, y - 1), min(h, y + 2)):
                for i in range(max(0, x - 1), min(w, x + 2)):
                    if j != y or i != x:
                        v = mean[j, i]
                        high = max(high, min(higher, v))
                        higher = max(higher, v)
                        low = min(low, max(lower, v))
                        lower = min(lower, v)
            beyond = max(mean[y, x] - high, low - mean[y, x])
            if beyond > limit and beyond > SPREAD * (high - low) and count < found.shape[0]:
                found[count, 0], found[count, 1] = y, x
                count += 1
    return count


@jit.kernel
def _mended(image: NDArray[np.float32], places: NDArray[np.int64]) -> None:
    """Replace the pixels at `places` (K, 2) by the median of their neighbours."""
    h, w = image.shape
    around = np.zeros(8, np.float32)
    for k in range(places.shape[0]):
        y, x = places[k]
        n = 0
        for j in range(max(0, y - 1), min(h, y + 2)):
            for i in range(max(0, x - 1), min(w, x + 2)):
                if j != y or i != x:
                    around[n] = image[j, i]
                    n += 1
        if n:
            ordered = np.sort(around[:n])
            image[y, x] = np.float32(0.5) * (ordered[(n - 1) // 2] + ordered[n // 2])


@jit.sums
def _profiled(image: NDArray[np.float32], step: float, profile: NDArray[np.float64]) -> float:
    """Make the profile (h,) of the rows; return the usual step between rows, from the usual so far."""
    h, w = image.shape
    if step <= 0:
        for y in range(1, h):
            a, b, total = image[y - 1], image[y], np.float32(0)
            for x in range(w):
                total += abs(b[x] - a[x])
            step += total / (w * max(1, h - 1))
    size, limit, profile[0] = 0.0, np.float32(2.5 * step), 0.0
    for y in range(1, h):
        a, b = image[y - 1], image[y]
        total, spread = np.float32(0), np.float32(0)
        for x in range(w):
            d = min(limit, max(-limit, b[x] - a[x]))
            total += d
            spread += abs(d)
        profile[y] = profile[y - 1] + total / w
        size += spread / w
    # Clipped steps are smaller than whole ones by a tenth in noise: without its tenth the limit would shrink.
    return float(step + 0.1 * (1.1 * size / max(1, h - 1) - step))


@jit.kernel
def _lined(
    profile: NDArray[np.float64],
    rate: float,
    error: float,
    usual: NDArray[np.float64],
    offsets: NDArray[np.float64],
) -> None:
    """Make the offsets of this frame; what is usual learns them by the rate."""
    h = profile.size
    for y in range(h):
        first, end = max(0, y - WINDOW), min(h, y + WINDOW + 1)
        offset = profile[y] - profile[first:end].mean()
        usual[y] += rate * (offset - usual[y])
        offset -= usual[y]
        offsets[y] = offset if abs(offset) > error else 0.0


@jit.sums
def _shifted(image: NDArray[np.float32], offsets: NDArray[np.float64]) -> None:
    for y in range(image.shape[0]):
        row, offset = image[y], np.float32(offsets[y])
        if offset != 0:
            for x in range(row.size):
                row[x] -= offset
