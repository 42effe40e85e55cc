"""Slow twins of the kernels: each is a definition written down, with no thought for speed."""

import math
from fractions import Fraction
from itertools import pairwise

import numpy as np
import scipy.linalg
import scipy.ndimage
import scipy.optimize

# --- gray


def to_uint16_gray(image):
    """MATLAB's rule in numpy float64: one scale for the image, one rounding for the pixel."""
    image = np.asarray(image)
    if image.ndim == 3:
        image = image[:, :, 0] if image.shape[2] == 1 else image[:, :, :3]
    values = image.astype(np.float64)
    if image.ndim == 3:
        with np.errstate(invalid="ignore"):
            gray = (
                0.2989360213 * values[:, :, 2]
                + 0.5870430745 * values[:, :, 1]
                + 0.1140209043 * values[:, :, 0]
            )
    else:
        gray = values
    with np.errstate(over="ignore", invalid="ignore"):
        return rounded(gray * gray_scale(image.dtype, values))


def gray_scale(dtype, values):
    if dtype == np.bool_:
        return 65535
    if dtype == np.uint8:
        return 257
    if dtype == np.uint16:
        return 1
    known = values[~np.isnan(values)]
    if known.size == 0 or known.max() <= 1:
        return 65535
    return 257 if known.max() <= 255 else 1


def rounded(values):
    """Half away from zero into uint16; NaN and negatives give 0."""
    values = np.clip(np.where(np.isnan(values), 0, values), 0, 65535)
    whole = np.trunc(values)
    return (whole + (values - whole >= 0.5)).astype(np.uint16)


# --- regions, twice: in exact numbers a pixel at a time, and in float64 a frame at a time


def excess(roi, x, y):
    """Negative inside the region, 0 on its boundary, positive outside; exact but for a turned ellipse."""
    x, y = Fraction(x), Fraction(y)
    if roi.kind == "circle":
        return (x - Fraction(roi.xc)) ** 2 + (y - Fraction(roi.yc)) ** 2 - Fraction(roi.r) ** 2
    if roi.kind == "ellipse":
        return _ellipse_excess(roi, x - Fraction(roi.xc), y - Fraction(roi.yc))
    if roi.kind == "rectangle":
        sides = (roi.x0 - x, x - Fraction(roi.x1), roi.y0 - y, y - Fraction(roi.y1))
        return max(Fraction(side) for side in sides)
    points = [(Fraction(a), Fraction(b)) for a, b in roi.points]
    return _polygon_excess(points, x, y)


def _ellipse_excess(roi, dx, dy):
    exact = {0: (1, 0), 90: (0, 1)}.get(roi.angle % 180)
    cos, sin = exact or (math.cos(math.radians(roi.angle)), math.sin(math.radians(roi.angle)))
    u, v = (dx * cos + dy * sin) / Fraction(roi.rx), (dy * cos - dx * sin) / Fraction(roi.ry)
    return u * u + v * v - 1


def _polygon_excess(points, x, y):
    odd = False
    for (x0, y0), (x1, y1) in zip(points, points[1:] + points[:1], strict=True):
        turn = (x1 - x0) * (y - y0) - (x - x0) * (y1 - y0)
        if turn == 0 and min(x0, x1) <= x <= max(x0, x1) and min(y0, y1) <= y <= max(y0, y1):
            return 0
        if (y0 <= y < y1) or (y1 <= y < y0):
            odd ^= x0 + (y - y0) * (x1 - x0) / (y1 - y0) > x
    return -1 if odd else 1


def mask(roi, shape):
    """(H, W) bool: every pixel of the frame tried in float64, the boundary included to its rounding."""
    y, x = np.indices(shape).astype(np.float64)
    if roi.kind == "circle":
        return (x - roi.xc) ** 2 + (y - roi.yc) ** 2 <= roi.r**2
    if roi.kind == "ellipse":
        cos, sin = math.cos(math.radians(roi.angle)), math.sin(math.radians(roi.angle))
        u, v = (x - roi.xc) * cos + (y - roi.yc) * sin, (y - roi.yc) * cos - (x - roi.xc) * sin
        return (u / roi.rx) ** 2 + (v / roi.ry) ** 2 <= 1
    if roi.kind == "rectangle":
        return (roi.x0 <= x) & (x <= roi.x1) & (roi.y0 <= y) & (y <= roi.y1)
    odd, boundary = np.zeros(shape, bool), np.zeros(shape, bool)
    for (x0, y0), (x1, y1) in zip(roi.points, roi.points[1:] + roi.points[:1], strict=True):
        turn = (x1 - x0) * (y - y0) - (x - x0) * (y1 - y0)
        in_box = (min(x0, x1) <= x) & (x <= max(x0, x1)) & (min(y0, y1) <= y) & (y <= max(y0, y1))
        boundary |= (turn == 0) & in_box
        odd ^= ((y0 <= y) & (y < y1) & (turn > 0)) | ((y1 <= y) & (y < y0) & (turn < 0))
    return odd | boundary


