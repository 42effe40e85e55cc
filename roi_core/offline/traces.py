"""Traces of every cell over all frames, from products of footprints and frames that were measured before.

Each pixel counts by the inverse of its noise variance. The glow is taken out here, not in the pictures: its
product with each footprint is known, so a frame costs a product of small matrices. All this runs through
the rows a few thousand at a time, or through a few cells at a time.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from roi_core.cnmf.state import renew_gram
from roi_core.cnmf.statistics import SMOOTH
from roi_core.cnmf.traces import FLOOR, demix
from roi_core.jit import kernel, sums
from roi_core.offline.glow import courses, node_shares

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from roi_core.cnmf.state import Cells, Table
    from roi_core.offline.glow import Blocks, Modes

__all__ = [
    "Levels",
    "Weighted",
    "demixed",
    "instruments",
    "levels",
    "mean_of",
    "noise_of",
    "project",
    "tails",
    "weighed",
]

ROWS = 1024
"""Rows in memory at once."""
COLUMNS = 32
"""Cells in memory at once, over all rows."""
STEADY = 0.2, 20.0
"""A pixel's noise variance is taken as within these multiples of the usual one."""
REACH = 0.4
"""Seconds to each side from which the calcium of a frame is guessed without that frame."""
QUIET = 2.0
"""A guess below this many of its standard deviations is silence."""
SLICES = 20
"""Blocks of the baseline in the time in which it follows drift."""


class Weighted(NamedTuple):
    """Footprints of N cells divided by noise variance and scaled so that each has a unit product with itself.

    ``table`` holds them as boxes, with the products of neighbours in ``gram``; a trace in these units is
    ``scale`` (N,) times the trace. ``shares`` (N, nodes) are their products with the nodes of the glow.
    """

    table: Table
    scale: NDArray[np.float32]
    shares: NDArray[np.float32]


class Levels(NamedTuple):
    """What a trace rises from: ``base`` (blocks of ``length`` rows, N), and ``noise`` (N,) of a frame."""

    base: NDArray[np.float32]
    noise: NDArray[np.float32]
    length: int


def weighed(cells: Cells, variance: NDArray[np.float32] | None, blocks: Blocks) -> Weighted:
    """Return the footprints as they meet frames; ``variance`` (rows, columns) is that of binned pixels."""
    n, t, field = cells.count, cells.t, cells.field
    weights = np.ones(field.binned, np.float32) if variance is None else _weights(variance)
    half, scale = np.empty_like(t.boxes), np.ones(n, np.float32)
    boxes = np.zeros_like(t.boxes)
    for i in range(n):
        w = _under(weights, t.centres[i], field.reach, field.factor)
        scale[i] = np.sqrt(float((w.astype(np.float64) * t.boxes[i] ** 2).sum()))
        half[i] = np.sqrt(w) * t.boxes[i] / scale[i]
        boxes[i] = w * t.boxes[i] / scale[i]
    table = t._replace(boxes=half, gram=t.gram.copy())
    for i in range(n):
        renew_gram(i, table)
    shares = node_shares(field, blocks.grid, boxes[:n], t.centres[:n])
    return Weighted(table._replace(boxes=boxes), scale, shares)


def demixed(
    products: NDArray[np.float32],
    means: NDArray[np.float32],
    good: NDArray[np.bool_],
    modes: Modes,
    blocks: Blocks,
    w: Weighted,
    settings: tuple[float, float],
    out: NDArray[np.float32],
) -> Levels:
    """Fill ``out`` (rows, N) with traces as deviations from their means; return their levels.

    ``products`` (rows, N) are of weighted footprints and frames, ``means`` (rows, blocks) of the glow;
    ``settings`` the rate, Hz, and the baseline's time, s. Solved twice: the first time freely, the second
    with fluorescence that is not negative.
    """
    free = np.full((1, len(w.scale)), -np.inf, np.float32)
    _solve(products, means, good, modes, blocks, w, Levels(free, free[0], len(out)), out)
    found = levels(out, good, *settings)
    least = (found.base - np.float32(FLOOR) * found.noise) * w.scale
    _solve(products, means, good, modes, blocks, w, found._replace(base=least), out)
    return levels(out, good, *settings)


