"""Piecewise-rigid motion: how parts of the field differ from the shift of the whole.

After the rigid fit every patch takes one more Gauss-Newton step on its own blocks. A patch that knows little
stays with the whole (the step is shrunk), neighbours agree (3 x 3 smoothing), and no patch goes further than
FURTHEST from the rigid shift. Between the centres of patches the displacement is linear.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from roi_core import jit
from roi_core.motion.kernels import Lesson, Picture, taps

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Votes = tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.float64]]

__all__ = ["Patches", "warped"]

SHRINK = 0.2
"""The weight of staying with the whole, as a share of what the average patch knows."""
FURTHEST = 3.0
"""Most that a patch may differ from the rigid shift, px."""
SEGMENT = 8
"""Pixels of a row that share a displacement: at a bend of 1 px in 64 they are wrong by .06 px at most."""
LEAST = 16
"""Smallest side of a patch, px: a block is as wide."""


class Patches:
    """The displacements of patches of pictures of `shape`, relative to the rigid one."""

    def __init__(self, shape: tuple[int, int]) -> None:
        self.shape = shape

    def field(self, votes: Votes, side: float) -> NDArray[np.float32]:
        """Return (rows, columns, 2): by how many px more than the rigid shift each patch is displaced."""
        places, pulls, hessians = votes
        side = max(side, LEAST)
        rows, columns = (max(1, round(n / side)) for n in self.shape)
        # The middle of a block decides.
        row, column = ((places + np.array([2, 8])) * (rows, columns) // self.shape).T
        patch, count = row * columns + column, rows * columns
        pull = np.stack([np.bincount(patch, pulls[:, k], count) for k in range(2)], axis=1)
        flat = hessians.reshape(-1, 4)
        hessian = np.stack([np.bincount(patch, flat[:, k], count) for k in range(4)], axis=1).reshape(
            -1, 2, 2
        )
        prior = SHRINK * max(np.trace(hessian, axis1=1, axis2=2).mean() / 2, 1e-12)
        step = np.linalg.solve(hessian + prior * np.eye(2), pull[:, :, None])[:, :, 0]
        step = np.nan_to_num(-step).clip(-FURTHEST, FURTHEST).reshape(rows, columns, 2)
        return _smoothed(step).astype(np.float32)


def _smoothed(field: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the field blended with its neighbours, 1:2:1 along both axes, its edges repeated."""
    wide = np.pad(field, ((1, 1), (1, 1), (0, 0)), mode="edge")
    wide = (wide[:-2] + 2 * wide[1:-1] + wide[2:]) / 4
    return (wide[:, :-2] + 2 * wide[:, 1:-1] + wide[:, 2:]) / 4


@jit.sums
def warped(
    image: Picture,
    u: tuple[float, float],
    field: Picture,
    mean: Picture,
    light: tuple[float, float],
    lesson: Lesson,
    flat: Picture,
    stride: int,
) -> None:
    """Do what `kernels.moved` does, with u plus the field (rows, columns, 2) of patches as displacement.

    The field is linear between the centres of patches; along a row it is taken at the middle of each SEGMENT.
    """
    h, w = image.shape
    rows, columns = field.shape[:2]
    gain, offset, rate = np.float32(light[0]), np.float32(light[1]), np.float32(lesson[0])
    most = np.float32(lesson[3])
    for y in range(h):
        target, known = flat[y * stride : y * stride + w], mean[y]
        teaches = rate > 0 and y % lesson[2] == lesson[1]
        j, k, g = between(y, h, rows)
        for x in range(0, w, SEGMENT):
            i, m, f = between(x + SEGMENT / 2 - 0.5, w, columns)
            n = min(SEGMENT, w - x)
            a, b = (1 - g) * (1 - f), (1 - g) * f
            c, d = g * (1 - f), g * f
            py = y + u[0] + a * field[j, i, 0] + b * field[j, m, 0] + c * field[k, i, 0] + d * field[k, m, 0]
            px = x + u[1] + a * field[j, i, 1] + b * field[j, m, 1] + c * field[k, i, 1] + d * field[k, m, 1]
            iy, ix = math.floor(py), math.floor(px)
            part, old = target[x : x + n], known[x : x + n]
            if n == SEGMENT and 1 <= iy < h - 2 and 1 <= ix < w - 2 - SEGMENT:
                interpolated(image, iy, ix, py - iy, px - ix, part)
                if teaches:
                    for q in range(SEGMENT):
                        old[q] += rate * min(max(part[q] - old[q], -most), most)
                continue
            for q in range(n):
                if py < 0 or py > h - 1 or px + q < 0 or px + q > w - 1:
                    part[q] = gain * old[q] + offset
                else:
                    part[q] = at(image, py, px + q)
                    if teaches:
                        old[q] += rate * min(max(part[q] - old[q], -most), most)


@jit.kernel
def between(x: float, n: int, patches: int) -> tuple[int, int, float]:
    """Return the patches around place x of n, and how far it lies from the first centre to the second."""
    place = min(max((x + 0.5) * patches / n - 0.5, 0.0), patches - 1.0)
    i = min(int(place), max(0, patches - 2))
    return i, min(i + 1, patches - 1), place - i


@jit.sums
def interpolated(image: Picture, iy: int, ix: int, fy: float, fx: float, out: Picture) -> None:
    """Fill `out` (SEGMENT,) with the image from (iy + fy, ix + fx) on, all of it well inside."""
    k0, k1, k2, k3 = taps(fy)
    f0, f1, f2, f3 = taps(fx)
    a, b = image[iy - 1, ix - 1 : ix + SEGMENT + 2], image[iy, ix - 1 : ix + SEGMENT + 2]
    c, d = image[iy + 1, ix - 1 : ix + SEGMENT + 2], image[iy + 2, ix - 1 : ix + SEGMENT + 2]
    for q in range(SEGMENT):
        v0 = k0 * a[q] + k1 * b[q] + k2 * c[q] + k3 * d[q]
        v1 = k0 * a[q + 1] + k1 * b[q + 1] + k2 * c[q + 1] + k3 * d[q + 1]
        v2 = k0 * a[q + 2] + k1 * b[q + 2] + k2 * c[q + 2] + k3 * d[q + 2]
        v3 = k0 * a[q + 3] + k1 * b[q + 3] + k2 * c[q + 3] + k3 * d[q + 3]
        out[q] = f0 * v0 + f1 * v1 + f2 * v2 + f3 * v3


@jit.sums
def at(image: Picture, py: float, px: float) -> float:
    """Return the image at one place by cubic convolution, its edges repeated."""
    h, w = image.shape
    iy, ix = math.floor(py), math.floor(px)
    k0, k1, k2, k3 = taps(py - iy)
    f0, f1, f2, f3 = taps(px - ix)
    a, b, c, d = max(iy - 1, 0), iy, min(iy + 1, h - 1), min(iy + 2, h - 1)
    p, q, r, s = max(ix - 1, 0), ix, min(ix + 1, w - 1), min(ix + 2, w - 1)
    v = k0 * (f0 * image[a, p] + f1 * image[a, q] + f2 * image[a, r] + f3 * image[a, s])
    v += k1 * (f0 * image[b, p] + f1 * image[b, q] + f2 * image[b, r] + f3 * image[b, s])
    v += k2 * (f0 * image[c, p] + f1 * image[c, q] + f2 * image[c, r] + f3 * image[c, s])
    v += k3 * (f0 * image[d, p] + f1 * image[d, q] + f2 * image[d, r] + f3 * image[d, s])
    return float(v)
