"""Bleaching: the picture under the cells fades as a whole, faster than a running mean of minutes can follow.

What lags behind has the texture of that mean: where it is dark it stands out of the residual, grows like the
calcium of a slow cell, and becomes a false one. So it is measured what share of its texture the residual has,
and the mean is dimmed (or brightened) by it, with a loop that follows a ramp without a lag (proportional and
integral: Gardner, Phaselock Techniques, the second-order loop at a damping of 0.7).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import cv2
import numpy as np
from scipy.ndimage import gaussian_filter1d

from roi_core.cnmf.peaks import SMALL, WIDE, blurred
from roi_core.jit import lean_sums

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


class Texture(NamedTuple):
    """A binned mean picture (rows, columns) band-passed to cells, its weight, and the level of the mean.

    The weight is its sum of squares, and a little of that of the whole picture: where cells are as wide as
    the picture there is hardly a texture, and all that cells do would count as some of it.
    """

    band: NDArray[np.float32]
    weight: float
    level: float

    @classmethod
    def of(cls, mean: NDArray[np.float32], factor: int, radius: float) -> Self:
        """Return the texture of a mean picture (h, w), binned by a factor, for cells of a binned radius."""
        h, w = (size // factor for size in mean.shape)
        inside = mean[: h * factor, : w * factor]
        binned = np.asarray(cv2.resize(inside, (w, h), interpolation=cv2.INTER_AREA), np.float32)
        band = blurred(binned, SMALL * radius) - blurred(binned, WIDE * radius)
        level = float(mean.mean())
        texture, whole = (float((part.astype(np.float64) ** 2).sum()) for part in (band, binned - level))
        return cls(band, texture + PLAIN * whole, level)

    def share(self, picture: NDArray[np.float32], margin: int = 0, most: float = np.inf) -> float:
        """Return what share of the texture a picture in its margin has, by least squares; 0 of none.

        A pixel counts as ``most`` at most, of either sign.
        """
        if not self.weight > 0:
            return 0.0
        return float(_product(picture, margin, self.band, np.float32(most))) / self.weight


class Fading:
    """Follows how a picture fades, at ``rate`` Hz.

    ``share`` is by how much the deviation of the running mean from its ``level`` is to grow before the next
    frame; the level itself belongs to the glow. `learn` belongs to the detector's thread.
    """

    def __init__(self, rate: float) -> None:
        self.share = 0.0
        self._texture: Texture | None = None
        self._most, self._strength, self._gain = np.inf, 0.0, 1 / (SETTLED * rate)
        self._trend, self._fastest = 0.0, FASTEST / rate
        self._pull, self._turn = 1.4 / (PERIOD * rate), 1 / (PERIOD * rate) ** 2

    @property
    def level(self) -> float:
        """The mean of the mean picture."""
        return self._texture.level if self._texture else 0.0

    def learn(
        self, mean: NDArray[np.float32], factor: int, radius: float, noise: NDArray[np.float32]
    ) -> None:
        """Take the texture of a mean picture, see `Texture.of`; ``noise`` is the variance of its pixels."""
        self._most = CLIPPED * float(np.sqrt(np.median(noise)))
        self._texture = Texture.of(mean, factor, radius)

    def step(self, residual: NDArray[np.float32], margin: int) -> None:
        """Measure what the residual, in its margin, has of the texture."""
        error = self._texture.share(residual, margin, self._most) if self._texture else 0.0
        self._strength = min(self._strength + self._gain, 1.0)
        if error == error:
            error = self._strength * min(max(error, -MOST), MOST)
            self._trend = min(max(self._trend + self._turn * error, -self._fastest), self._fastest)
            self.share = self._pull * error + self._trend

    def forget(self) -> None:
        """Begin anew with another mean."""
        self._texture, self._trend, self._strength, self.share = None, 0.0, 0.0, 0.0


def brightened(
    brightness: NDArray[np.float32], shares: NDArray[np.float32], good: NDArray[np.bool_], rate: float
) -> NDArray[np.float32]:
    """Return the brightness (rows,) of a whole recording, 1 on average, with what its residuals still have.

    ``shares`` (rows,) is that of the texture in the residual of each row, under the ``brightness`` so far;
    rows that are not ``good`` count for nothing. It is smoothed over `PERIOD` by a Gaussian.
    """
    known = good & np.isfinite(shares)
    if not known.any():
        return brightness
    weight, total = (
        gaussian_filter1d(np.where(known, part, 0.0), PERIOD * rate, mode="constant")
        for part in (np.ones(len(shares)), shares)
    )
    rows, there = np.arange(len(shares)), np.flatnonzero(known)
    found = brightness + np.interp(rows, there, (total / np.maximum(weight, 1e-12))[known])
    return np.asarray(found / found[known].mean(), np.float32)


@lean_sums
def _product(slot: Any, margin: Any, texture: Any, most: Any) -> Any:
    """Return the sum of products of a picture in its margin, clipped, and a texture (rows, columns)."""
    total = np.float64(0)
    for y in range(texture.shape[0]):
        a, b = slot[margin + y, margin : margin + texture.shape[1]], texture[y]
        part = np.float32(0)
        for x in range(b.size):
            part += min(max(a[x], -most), most) * b[x]
        total += part
    return total
