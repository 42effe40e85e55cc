"""What motion correction does to pixels: bin, high-pass, compare, learn, move. Kernels only.

A displacement ``(uy, ux)`` px says where the scene of the template lies in the picture: template pixel x
shows what picture pixel x + u shows. Interpolation is Keys' cubic convolution (Keys 1981, a = -1/2), exact
for zero displacement, separable: four rows are blended into one line, then four places of the line.
Sums run over columns first, in float32 lines the compiler can vectorise without reordering a sum, and are
finished in float64.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from roi_core.jit import kernel

__all__ = ["LINES", "PAD", "RUN", "binned", "compared", "high_passed", "matched", "moved", "sloped"]

PAD = 4
"""Room at both ends of a line, px."""
LINES = 8
"""Lines of scratch that a kernel needs, each of width + 2 * PAD."""

RUN = 16
"""Pixels of a run, the unit in which informative pixels are chosen."""

Picture = NDArray[np.float32]


@kernel
def taps(f: float) -> tuple[np.float32, np.float32, np.float32, np.float32]:
    """Return the four weights of Keys' cubic for a fraction f in 0..1."""
    return (
        np.float32(((-0.5 * f + 1.0) * f - 0.5) * f),
        np.float32((1.5 * f - 2.5) * f * f + 1.0),
        np.float32(((-1.5 * f + 2.0) * f + 0.5) * f),
        np.float32((0.5 * f - 0.5) * f * f),
    )


@kernel
def span(n: int, u: float) -> tuple[int, int]:
    """Return the first place and the one after the last whose counterpart x + u lies in 0..n-1."""
    return min(n, max(0, math.ceil(-u))), max(0, min(n, math.floor(n - 1 - u) + 1))


@kernel
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


@kernel
def placed(line: Picture, x: int, fx: float, target: Picture) -> None:
    """Fill `target` with the line from place x + fx on."""
    n = target.size
    k0, k1, k2, k3 = taps(fx)
    p0, p1 = line[PAD + x - 1 : PAD + x - 1 + n], line[PAD + x : PAD + x + n]
    p2, p3 = line[PAD + x + 1 : PAD + x + 1 + n], line[PAD + x + 2 : PAD + x + 2 + n]
    if fx == 0.0:
        for i in range(n):
            target[i] = p1[i]
    else:
        for i in range(n):
            target[i] = k0 * p0[i] + k1 * p1[i] + k2 * p2[i] + k3 * p3[i]


@kernel
def binned(image: Picture, factor: int, out: Picture) -> None:
    """Write into `out` (h // factor, w // factor) the means of factor x factor pixels."""
    h, w = out.shape
    scale = np.float32(1.0 / (factor * factor))
    for y in range(h):
        target = out[y]
        if factor == 2:
            r0, r1 = image[2 * y], image[2 * y + 1]
            for x in range(w):
                target[x] = scale * ((r0[2 * x] + r0[2 * x + 1]) + (r1[2 * x] + r1[2 * x + 1]))
        else:
            for x in range(w):
                total = np.float32(0)
                for i in range(factor):
                    for j in range(factor):
                        total += image[factor * y + i, factor * x + j]
                target[x] = scale * total


@kernel
def high_passed(image: Picture, reach: int, work: Picture, out: Picture) -> None:
    """Write into `out` the image minus its mean over (2 reach + 1)^2 px, the edges repeated.

    `work` is (h + 1, w): the rows' box sums, then one line of column sums.
    """
    h, w = image.shape
    scale = np.float32(1.0 / (2 * reach + 1) ** 2)
    for y in range(h):
        row, sums = image[y], work[y]
        total = np.float64(row[0]) * (reach + 1)
        for x in range(1, reach + 1):
            total += row[min(x, w - 1)]
        for x in range(w):
            sums[x] = total
            total += row[min(w - 1, x + reach + 1)] - np.float64(row[max(0, x - reach)])
    column = work[h]
    for x in range(w):
        column[x] = 0
    for y in range(-reach, reach + 1):
        sums = work[max(0, min(h - 1, y))]
        for x in range(w):
            column[x] += sums[x]
    for y in range(h):
        row, target = image[y], out[y]
        new, old = work[min(h - 1, y + reach + 1)], work[max(0, y - reach)]
        for x in range(w):
            target[x] = row[x] - scale * column[x]
            column[x] += new[x] - old[x]


