"""The coarse picture: binned and high-passed, where the rough displacement and the trust in it come from."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import cv2
import numpy as np

from roi_core.filters import binned, binned_by_4, high_passed, mean_of, room
from roi_core.motion.kernels import PAD, compared, sloped
from roi_core.motion.newton import response, solved

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Coarse", "Fit"]

REACH = 4
"""Half side of the box that the high-pass subtracts, coarse px."""
MARGIN = 2
"""Coarse px at the edges that do not vote: interpolation and box are not whole there."""
STEPS, SMALL = 5, 0.1
"""Gauss-Newton ends after so many steps or with one this small, coarse px."""
FLAT = 1e-6
"""Contrast, as a share of its level, up to which a picture is flat: what is left is rounding."""
EVEN = 3.0
"""Times the median of what a picture shows, up or down, that a part of it counts in an even search."""
LONGEST, NUDGE = 1.5, 0.25
"""A step is cut to the first, the response of the template measured by the second, coarse px."""


class Fit(NamedTuple):
    """Where the scene lies in the picture (px), its contrast against the template, their correlation."""

    u: tuple[float, float]
    gain: float
    r: float


class Coarse:
    """Registers frames on a binned, high-passed picture, `factor` px of the frame to one of its own.

    ``level`` is the mean of the template, ``contrast`` the rms of the picture as it was last refined.
    """

    def __init__(self, shape: tuple[int, int], factor: int) -> None:
        self.factor = factor
        h, w = max(1, shape[0] // factor), max(1, shape[1] // factor)
        self.shape = (h, w)
        self.level = self.contrast = self._seen = 0.0
        self.small = np.zeros((h, w), np.float32)
        self.picture = np.zeros((h, w), np.float32)
        self.model = np.zeros((h, w), np.float32)
        self._weights = np.zeros((2, h, w), np.float32)
        self._hessian = ((0.0, 0.0), (0.0, 0.0))
        self._room = room(w, REACH)
        self._line = np.zeros(w + 2 * PAD, np.float32)
        self._sums = np.zeros(6)
        self._padded = np.zeros((1, 1), np.float32)
        self._spectrum = self._padded
        self._known: bool | None = None
        """Whether the spectrum is that of the evened model; None while it is that of none."""

    def see(self, image: NDArray[np.float32]) -> float:
        """Take a frame; return its mean, which is not finite when one of its pixels is not."""
        self._shrink(image, self.picture)
        self._seen = float(mean_of(self.small))
        return self._seen

    def teach(self, mean: NDArray[np.float32]) -> None:
        """Take the template's mean picture as the new model."""
        self._shrink(mean, self.model)
        self.level = mean_of(self.small)
        sloped(self.model, self._weights)
        for edge in (np.s_[:, :MARGIN], np.s_[:, -MARGIN:], np.s_[:, :, :MARGIN], np.s_[:, :, -MARGIN:]):
            self._weights[edge] = 0
        self._hessian = response(lambda u: self._compare(self.model, u, 0.0), NUDGE)
        self._known = None

    def refine(self, u: tuple[float, float], gain: float) -> Fit:
        """Return the best fit near displacement `u` by Gauss-Newton."""
        y, x = u[0] / self.factor, u[1] / self.factor
        r = 0.0
        for _ in range(STEPS):
            pull = self._compare(self.picture, (y, x), gain)
            gain, r = self._likeness(gain)
            share = max(gain, 0.05) * max(0.1, self._sums[5] / self.model.size)
            dy, dx = solved(self._hessian, pull, share, LONGEST)
            y, x = y - dy, x - dx
            if max(abs(dy), abs(dx)) < SMALL or self._sums[5] == 0:
                break
        self.contrast = math.sqrt(self._sums[3] / max(1.0, self._sums[5]))
        return Fit((y * self.factor, x * self.factor), gain, r)

    def search(
        self, limit: float, middle: tuple[float, float] = (0.0, 0.0), even: bool = False
    ) -> tuple[float, float]:
        """Return the displacement within +-limit px of `middle` at which picture and model correlate best.

        At none they overlap by less than half of a side. `even`: nothing bright outweighs the rest.
        """
        ys, xs = (
            _near(centre / self.factor, math.ceil(limit / self.factor) + 1, side)
            for centre, side in zip(middle, self.shape, strict=True)
        )
        self._prepare(int(np.abs(ys).max()), int(np.abs(xs).max()), even)
        self._padded[: self.shape[0], : self.shape[1]] = _evened(self.picture) if even else self.picture
        product = cv2.mulSpectrums(cv2.dft(self._padded), self._spectrum, 0, conjB=True)
        surface = cv2.dft(product, flags=cv2.DFT_INVERSE | cv2.DFT_SCALE)
        near = surface[np.ix_(ys, xs)]
        near = near / np.sqrt(_overlap(self.shape[0], ys)[:, None] * _overlap(self.shape[1], xs))
        y, x = np.unravel_index(int(np.argmax(near)), near.shape)
        return float(ys[y]) * self.factor, float(xs[x]) * self.factor

    def _shrink(self, image: NDArray[np.float32], out: NDArray[np.float32]) -> None:
        if self.factor == 4:
            binned_by_4(image, self.small)
        else:
            binned(image, self.factor, self.small)
        high_passed(self.small, REACH, (0, len(out)), self._room, out)

    def _compare(
        self, picture: NDArray[np.float32], u: tuple[float, float], gain: float
    ) -> tuple[float, float]:
        compared(picture, u, self.model, self._weights, gain, self._line, self._sums)
        return float(self._sums[0]), float(self._sums[1])

    def _likeness(self, gain: float) -> tuple[float, float]:
        """Return the least-squares gain, and the correlation of picture and model."""
        product, energy, own = self._sums[2] + gain * self._sums[4], self._sums[3], self._sums[4]
        if not (energy > self._sums[5] * (FLAT * self._seen) ** 2 and own > 0):
            return gain, 0.0
        return float(product / own), float(product / math.sqrt(energy * own))

    def _prepare(self, ry: int, rx: int, even: bool) -> None:
        """Have the model's spectrum, with room so that displacements within reach do not wrap round."""
        shape = (cv2.getOptimalDFTSize(self.shape[0] + ry), cv2.getOptimalDFTSize(self.shape[1] + rx))
        if self._known is not even or self._padded.shape != shape:
            self._padded = np.zeros(shape, np.float32)
            self._padded[: self.shape[0], : self.shape[1]] = _evened(self.model) if even else self.model
            self._spectrum = np.asarray(cv2.dft(self._padded), np.float32)
            self._known = even


def _evened(picture: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return a high-passed picture in which nothing is brighter or darker than `EVEN` times its median."""
    most = EVEN * float(np.median(np.abs(picture)))
    return np.clip(picture, -most, most)


def _near(centre: float, reach: int, side: int) -> NDArray[np.int64]:
    """Return the displacements within reach of a centre that leave half of `side` px in common at least."""
    most = side // 2
    middle = min(max(round(centre), -most), most)
    return np.arange(max(middle - reach, -most), min(middle + reach, most) + 1)


def _overlap(n: int, displacements: NDArray[np.int64]) -> NDArray[np.float32]:
    """Return the share of n pixels that overlap at each displacement."""
    return np.asarray(1 - np.abs(displacements) / n, np.float32)
