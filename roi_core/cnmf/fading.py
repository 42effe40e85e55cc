"""Bleaching: the picture under the cells fades as a whole, faster than a running mean of minutes can follow.

What lags behind has the texture of that mean: where it is dark it stands out of the residual, grows like the
calcium of a slow cell, and becomes a false one. So it is measured what share of its texture the residual has,
and the mean is dimmed (or brightened) by it, with a loop that follows a ramp without a lag (proportional and
integral: Gardner, Phaselock Techniques, the second-order loop at a damping of 0.7).

A step of the light (somebody turns the knob) is the same at once: the mean follows in the next frame. It is
told from what cells do by the parts that are darker than those around them, where no cell is, and by being
the same all over the field.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import cv2
import numpy as np
from scipy.ndimage import gaussian_filter1d, maximum_filter1d

from roi_core.cnmf.peaks import DEVIATION, SMALL, WIDE, blurred
from roi_core.jit import lean, lean_sums

if TYPE_CHECKING:
    from typing import Any, Self

    from numpy.typing import NDArray

__all__ = ["Fading", "Texture", "brightened"]

PERIOD = 5.0
"""Seconds in which the loop closes: long against what cells and glow do, short against bleaching."""
SETTLED = 10.0
"""Seconds in which it gains its full strength: at first cells that are not found yet are much of a residual,
and the running mean, that of all pictures so far, follows by itself."""
CLIPPED = 2.0
"""Deviations of a pixel's noise that count at most: what fades lags by less, cells not found do more."""
MOST = 0.2
"""Share of the texture in a residual that counts at most."""
PLAIN = 0.01
"""Share of the mean picture's variance that its texture has at least; of less not so much is believed."""
FASTEST = 0.05
"""Share per second that the mean is expected to fade at most."""
STEP, UP = 8.0, 12.0
"""Deviations by which a step of the light differs from what is usual; upwards more, as cells do that, too."""
KNOWN, USUAL = 30, 10.0
"""Frames after which it is known what is usual, and seconds in which that is forgotten."""
LEAST = 0.02
"""A step of the light is at least so large a share."""
BLOCKS = 4
"""Parts of the height and of the width of the field; in half of all blocks a step is seen at least."""
BRIGHT, DARK, GROUND, FIRST = range(4)
SUMS = FIRST + BLOCKS * BLOCKS
"""Sums by `products`: which they are, and how many."""
STEPS, DARKEST, BRIGHTEST = 5, -0.9, 9.0
"""Steps in a row after which they are what is usual; shares beyond which it is not the light that changed."""