@kernel
def compared(
    image: Picture,
    u: tuple[float, float],
    model: Picture,
    weights: Picture,
    gain: float,
    scratch: Picture,
    sums: NDArray[np.float64],
) -> None:
    """Compare the image displaced by u with gain * model, where both are known.

    With v the image there, r = v - gain * model and W (2, h, w) the weights, `sums` (6,) becomes: sum W_y r,
    sum W_x r, sum model r, sum v^2, sum model^2, number of pixels.
    """
    h, w = model.shape
    iy, ix = math.floor(u[0]), math.floor(u[1])
    fy, fx = u[0] - iy, u[1] - ix
    y0, y1 = span(h, u[0])
    x0, x1 = span(w, u[1])
    n = max(0, x1 - x0)
    part = np.float32(gain)
    line, r, sy, sx = scratch[0], scratch[1][:n], scratch[2][:n], scratch[3][:n]
    sm, sv, s2 = scratch[4][:n], scratch[5][:n], scratch[6][:n]
    scratch[2:7] = np.float32(0)
    for y in range(y0, y1 if n else y0):
        blended(image, y + iy, fy, line)
        placed(line, x0 + ix, fx, r)
        m, wy, wx = model[y, x0:x1], weights[0, y, x0:x1], weights[1, y, x0:x1]
        for x in range(n):
            sv[x] += r[x] * r[x]
            r[x] -= part * m[x]
        for x in range(n):
            sy[x] += wy[x] * r[x]
            sx[x] += wx[x] * r[x]
        for x in range(n):
            sm[x] += m[x] * r[x]
            s2[x] += m[x] * m[x]
    sums[:] = 0.0
    for x in range(n):
        sums[0] += sy[x]
        sums[1] += sx[x]
        sums[2] += sm[x]
        sums[3] += sv[x]
        sums[4] += s2[x]
    sums[5] = n * max(0, y1 - y0)


@kernel
def matched(
    image: Picture,
    u: tuple[float, float],
    runs: NDArray[np.int32],
    weights: Picture,
    facts: NDArray[np.float64],
    scratch: Picture,
    sums: NDArray[np.float64],
) -> None:
    """Weigh the image displaced by u on R runs of RUN pixels that begin at (y, x) = `runs` (R, 2).

    `weights` is (R, 2, RUN). `facts` (R, F) are known sums over the pixels of each run; `sums` (2 + F,)
    becomes sum W_y v, sum W_x v and the total of the facts over the runs that lie inside the image.
    """
    h, w = image.shape
    iy, ix = math.floor(u[0]), math.floor(u[1])
    k0, k1, k2, k3 = taps(u[0] - iy)
    f0, f1, f2, f3 = taps(u[1] - ix)
    line, sy, sx = scratch[0][: RUN + 3], scratch[1][:RUN], scratch[2][:RUN]
    sy[:] = np.float32(0)
    sx[:] = np.float32(0)
    sums[:] = 0.0
    for r in range(runs.shape[0]):
        y, x = runs[r, 0] + iy, runs[r, 1] + ix - 1
        if y < 1 or y + 2 >= h or x < 0 or x + RUN + 3 > w:
            continue
        r0, r1 = image[y - 1, x : x + RUN + 3], image[y, x : x + RUN + 3]
        r2, r3 = image[y + 1, x : x + RUN + 3], image[y + 2, x : x + RUN + 3]
        for i in range(RUN + 3):
            line[i] = k0 * r0[i] + k1 * r1[i] + k2 * r2[i] + k3 * r3[i]
        wy, wx = weights[r, 0], weights[r, 1]
        for i in range(RUN):
            v = f0 * line[i] + f1 * line[i + 1] + f2 * line[i + 2] + f3 * line[i + 3]
            sy[i] += wy[i] * v
            sx[i] += wx[i] * v
        for k in range(facts.shape[1]):
            sums[2 + k] += facts[r, k]
    for i in range(RUN):
        sums[0] += sy[i]
        sums[1] += sx[i]