def means(masks, image):
    """(K,) float64 means of an image over boolean masks; NaN where a mask is empty."""
    return np.array([image[mask].mean(dtype=np.float64) if mask.any() else np.nan for mask in masks])


# --- regions that follow the tissue, and summary maps


def moved_means(masks, image, offset):
    """(K,) float64 means where boolean masks drawn on the template lie in an image shifted by `offset`."""
    height, width = image.shape
    out = []
    for mask in masks:
        values = []
        for y, x in zip(*np.nonzero(mask), strict=True):
            there = (y + round(-offset[0]), x + round(-offset[1]))
            if 0 <= there[0] < height and 0 <= there[1] < width:
                values.append(float(image[there]))
        out.append(np.mean(values) if values else np.nan)
    return np.array(out)


def maps(pictures, edges):
    """Summary maps by numpy over all frames; frame n shows part n % parts of the rows, cut at `edges`."""
    parts = len(edges) - 1
    out = {}
    for part in range(parts):
        seen = np.array(pictures[part::parts], np.float64)[:, edges[part] : edges[part + 1]]
        if len(seen) == 0:
            seen = np.full((1, edges[part + 1] - edges[part], pictures.shape[2]), np.nan)
        mean, std = seen.mean(axis=0), seen.std(axis=0)
        z = (seen - mean) / std
        _, height, width = seen.shape
        near = np.full((height, width), np.nan)
        for y in range(height):
            for x in range(width):
                around = [(y - 1, x), (y + 1, x), (y, x - 1), (y, x + 1)]
                rs = [
                    (z[:, y, x] * z[:, v, u]).mean() for v, u in around if 0 <= v < height and 0 <= u < width
                ]
                near[y, x] = np.mean(rs) if rs else np.nan
        found = {"mean": mean, "max": seen.max(axis=0), "std": std, "correlation": near}
        for name, picture in (found | {"activity": (z**3).mean(axis=0)}).items():
            out.setdefault(name, []).append(picture)
    return {name: np.concatenate(each) for name, each in out.items()}


# --- filters: binning, wide means


def binned(image, factor):
    """Means of factor x factor pixels; what does not fill a bin is left out."""
    h, w = image.shape[0] // factor, image.shape[1] // factor
    image = np.asarray(image, np.float64)[: h * factor, : w * factor]
    return image.reshape(h, factor, w, factor).mean(axis=(1, 3))


def box_sum(image, reach):
    """Sums over (2 reach + 1)^2 px, edges repeated."""
    padded = np.pad(np.asarray(image, np.float64), reach, mode="edge")
    side = 2 * reach + 1
    return np.lib.stride_tricks.sliding_window_view(padded, (side, side)).sum(axis=(2, 3))


def high_passed(image, reach):
    return np.asarray(image, np.float64) - box_sum(image, reach) / (2 * reach + 1) ** 2


def stretched(glow, factor, shape):
    """A binned picture at full size: linear between the centres of its pixels, constant beyond them."""
    out = np.empty(shape)
    ys, xs = [
        np.clip((np.arange(n) + 0.5) / factor - 0.5, 0, m - 1) for n, m in zip(shape, glow.shape, strict=True)
    ]
    rows = np.array([np.interp(xs, np.arange(glow.shape[1]), row) for row in np.asarray(glow, np.float64)])
    for x in range(shape[1]):
        out[:, x] = np.interp(ys, np.arange(glow.shape[0]), rows[:, x])
    return out


# --- mending


def strange(mean, limit):
    """Places beyond all neighbours but one by more than the limit and thrice what those differ."""
    found = []
    for y, x in np.ndindex(*mean.shape):
        around = [
            mean[j, i]
            for j in range(max(0, y - 1), min(mean.shape[0], y + 2))
            for i in range(max(0, x - 1), min(mean.shape[1], x + 2))
            if (j, i) != (y, x)
        ]
        low, high = sorted(around)[1], sorted(around)[-2]
        beyond = max(mean[y, x] - high, low - mean[y, x])
        if beyond > limit and beyond > 3 * (high - low):
            found.append((y, x))
    return found


# --- motion