class Texture(NamedTuple):
    """A binned mean picture (rows, columns) band-passed to cells, its weight, and the level of the mean.

    The weight is its sum of squares, and a little of that of the whole picture: where cells are as wide as
    the picture there is hardly a texture, and all that cells do would count as some of it.
    """

    band: NDArray[np.float32]
    weight: float
    level: float
    itself: NDArray[np.float64]
    """Sums by `products` of the picture itself, above what is around."""
    ones: NDArray[np.float64]
    """Sums by `products` of a picture of ones."""

    @classmethod
    def of(cls, mean: NDArray[np.float32], factor: int, radius: float) -> Self:
        """Return the texture of a mean picture (h, w), binned by a factor, for cells of a binned radius."""
        h, w = (size // factor for size in mean.shape)
        inside = mean[: h * factor, : w * factor]
        binned = np.asarray(cv2.resize(inside, (w, h), interpolation=cv2.INTER_AREA), np.float32)
        around = blurred(binned, WIDE * radius)
        band = blurred(binned, SMALL * radius) - around
        level = float(mean.mean())
        texture, whole = (float((part.astype(np.float64) ** 2).sum()) for part in (band, binned - level))
        itself, ones = np.empty((2, SUMS))
        products(binned - around, 0, band, np.float32(np.inf), itself)
        products(np.ones_like(band), 0, band, np.float32(np.inf), ones)
        return cls(band, texture + PLAIN * whole, level, itself, ones)

    def share(self, picture: NDArray[np.float32], margin: int = 0, most: float = np.inf) -> float:
        """Return what share of the texture a picture in its margin has, by least squares; 0 of none.

        A pixel counts as ``most`` at most, of either sign.
        """
        return self.shares(picture, margin, most)[0]

    def shares(
        self, picture: NDArray[np.float32], margin: int = 0, most: float = np.inf
    ) -> tuple[float, float]:
        """Return `share`, and what share is everywhere: in bright and dark parts, and in most of the field.

        That is above a level which is found in the dark parts: it belongs to the glow, which may come late.
        No pixel is clipped for it; 0 when the parts do not say the same.
        """
        sums = np.empty(SUMS)
        total = products(picture, margin, self.band, np.float32(most), sums)
        if not self.weight > 0:
            return 0.0, 0.0
        return float(total) / self.weight, float(common(sums, self.itself, self.ones, np.empty(SUMS)))


class Fading:
    """Follows how a picture fades, at ``rate`` Hz. `learn` belongs to the detector's thread."""

    def __init__(self, rate: float) -> None:
        self._texture: Texture | None = None
        self._most, self._strength, self._gain = np.inf, 0.0, 1 / (SETTLED * rate)
        self._share = self._trend = 0.0
        self._fastest = FASTEST / rate
        self._pull, self._turn = 1.4 / (PERIOD * rate), 1 / (PERIOD * rate) ** 2
        self._seen, self._square, self._memory, self._steps = 0, 0.0, USUAL * rate, 0
        self._stepped = False

    @property
    def level(self) -> float:
        """The mean of the mean picture, which belongs to the glow: what fades is the deviation from it."""
        return self._texture.level if self._texture else 0.0

    def learn(
        self, mean: NDArray[np.float32], factor: int, radius: float, noise: NDArray[np.float32]
    ) -> None:
        """Take the texture of a mean picture, see `Texture.of`; ``noise`` is the variance of its pixels."""
        self._most = CLIPPED * float(np.sqrt(np.median(noise)))
        self._texture = Texture.of(mean, factor, radius)

    def take(self) -> tuple[float, bool]:
        """Return by what share the texture of the mean is to grow before this frame, and whether at once."""
        share, stepped = self._share, self._stepped
        self._share, self._stepped = self._trend, False
        return share, stepped

    def step(self, residual: NDArray[np.float32], margin: int) -> bool:
        """Measure what the residual, in its margin, has of the texture; return whether the light stepped."""
        if self._texture is None:
            return False
        error, common = self._texture.shares(residual, margin, self._most)
        if not math.isfinite(error):
            return False
        self._strength = min(self._strength + self._gain, 1.0)
        step = self._leap(common)
        if step:
            self._share, self._stepped = step, True
            return True
        error = self._strength * min(max(error, -MOST), MOST)
        self._trend = min(max(self._trend + self._turn * error, -self._fastest), self._fastest)
        self._share = self._pull * error + self._trend
        return False

    def _leap(self, common: float) -> float:
        """Return by what share the light changed at once; 0 when that is not more than usual."""
        usual = (UP if common > 0 else STEP) * self._square**0.5
        rare = abs(common) > max(LEAST, usual) and DARKEST < common < BRIGHTEST
        if rare and self._seen >= KNOWN and self._steps < STEPS:
            self._steps += 1
            return common
        self._steps, self._seen = 0, self._seen + 1
        self._square += (common * common - self._square) / min(self._seen, self._memory)
        return 0.0

    def forget(self) -> None:
        """Begin anew with another mean."""
        self._texture, self._steps, self._stepped = None, 0, False
        self._trend = self._strength = self._share = 0.0


def brightened(
    brightness: NDArray[np.float32], shares: NDArray[np.float32], good: NDArray[np.bool_], rate: float
) -> NDArray[np.float32]:
    """Return the brightness (rows,) of a whole recording, 1 on average, with what its residuals still have.

    ``shares`` (rows,) is that of the texture in the residual of each row, under the ``brightness`` so far;
    rows that are not ``good`` count for nothing. It is smoothed over `PERIOD` by a Gaussian, between steps.
    """
    known = good & np.isfinite(shares)
    if not known.any():
        return brightness
    rows, there = np.arange(len(shares)), np.flatnonzero(known)
    left = shares[there].astype(np.float64)
    for part in np.split(np.arange(len(left)), _steps(left, max(1, round(rate)))):
        left[part] = gaussian_filter1d(left[part], PERIOD * rate)
    found = brightness + np.interp(rows, there, left)
    return np.asarray(found / found[known].mean(), np.float32)


def _steps(values: NDArray[np.float64], width: int) -> list[int]:
    """Return where (n,) values step: their means over so many before and after differ most, and a lot."""
    if len(values) < 4 * width:
        return []
    sums = np.concatenate([[0.0], np.cumsum(values)])
    means = (sums[width:] - sums[:-width]) / width
    differ = abs(means[width:] - means[:-width])
    highest = maximum_filter1d(differ, 2 * width + 1) == differ
    a_lot = differ > max(LEAST, STEP * DEVIATION * float(np.median(differ)))
    return (np.flatnonzero(highest & a_lot) + width).tolist()


@lean_sums
def products(slot: Any, margin: Any, texture: Any, most: Any, sums: Any) -> Any:
    """Return the sum of products of a picture in its margin, clipped, and a texture (rows, columns).

    Fill in ``sums`` (`SUMS`,) of the picture as it is: of products where the texture is above 0, and below;
    of the picture itself where it is below; and of products in each of `BLOCKS` squared blocks.
    """
    sums[:] = 0
    total, zero, (rows, columns) = np.float64(0), np.float32(0), texture.shape
    for y in range(rows):
        for k in range(BLOCKS):
            first, last = k * columns // BLOCKS, (k + 1) * columns // BLOCKS
            a, b = slot[margin + y, margin + first : margin + last], texture[y, first:last]
            part, above, whole, below = zero, zero, zero, zero
            for x in range(b.size):
                part += min(max(a[x], -most), most) * b[x]
                above += a[x] * max(b[x], zero)
                whole += a[x] * b[x]
                below += a[x] if b[x] < zero else zero
            total += part
            sums[BRIGHT] += above
            sums[DARK] += whole - above
            sums[GROUND] += below
            sums[FIRST + y * BLOCKS // rows * BLOCKS + k] += whole
    return total


@lean
def common(sums: Any, itself: Any, ones: Any, room: Any) -> Any:
    """Return which share of a picture is in bright and in dark parts and in half of the blocks; 0 of none.

    It is above the level of the dark parts. Sums are those of `products`; ``room`` is as long. It is a kernel
    because numpy, cold in the midst of a frame, takes ten times as long as `products` for a few numbers.
    """
    rest = itself[DARK] * ones[GROUND] - itself[GROUND] * ones[DARK]
    if not (itself[BRIGHT] > 0 and rest > 0):
        return 0.0
    level = (itself[DARK] * sums[GROUND] - itself[GROUND] * sums[DARK]) / rest
    below = (sums[DARK] * ones[GROUND] - sums[GROUND] * ones[DARK]) / rest
    above = (sums[BRIGHT] - level * ones[BRIGHT]) / itself[BRIGHT]
    n = 0
    for k in range(FIRST, sums.size):
        if itself[k] > 0:
            value, i = (sums[k] - level * ones[k]) / itself[k], n
            while i > 0 and room[i - 1] > value:
                room[i] = room[i - 1]
                i -= 1
            room[i] = value
            n += 1
    if n == 0:
        return 0.0
    half = 0.5 * (room[n // 2] + room[(n - 1) // 2])
    return max(min(below, above, half), 0.0) + min(max(below, above, half), 0.0)
