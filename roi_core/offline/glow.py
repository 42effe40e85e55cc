"""The glow of a whole recording: what block means between the cells say of it, frame by frame.

As `roi_core.cnmf.background`, but learned once from all frames: modes shared by the field are those
directions of the noise-whitened covariance at a lag of one frame that stand above chance; what they leave of
a block is believed as far as it agrees with itself one frame later. The picture of each mode lives on a grid
of nodes and is learned by regressing the residual of all frames on the modes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import cv2
import numpy as np

from roi_core.cnmf.background import Grid
from roi_core.jit import kernel, sums

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from roi_core.cnmf.state import Field

__all__ = ["Blocks", "Modes", "bent", "courses", "learned", "node_shares"]

MODES = 32
"""Most modes that are kept."""
MOST_BLOCKS = 400
"""So many blocks at most, whatever the size of the picture."""
LEAST_FREE = 8
"""Free pixels that a block needs for a mean of its own, or as much weight; else its neighbours' are taken."""


class Modes(NamedTuple):
    """``into`` (m, blocks) makes courses of m modes of block means, ``back`` (m, blocks) the reverse.

    ``gains`` (m,) and ``local`` (blocks,) are Wiener gains of the modes and of what they leave; ``level``
    (blocks,) the block means of the mean picture; ``maps`` (m, nodes) the modes on the grid of nodes.
    """

    into: NDArray[np.float32]
    back: NDArray[np.float32]
    gains: NDArray[np.float32]
    local: NDArray[np.float32]
    level: NDArray[np.float32]
    maps: NDArray[np.float32]


class Blocks:
    """The division of a field into blocks, which are measured, and ``grid``, whose nodes are estimated.

    A pixel that a cell covers weighs ``covered`` against 1 of a free one, as online. A one-photon picture is
    flattened: round each cell lies a dark halo of the same sum as the cell. Free pixels alone would take the
    halos of all cells for glow, and give it to their neighbours.
    """

    def __init__(self, field: Field, covered: float) -> None:
        self._covered = np.float32(covered)
        shape, radius = field.binned, field.radius / field.factor
        self._blocks = Grid(shape, max(3 * radius, float(np.sqrt(shape[0] * shape[1] / MOST_BLOCKS))))
        self.grid = Grid(shape, max(1.5 * radius, 2.0))
        self._out, self._free = (np.zeros(self._blocks.shape, np.float32) for _ in range(2))
        self.count = self._out.size
        self.spread = self._spread()

    def measure(self, binned: NDArray[np.float32], cover: NDArray[np.int16]) -> NDArray[np.float32]:
        """Return the weighted mean (blocks,) of the pixels of each block; valid until the next call."""
        blocks = self._blocks
        block_means(binned, cover, blocks.y, blocks.x, self._covered, self._out, self._free)
        out: NDArray[np.float32] = self._out.reshape(-1)
        return out

    def _spread(self) -> NDArray[np.float32]:
        """Return (blocks, nodes): how block means are interpolated to the nodes."""
        rows, columns = self._blocks.shape
        (y, t), (x, s) = (self._blocks.at(k, self.grid.middles[k]) for k in (0, 1))
        down, across = np.zeros((rows, len(y))), np.zeros((columns, len(x)))
        for low, part, out in ((y, t, down), (x, s, across)):
            out[low, np.arange(len(low))] = 1 - part
            out[low + 1, np.arange(len(low))] = part
        whole: NDArray[np.float32] = np.einsum("ay,bx->abyx", down, across).astype(np.float32)
        return whole.reshape(self.count, -1)


def learned(
    means: NDArray[np.float32],
    good: NDArray[np.bool_],
    spread: NDArray[np.float32],
    before: Modes | None = None,
) -> Modes:
    """Learn the modes from block means (rows, blocks) of all good rows; carry over what maps had learned."""
    blocks = means.shape[1]
    level = _mean(means, good)
    lagged, noise, number = np.zeros((blocks, blocks)), np.zeros(blocks), 0
    for part in _runs(means, good, level):
        lagged += part[1:].T @ part[:-1]
        noise += (np.diff(part, axis=0) ** 2).sum(0) / 2
        number += len(part) - 1
    number = max(number, 1)
    noise = np.maximum(noise / number, 1e-12)
    whiten = 1 / np.sqrt(noise)
    values, vectors = np.linalg.eigh((lagged + lagged.T) / (2 * number) * whiten * whiten[:, None])
    best = np.flatnonzero(values > 2 * np.sqrt(blocks / number))[::-1][:MODES]
    modes = vectors[:, best].T
    local = _local(means, good, level, whiten, modes)
    gains, back = values[best] / (values[best] + 1), modes / whiten
    maps = back @ spread
    if before is not None:
        maps += (before.into @ back.T).T @ (before.maps - before.back @ spread)
    parts = (modes * whiten, back, gains, local, level, maps)
    return Modes(*(np.ascontiguousarray(part, np.float32) for part in parts))


