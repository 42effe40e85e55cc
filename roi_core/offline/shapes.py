"""Footprints of batch quality: block coordinate descent on sums over all frames.

With an instrument z (see `traces.instruments`) the picture of cell i is M_i = sum z_i y, and every trace c_j
brings W_ij = sum z_i c_j of itself into it. So a_i = (M_i - sum_j W_ij a_j) / W_ii, one cell after another
and several times round: hierarchical alternating least squares (Cichocki and Phan 2009) within boxes; the
cleaning of `roi_core.cnmf.footprints` is the projection on what a cell may look like.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from roi_core.cnmf import merge
from roi_core.cnmf.footprints import BINOMIAL, RIM, SMALLEST, WIDEST, cleaned, level_rim, own_image
from roi_core.frame import Status
from roi_core.offline.levels import tails
from roi_core.offline.seeds import inside

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from roi_core.cnmf.state import Cells, Table

__all__ = ["learn", "place_again", "united"]

ROUNDS = 5
"""Times that each footprint is computed from the sums."""


def learn(cells: Cells, variance: NDArray[np.float32], noise: NDArray[np.float32]) -> None:
    """Learn all footprints from the sums in the table, and judge how well each agrees with its image.

    ``variance`` (rows, columns) is that of a binned pixel, ``noise`` (N,) that of the traces. A footprint
    that is frozen is only judged.
    """
    n, t = cells.count, cells.t
    whole = t._replace(boxes=t.boxes.copy())
    known = [i for i in range(n) if t.power[i] > 0 and t.energy[i] > 0]
    for _ in range(ROUNDS):
        for i in known:
            _renew(cells, i, whole, variance)
    t.evidence[:n] = 0
    for i in known:
        t.evidence[i] = t.power[i] / (max(noise[i], 1e-9) * np.sqrt(t.energy[i]))
        if not t.frozen[i]:
            t.boxes[i] = whole.boxes[i]
            cells.settle(i)


def _renew(cells: Cells, i: int, whole: Table, variance: NDArray[np.float32]) -> None:
    """Compute one footprint of ``whole``, a table of footprints of any scale, from the others; judge it."""
    t, field = cells.t, cells.field
    smooth, out, image = np.zeros((3, field.side, field.side), np.float32)
    own_image(i, whole, image)
    level = level_rim(image, RIM * field.radius)
    pixel = _pixel(cells, i, variance)
    size = cleaned(image, BINOMIAL * pixel, field.radius, 1, smooth, out)  # all frames leave little noise
    place = int(t.centres[i, 0]), int(t.centres[i, 1])
    box = inside(_sharpened(image, smooth, out, pixel), place, field.shape, field.reach) if size else out
    believed = size >= SMALLEST and bool(box.any())
    if believed and not t.frozen[i]:
        whole.boxes[i] = box
    shape = t.boxes[i] if t.frozen[i] else out
    t.r[i] = _agreement(smooth, shape, WIDEST * field.radius) if believed else 0
    t.contrast[i] = out.max() / (out.max() + max(level, 1e-9)) if believed else 0
    t.size[i] = (shape > 0.2 * shape.max()).sum()


def place_again(cells: Cells) -> None:
    """Put the middle of each box where its footprint is."""
    t, shape = cells.t, cells.field.shape
    for i in range(cells.count):
        dy, dx = (round(float(v / max(t.moments[i, 0], 1e-9))) for v in t.moments[i, 1:])
        y, x = (int(v) for v in t.centres[i])
        if (dy or dx) and 0 <= y + dy < shape[0] and 0 <= x + dx < shape[1]:
            cells.move(i, dy, dx)


def united(
    cells: Cells, traces: NDArray[np.float32], guesses: NDArray[np.float32], rate: float, merge_r: float
) -> dict[int, Status]:
    """Join components that are one cell, drop shadows; return what became of the ids that are gone.

    ``traces`` (rows, N) tell calcium from glow, by the ``guesses`` (rows, N) they are compared.
    """
    fates: dict[int, Status] = {}
    columns = list(range(cells.count))
    cells.t.born[:] = 0
    _compare(cells, guesses, columns)
    for i in range(cells.count):
        cells.t.tail[i] = tails(np.ascontiguousarray(traces[None, :, i]), rate)[0]
    late = 2**50
    while (pair := merge.likest(cells.count, cells.t, late, rate, cells.field.radius, merge_r)) is not None:
        t = cells.t
        if pair.join:
            t.boxes[pair.keep] = merge.joined(t, pair.keep, pair.drop)[0]
            cells.settle(pair.keep)
            _add(cells, pair.keep, pair.drop)
        fates[int(t.ids[pair.drop])] = Status.MERGED if pair.join else Status.REMOVED
        order = cells.remove(pair.drop)
        columns = [columns[k] for k in order]
        if pair.join:
            keep = int(np.flatnonzero(order == pair.keep)[0])
            cells.t.born[keep] = late  # compared again when its trace is measured
    return fates


def _compare(cells: Cells, traces: NDArray[np.float32], columns: list[int]) -> None:
    """Fill the moments of all traces and of neighbours' products."""
    t, n = cells.t, cells.count
    step = max(1, 2**22 // max(len(traces), 1))
    moments = np.zeros((n, n))
    for first in range(0, n, step):
        some = np.asarray(traces[:, columns[first : first + step]], np.float64)
        for second in range(0, n, step):
            others = np.asarray(traces[:, columns[second : second + step]], np.float64)
            moments[first : first + some.shape[1], second : second + others.shape[1]] = some.T @ others
    moments /= max(len(traces), 1)
    for first in range(n):
        t.first[first] = float(np.mean(traces[:, columns[first]], dtype=np.float64))
        t.second[first] = moments[first, first]
        t.peak[first] = traces[:, columns[first]].max(initial=0)
        for m in range(t.near.shape[1]):
            if t.near[first, m] < 0:
                break
            t.sync[first, m] = moments[first, t.near[first, m]]


def _add(cells: Cells, i: int, j: int) -> None:
    t = cells.t
    t.first[i] += t.first[j]
    t.second[i] += t.second[j]
    t.power[i] += t.power[j]


def _pixel(cells: Cells, i: int, variance: NDArray[np.float32]) -> np.float32:
    """Return the noise of one pixel of the image of cell i."""
    t, factor = cells.t, cells.field.factor
    y, x = (min(max(int(t.centres[i, k]) // factor, 0), variance.shape[k] - 1) for k in (0, 1))
    return np.float32(np.sqrt(variance[y, x]) * factor * np.sqrt(t.energy[i]) / t.power[i])


def _sharpened(
    image: NDArray[np.float32], smooth: NDArray[np.float32], out: NDArray[np.float32], pixel: np.float32
) -> NDArray[np.float32]:
    """Return the cleaned footprint with as much of its detail as stands out of the noise."""
    inside = out > 0
    detail = image - smooth
    # a binomial 3 x 3 leaves .61 of the variance of white noise in the detail
    power = float((detail[inside] ** 2).mean())
    gain = np.float32(max(0.0, 1 - 0.61 * float(pixel) ** 2 / max(power, 1e-30)))
    return np.where(inside, np.maximum(smooth + gain * detail, 0), 0)


def _agreement(image: NDArray[np.float32], out: NDArray[np.float32], widest: float) -> float:
    side = len(image)
    y, x = np.mgrid[:side, :side] - side // 2
    inside = y * y + x * x <= widest * widest
    a, b = image[inside] - image[inside].mean(), out[inside] - out[inside].mean()
    spread = float(np.sqrt((a @ a) * (b @ b)))
    return float(a @ b) / spread if spread > 0 else 0.0
