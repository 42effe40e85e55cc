"""Shapes: each cell's footprint is learned anew from its own running sums, a few cells a frame.

a = (M - sum_j W_j a_j) / W is the image of the cell alone, with known noise. It is kept where it rises above
that noise, where it is connected to the brightest part, and never negative; so a footprint grows and shrinks.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from roi_core.jit import kernel

if TYPE_CHECKING:
    from typing import Any

__all__ = ["bin_box", "cleaned", "mark", "own_image"]


@kernel
def own_image(i: Any, boxes: Any, centres: Any, near: Any, images: Any, links: Any, power: Any, out: Any) -> None:
    """Fill ``out`` (S, S) with the image of cell i alone, its neighbours taken out."""
    side = boxes.shape[1]
    scale = np.float32(1) / power[i]
    for y in range(side):
        for x in range(side):
            out[y, x] = images[i, y, x] * scale
    for m in range(near.shape[1]):
        j = near[i, m]
        if j < 0:
            break
        weight = links[i, m] * scale
        dy, dx = centres[j, 0] - centres[i, 0], centres[j, 1] - centres[i, 1]
        for y in range(max(0, dy), min(side, side + dy)):
            for x in range(max(0, dx), min(side, side + dx)):
                out[y, x] -= weight * boxes[j, y - dy, x - dx]


@kernel
def level_rim(image: Any, inner: Any) -> None:
    """Take the median of the pixels beyond ``inner`` px from the middle off the image: glow, not cell."""
    side = image.shape[0]
    middle = side // 2
    rim = np.empty(side * side, np.float32)
    count = 0
    for y in range(side):
        for x in range(side):
            if (y - middle) ** 2 + (x - middle) ** 2 > inner * inner:
                rim[count] = image[y, x]
                count += 1
    image -= np.median(rim[:count])


@kernel
def cleaned(image: Any, noise: Any, level: Any, reach: Any, widest: Any, out: Any) -> Any:
    """Fill ``out`` with the connected, non-negative part of a smoothed image; return its number of pixels.

    A pixel belongs when it exceeds ``level`` of the maximum and twice the ``noise`` (per pixel, of the
    smoothed image), and touches (4 neighbours) the part round the maximum.
    """
    side = image.shape[0]
    smooth = np.zeros((side, side), np.float32)
    best, by, bx = np.float32(0), -1, -1
    middle = side // 2
    for y in range(side):
        for x in range(side):
            total, weight = np.float32(0), np.float32(0)
            for v in range(max(y - 1, 0), min(y + 2, side)):
                for u in range(max(x - 1, 0), min(x + 2, side)):
                    w = np.float32((2 - abs(v - y)) * (2 - abs(u - x)))
                    total += w * image[v, u]
                    weight += w
            smooth[y, x] = total / weight
            near = (y - middle) ** 2 + (x - middle) ** 2 <= reach * reach
            if near and smooth[y, x] > best:
                best, by, bx = smooth[y, x], y, x
    out[:] = 0
    if by < 0:
        return 0
    least = max(level * best, np.float32(2) * noise)
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
            if (v - middle) ** 2 + (u - middle) ** 2 > widest * widest:
                continue
            if 0 <= v < side and 0 <= u < side and out[v, u] == 0 and smooth[v, u] > least:
                out[v, u] = smooth[v, u]
                stack[waiting, 0], stack[waiting, 1] = v, u
                waiting += 1
                size += 1
    return size


@kernel
def bin_box(box: Any, y0: Any, x0: Any, factor: Any, out: Any) -> None:
    """Bin a footprint whose first pixel lies at (y0, x0), both counted from a corner of the binned grid."""
    out[:] = 0
    scale = np.float32(1 / (factor * factor))
    side = box.shape[0]
    for y in range(side):
        for x in range(side):
            if box[y, x] != 0:
                out[(y + y0) // factor, (x + x0) // factor] += box[y, x] * scale


@kernel
def mark(cover: Any, patch: Any, y0: Any, x0: Any, sign: Any) -> None:
    """Count (sign 1) or uncount (-1) a binned footprint, one pixel wider than it is, in the cover map."""
    rows, columns = cover.shape
    side = patch.shape[0]
    for y in range(-1, side + 1):
        for x in range(-1, side + 1):
            found = False
            for v in range(max(y - 1, 0), min(y + 2, side)):
                for u in range(max(x - 1, 0), min(x + 2, side)):
                    found |= patch[v, u] > 0
            if found and 0 <= y + y0 < rows and 0 <= x + x0 < columns:
                cover[y + y0, x + x0] += sign
