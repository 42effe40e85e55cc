"""What the window shows of the numbers: contrast, 16-bit gray to RGBA. Knows no toolkit.

Nothing here touches what is measured or recorded. Contrast looks at the frame only, never at outlines.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, floor
from typing import TYPE_CHECKING

import numpy as np

from roi_core.jit import kernel

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from roi_core.settings import Display

__all__ = ["FULL", "Contrast", "Region", "Tone", "to_rgba", "visible_region", "warm_up"]

FULL = 65_535
"""The camera's limit: a pixel of this value holds no more information."""
CONTRAST_PERIOD = 0.2
"""Seconds between two looks at the frame; a percentile per drawn frame costs more than the picture."""
EASE = 0.35
"""How far the limits move towards the newest estimate each time, so that the picture never flickers."""


@dataclass(frozen=True, slots=True)
class Region:
    """The part of a frame that is on screen: its first row and column, in blocks of ``step``."""

    y: int
    x: int
    rows: int
    columns: int
    step: int


def visible_region(
    shape: tuple[int, int], limits: tuple[float, float, float, float], room: tuple[int, int]
) -> Region:
    """Return the region of a frame within `limits` (x0, y0, x1, y1), coarse enough for `room` (H, W).

    Zoomed in, every pixel of a large camera is shown; zoomed out, blocks of ``step`` px are averaged.
    """
    x0, x1 = _clip(limits[0], limits[2], shape[1])
    y0, y1 = _clip(limits[1], limits[3], shape[0])
    step = max(1, ceil((y1 - y0) / room[0]), ceil((x1 - x0) / room[1]))
    # Blocks on a fixed grid: the picture does not shimmer while it is moved.
    x0, y0 = x0 - x0 % step, y0 - y0 % step
    return Region(y0, x0, min(room[0], -(-(y1 - y0) // step)), min(room[1], -(-(x1 - x0) // step)), step)


class Contrast:
    """The pixel values shown black and white, followed smoothly on a subsample of the frame."""

    def __init__(self) -> None:
        self.low = 0.0
        self.high = float(FULL)
        self._looked = -np.inf
        self._known = False

    def follow(self, image: NDArray[np.uint16], display: Display, now: float) -> tuple[float, float]:
        """Return (low, high) for the (H, W) image at time `now`, s."""
        if not display.auto_contrast:
            self.low, self.high = float(display.low), float(max(display.high, display.low + 1))
            self._known = True
        elif now - self._looked >= CONTRAST_PERIOD:
            self._looked = now
            low, high = np.percentile(image[::4, ::4], (0.5, 99.9))
            ease = EASE if self._known else 1.0
            self.low += ease * (float(low) - self.low)
            self.high += ease * (max(float(high), float(low) + 16) - self.high)
            self._known = True
        return self.low, self.high

    def forget(self) -> None:
        """Take the next frame's limits at once: it is from another camera."""
        self._looked, self._known = -np.inf, False


class Tone:
    """A table from 16-bit gray to screen brightness, rebuilt only when the limits move."""

    def __init__(self) -> None:
        self.table = np.zeros(FULL + 1, np.float32)
        self._limits = (-1.0, -1.0)
        self._ramp = np.arange(FULL + 1, dtype=np.float32)

    def between(self, low: float, high: float) -> NDArray[np.float32]:
        """Return the table that shows `low` black and `high` white."""
        if self._limits != (low, high):
            self._limits = (low, high)
            np.subtract(self._ramp, np.float32(low), out=self.table)
            self.table *= np.float32(1.0 / max(high - low, 1.0))
            np.clip(self.table, 0.0, 1.0, out=self.table)
        return self.table


def to_rgba(
    image: NDArray[np.uint16],
    region: Region,
    table: NDArray[np.float32],
    red: bool,
    out: NDArray[np.float32],
) -> None:
    """Draw a region of the image into the top left of `out` (H, W, 4) float32, saturated pixels red."""
    place = (region.y, region.x, region.rows, region.columns)
    if region.step == 1:
        _paint(image, *place, table, red, out)
    else:
        _paint_blocks(image, *place, region.step, table, red, out)


def saturated(image: NDArray[np.uint16]) -> int:
    """Return how many pixels are at the camera's limit."""
    return int(_count_full(image))


def warm_up() -> None:
    """Compile every kernel of the window once, so that the first frame is not late."""
    image, out = np.zeros((4, 4), np.uint16), np.ones((4, 4, 4), np.float32)
    table = np.zeros(FULL + 1, np.float32)
    for step in (1, 2):
        to_rgba(image, Region(0, 0, 4 // step, 4 // step, step), table, True, out)
    saturated(image)


def _clip(low: float, high: float, size: int) -> tuple[int, int]:
    first = min(max(floor(low + 0.5), 0), size - 1)
    last = min(max(ceil(high + 0.5), first + 1), size)
    return first, last


@kernel
def _paint(
    image: NDArray[np.uint16],
    y0: int,
    x0: int,
    rows: int,
    columns: int,
    table: NDArray[np.float32],
    red: bool,
    out: NDArray[np.float32],
) -> None:
    full = np.uint16(65_535)
    for y in range(rows):
        for x in range(columns):
            pixel = image[y0 + y, x0 + x]
            shade = table[pixel]
            if red and pixel == full:
                out[y, x, 0], out[y, x, 1], out[y, x, 2] = 1.0, 0.12, 0.10
            else:
                out[y, x, 0], out[y, x, 1], out[y, x, 2] = shade, shade, shade


@kernel
def _paint_blocks(
    image: NDArray[np.uint16],
    y0: int,
    x0: int,
    rows: int,
    columns: int,
    step: int,
    table: NDArray[np.float32],
    red: bool,
    out: NDArray[np.float32],
) -> None:
    full = np.uint16(65_535)
    height, width = image.shape
    for y in range(rows):
        for x in range(columns):
            total = 0
            hot = False
            # The last blocks may stick out of the frame.
            bottom, right = min(y0 + (y + 1) * step, height), min(x0 + (x + 1) * step, width)
            area = (bottom - y0 - y * step) * (right - x0 - x * step)
            for i in range(y0 + y * step, bottom):
                for j in range(x0 + x * step, right):
                    total += image[i, j]
                    hot |= image[i, j] == full
            shade = table[total // area]
            if red and hot:
                out[y, x, 0], out[y, x, 1], out[y, x, 2] = 1.0, 0.12, 0.10
            else:
                out[y, x, 0], out[y, x, 1], out[y, x, 2] = shade, shade, shade


@kernel
def _count_full(image: NDArray[np.uint16]) -> int:
    count = 0
    for y in range(image.shape[0]):
        for x in range(image.shape[1]):
            count += image[y, x] == 65_535
    return count