@kernel
def moved(
    image: Picture,
    u: tuple[float, float],
    mean: Picture,
    light: tuple[float, float],
    lesson: tuple[float, int, int],
    scratch: Picture,
    out: Picture,
) -> None:
    """Write the image displaced by u into `out`; what lies outside is gain * mean + offset.

    In the same pass `mean` learns: of a lesson (rate, first, every) the rows first, first + every, ... move
    by the rate towards `out` where the image is known.
    """
    h, w = image.shape
    iy, ix = math.floor(u[0]), math.floor(u[1])
    y0, y1 = span(h, u[0])
    x0, x1 = span(w, u[1])
    gain, offset, rate = np.float32(light[0]), np.float32(light[1]), np.float32(lesson[0])
    line = scratch[0]
    for y in range(h):
        inside = y0 <= y < y1 and x0 < x1
        first, end = (x0, x1) if inside else (w, w)
        target, known = out[y], mean[y]
        for x in range(first):
            target[x] = gain * known[x] + offset
        for x in range(end, w):
            target[x] = gain * known[x] + offset
        if inside:
            blended(image, y + iy, u[0] - iy, line)
            placed(line, x0 + ix, u[1] - ix, target[x0:x1])
            if rate > 0 and y % lesson[2] == lesson[1]:
                for x in range(x0, x1):
                    known[x] += rate * (target[x] - known[x])


@kernel
def sloped(image: Picture, out: Picture) -> None:
    """Write into `out` (2, h, w) the slopes of an image along y and x (Scharr 2000); 0 at its edges."""
    h, w = image.shape
    out[:] = np.float32(0)
    side, middle = np.float32(3 / 32), np.float32(10 / 32)
    for y in range(1, h - 1):
        r0, r1, r2 = image[y - 1], image[y], image[y + 1]
        along_y, along_x = out[0, y], out[1, y]
        for x in range(1, w - 1):
            along_y[x] = side * (r2[x - 1] - r0[x - 1] + r2[x + 1] - r0[x + 1]) + middle * (r2[x] - r0[x])
        for x in range(1, w - 1):
            along_x[x] = side * (r0[x + 1] - r0[x - 1] + r2[x + 1] - r2[x - 1]) + middle * (
                r1[x + 1] - r1[x - 1]
            )


@kernel
def energies(slopes: Picture, left: int, out: Picture) -> None:
    """Write into `out` (h, columns) the sums of squared slopes (2, h, w) over runs that begin at `left`."""
    h, columns = out.shape
    for y in range(h):
        for c in range(columns):
            x = left + c * RUN
            a, b = slopes[0, y, x : x + RUN], slopes[1, y, x : x + RUN]
            total = np.float32(0)
            for i in range(RUN):
                total += a[i] * a[i] + b[i] * b[i]
            out[y, c] = total


@kernel
def gathered(
    mean: Picture, slopes: Picture, places: NDArray[np.int32], weights: Picture, facts: NDArray[np.float64]
) -> None:
    """Make weights and facts of the runs that begin at (y, x) = `places` (R, 2).

    The weights W are the slopes without what they share with a constant and with the mean picture, so that
    neither light nor contrast looks like motion. Facts (R, 8): the Hessian W_i slope_j as yy, yx, xy, xx,
    then the sums of W_y mean, W_x mean, W_y, W_x. Slopes are of the high-passed mean.
    """
    count, total, square = places.shape[0], 0.0, 0.0
    if count == 0:
        return
    for r in range(count):
        m = mean[places[r, 0], places[r, 1] : places[r, 1] + RUN]
        for i in range(RUN):
            total += m[i]
    centre = total / (count * RUN)
    share, ones = np.zeros(2), np.zeros(2)
    for r in range(count):
        y, x = places[r]
        for i in range(RUN):
            v = mean[y, x + i] - centre
            square += v * v
            for k in range(2):
                share[k] += slopes[k, y, x + i] * v
                ones[k] += slopes[k, y, x + i]
    share /= max(square, 1e-30)
    ones /= count * RUN
    for r in range(count):
        y, x = places[r]
        facts[r] = 0.0
        for i in range(RUN):
            v = mean[y, x + i] - centre
            for k in range(2):
                weight = slopes[k, y, x + i] - share[k] * v - ones[k]
                weights[r, k, i] = weight
                facts[r, 2 * k] += weight * slopes[0, y, x + i]
                facts[r, 2 * k + 1] += weight * slopes[1, y, x + i]
                facts[r, 4 + k] += weight * mean[y, x + i]
                facts[r, 6 + k] += weight
