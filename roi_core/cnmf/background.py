"""The glow between and under the cells: neuropil, out-of-focus light, a flickering lamp.

It is smooth in space, so it is measured where no cell lies, as means of blocks a few cell radii wide, and
interpolated under the cells. Block means are noisy, and that noise would enter every trace; so they pass a
Wiener filter learned from the blocks' own past: modes shared by the whole field first, then what is left
in each block. Signal and noise are told apart by time: noise of two successive frames is independent, so the
covariance at a lag of one frame is that of the glow alone. No rank has to be chosen.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from roi_core.jit import kernel, sums

if TYPE_CHECKING:
    from typing import Any

    from numpy.typing import NDArray

__all__ = ["Glow"]

MODES = 24
"""Most modes that are kept."""
PAST = 512
"""Frames of block means from which the filter is learned."""
MOST_BLOCKS = 400
"""So many blocks at most, whatever the size of the picture."""


class Glow:
    """Block means of the free pixels of a (rows, columns) picture, filtered and interpolated."""

    def __init__(self, shape: tuple[int, int], block: float) -> None:
        self.shape = shape
        side = max(block, np.sqrt(shape[0] * shape[1] / MOST_BLOCKS))
        self.grid = (max(2, round(shape[0] / side)), max(2, round(shape[1] / side)))
        self.edges = tuple(
            np.linspace(0, size, n + 1).round().astype(np.int64) for size, n in zip(shape, self.grid, strict=True)
        )
        self.cover = np.zeros(shape, np.int16)
        self.free = np.ones(self.grid, np.float32)
        blocks = self.grid[0] * self.grid[1]
        self.raw = np.zeros(self.grid, np.float32)
        self.nodes = np.zeros(self.grid, np.float32)
        self._past = np.zeros((PAST, blocks), np.float32)
        self._seen = 0
        self._learned = 0
        self._covariance = np.zeros((blocks, blocks))
        none = np.zeros((0, blocks), np.float32)
        self._filters = (none, none, np.zeros(0, np.float32), np.full(blocks, 0.7, np.float32))
        self.at_y, self.at_x = (_between(edges) for edges in self.edges)

    def step(self, binned: NDArray[np.float32]) -> None:
        """Measure the blocks of this frame and estimate the glow at the nodes."""
        _block_means(binned, self.cover, self.edges[0], self.edges[1], self.raw, self.free)
        _fill_covered(self.raw, self.free)
        self._past[self._seen % PAST] = self.raw.ravel()
        self._seen += 1
        _filter(self.raw.ravel(), *self._filters, self.nodes.reshape(-1))

    def under(self, y: NDArray[np.float32], x: NDArray[np.float32]) -> tuple[NDArray[Any], NDArray[Any]]:
        """Return the (N, 4) nodes and weights by which the glow at these places is interpolated."""
        (ylow, yfrac), (xlow, xfrac) = _place(self.edges[0], y), _place(self.edges[1], x)
        nodes = np.stack([ylow * self.grid[1] + xlow, ylow * self.grid[1] + xlow + 1], 1)
        nodes = np.concatenate([nodes, nodes + self.grid[1]], 1)
        weights = np.stack([(1 - yfrac) * (1 - xfrac), (1 - yfrac) * xfrac, yfrac * (1 - xfrac), yfrac * xfrac], 1)
        return nodes, weights.astype(np.float32)

    def learn(self) -> None:
        """Learn the filter from the block means since the last call; for the detector's thread."""
        new = min(self._seen - self._learned, PAST - 1)
        if new < 8:
            return
        order = np.arange(self._seen - new, self._seen) % PAST
        past = self._past[order].astype(np.float64)
        share = new / self._seen if self._seen < 3 * PAST else new / (3 * PAST)
        self._learned = self._seen
        lagged = past[1:].T @ past[:-1] / (new - 1)
        lagged = (lagged + lagged.T) / 2
        self._covariance += share * (lagged - self._covariance)
        noise = np.maximum((np.diff(past, axis=0) ** 2).mean(0) / 2, 1e-12)
        whiten = 1 / np.sqrt(noise)
        values, vectors = np.linalg.eigh(self._covariance * whiten * whiten[:, None])
        least = 2 * np.sqrt(len(noise) / min(self._seen, 3 * PAST))
        best = np.flatnonzero(values > least)[::-1][:MODES]
        # in whitened blocks the filter is V diag(l / (l + 1)) V^T
        modes = vectors[:, best].T
        left = past * whiten
        left = left - (left @ modes.T) @ modes
        signal = np.maximum((left[1:] * left[:-1]).mean(0), 0)
        local = (signal / np.maximum((left**2).mean(0), 1e-12)).clip(0, 1)
        gains = values[best] / (values[best] + 1)
        filters = (modes * whiten, modes / whiten, gains, local)
        self._filters = tuple(np.ascontiguousarray(part, np.float32) for part in filters)


def _between(edges: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Return for every pixel the node before it and how far it is to the next, as `_place`."""
    return _place(edges, np.arange(edges[-1], dtype=np.float32))


def _place(edges: NDArray[np.int64], at: NDArray[np.float32]) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Return the node before each position and the fraction to the next; beyond the ends it extrapolates."""
    middles = (edges[1:] + edges[:-1] - 1) / 2
    low = np.searchsorted(middles, at).clip(1, len(middles) - 1) - 1
    return low, ((at - middles[low]) / np.diff(middles)[low]).astype(np.float32)


@sums
def _block_means(binned: Any, cover: Any, yedges: Any, xedges: Any, out: Any, free: Any) -> None:
    """Fill ``out`` with the mean of each block's uncovered pixels and ``free`` with their number."""
    for j in range(out.shape[0]):
        out[j] = 0
        free[j] = 0
        for y in range(yedges[j], yedges[j + 1]):
            for k in range(out.shape[1]):
                d, c = binned[y, xedges[k] : xedges[k + 1]], cover[y, xedges[k] : xedges[k + 1]]
                total, number = np.float32(0), np.float32(0)
                for x in range(d.size):
                    open_ = np.float32(c[x] == 0)
                    total += open_ * d[x]
                    number += open_
                out[j, k] += total
                free[j, k] += number
        for k in range(out.shape[1]):
            out[j, k] /= max(free[j, k], np.float32(1))


@kernel
def _fill_covered(raw: Any, free: Any) -> None:
    """Give blocks that cells cover nearly whole the mean of their neighbours."""
    rows, columns = raw.shape
    for y in range(rows):
        for x in range(columns):
            if free[y, x] >= 8:
                continue
            total, number = np.float32(0), np.float32(0)
            for v in range(max(y - 1, 0), min(y + 2, rows)):
                for u in range(max(x - 1, 0), min(x + 2, columns)):
                    if free[v, u] >= 8:
                        total += raw[v, u] * free[v, u]
                        number += free[v, u]
            raw[y, x] = total / number if number > 0 else np.float32(0)


@sums
def _filter(raw: Any, into: Any, back: Any, gains: Any, local: Any, out: Any) -> None:
    """Wiener filter: shrink the shared modes by their gains and what they leave by each block's own."""
    out[:] = 0
    left = raw.copy()
    for m in range(gains.size):
        a, b = into[m], back[m]
        total = np.float32(0)
        for i in range(raw.size):
            total += a[i] * raw[i]
        for i in range(raw.size):
            left[i] -= total * b[i]
            out[i] += gains[m] * total * b[i]
    for i in range(raw.size):
        out[i] += local[i] * left[i]
