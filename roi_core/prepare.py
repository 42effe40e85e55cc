"""The picture that is analysed: a part of the camera's, binned, mended, without the glow of one photon.

Everything here is optional and in the pixels' own places: motion and cells are looked for afterwards. The
movie that is recorded stays the camera's.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

from roi_core import jit
from roi_core.errors import SettingsError
from roi_core.filters import binned, unglowed
from roi_core.mend import DeadPixels, Lines

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from roi_core import settings

__all__ = ["Prepare"]

LARGE = 500_000
"""Pixels from which the picture is binned by 2 unless the settings say otherwise."""
WIDTH = 1.2
"""Width (sigma) of the Gaussian mean that is taken for glow, in radii of a cell.

Measured on simulated one-photon movies whose glow fluctuates 12 times as much as a cell: cells are found
with F1 .84-.90 after a Gaussian of 1.2 radii, .77 after the mean of a ring of 1.5 to 2 radii, .70-.75 with
the glow left in.
"""
FINENESS = 2.0
"""The glow is found on a picture binned so that a cell's radius is at least this, px."""


class Prepare:
    """Turns pictures of the camera (H, W) into pictures for analysis (h, w).

    Pixel (y, x) of the result is the mean of ``bin`` x ``bin`` px of the camera; its centre lies at camera
    ``origin + bin * (y + 0.5, x + 0.5) - 0.5``.

    Raises
    ------
    SettingsError
        When the crop does not lie inside the picture, or is smaller than a bin.
    """

    def __init__(self, shape: tuple[int, int], settings: settings.Prepare, cnmf: settings.Cnmf) -> None:
        self.camera = (int(shape[0]), int(shape[1]))
        y, x, h, w = _crop(settings.crop, self.camera)
        self.origin = (y, x)
        self.bin = settings.bin or (2 if h * w > LARGE else 1)
        self.shape = (h // self.bin, w // self.bin)
        if min(self.shape) == 0:
            raise SettingsError("prepare.bin", self.bin, f"the picture analysed is only {w}x{h} px")
        self._out = np.zeros(self.shape, np.float32)
        self._dead, self._lines = DeadPixels(self.shape), Lines(self.shape)
        self._glow = _Glow(self.shape, cnmf.cell_radius / self.bin)

    def step(
        self, image: NDArray[np.uint16 | np.float32], settings: settings.Prepare, cnmf: settings.Cnmf
    ) -> NDArray[np.float32]:
        """Return the picture (h, w) to analyse; it is overwritten in the next call."""
        if image.dtype == np.uint16:
            _cut(image, self.origin, self.bin, self._out)
        else:
            (y, x), (h, w) = self.origin, self.shape
            binned(image[y : y + h * self.bin, x : x + w * self.bin], self.bin, self._out)
            np.nan_to_num(self._out, copy=False, posinf=0.0, neginf=0.0)
        if settings.dead_pixels:
            self._dead.step(self._out)
        if settings.line_noise:
            self._lines.step(self._out)
        if settings.flatten == "on" or (settings.flatten == "auto" and cnmf.preset == "1p"):
            radius = cnmf.cell_radius / self.bin
            if radius != self._glow.radius:
                self._glow = _Glow(self.shape, radius)
            self._glow.step(self._out)
        return self._out


def _crop(text: str, shape: tuple[int, int]) -> tuple[int, int, int, int]:
    """Return y, x, height, width of the part that the setting names."""
    if not text:
        return 0, 0, *shape
    x, y, w, h = (int(part) for part in text.split(","))
    if y + h > shape[0] or x + w > shape[1]:
        size = f"{shape[1]}x{shape[0]}"
        raise SettingsError("prepare.crop", text, f"it reaches beyond the camera's {size} px")
    return y, x, h, w


class _Glow:
    """Takes away a Gaussian mean around each pixel, found on a binned picture."""

    def __init__(self, shape: tuple[int, int], radius: float) -> None:
        self.radius = radius
        self._factor = _factor(shape, radius)
        small = shape[0] // self._factor, shape[1] // self._factor
        self._small, self._mean = np.zeros(small, np.float32), np.zeros(small, np.float32)
        self._lines = np.zeros((small[0] + 1, shape[1] + 2 * self._factor), np.float32)

    def step(self, image: NDArray[np.float32]) -> None:
        binned(image, self._factor, self._small)
        width = WIDTH * self.radius / self._factor
        cv2.GaussianBlur(self._small, (0, 0), width, dst=self._mean, borderType=cv2.BORDER_REFLECT)
        unglowed(self._mean, self._factor, self._lines, image)


def _factor(shape: tuple[int, int], radius: float) -> int:
    """Return by how much a picture is binned: so that no row or column is left over, if that can be.

    There the glow would be wrong, which motion then carries over the picture like a dim cell.
    """
    most = max(1, min(4, int(radius / FINENESS), *shape))
    return max((f for f in range(2, most + 1) if shape[0] % f == 0 == shape[1] % f), default=most)


@jit.sums
def _cut(image: NDArray[Any], origin: tuple[int, int], factor: int, out: NDArray[np.float32]) -> None:
    """Write into `out` (h, w) the means of factor x factor px of the image from the origin on."""
    h, w = out.shape
    scale = np.float32(1.0 / (factor * factor))
    for y in range(h):
        target = out[y]
        first = origin[0] + y * factor
        if factor == 1:
            a = image[first, origin[1] : origin[1] + w]
            for x in range(w):
                target[x] = a[x]
        elif factor == 2:
            a = image[first, origin[1] : origin[1] + 2 * w]
            b = image[first + 1, origin[1] : origin[1] + 2 * w]
            for x in range(w):
                total = (
                    np.int32(a[2 * x]) + np.int32(a[2 * x + 1]) + np.int32(b[2 * x]) + np.int32(b[2 * x + 1])
                )
                target[x] = scale * np.float32(total)
        else:
            for x in range(w):
                target[x] = 0
            for j in range(factor):
                a = image[first + j, origin[1] : origin[1] + factor * w]
                for x in range(w):
                    sum_ = np.int32(0)
                    for i in range(factor):
                        sum_ += np.int32(a[factor * x + i])
                    target[x] += scale * np.float32(sum_)