def keys(distance):
    """Keys' cubic convolution kernel, a = -1/2."""
    d = abs(distance)
    if d < 1:
        return 1.5 * d**3 - 2.5 * d**2 + 1
    return -0.5 * d**3 + 2.5 * d**2 - 4 * d + 2 if d < 2 else 0.0


def at(image, py, px):
    """The image at one place by cubic convolution, edges repeated; NaN where that is outside."""
    h, w = image.shape
    if not (0 <= py <= h - 1 and 0 <= px <= w - 1):
        return np.nan
    return sum(
        keys(py - j) * keys(px - i) * float(image[min(max(j, 0), h - 1), min(max(i, 0), w - 1)])
        for j in range(math.floor(py) - 1, math.floor(py) + 3)
        for i in range(math.floor(px) - 1, math.floor(px) + 3)
    )


def displaced(image, u):
    """(h, w) float64: the image at x + u."""
    return np.array(
        [[at(image, y + u[0], x + u[1]) for x in range(image.shape[1])] for y in range(len(image))]
    )


def slopes(image):
    """(2, h, w): Scharr's slopes along y and x, 0 at the edges."""
    image = np.asarray(image, np.float64)
    out, cross = np.zeros((2, *image.shape)), np.array([3, 10, 3]) / 16
    for y in range(1, image.shape[0] - 1):
        for x in range(1, image.shape[1] - 1):
            around = image[y - 1 : y + 2, x - 1 : x + 2]
            out[:, y, x] = cross @ (around[2] - around[0]) / 2, cross @ (around[:, 2] - around[:, 0]) / 2
    return out


# --- deconvolution


def transient(decay, rise, rate, ages):
    """What a spike of 1 leaves in calcium at each age, by the closed form."""
    d, r = np.exp(-1 / (rate * decay)), np.exp(-1 / (rate * rise)) if rise else 0.0
    k = np.arange(1, ages + 1)
    return (d**k - r**k) / (d - r)


def fewest_spikes(trace, kernel, penalty):
    """The s >= 0 of least |y - K s|^2 / 2 + penalty . s, by scipy's NNLS on the Cholesky factor of K'K."""
    n = len(trace)
    matrix = scipy.linalg.toeplitz(kernel[:n], np.zeros(n))
    factor = np.linalg.cholesky(matrix.T @ matrix)
    aim = scipy.linalg.solve_triangular(factor, matrix.T @ trace - penalty, lower=True)
    return scipy.optimize.nnls(factor.T, aim)[0]


def greedy_spikes(trace, kernel, width, penalty, moves, tolerance):
    """Frame by frame the spikes of the last `width` frames, each time from the data, best move first."""
    n = len(trace)
    matrix = scipy.linalg.toeplitz(kernel[:n], np.zeros(n))
    spikes, rows = np.zeros(n), []
    for t in range(n):
        seen = matrix[: t + 1]
        norms = np.maximum((seen**2).sum(0), 1e-30)
        window = range(max(0, t - width + 1), t + 1)
        for _ in range(moves):
            slope = seen.T @ (trace[: t + 1] - seen @ spikes) - penalty * np.sqrt(norms)
            step = np.maximum(slope / norms, -spikes)
            gain = step * (slope - 0.5 * step * norms)
            best = max(window, key=lambda i, gain=gain: gain[i])
            if gain[best] <= tolerance:
                break
            spikes[best] += step[best]
        rows.append(spikes.copy())
    return np.array(rows), matrix


# --- cells: pictures and demixing


def clipped(image, seen):
    """The image with what lies outside (y0, y1, x0, x1) replaced by the nearest pixel inside."""
    y0, y1, x0, x1 = seen
    y, x = (
        np.arange(size).clip(low, high - 1)
        for size, low, high in zip(image.shape, (y0, x0), (y1, x1), strict=True)
    )
    return image[np.ix_(y, x)]


def between_nodes(nodes, middles, places):
    """A coarse grid at places (y, x): linear between the middles of its parts, and on beyond them."""
    out = np.asarray(nodes, np.float64)
    for axis in (0, 1):
        parts, place = np.asarray(middles[axis], np.float64), np.asarray(places[axis])
        low = np.array([max(0, min(len(parts) - 2, int((parts <= p).sum()) - 1)) for p in place])
        t = ((place - parts[low]) / (parts[low + 1] - parts[low])).clip(-0.5, 1.5)
        t = t.reshape((-1, 1) if axis == 0 else (1, -1))
        out = np.take(out, low, axis) * (1 - t) + np.take(out, low + 1, axis) * t
    return out


