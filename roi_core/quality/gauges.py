"""What is measured on one picture: its light, its sharpness, and whether it is a new one at all."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from roi_core.jit import kernel

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["PROBES", "gradient", "probe", "tone", "warm_up"]

TOP: Final = 65_535
FULL_SCALES: Final = (1023, 4095, 16_383, 65_472, 65_520, 65_532)
"""Largest values of cameras of 10, 12 and 14 bits, kept in the low or in the high bits of 16."""
BELIEVED: Final = 3
"""Pixels exactly there from which a smaller limit is believed."""
PIXELS: Final = 65_536
"""About so many pixels are looked at for brightness and saturation."""
PROBES: Final = 64
"""Rows and columns of the few pixels of every frame that are looked at: a bright disc that moves through a
picture of 1280x720 is a step of 12 % (with 32 of 25 %)."""


def tone(image: NDArray[np.uint16], brightest: int = 0, full: int = 0) -> tuple[float, float, int]:
    """Return the mean of the pixels, the percent at the limit, and the largest value ever so far.

    On a regular part of them. The limit is ``full``, if that is known; else that of 16 bits, or of a camera
    of fewer when the largest value ever is exactly there.
    """
    step = max(1, round((image.size / PIXELS) ** 0.5))
    total, top, at_top, count = _tone(image, step)
    brightest = max(brightest, top)
    guessed = top == TOP or (top in FULL_SCALES and at_top >= BELIEVED)
    limited = top >= full if full else top == brightest and guessed
    return total / count, 100.0 * at_top / count if limited else 0.0, brightest


@kernel
def _tone(image: NDArray[np.uint16], step: int) -> tuple[float, int, int, int]:
    """Return sum, largest value, how many pixels have it, and how many were looked at."""
    total, top, at_top, count = 0.0, 0, 0, 0
    for y in range(0, image.shape[0], step):
        for x in range(0, image.shape[1], step):
            value = int(image[y, x])
            total += value
            count += 1
            if value > top:
                top, at_top = value, 0
            at_top += value == top
    return total, top, at_top, count


@kernel
def gradient(
    image: NDArray[np.uint16], y0: int, x0: int, average: NDArray[np.float32], weight: np.float32
) -> float:
    """Move `average` towards the image from (y0, x0) on; return its mean absolute gradient, relative."""
    rows, columns = average.shape
    for y in range(rows):
        for x in range(columns):
            average[y, x] += weight * (np.float32(image[y0 + y, x0 + x]) - average[y, x])
    mean, total = 0.0, 0.0
    for y in range(rows):
        for x in range(columns):
            mean += average[y, x]
        for x in range(columns - 2):
            total += abs(average[y, x + 2] - average[y, x])
    mean /= average.size
    sharp: float = total / max(rows * (columns - 2), 1) / max(mean, 1e-12)
    return sharp


@kernel
def probe(image: NDArray[np.uint16], before: NDArray[np.uint16]) -> tuple[float, bool]:
    """Return the mean of a few pixels, and whether they are those of `before` (n, m), which they replace.

    They are the middles of a grid of n x m equal parts.
    """
    rows, columns = before.shape
    height, width = image.shape
    total, same = 0.0, True
    for j in range(rows):
        y = (2 * j + 1) * height // (2 * rows)
        for k in range(columns):
            value = image[y, (2 * k + 1) * width // (2 * columns)]
            total += value
            same &= value == before[j, k]
            before[j, k] = value
    return total / (rows * columns), same


def warm_up() -> None:
    """Compile the kernels on a small picture."""
    image = np.zeros((4, 4), np.uint16)
    tone(image)
    gradient(image, 0, 0, np.zeros((4, 4), np.float32), np.float32(1))
    probe(image, np.zeros((2, 2), np.uint16))
