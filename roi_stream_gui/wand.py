"""The magic wand: a click grows a region from a seed on a picture in which cells stand out. No toolkit.

Seeded growth: the picture is smoothed, the seed climbs to the brightest pixel nearby, and its height above
the surroundings (their lower quartile) is what shares are taken of. The region is what is connected with the
seed and above ``share`` of that height, without necks and holes, within two cell radii. Its outline is the
isoline of the smoothed picture, so it is as fine as a drawn one.
"""

from __future__ import annotations

import logging
import math
from typing import TYPE_CHECKING, Any, Final

import cv2
import numpy as np

from roi_core.rois import Freehand

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Point = tuple[float, float]
    Picture = NDArray[np.float32]
    Mask = NDArray[np.bool_]

__all__ = ["Wand", "grow"]

log = logging.getLogger(__name__)

FIRST, LEAST, MOST, STEP = 0.4, 0.1, 0.95, 0.05
"""Shares of the seed's height: at first, the limits, and for one notch of the wheel."""
FINE: Final = 4
"""Points of the outline per pixel."""
WIDEST: Final = 2.0
"""Cell radii from the seed to the farthest point."""


class Wand:
    """What the wand looks at, and how far it grows."""

    def __init__(self) -> None:
        self.picture: Picture | None = None
        self.name = ""
        self.radius = 5.0
        """Radius of a typical cell, px."""
        self.share = self._first = FIRST
        self._seed: Point = (0.0, 0.0)

    def look_at(self, name: str, picture: Picture | None, radius: float) -> None:
        """Grow on this (H, W) picture from now on."""
        self.name, self.picture, self.radius = name, picture, radius

    def touch(self, seed: Point) -> tuple[Freehand, ...]:
        """Begin at a seed (x, y); return what grows there, if anything does."""
        self._seed, self._first = seed, self.share
        return self._grown()

    def pull(self, at: Point, reach: float) -> tuple[Freehand, ...]:
        """Grow on as the hand goes outwards; within half its `reach` that is left to the wheel."""
        distance = math.hypot(at[0] - self._seed[0], at[1] - self._seed[1])
        if distance > reach / 2:
            share = self._first - (self._first - LEAST) * distance / (WIDEST * self.radius)
            self.share = _within(share)
        return self._grown()

    def turn(self, steps: float) -> tuple[Freehand, ...]:
        """Take a larger region for positive `steps` of the wheel, a smaller one for negative; kept."""
        self.share = self._first = _within(self.share - STEP * steps)
        return self._grown()

    def lift(self) -> tuple[Freehand, ...]:
        """End; return what has grown. How far it was pulled is forgotten."""
        found, self.share = self._grown(), self._first
        if not found:
            log.info("nothing stands out there; the wand takes what is brighter than its surroundings")
        return found

    def _grown(self) -> tuple[Freehand, ...]:
        found = None if self.picture is None else grow(self.picture, self._seed, self.share, self.radius)
        return () if found is None else (found,)


def grow(picture: Picture, seed: Point, share: float, radius: float) -> Freehand | None:
    """Return the region of an (H, W) picture around `seed` (x, y) px; None where nothing stands out."""
    column, row = math.floor(seed[0] + 0.5), math.floor(seed[1] + 0.5)
    if not (0 <= row < picture.shape[0] and 0 <= column < picture.shape[1]):
        return None
    reach = math.ceil(WIDEST * radius) + 2
    top, left = max(row - reach, 0), max(column - reach, 0)
    part = picture[top : row + reach + 1, left : column + reach + 1]
    if not np.isfinite(part).any():
        return None
    smooth = _smoothed(part, radius)
    y, x = np.indices(smooth.shape)
    distance = np.hypot(y - (seed[1] - top), x - (seed[0] - left))
    near = np.where(distance <= max(radius / 3, 0.8), smooth, -np.inf)
    start = np.unravel_index(int(near.argmax()), near.shape)
    floor = float(np.percentile(smooth, 25))
    height = float(smooth[start]) - floor
    if not height > 1e-6 * max(abs(floor), 1e-6):
        return None
    field = smooth - np.float32(floor + share * height)
    inside = _connected((field >= 0) & (distance <= WIDEST * radius), start, radius)
    points = _isoline(field, inside, start)
    if len(points) < 3:
        return None
    return Freehand(tuple((round(left + x, 2), round(top + y, 2)) for x, y in points.tolist()))


def _smoothed(part: Picture, radius: float) -> Picture:
    filled = np.where(np.isfinite(part), part, np.nanmin(part)).astype(np.float32)
    smooth: Picture = cv2.GaussianBlur(filled, (0, 0), max(radius / 6, 0.7)).astype(np.float32)
    return smooth


def _connected(above: Mask, start: tuple[Any, ...], radius: float) -> Mask:
    """Return the part of `above` that holds `start`; what hangs on by a neck is cut off."""
    size = 2 * round(radius / 4) + 1
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size))
    opened = cv2.morphologyEx(above.astype(np.uint8), cv2.MORPH_OPEN, kernel)
    best = opened if opened[start] else above.astype(np.uint8)
    labels = cv2.connectedComponents(best, connectivity=4)[1]
    found: Mask = labels == labels[start]
    return found


def _isoline(field: Picture, inside: Mask, start: tuple[Any, ...]) -> NDArray[np.float64]:
    """Return (N, 2) x, y of the outer line of `inside`, where the field beyond it is made to end at 0."""
    low = -max(float(field[start]), 1e-6)
    ended = np.where(inside, np.maximum(field, 0), np.clip(field, low, low / 8))
    ended = np.pad(ended.astype(np.float32), 1, constant_values=low)
    fine = cv2.resize(ended, None, fx=FINE, fy=FINE, interpolation=cv2.INTER_LINEAR)
    lines, _ = cv2.findContours((fine > 0).astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    seed = tuple(float((int(k) + 1.5) * FINE - 0.5) for k in (start[1], start[0]))
    around = [line for line in lines if cv2.pointPolygonTest(line, seed, False) >= 0]
    if not around:
        return np.empty((0, 2))
    line = cv2.approxPolyDP(max(around, key=len), 0.6, True)[:, 0]
    return (line + 0.5) / FINE - 1.5


def _within(share: float) -> float:
    return min(max(share, LEAST), MOST)
