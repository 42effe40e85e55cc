"""What motion correction does to pixels: interpolate, compare, match, move, learn. Kernels only.

A displacement ``(uy, ux)`` px says where the scene of the template lies in the picture: template pixel x
shows what picture pixel x + u shows. Interpolation is Keys' cubic convolution (Keys 1981, a = -1/2), exact
for zero displacement, separable.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from roi_core import jit

__all__ = [
    "BLOCK",
    "NOTHING",
    "PAD",
    "Lesson",
    "blinded",
    "compared",
    "energies",
    "gathered",
    "matched",
    "moved",
    "sloped",
]

PAD = 4
"""Room at both ends of a line, px."""
BLOCK = (4, 16)
"""Rows and columns of a block, the unit in which telling pixels are chosen."""
ROWS, COLUMNS = BLOCK

Picture = NDArray[np.float32]
Lesson = tuple[float, int, int, float]
"""What `moved` teaches: the rate, the first row, every so many rows, and how far a pixel counts at most."""
NOTHING: Lesson = (0.0, 0, 1, math.inf)


@jit.kernel
def taps(f: float) -> tuple[np.float32, np.float32, np.float32, np.float32]:
    """Return the four weights of Keys' cubic for a fraction f in 0..1."""
    return (
        np.float32(((-0.5 * f + 1.0) * f - 0.5) * f),
        np.float32((1.5 * f - 2.5) * f * f + 1.0),
        np.float32(((-1.5 * f + 2.0) * f + 0.5) * f),
        np.float32((0.5 * f - 0.5) * f * f),
    )


@jit.kernel
def span(n: int, u: float) -> tuple[int, int]:
    """Return the first place and the one after the last whose counterpart x + u lies in 0..n-1."""
    return min(n, max(0, math.ceil(-u))), max(0, min(n, math.floor(n - 1 - u) + 1))


@jit.lean_sums
def blended(image: Picture, y: int, fy: float, line: Picture) -> None:
    """Blend the rows around y + fy into `line` from PAD on, its edges repeated into both pads."""
    h, w = image.shape
    k0, k1, k2, k3 = taps(fy)
    # Slices first: the inner loop then vectorises (image[y, x] does not).
    r0, r1 = image[max(0, min(h - 1, y - 1))], image[max(0, min(h - 1, y))]
    r2, r3 = image[max(0, min(h - 1, y + 1))], image[max(0, min(h - 1, y + 2))]
    middle = line[PAD : PAD + w]
    if fy == 0.0:
        for x in range(w):
            middle[x] = r1[x]
    else:
        for x in range(w):
            middle[x] = k0 * r0[x] + k1 * r1[x] + k2 * r2[x] + k3 * r3[x]
    for x in range(PAD):
        line[x] = middle[0]
        line[PAD + w + x] = middle[w - 1]


@jit.lean_sums
def compared(
    image: Picture,
    u: tuple[float, float],
    model: Picture,
    weights: Picture,
    gain: float,
    line: Picture,
    sums: NDArray[np.float64],
) -> None:
    """Compare the image displaced by u with gain * model, where both are known.

    With v the image there, r = v - gain * model and W (2, h, w) the weights, `sums` (6,) becomes: sum W_y r,
    sum W_x r, sum model r, sum v^2, sum model^2, number of pixels.
    """
    h, w = model.shape
    iy, ix = math.floor(u[0]), math.floor(u[1])
    f0, f1, f2, f3 = taps(u[1] - ix)
    y0, y1 = span(h, u[0])
    x0, x1 = span(w, u[1])
    n = max(0, x1 - x0)
    part = np.float32(gain)
    sums[:] = 0.0
    if n == 0 or y1 <= y0:
        return
    first = PAD + x0 + ix
    p0, p1, p2 = line[first - 1 : first - 1 + n], line[first : first + n], line[first + 1 : first + 1 + n]
    p3 = line[first + 2 : first + 2 + n]
    for y in range(y0, y1):
        blended(image, y + iy, u[0] - iy, line)
        m, wy, wx = model[y, x0:x1], weights[0, y, x0:x1], weights[1, y, x0:x1]
        a = b = c = d = e = np.float32(0)
        for x in range(n):
            v = f0 * p0[x] + f1 * p1[x] + f2 * p2[x] + f3 * p3[x]
            r = v - part * m[x]
            a += wy[x] * r
            b += wx[x] * r
            c += m[x] * r
            d += v * v
            e += m[x] * m[x]
        sums[0] += a
        sums[1] += b
        sums[2] += c
        sums[3] += d
        sums[4] += e
    sums[5] = n * (y1 - y0)


