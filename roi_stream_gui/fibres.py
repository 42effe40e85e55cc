"""Finds the fibres of a photometry bundle: bright discs of one size, in the order of reading. No toolkit.

The picture is scaled so that the radius looked for is some 16 px, once for each doubling of the radius. There
the Hough transform (OpenCV's two kinds) proposes circles: first strictly, which tells their common
radius, then generously for that radius alone. The logarithm of the picture lets dim fibres count like bright
ones, and a circle stays only when its inside is brighter than the dim part of what lies round it, by four
times the noise.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import cv2
import numpy as np

from roi_core.rois import Circle

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Picture = NDArray[np.float32]
    Discs = NDArray[np.float64]
    """(N, 3) x, y, radius."""

__all__ = ["find", "in_rows"]

RADIUS: Final = 16.0
"""px; the radius that pictures are scaled to."""
LARGEST: Final = 2.5
"""Magnification at most: small fibres on a large picture would take seconds."""
BLUR: Final = 1.5
NOISE: Final = 4.0
DIM: Final = 0.04
"""Share of a bright fibre's contrast that a fibre must have."""
AROUND: Final = np.linspace(0, 2 * np.pi, 48, endpoint=False)


def find(picture: Picture, least: float, most: float) -> tuple[Circle, ...]:
    """Return the bright discs of an (H, W) picture with a radius of `least` to `most` px, row by row."""
    octaves = max(1, round(float(np.log2(most / least))))
    edges = np.geomspace(least, most, octaves + 1)
    scaled = [_Scaled.of(picture, low / 1.1, high * 1.1) for low, high in pairwise(edges)]
    strict = [(one, one.kept(one.strict(), 0.0)) for one in scaled]
    best, discs = max(strict, key=lambda pair: pair[0].explained(pair[1]))
    if not len(discs):
        return ()
    radius = float(np.median(discs[:, 2]))
    alike = discs[np.abs(discs[:, 2] / radius - 1) < 0.3]
    found = best.kept(np.concatenate([alike, best.generous(radius)]), DIM * best.contrast(discs).max())
    apart = _apart(found, 1.5 * radius)
    return in_rows([Circle(*map(_rounded, disc)) for disc in best.unscaled(apart).tolist()])


def in_rows(circles: list[Circle]) -> tuple[Circle, ...]:
    """Return circles row by row, each from left to right; one begins a row when it lies a radius lower."""
    rows: list[list[Circle]] = []
    for circle in sorted(circles, key=lambda c: c.yc):
        middle = np.mean([c.yc for c in rows[-1]]) if rows else -np.inf
        if circle.yc - middle > circle.r:
            rows.append([])
        rows[-1].append(circle)
    return tuple(circle for row in rows for circle in sorted(row, key=lambda c: c.xc))


class _Scaled(NamedTuple):
    """The picture at `factor` of its size: smoothed, and as bytes of its logarithm; radii in its px."""

    factor: float
    smooth: Picture
    bytes: NDArray[np.uint8]
    noise: float
    least: float
    most: float

    @classmethod
    def of(cls, picture: Picture, least: float, most: float) -> _Scaled:
        factor = min(max(RADIUS / float(np.sqrt(least * most)), 0.1), LARGEST)
        way = cv2.INTER_AREA if factor < 1 else cv2.INTER_LINEAR
        small = cv2.resize(picture, None, fx=factor, fy=factor, interpolation=way)
        smooth = cv2.GaussianBlur(small, (0, 0), BLUR).astype(np.float32)
        change = np.abs(smooth[:, 6:] - smooth[:, :-6])
        noise = 1.4826 / np.sqrt(2) * float(np.median(change)) if change.size else 0.0
        return cls(factor, smooth, _logarithm(smooth), noise, least * factor, most * factor)

    def strict(self) -> Discs:
        """Return what is round beyond doubt."""
        return _discs(cv2.HoughCircles(
            self.bytes, cv2.HOUGH_GRADIENT_ALT, 1.5, max(1.5 * self.least, 1), param1=100, param2=0.5,
            minRadius=max(int(self.least), 2), maxRadius=int(np.ceil(self.most)),
        ))  # fmt: skip

    def generous(self, radius: float) -> Discs:
        """Return all that could be a circle of about that radius."""
        return _discs(cv2.HoughCircles(
            self.bytes, cv2.HOUGH_GRADIENT, 1.0, 1.7 * radius, param1=40, param2=max(8, 0.45 * radius),
            minRadius=int(0.8 * radius), maxRadius=int(np.ceil(1.2 * radius)),
        ))  # fmt: skip

    def contrast(self, discs: Discs) -> NDArray[np.float64]:
        """Return (N,) how much brighter each disc is inside than the dim third of its surroundings."""
        inside, outside = self._ring(discs, 0.75), self._ring(discs, 1.15)
        difference: NDArray[np.float64] = inside.mean(axis=1) - np.percentile(outside, 35, axis=1)
        return difference

    def kept(self, discs: Discs, least: float) -> Discs:
        """Return the discs that stand out of the noise and by `least`."""
        if not len(discs):
            return discs
        return discs[self.contrast(discs) > max(NOISE * self.noise, least)]

    def explained(self, discs: Discs) -> float:
        """Return the light in the discs, in units that do not depend on the scale."""
        return float((self.contrast(discs) * (discs[:, 2] / self.factor) ** 2).sum()) if len(discs) else 0.0

    def unscaled(self, discs: Discs) -> Discs:
        """Return discs in px of the picture."""
        half = np.array([0.5, 0.5, 0.0])
        return np.asarray((discs + half) / self.factor - half)

    def _ring(self, discs: Discs, share: float) -> NDArray[np.float64]:
        x, y, r = (column[:, None] for column in discs.T)
        height, width = self.smooth.shape
        columns = np.clip(np.rint(x + share * r * np.cos(AROUND)), 0, width - 1).astype(int)
        rows = np.clip(np.rint(y + share * r * np.sin(AROUND)), 0, height - 1).astype(int)
        return np.asarray(self.smooth[rows, columns], np.float64)


def _logarithm(smooth: Picture) -> NDArray[np.uint8]:
    low, high = np.percentile(smooth, [1, 99.5])
    span = max(float(high - low), 1e-6)
    value = np.log(np.maximum(smooth - low, 0) + 0.03 * span)
    share = (value - value.min()) / max(float(np.ptp(value)), 1e-6)
    return np.asarray(255 * share, np.uint8)


def _discs(found: NDArray[Any] | None) -> Discs:
    flat = np.zeros((0, 3)) if found is None else found.reshape(-1, found.shape[-1])
    return np.asarray(flat[:, :3], np.float64)


def _apart(discs: Discs, least: float) -> Discs:
    """Return the discs, the first ones first, whose centres are `least` px from those before."""
    kept: list[int] = []
    for k, (x, y, _) in enumerate(discs):
        if all(np.hypot(x - discs[m, 0], y - discs[m, 1]) > least for m in kept):
            kept.append(k)
    return discs[kept]


def _rounded(value: float) -> float:
    return round(value, 2)