def courses(modes: Modes, means: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return the courses (n, m) of the modes, and what is believed of the rest of each block (n, blocks)."""
    raw = means - modes.level
    course = raw @ modes.into.T
    left = (raw - course @ modes.back) * modes.local
    return (course * modes.gains).astype(np.float32), left.astype(np.float32)


def bent(
    maps: NDArray[np.float32],
    moment: NDArray[np.float64],
    product: NDArray[np.float64],
    shape: tuple[int, int],
) -> NDArray[np.float32]:
    """Return maps (m, nodes) after a regression of the residual on the courses.

    ``moment`` (m, m) is the sum of course times course, ``product`` (m, nodes) of course times residual.
    """
    size = len(maps)
    if size == 0:
        return maps
    ridge = np.eye(size) * (1e-3 * np.trace(moment) / size + 1e-9)
    change = np.linalg.solve(moment + ridge, product).reshape(size, *shape)
    smooth = np.stack([cv2.GaussianBlur(part, (0, 0), 1.0) for part in change])
    return (maps + smooth.reshape(size, -1)).astype(np.float32)


def node_shares(
    field: Field, grid: Grid, boxes: NDArray[np.float32], centres: NDArray[np.int64]
) -> NDArray[np.float32]:
    """Return (N, nodes): the product of each box with the part of the picture that each node stands for."""
    places = [(np.arange(size) + 0.5) / field.factor - 0.5 for size in field.shape]
    (ylow, yfrac), (xlow, xfrac) = (grid.at(k, places[k]) for k in (0, 1))
    out = np.zeros((len(boxes), *grid.shape), np.float32)
    share_out(boxes, centres, ylow, yfrac, xlow, xfrac, out)
    return out.reshape(len(boxes), grid.shape[0] * grid.shape[1])


def _mean(means: NDArray[np.float32], good: NDArray[np.bool_]) -> NDArray[np.float64]:
    total = np.zeros(means.shape[1])
    for first in range(0, len(means), ROWS):
        total += means[first : first + ROWS][good[first : first + ROWS]].sum(0, dtype=np.float64)
    mean: NDArray[np.float64] = total / max(int(good.sum()), 1)
    return mean


ROWS = 4096
"""Rows of block means in memory at once."""


def _runs(
    means: NDArray[np.float32], good: NDArray[np.bool_], level: NDArray[np.float64]
) -> Iterator[NDArray[np.float64]]:
    """Yield the deviations of the good rows, some at a time, the last of each again as the next's first."""
    for first in range(0, len(means) - 1, ROWS - 1):
        part = means[first : first + ROWS][good[first : first + ROWS]] - level
        if len(part) > 1:
            yield part


def _local(
    means: NDArray[np.float32], good: NDArray[np.bool_], level: Any, whiten: Any, modes: Any
) -> NDArray[np.float64]:
    signal, power = np.zeros(means.shape[1]), np.full(means.shape[1], 1e-12)
    for part in _runs(means, good, level):
        left = part * whiten
        left -= (left @ modes.T) @ modes
        signal += (left[1:] * left[:-1]).sum(0)
        power += (left[1:] ** 2).sum(0)
    gain: NDArray[np.float64] = (np.maximum(signal, 0) / power).clip(0, 1)
    return gain


@sums
def block_means(binned: Any, cover: Any, yedges: Any, xedges: Any, covered: Any, out: Any, free: Any) -> None:
    """Fill ``out`` with the mean of each block, in which pixels that cells cover weigh ``covered``.

    ``free`` gets the weight of each; one of too little takes its neighbours' mean.
    """
    rows, columns = out.shape
    for j in range(rows):
        for k in range(columns):
            total, number = np.float32(0), np.float32(0)
            for y in range(yedges[j], yedges[j + 1]):
                d, c = binned[y, xedges[k] : xedges[k + 1]], cover[y, xedges[k] : xedges[k + 1]]
                for x in range(d.size):
                    weight = np.float32(1) if c[x] == 0 else covered
                    total += weight * d[x]
                    number += weight
            out[j, k], free[j, k] = total / max(number, np.float32(1)), number
    for j in range(rows):
        for k in range(columns):
            if free[j, k] >= LEAST_FREE:
                continue
            total, number = np.float32(0), np.float32(0)
            for v in range(max(j - 1, 0), min(j + 2, rows)):
                for u in range(max(k - 1, 0), min(k + 2, columns)):
                    if free[v, u] >= LEAST_FREE:
                        total += out[v, u] * free[v, u]
                        number += free[v, u]
            out[j, k] = total / number if number > 0 else np.float32(0)


@kernel
def share_out(boxes: Any, centres: Any, ylow: Any, yfrac: Any, xlow: Any, xfrac: Any, out: Any) -> None:
    """Add every pixel of each box to the four nodes round it, by bilinear interpolation."""
    side = boxes.shape[1]
    for i in range(boxes.shape[0]):
        for y in range(side):
            v = centres[i, 0] - side // 2 + y
            if v < 0 or v >= ylow.size:
                continue
            for x in range(side):
                u = centres[i, 1] - side // 2 + x
                a = boxes[i, y, x]
                if a == 0 or u < 0 or u >= xlow.size:
                    continue
                t, s, j, k = yfrac[v], xfrac[u], ylow[v], xlow[u]
                out[i, j, k] += a * (1 - t) * (1 - s)
                out[i, j, k + 1] += a * (1 - t) * s
                out[i, j + 1, k] += a * t * (1 - s)
                out[i, j + 1, k + 1] += a * t * s