def part_means(image, edges):
    rows, columns = (list(pairwise(e)) for e in edges)
    return np.array([[np.mean(image[a:b, c:d], dtype=np.float64) for c, d in columns] for a, b in rows])


def bounded_least_squares(footprints, image, floor):
    """The c >= floor of least |image - sum_k c_k A_k|^2; footprints (K, H, W)."""
    matrix = footprints.reshape(len(footprints), -1).T
    if np.all(floor == 0):
        return scipy.optimize.nnls(matrix, image.ravel())[0]
    return scipy.optimize.lsq_linear(matrix, image.ravel(), (floor, np.inf), tol=1e-12).x


# --- cells: shapes


def binomial(image):
    """Smoothed by 1 2 1 in both directions; at the edges by what there is of it."""
    out = np.zeros(np.shape(image))
    for y, x in np.ndindex(*out.shape):
        near = [
            ((2 - abs(v - y)) * (2 - abs(u - x)), image[v, u])
            for v in range(max(y - 1, 0), min(y + 2, out.shape[0]))
            for u in range(max(x - 1, 0), min(x + 2, out.shape[1]))
        ]
        out[y, x] = sum(w * value for w, value in near) / sum(w for w, _ in near)
    return out


def kept(image, noise, radius, level, widest, most=1):
    """The connected part of a smoothed image round its greatest value within a radius of the middle.

    Smoothed until noise is no higher bar than the level, at most so many times; and that image.
    """
    y, x = np.mgrid[: len(image), : len(image)] - len(image) // 2
    from_middle = y**2 + x**2
    smooth = image
    for times in range(1, most + 1):
        smooth = binomial(smooth)
        inner = np.where(from_middle <= radius**2, smooth, -np.inf)
        best = np.unravel_index(inner.argmax(), inner.shape)
        bars = level * smooth[best], 2 * noise / np.sqrt(times)
        if not smooth[best] > 0:
            return np.zeros_like(smooth), smooth
        if bars[0] >= bars[1]:
            break
    mask = (smooth > max(bars)) & (from_middle <= (widest * radius) ** 2)
    mask[best] = True
    labels, _ = scipy.ndimage.label(mask)
    return np.where(labels == labels[best], smooth, 0), smooth


def covered(patches, corners, margin, shape):
    """How many cells lie on each binned pixel, each one pixel wider than it is."""
    out = np.zeros(shape, int)
    for patch, corner in zip(patches, corners, strict=True):
        wide = np.zeros(np.array(shape) + 2 * margin + 2 * len(patch))
        wide[corner[0] : corner[0] + len(patch), corner[1] : corner[1] + len(patch)] = patch
        mark = scipy.ndimage.binary_dilation(wide > 0, np.ones((3, 3)))
        out += mark[margin : margin + shape[0], margin : margin + shape[1]]
    return out


# --- the second pass


