"""Shapes: each cell's footprint is learned anew from its own running sums, a few cells a frame.

a = (M - sum_j W_j a_j) / W is the image of the cell alone, with known noise. It is kept where it rises above
that noise, where it is connected to the brightest part, and never negative; so a footprint grows and shrinks.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from roi_core.cnmf.state import BODY, settle
from roi_core.jit import kernel, lean

if TYPE_CHECKING:
    from typing import Any

__all__ = ["cleaned", "own_image", "smoothings", "tour", "visit"]

LEVEL = 0.12
"""Pixels fainter than this share of the brightest do not belong to a cell."""
RIM, WIDEST = 1.7, 1.9
"""Cell radii: beyond the first an image shows glow only, beyond the second no pixel belongs to the cell."""
SMALLEST = 4
"""A footprint of fewer px is not believed; the old one stays."""
DRIFT = 1.0
"""Pixels that a footprint may be off the middle of its box."""
BINOMIAL = 0.4
"""Noise of a smoothed pixel over that of a pixel: a binomial 3 x 3 leaves .375, resampling correlates."""
ONCE = {"2p": 5.5, "1p": np.inf, "photometry": np.inf}
"""Radius of a cell, px, up to which its image is smoothed once. In 1p glow has the shape of large cells."""


def smoothings(radius: float, preset: str) -> int:
    """Return how often the image of a cell of such a radius, px, is smoothed at most: by how large it is."""
    return max(1, round((radius / ONCE[preset]) ** 2))


@kernel
def visit(
    i: Any, t: Any, now: Any, forget: Any, radius: Any, variance: Any, noise: Any, field: Any, cover: Any
) -> Any:
    """Learn the footprint of cell i from its sums, judge it, and let the sums forget; return its size in px.

    ``forget`` is the loss per frame; ``variance`` (rows, columns) that of a binned pixel, ``noise`` (N,) that
    of the traces; ``field`` is (factor, margin, gain, most smoothings of an image).
    """
    factor, margin, gain, most = field
    loss = np.float32(np.exp(-forget * (now - t.visited[i])))
    t.visited[i] = now
    t.images[i] *= loss
    t.links[i] *= loss
    t.power[i] *= loss
    t.energy[i] *= loss
    if not (t.power[i] > 0 and t.energy[i] > 0):
        t.evidence[i] = 0
        return 0
    t.evidence[i] = t.power[i] / (max(noise[i], np.float32(1e-9)) * np.sqrt(t.energy[i]))
    if not t.fresh[i]:
        return SMALLEST  # what is known already is not to be doubted while a cell is silent
    t.fresh[i] = 0
    side = t.boxes.shape[1]
    image, smooth, out = np.zeros((3, side, side), np.float32)
    own_image(i, t, image)
    level = level_rim(image, RIM * radius)
    y = min(max(t.centres[i, 0] // factor, 0), variance.shape[0] - 1)
    x = min(max(t.centres[i, 1] // factor, 0), variance.shape[1] - 1)
    pixel = np.sqrt(variance[y, x]) * factor * np.sqrt(t.energy[i]) / t.power[i]
    size = cleaned(image, BINOMIAL * pixel, radius, most, smooth, out) - _cut_off(t.images[i], out)
    if size < SMALLEST:
        t.r[i] = 0
        return size
    t.r[i] = _agreement(smooth, out, WIDEST * radius)
    top = out.max()
    t.contrast[i] = top / (top + max(level, np.float32(0)))
    t.size[i] = np.float32((out > np.float32(BODY) * out.max()).sum())
    t.boxes[i] = out
    settle(i, t, factor, margin, gain, cover, True)
    return size


@lean
def tour(
    first: Any, number: Any, count: Any, t: Any, now: Any, forget: Any, radius: Any, variance: Any,
    noise: Any, field: Any, cover: Any,
) -> Any:  # fmt: skip
    """Visit so many cells from the first on; return one whose footprint left its middle, or -1."""
    drifted = -1
    for k in range(number):
        i = (first + k) % count
        if t.frozen[i]:
            continue
        visit(i, t, now, forget, radius, variance, noise, field, cover)
        if max(abs(t.moments[i, 1]), abs(t.moments[i, 2])) > DRIFT * t.moments[i, 0]:
            drifted = i
    return drifted


@lean
def own_image(i: Any, t: Any, out: Any) -> None:
    """Fill ``out`` (S, S) with the image of cell i alone, its neighbours taken out."""
    side = t.boxes.shape[1]
    scale = np.float32(1) / t.power[i]
    for y in range(side):
        for x in range(side):
            out[y, x] = t.images[i, y, x] * scale
    for m in range(t.near.shape[1]):
        j = t.near[i, m]
        if j < 0:
            break
        weight = t.links[i, m] * scale
        dy, dx = t.centres[j, 0] - t.centres[i, 0], t.centres[j, 1] - t.centres[i, 1]
        for y in range(max(0, dy), min(side, side + dy)):
            for x in range(max(0, dx), min(side, side + dx)):
                out[y, x] -= weight * t.boxes[j, y - dy, x - dx]


@kernel
def level_rim(image: Any, inner: Any) -> Any:
    """Take the median of the pixels beyond ``inner`` px, glow and not cell, off the image; return it."""
    side = image.shape[0]
    middle = side // 2
    rim = np.empty(side * side, np.float32)
    count = 0
    for y in range(side):
        for x in range(side):
            if (y - middle) ** 2 + (x - middle) ** 2 > inner * inner:
                rim[count] = image[y, x]
                count += 1
    level = np.float32(np.median(rim[:count])) if count else np.float32(0)
    for y in range(side):
        for x in range(side):
            image[y, x] -= level
    return level


@kernel
def cleaned(image: Any, noise: Any, radius: Any, most: Any, smooth: Any, out: Any) -> Any:
    """Fill ``out`` with the connected, non-negative part of a smoothed image; return its number of px.

    A pixel belongs when it exceeds `LEVEL` of the maximum and twice the ``noise`` (per pixel, of an image
    smoothed once), and touches (4 neighbours) the part round the maximum, which lies within a ``radius``.
    While noise is the higher bar, the ``smooth`` image is smoothed again, up to ``most`` times in all.
    """
    times = 1
    _smooth(image, smooth)
    by, bx = _peak(smooth, radius)
    while times < most and by >= 0 and 2 * noise > LEVEL * smooth[by, bx]:
        out[:] = smooth
        _smooth(out, smooth)
        by, bx = _peak(smooth, radius)
        noise *= np.float32(np.sqrt(times / (times + 1)))
        times += 1
    out[:] = 0
    if by < 0:
        return 0
    side, best = image.shape[0], smooth[by, bx]
    middle, widest = side // 2, (WIDEST * radius) ** 2
    least = max(LEVEL * best, np.float32(2) * noise)
    stack = np.empty((side * side, 2), np.int64)
    stack[0, 0], stack[0, 1] = by, bx
    waiting, size = 1, 1
    out[by, bx] = best
    while waiting:
        waiting -= 1
        y, x = stack[waiting, 0], stack[waiting, 1]
        for step in range(4):
            v = y + (step == 0) - (step == 1)
            u = x + (step == 2) - (step == 3)
            if v < 0 or u < 0 or v >= side or u >= side or (v - middle) ** 2 + (u - middle) ** 2 > widest:
                continue
            if out[v, u] == 0 and smooth[v, u] > least:
                out[v, u] = smooth[v, u]
                stack[waiting, 0], stack[waiting, 1] = v, u
                waiting += 1
                size += 1
    return size


@lean
def _cut_off(sums: Any, out: Any) -> Any:
    """Take off a footprint what smoothing put beyond the picture, where nothing was summed; count it."""
    number = 0
    for y in range(out.shape[0]):
        for x in range(out.shape[1]):
            if out[y, x] > 0 and sums[y, x] == 0:
                out[y, x] = 0
                number += 1
    return number


@lean
def _peak(smooth: Any, radius: Any) -> Any:
    """Return where an image is greatest within a radius of the middle; -1 where nothing is above zero."""
    side = smooth.shape[0]
    middle = side // 2
    best, by, bx = np.float32(0), -1, -1
    first, last = max(middle - int(radius), 0), min(middle + int(radius), side - 1)
    for y in range(first, last + 1):
        for x in range(first, last + 1):
            if (y - middle) ** 2 + (x - middle) ** 2 <= radius * radius and smooth[y, x] > best:
                best, by, bx = smooth[y, x], y, x
    return by, bx


@lean
def _smooth(image: Any, out: Any) -> None:
    """Smooth with a binomial 3 x 3."""
    side = image.shape[0]
    for y in range(side):
        if 0 < y < side - 1:
            _smooth_row(image[y - 1], image[y], image[y + 1], out[y])
            _smooth_pixel(image, y, 0, out)
            _smooth_pixel(image, y, side - 1, out)
        else:
            for x in range(side):
                _smooth_pixel(image, y, x, out)


@lean
def _smooth_row(above: Any, row: Any, below: Any, out: Any) -> None:
    """Smooth a row between two others, all but its ends (slices first: the loop then vectorises)."""
    n, two, four = row.size - 2, np.float32(2), np.float32(4)
    a0, a1, a2 = above[:n], above[1 : n + 1], above[2:]
    b0, b1, b2 = row[:n], row[1 : n + 1], row[2:]
    c0, c1, c2 = below[:n], below[1 : n + 1], below[2:]
    middle = out[1 : n + 1]
    for x in range(n):
        total = a0[x] + two * a1[x] + a2[x] + two * b0[x] + four * b1[x] + two * b2[x]
        middle[x] = (total + c0[x] + two * c1[x] + c2[x]) / np.float32(16)


@lean
def _smooth_pixel(image: Any, y: Any, x: Any, out: Any) -> None:
    """Smooth a pixel at the edge, where fewer neighbours count."""
    side, total, weight = image.shape[0], np.float32(0), np.float32(0)
    for v in range(max(y - 1, 0), min(y + 2, side)):
        for u in range(max(x - 1, 0), min(x + 2, side)):
            w = np.float32((2 - abs(v - y)) * (2 - abs(u - x)))
            total += w * image[v, u]
            weight += w
    out[y, x] = total / weight


@lean
def _agreement(a: Any, b: Any, widest: Any) -> Any:
    """Return the correlation of two boxes within ``widest`` px of the middle."""
    side = a.shape[0]
    middle = side // 2
    n = sa = sb = saa = sbb = sab = 0.0
    for y in range(side):
        for x in range(side):
            if (y - middle) ** 2 + (x - middle) ** 2 <= widest * widest:
                p, q = np.float64(a[y, x]), np.float64(b[y, x])
                n, sa, sb = n + 1, sa + p, sb + q
                saa, sbb, sab = saa + p * p, sbb + q * q, sab + p * q
    spread = (saa - sa * sa / n) * (sbb - sb * sb / n)
    return (sab - sa * sb / n) / np.sqrt(spread) if spread > 0 else 0.0