@jit.lean_sums
def matched(
    image: Picture,
    u: tuple[float, float],
    places: NDArray[np.int64],
    weights: Picture,
    facts: NDArray[np.float64],
    pulls: NDArray[np.float64],
    sums: NDArray[np.float64],
) -> None:
    """Weigh the image (h, w) displaced by u on R blocks of pixels that begin at (y, x) = `places` (R, 2).

    `weights` is (2, R, 4, 16). `facts` (R, 4) are known sums over the pixels of each block; `sums` (7,)
    becomes sum W_y v, sum W_x v, the facts added up over the blocks that lie inside the image, and how many;
    `pulls` (R, 3) become the first two of each block and whether it lies inside.
    """
    h, w = image.shape
    pixels = image.reshape(-1)
    iy, ix = math.floor(u[0]), math.floor(u[1])
    k0, k1, k2, k3 = taps(u[0] - iy)
    f0, f1, f2, f3 = taps(u[1] - ix)
    sums[:] = 0.0
    for r in range(places.shape[0]):
        y, x = places[r, 0] + iy - 1, places[r, 1] + ix - 1
        if y < 0 or y + 7 > h or x < 0 or x + 19 > w:
            pulls[r] = 0.0
            continue
        # Seven rows in registers give four blended ones: nothing is stored, so nothing can overlap, and the
        # compiler needs no check per row (26 us for 80 000 px where single runs with a line took 119).
        block = pixels[y * w + x : (y + 6) * w + x + 19]
        r0, r1, r2, r3 = block[:19], block[w : w + 19], block[2 * w : 2 * w + 19], block[3 * w : 3 * w + 19]
        r4, r5, r6 = block[4 * w : 4 * w + 19], block[5 * w : 5 * w + 19], block[6 * w : 6 * w + 19]
        wy, wx = weights[0, r], weights[1, r]
        sy = sx = np.float32(0)
        for i in range(COLUMNS):
            h0 = f0 * r0[i] + f1 * r0[i + 1] + f2 * r0[i + 2] + f3 * r0[i + 3]
            h1 = f0 * r1[i] + f1 * r1[i + 1] + f2 * r1[i + 2] + f3 * r1[i + 3]
            h2 = f0 * r2[i] + f1 * r2[i + 1] + f2 * r2[i + 2] + f3 * r2[i + 3]
            h3 = f0 * r3[i] + f1 * r3[i + 1] + f2 * r3[i + 2] + f3 * r3[i + 3]
            h4 = f0 * r4[i] + f1 * r4[i + 1] + f2 * r4[i + 2] + f3 * r4[i + 3]
            h5 = f0 * r5[i] + f1 * r5[i + 1] + f2 * r5[i + 2] + f3 * r5[i + 3]
            h6 = f0 * r6[i] + f1 * r6[i + 1] + f2 * r6[i + 2] + f3 * r6[i + 3]
            v0 = k0 * h0 + k1 * h1 + k2 * h2 + k3 * h3
            v1 = k0 * h1 + k1 * h2 + k2 * h3 + k3 * h4
            v2 = k0 * h2 + k1 * h3 + k2 * h4 + k3 * h5
            v3 = k0 * h3 + k1 * h4 + k2 * h5 + k3 * h6
            sy += wy[0, i] * v0 + wy[1, i] * v1 + wy[2, i] * v2 + wy[3, i] * v3
            sx += wx[0, i] * v0 + wx[1, i] * v1 + wx[2, i] * v2 + wx[3, i] * v3
        pulls[r, 0], pulls[r, 1], pulls[r, 2] = sy, sx, 1.0
        sums[0] += sy
        sums[1] += sx
        for k in range(4):
            sums[2 + k] += facts[r, k]
        sums[6] += 1


@jit.lean_sums
def moved(
    image: Picture,
    u: tuple[float, float],
    mean: Picture,
    light: tuple[float, float],
    lesson: Lesson,
    line: Picture,
    flat: Picture,
    stride: int,
) -> None:
    """Write the image (h, w) displaced by u into `flat`, a row every `stride` px (a view would be slow).

    What lies outside is gain * mean + offset. In the same pass `mean` learns: of a lesson (rate, first,
    every, most) the rows first, first + every, ... move by the rate towards the result where the image is
    known, as if that were no farther than `most` away.
    """
    h, w = image.shape
    iy, ix = math.floor(u[0]), math.floor(u[1])
    f0, f1, f2, f3 = taps(u[1] - ix)
    y0, y1 = span(h, u[0])
    x0, x1 = span(w, u[1])
    if x1 <= x0 or y1 <= y0:
        y0, y1, x0, x1 = h, h, 0, 0
    n = x1 - x0
    gain, offset, rate = np.float32(light[0]), np.float32(light[1]), np.float32(lesson[0])
    most = np.float32(lesson[3])
    first = PAD + x0 + ix if n else PAD
    p0, p1, p2 = line[first - 1 : first - 1 + n], line[first : first + n], line[first + 1 : first + 1 + n]
    p3 = line[first + 2 : first + 2 + n]
    for y in range(h):
        target, known = flat[y * stride : y * stride + w], mean[y]
        if y < y0 or y >= y1:
            for x in range(w):
                target[x] = gain * known[x] + offset
            continue
        blended(image, y + iy, u[0] - iy, line)
        inside, old = target[x0:x1], known[x0:x1]
        if u[1] == ix:
            for x in range(n):
                inside[x] = p1[x]
        else:
            for x in range(n):
                inside[x] = f0 * p0[x] + f1 * p1[x] + f2 * p2[x] + f3 * p3[x]
        for x in range(x0):
            target[x] = gain * known[x] + offset
        for x in range(x1, w):
            target[x] = gain * known[x] + offset
        if rate > 0 and y % lesson[2] == lesson[1]:
            for x in range(n):
                old[x] += rate * min(max(inside[x] - old[x], -most), most)