def feet(trace, good, length, half):
    """Noise of a trace, and the foot of its block means `half` blocks to both sides of each block."""
    seconds = [
        (trace[t + 1] - 2 * trace[t] + trace[t - 1]) ** 2 / 6
        for t in range(1, len(trace) - 1)
        if good[t - 1 : t + 2].all()
    ]
    noise = math.sqrt(np.minimum(seconds, 4 * np.median(seconds) / 0.4549).mean() / 0.9205)
    blocks = [slice(k, k + length) for k in range(0, len(trace), length)]
    means = [
        trace[some][good[some]].mean() if 2 * good[some].sum() >= len(trace[some]) else np.nan
        for some in blocks
    ]
    base = []
    for k in range(len(blocks)):
        near = np.sort([m for m in means[max(0, k - half) : k + half + 1] if np.isfinite(m)])
        foot = near[len(near) // 10]
        for _ in range(4):
            low = near[near <= foot + 1.5 * noise / math.sqrt(length)]
            foot = (low.mean() if len(low) else 0.0) + 0.139 * noise / math.sqrt(length)
        base.append(foot)
    return noise, np.array(base)


def guess(trace, good, base, noise, fade):
    """The mean of the frames around each frame, weighed by fade to the power of their distance."""
    line = np.where(good, trace - base[: len(trace)], 0)
    out = np.zeros(len(trace))
    unit = (1 - fade) / (2 * fade)
    spread = unit * math.sqrt(2 * sum(fade ** (2 * k) for k in range(1, 2000)))
    for t in range(len(trace)):
        value = unit * sum(fade ** abs(s - t) * line[s] for s in range(len(trace)) if s != t)
        out[t] = value if value > 2 * spread * noise else 0
    return out


def smoothed(trace, ease):
    """An exponential mean that begins at zero."""
    out, level = np.zeros(len(trace)), 0.0
    for t, value in enumerate(trace):
        level += ease * (value - level)
        out[t] = level
    return out


def block_means(picture, cover, yedges, xedges, covered, least):
    """Means in which covered pixels weigh less, those of too little weight replaced by the neighbours'."""
    shape = len(yedges) - 1, len(xedges) - 1
    means, free = np.zeros(shape), np.zeros(shape)
    for j, k in np.ndindex(shape):
        some = np.s_[yedges[j] : yedges[j + 1], xedges[k] : xedges[k + 1]]
        weight = np.where(cover[some] == 0, 1, covered)
        free[j, k] = weight.sum()
        means[j, k] = (weight * picture[some]).sum() / max(free[j, k], 1)
    out = means.copy()
    for j, k in np.ndindex(shape):
        near = np.s_[max(j - 1, 0) : j + 2, max(k - 1, 0) : k + 2]
        weights = np.where(free[near] >= least, free[near], 0)
        if free[j, k] < least:
            out[j, k] = (weights * means[near]).sum() / weights.sum() if weights.any() else 0
    return out


def bilinear(nodes, ylow, yfrac, xlow, xfrac):
    """A picture between nodes, pixel by pixel."""
    out = np.zeros((len(ylow), len(xlow)))
    for y, x in np.ndindex(out.shape):
        j, k, t, s = ylow[y], xlow[x], yfrac[y], xfrac[x]
        upper = nodes[j, k] * (1 - s) + nodes[j, k + 1] * s
        lower = nodes[j + 1, k] * (1 - s) + nodes[j + 1, k + 1] * s
        out[y, x] = upper * (1 - t) + lower * t
    return out


def nearest_seen(picture, seen):
    """A picture whose unseen pixels have the value of the nearest seen one."""
    y0, y1, x0, x1 = seen
    rows = np.arange(len(picture)).clip(y0, y1 - 1)
    columns = np.arange(picture.shape[1]).clip(x0, x1 - 1)
    return picture[np.ix_(rows, columns)]


# -- changes of traces, bridged blocks (roi_core.cnmf.statistics, roi_core.cnmf.background)


def changes(trace, head, length):
    """Mean of the last ``length`` values before ``head`` less that of as many before; None if too few."""
    if head < 2 * length:
        return None
    return np.mean(trace[head - length : head]) - np.mean(trace[head - 2 * length : head - length])


def bridged(blocks):
    """NaN replaced by the mean of all others, weighed by the inverse fourth power of their distance."""
    out = blocks.copy()
    known = np.argwhere(~np.isnan(blocks))
    for j, k in np.argwhere(np.isnan(blocks)):
        weights = 1.0 / ((known - (j, k)) ** 2).sum(1) ** 2.0
        out[j, k] = (weights * blocks[tuple(known.T)]).sum() / weights.sum() if len(known) else 0
    return out


def tone(image, pixels=65_536):
    """Mean, percent at the limit of 16 bits and largest value of a regular part of the pixels."""
    step = max(1, round((image.size / pixels) ** 0.5))
    part = image[::step, ::step].astype(float)
    return part.mean(), 100 * (part == 65_535).mean(), part.max()


def gradient(part, average, weight):
    """Move `average` towards the part of a picture; return its mean absolute gradient over its mean."""
    average += weight * (part - average)
    return np.abs(average[:, 2:].astype(float) - average[:, :-2]).mean() / average.astype(float).mean()


def probe(image, n, m):
    """The mean of the middles of n x m equal parts of a picture, and these."""
    rows = [int((j + 0.5) * image.shape[0] / n) for j in range(n)]
    columns = [int((k + 0.5) * image.shape[1] / m) for k in range(m)]
    part = image[np.ix_(rows, columns)]
    return part.mean(dtype=float), part


def control_chart(values, sigmas, grain, learn=20):
    """Limits of a k-sigma rule at each look, one look and one number at a time."""
    limits, centre, spread = [], 0.0, 0.0
    for k, x in enumerate(values):
        if k == 0:
            centre, spread = x, 0.02 * max(abs(x), 1)
        known = k >= learn
        limits.append((centre - sigmas * spread, centre + sigmas * spread) if known else (np.nan, np.nan))
        off = min(max(x - centre, -sigmas * spread), sigmas * spread)
        weight = 1 / 60 if known else 0.2
        if not (x < limits[-1][0] or x > limits[-1][1]):
            centre += weight * off
        spread = max(spread + weight * (1.2533 * abs(off) - spread), 0.002 * abs(centre), grain)
    return np.array(limits)