def levels(traces: NDArray[np.float32], good: NDArray[np.bool_], rate: float, seconds: float) -> Levels:
    """Return baseline and noise of traces (rows, N); the baseline looks ``seconds`` to both sides."""
    length = max(1, round(seconds * rate / SLICES))
    base = np.zeros((-(-len(traces) // length), traces.shape[1]), np.float32)
    noise = np.zeros(traces.shape[1], np.float32)
    for some, part in _cells(traces):
        feet(part, good, length, SLICES, noise[some], base[:, some])
    return Levels(base, noise, length)


def instruments(
    traces: NDArray[np.float32], good: NDArray[np.bool_], found: Levels, rate: float, out: NDArray[np.float32]
) -> None:
    """Fill ``out`` (rows, N) with the calcium of each frame as the frames around it tell, zero in silence.

    Noise of a frame is not in it, so what correlates with it is the cell (see `roi_core.cnmf.statistics`).
    """
    fade = np.float32(np.exp(-1 / (REACH * rate)))
    for some, part in _cells(traces):
        guess(part, good, found.base[:, some], found.length, found.noise[some], fade)
        out[:, some] = part.T


def noise_of(traces: NDArray[np.float32], good: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Return the noise (N,) of a frame of traces (rows, N)."""
    noise = np.zeros(traces.shape[1], np.float32)
    for some, part in _cells(traces):
        noise[some] = [_noise(trace, good) for trace in part]
    return noise


def tails(traces: NDArray[np.float32], rate: float) -> NDArray[np.float32]:
    """Return the first three moments (N, 3) of smoothed traces (N, rows), NaN where there is no value."""
    out = np.zeros((len(traces), 3), np.float32)
    moments(traces, np.float32(min(1.0, 1 / (rate * SMOOTH))), out)
    return out


def _cells(traces: NDArray[np.float32]) -> Iterator[tuple[slice, NDArray[np.float32]]]:
    for first in range(0, traces.shape[1], COLUMNS):
        some = slice(first, min(first + COLUMNS, traces.shape[1]))
        yield some, np.ascontiguousarray(traces[:, some].T)


def _solve(
    products: NDArray[np.float32],
    means: NDArray[np.float32],
    good: NDArray[np.bool_],
    modes: Modes,
    blocks: Blocks,
    w: Weighted,
    least: Levels,
    out: NDArray[np.float32],
) -> None:
    by_mode, by_block = modes.maps @ w.shares.T, blocks.spread @ w.shares.T
    level = mean_of(products, good)
    table = w.table
    for first in range(0, len(products), ROWS):
        rows = slice(first, first + ROWS)
        course, left = courses(modes, means[rows])
        part = products[rows] - level - course @ by_mode - left @ by_block
        traces = np.empty_like(part)
        solve_rows(part, table.near, table.gram, least.base, first, least.length, traces)
        out[rows] = traces / w.scale
    out -= mean_of(out, good)


def mean_of(rows: NDArray[np.float32], good: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Return the mean (N,) of the good ones of (rows, N)."""
    total = np.zeros(rows.shape[1])
    for first in range(0, len(rows), ROWS):
        some = slice(first, first + ROWS)
        total += rows[some][good[some]].sum(0, dtype=np.float64)
    return (total / max(int(good.sum()), 1)).astype(np.float32)


def _weights(variance: NDArray[np.float32]) -> NDArray[np.float32]:
    usual = float(np.median(variance)) or 1.0
    return (1 / (variance / usual).clip(*STEADY)).astype(np.float32)


def _under(picture: NDArray[np.float32], centre: Any, reach: int, factor: int) -> NDArray[np.float32]:
    """Return a binned picture as a box (S, S) of pixels round a centre; the edge goes on beyond it."""
    rows, columns = (
        ((np.arange(-reach, reach + 1) + int(centre[k])) // factor).clip(0, picture.shape[k] - 1)
        for k in (0, 1)
    )
    box: NDArray[np.float32] = picture[np.ix_(rows, columns)]
    return box


@sums
def project(count: Any, t: Any, padded: Any, out: Any) -> None:
    """Fill ``out`` (N,) with the products of boxes and a picture with a margin of their reach."""
    side = t.boxes.shape[1]
    for i in range(count):
        y0, x0 = t.centres[i, 0], t.centres[i, 1]
        total = np.float32(0)
        for y in range(side):
            a, d = t.boxes[i, y], padded[y0 + y, x0 : x0 + side]
            for x in range(side):
                total += a[x] * d[x]
        out[i] = total


@kernel
def solve_rows(products: Any, near: Any, gram: Any, floors: Any, first: Any, length: Any, out: Any) -> None:
    """Demix rows of products (n, N) one after another, each from the solution of the one before."""
    n = products.shape[1]
    for t in range(products.shape[0]):
        out[t] = products[t] if t == 0 else out[t - 1]
        tolerance = np.float32(1e-3) * np.sqrt(np.mean(products[t] ** 2))
        demix(n, products[t], near, gram, floors[(first + t) // length], out[t], tolerance)


@kernel
def feet(traces: Any, good: Any, length: Any, half: Any, noise: Any, base: Any) -> None:
    """Fill ``noise`` (N,) and ``base`` (blocks, N) for traces (N, rows).

    Noise: the winsorised mean square of second differences. Baseline of a block: the foot of the block means
    ``half`` blocks to both sides, that is the mean of those not above it by more than their noise.
    """
    blocks = base.shape[0]
    for i in range(traces.shape[0]):
        noise[i] = _noise(traces[i], good)
        means, known = _means(traces[i], good, length, blocks)
        for k in range(blocks):
            low, high = max(0, k - half), min(blocks, k + half + 1)
            some = means[low:high][known[low:high]]
            base[k, i] = _foot(np.sort(some), noise[i] / np.sqrt(np.float32(length)))


@kernel
def _noise(trace: Any, good: Any) -> Any:
    squares = np.empty(max(trace.size - 2, 0), np.float32)
    count = 0
    for t in range(1, trace.size - 1):
        if good[t - 1] and good[t] and good[t + 1]:
            squares[count] = (trace[t + 1] - 2 * trace[t] + trace[t - 1]) ** 2 / 6
            count += 1
    if count == 0:
        return np.float32(0)
    # the median of z^2 is .4549 for normal z; the mean of min(z^2, 4) is .9205
    variance = np.median(squares[:count]) / np.float32(0.4549)
    return np.float32(np.sqrt(np.mean(np.minimum(squares[:count], 4 * variance)) / 0.9205))


@kernel
def _means(trace: Any, good: Any, length: Any, blocks: Any) -> Any:
    means, known = np.zeros(blocks, np.float32), np.zeros(blocks, np.bool_)
    for k in range(blocks):
        total, count = 0.0, 0
        for t in range(k * length, min((k + 1) * length, trace.size)):
            if good[t]:
                total += trace[t]
                count += 1
        if 2 * count >= min(length, trace.size - k * length) and count > 0:
            means[k], known[k] = total / count, True
    return means, known


@kernel
def _foot(rising: Any, noise: Any) -> Any:
    if rising.size == 0:
        return np.float32(0)
    foot = rising[rising.size // 10]
    for _ in range(4):
        total, count = 0.0, 0
        while count < rising.size and rising[count] <= foot + 1.5 * noise:
            total += rising[count]
            count += 1
        # the mean of a normal cut above 1.5 sd lies .139 sd low
        foot = np.float32(total / max(count, 1) + 0.139 * noise)
    return foot


@kernel
def guess(traces: Any, good: Any, base: Any, length: Any, noise: Any, fade: Any) -> None:
    """Replace each value of traces (N, rows) by the mean of those around it, if that stands out.

    Weights fall by ``fade`` a frame to both sides; the value itself has none.
    """
    unit = (1 - fade) / (2 * fade)
    spread = np.float32(QUIET) * unit * np.sqrt(2 * fade * fade / (1 - fade * fade))
    line = np.empty(traces.shape[1], np.float32)
    for i in range(traces.shape[0]):
        trace = traces[i]
        for t in range(trace.size):
            line[t] = trace[t] - base[t // length, i] if good[t] else 0
        level = np.float32(0)
        for t in range(trace.size):
            trace[t] = level
            level = fade * (level + line[t])
        level = np.float32(0)
        for t in range(trace.size - 1, -1, -1):
            value = unit * (trace[t] + level)
            trace[t] = value if value > spread * noise[i] else 0
            level = fade * (level + line[t])


@kernel
def moments(traces: Any, ease: Any, out: Any) -> None:
    """Fill ``out`` (N, 3) with the means of three powers of traces (N, rows) smoothed by ``ease``."""
    for i in range(traces.shape[0]):
        smooth, count = 0.0, 0
        first = second = third = 0.0
        for t in range(traces.shape[1]):
            value = traces[i, t]
            if value == value:
                smooth += ease * (value - smooth)
                count += 1
                first, second, third = first + smooth, second + smooth**2, third + smooth**3
        for k, total in enumerate((first, second, third)):
            out[i, k] = total / max(count, 1)