@jit.lean_sums
def sloped(image: Picture, out: Picture) -> None:
    """Write into `out` (2, h, w) the slopes of an image along y and x (Scharr 2000); 0 at its edges."""
    h, w = image.shape
    side, middle = np.float32(3 / 32), np.float32(10 / 32)
    n = w - 2
    for k in range(2):
        out[k, 0] = out[k, h - 1] = np.float32(0)
        out[k, :, 0] = out[k, :, w - 1] = np.float32(0)
    for y in range(1, h - 1):
        a, b, c = image[y - 1], image[y], image[y + 1]
        a0, a1, a2 = a[:n], a[1 : n + 1], a[2 : n + 2]
        c0, c1, c2 = c[:n], c[1 : n + 1], c[2 : n + 2]
        b0, b2 = b[:n], b[2 : n + 2]
        along_y, along_x = out[0, y, 1 : n + 1], out[1, y, 1 : n + 1]
        for x in range(n):
            along_y[x] = side * ((c0[x] - a0[x]) + (c2[x] - a2[x])) + middle * (c1[x] - a1[x])
        for x in range(n):
            along_x[x] = side * ((a2[x] - a0[x]) + (c2[x] - c0[x])) + middle * (b2[x] - b0[x])


@jit.lean_sums
def energies(slopes: Picture, corner: tuple[int, int], line: Picture, out: Picture) -> None:
    """Write into `out` the sums of squared slopes (2, h, w) over the blocks of a grid that begins there."""
    rows, columns = out.shape
    n = columns * COLUMNS
    total = line[:n]
    for r in range(rows):
        for x in range(n):
            total[x] = 0
        for j in range(ROWS):
            y = corner[0] + r * ROWS + j
            a, b = slopes[0, y, corner[1] : corner[1] + n], slopes[1, y, corner[1] : corner[1] + n]
            for x in range(n):
                total[x] += a[x] * a[x] + b[x] * b[x]
        for c in range(columns):
            block, part = total[c * COLUMNS : (c + 1) * COLUMNS], np.float32(0)
            for i in range(COLUMNS):
                part += block[i]
            out[r, c] = part


@jit.lean_sums
def gathered(image: Picture, places: NDArray[np.int64], out: Picture) -> None:
    """Copy the blocks that begin at (y, x) = `places` (R, 2) into `out` (R, 4, 16)."""
    w = image.shape[1]
    pixels, target = image.reshape(-1), out.reshape(-1)
    for r in range(places.shape[0]):
        first = places[r, 0] * w + places[r, 1]
        for j in range(ROWS):
            row = pixels[first + j * w : first + j * w + COLUMNS]
            copy = target[(r * ROWS + j) * COLUMNS : (r * ROWS + j + 1) * COLUMNS]
            for i in range(COLUMNS):
                copy[i] = row[i]


@jit.lean_sums
def blinded(weights: Picture, model: Picture, facts: NDArray[np.float64]) -> None:
    """Take from the weights W (2, R, 4, 16) what they share with the model (R, 4, 16) and with a constant.

    What is left does not take light or contrast for motion. Facts (R, 4) become the sums over each block of
    W_y model, W_x model, W_y and W_x, for when some blocks lie outside the picture. The model's mean is 0.
    """
    count, size = model.shape[0], ROWS * COLUMNS
    flat = model.reshape(-1)
    for k in range(2):
        w = weights[k].reshape(-1)
        shared = square = ones = np.float32(0)
        for i in range(flat.size):
            shared += w[i] * flat[i]
            square += flat[i] * flat[i]
            ones += w[i]
        part = shared / max(square, np.float32(1e-30))
        constant = ones / np.float32(max(1, flat.size))
        for i in range(flat.size):
            w[i] -= part * flat[i] + constant
        for r in range(count):
            own, m = w[r * size : (r + 1) * size], flat[r * size : (r + 1) * size]
            a = b = np.float32(0)
            for i in range(size):
                a += own[i] * m[i]
                b += own[i]
            facts[r, k], facts[r, 2 + k] = a, b
