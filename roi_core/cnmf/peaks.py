"""Where the residual stands out of its noise: now, and, looked back at, in the first frames.

Evidence is the residual summed over a window, band-passed to the size of a cell.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import cv2
import numpy as np

from roi_core.jit import lean

if TYPE_CHECKING:
    from typing import Any

    from numpy.typing import NDArray

    from roi_core.cnmf.residual import Ring

    Picture = NDArray[np.float32]

__all__ = [
    "DEVIATION",
    "PEAK",
    "SMALL",
    "STEP",
    "WIDE",
    "WINDOWS",
    "Peak",
    "banded",
    "blurred",
    "floored",
    "look_back",
    "tops",
]

STEP = 0.15
"""Seconds summed into one entry; windows are multiples of it."""
WINDOWS = (1, 3, 7, 14)
"""Lengths of the windows in steps: .15, .45, 1 and 2 s."""
PEAK = 5.3
"""Evidence over its noise that makes a candidate."""
BACK_PEAK = 7.0
"""The same when looking back, where chance has many more moments."""
SMALL, WIDE = 0.5, 1.3
"""Widths of the band-pass, in cell radii."""
ENTRIES = 24
"""Sums over the past that are looked back at, at most."""
DEVIATION = 1.4826
"""Standard deviation of a normal value over the median of its size."""


class Peak(NamedTuple):
    """A maximum of the evidence at binned pixel (y, x), strongest over so many frames up to frame ``end``."""

    z: float
    y: int
    x: int
    frames: int
    end: int


def tops(z: Picture, least: float, radius: float) -> NDArray[np.bool_]:
    """Return where a picture has its maxima above ``least`` for cells of a radius."""
    side = 2 * max(1, round(0.6 * radius)) + 1
    return np.asarray((z == cv2.dilate(z, np.ones((side, side), np.uint8))) & (z > least), np.bool_)


def look_back(ring: Ring, done: int, step: int, noise: Picture, radius: float) -> list[Peak]:
    """Return what stood out of the frames up to ``done``, as far as the ring reaches back.

    To be asked when it is known what is usual. Cells that were bright at the start lie in the mean and in the
    noise of the evidence, and what fades since shows in no new frame. So all is measured above the mean of
    today and above each pixel's own lowest quarter, over what is usual on the field.
    """
    looks = (done - ring.oldest(step)) // step
    if looks < 1:
        return []
    wide = step * -(-looks // ENTRIES)
    number = looks * step // wide
    first = done - number * wide
    sums = ring.steady_sums(first, done, wide)
    sums /= np.sqrt(floored(noise, noise.mean()) * np.float32(wide))
    sums -= np.partition(sums, number // 4, 0)[number // 4]
    best = np.zeros_like(noise)
    frames, ends = np.zeros((2, *noise.shape), np.int64)
    for window in sorted({max(1, round(window * step / wide)) for window in WINDOWS}):
        for end in range(window, number + 1):
            band, alone = banded(sums[end - window : end].sum(0) / np.float32(np.sqrt(window)), radius)
            z = alone / np.float32(DEVIATION * np.median(abs(band)) + 1e-12)
            better = z > best
            best[better], frames[better], ends[better] = z[better], window * wide, first + end * wide
    return [
        Peak(float(best[y, x]), int(y), int(x), int(frames[y, x]), int(ends[y, x]))
        for y, x in np.argwhere(tops(best, BACK_PEAK, radius))
    ]


def banded(total: Picture, radius: float) -> tuple[Picture, Picture]:
    """Return a picture band-passed to cells of a radius, and what of that stands out by itself.

    Round a place that is dark, such as a cell that faded, the band-pass draws a bright ring; but nothing is
    brighter there than elsewhere.
    """
    narrow, wide = blurred(total, SMALL * radius), blurred(total, WIDE * radius)
    _band(wide, narrow)
    return wide, narrow


@lean
def _band(band: Any, alone: Any) -> None:
    """Turn what was blurred widely and narrowly into the band and what stands out ``alone``; NaN stays."""
    for y in range(band.shape[0]):
        wide, narrow = band[y], alone[y]
        for x in range(wide.size):
            between = narrow[x] - wide[x]
            bright = np.float32(0) if narrow[x] < 0 else narrow[x]
            wide[x] = between
            narrow[x] = bright if bright < between else between


def blurred(image: Picture, width: float) -> Picture:
    """Return a picture smoothed by a Gaussian, px."""
    return np.asarray(cv2.GaussianBlur(image, (0, 0), width, borderType=cv2.BORDER_REFLECT), np.float32)


def floored(noise: Picture, mean: np.floating[Any]) -> Picture:
    """Return the variance of each pixel, never much below the mean: a dead pixel must not shout."""
    return np.maximum(noise, np.float32(0.05 * mean + 1e-9))
