"""The glow between and under the cells: neuropil, out-of-focus light, a flickering lamp.

It is smooth in space. Its course in time is measured where no cell lies, as means of blocks a few cell radii
wide. Block means are noisy, and that noise would enter every trace; so they pass a Wiener filter learned
from the blocks' own past: modes shared by the whole field first, then what is left in each block. Signal and
noise are told apart by time: the noise of two successive frames is independent, so the covariance at a lag of
one frame is that of the glow alone. No rank has to be chosen.

How each mode looks between and under the blocks is first interpolated and then learned: the residual of all
pixels, cells taken out, is regressed on the modes' courses and smoothed to the scale of a cell.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import cv2
import numpy as np

from roi_core.jit import kernel, sums

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Glow", "Grid"]

MODES = 16
"""Most modes that are kept."""
PAST = 512
"""Frames of block means from which the filter is learned."""
MOST_BLOCKS = 400
"""So many blocks at most, whatever the size of the picture."""
START = 0.7
"""Share of a block's mean that is believed before anything is learned."""
LEAST_FREE = 8
"""Pixels that a block needs for a mean of its own; else it takes that of its neighbours."""


class Filter(NamedTuple):
    """What `Glow.learn` found out; swapped whole, so that a frame never sees half of it.

    ``into`` (m, blocks) turns block means into the courses of m modes, ``back`` (m, blocks) modes into block
    means; ``gains`` (m,) and ``local`` (blocks,) are Wiener gains of the modes and of what they leave;
    ``maps`` (m, nodes) is each mode on the grid of nodes.
    """

    into: NDArray[np.float32]
    back: NDArray[np.float32]
    gains: NDArray[np.float32]
    local: NDArray[np.float32]
    maps: NDArray[np.float32]


class Glow:
    """The glow on a (rows, columns) picture; `nodes` are its values on a `grid` of 1.5 cell radii.

    `step` is called for every frame. `watch` and `learn` belong to the detector's thread.
    """

    def __init__(self, shape: tuple[int, int], radius: float) -> None:
        self._blocks = Grid(shape, max(3 * radius, np.sqrt(shape[0] * shape[1] / MOST_BLOCKS)))
        self.grid = Grid(shape, max(1.5 * radius, 2.0))
        self.nodes = np.zeros(self.grid.shape, np.float32)
        self._between = (*self._blocks.at(0, self.grid.middles[0]), *self._blocks.at(1, self.grid.middles[1]))
        self._raw, self._left, self._free = (np.zeros(self._blocks.shape, np.float32) for _ in range(3))
        blocks, nodes = self._raw.size, self.nodes.size
        none = np.zeros((0, blocks), np.float32)
        start = np.full(blocks, START, np.float32)
        self._filter = Filter(none, none, np.zeros(0, np.float32), start, np.zeros((0, nodes), np.float32))
        self._past = np.zeros((PAST, blocks), np.float32)
        self._seen = self._learned = 0
        self._covariance = np.zeros((blocks, blocks))
        self._bent = np.zeros((0, nodes))
        self._moment, self._new_moment = np.zeros((0, 0)), np.zeros((0, 0))
        self._product = np.zeros((0, nodes))

    def step(self, binned: NDArray[np.float32], cover: NDArray[np.int16], learn: bool = True) -> None:
        """Measure the uncovered pixels of this frame and estimate the glow at the nodes."""
        _block_means(binned, cover, self._blocks.y, self._blocks.x, self._raw, self._free)
        raw = self._raw.reshape(-1)
        _filter(raw, *self._filter, self._left.reshape(-1), self.nodes.reshape(-1))
        _spread(self._left, *self._between, self.nodes)
        if learn:
            self._past[self._seen % PAST] = raw
            self._seen += 1

    @property
    def seen(self) -> int:
        """Frames from which it could learn."""
        return self._seen

    def watch(self, residual: NDArray[np.float32], first: int, last: int) -> None:
        """Regress the mean residual (rows, columns) of the frames seen from ``first`` to ``last`` on the modes."""
        courses = self._past[np.arange(first, last) % PAST].mean(0) @ self._filter.into.T
        courses = (courses * self._filter.gains).astype(np.float64)
        if len(courses):
            self._new_moment += np.outer(courses, courses)
            self._product += np.outer(courses, self.grid.means(residual))

    def learn(self, memory: float) -> None:
        """Learn from all since the last call; ``memory`` is in frames."""
        new = min(self._seen - self._learned, PAST - 1)
        if new < 8:
            return
        self._bend(np.exp(-new / memory))
        past = self._past[np.arange(self._seen - new, self._seen) % PAST].astype(np.float64)
        self._learned = self._seen
        weight = min(self._seen, 3 * PAST)
        lagged = past[1:].T @ past[:-1] / (new - 1)
        self._covariance += new / max(weight, new) * ((lagged + lagged.T) / 2 - self._covariance)
        noise = np.maximum((np.diff(past, axis=0) ** 2).mean(0) / 2, 1e-12)
        whiten = 1 / np.sqrt(noise)
        values, vectors = np.linalg.eigh(self._covariance * whiten * whiten[:, None])
        best = np.flatnonzero(values > 2 * np.sqrt(len(noise) / weight))[::-1][:MODES]
        modes = vectors[:, best].T
        left = past * whiten
        left = left - (left @ modes.T) @ modes
        signal = np.maximum((left[1:] * left[:-1]).mean(0), 0)
        local = (signal / np.maximum((left**2).mean(0), 1e-12)).clip(0, 1)
        self._turn(modes * whiten, modes / whiten, values[best] / (values[best] + 1), local)

    def _bend(self, keep: float) -> None:
        """Recursive least squares: put what `watch` gathered into the maps; the past counts ``keep`` times."""
        size = len(self._new_moment)
        if size == 0:
            return
        self._moment = keep * self._moment + self._new_moment
        ridge = np.eye(size) * (1e-3 * np.trace(self._moment) / size + 1e-9)
        change = np.linalg.solve(self._moment + ridge, self._product).reshape(size, *self.grid.shape)
        self._bent += np.stack([cv2.GaussianBlur(part, (0, 0), 1.0) for part in change]).reshape(size, -1)

    def _turn(self, into: Any, back: Any, gains: Any, local: Any) -> None:
        """Change to new modes and carry over what was learned of the old ones' maps."""
        size, nodes = len(gains), self.nodes.size
        turn = self._filter.into.astype(np.float64) @ back.T
        inverse = np.linalg.pinv(turn) if turn.size else np.zeros((size, len(turn)))
        self._bent = turn.T @ self._bent
        self._moment = inverse @ self._moment @ inverse.T
        self._new_moment, self._product = np.zeros((size, size)), np.zeros((size, nodes))
        maps = self._spread_modes(back) + self._bent
        self._filter = Filter(
            *(np.ascontiguousarray(p, np.float32) for p in (into, back, gains, local, maps))
        )

    def _spread_modes(self, back: NDArray[np.float64]) -> NDArray[np.float64]:
        out = np.zeros((len(back), *self.grid.shape), np.float32)
        for mode, part in zip(back, out, strict=True):
            _spread(mode.astype(np.float32).reshape(self._blocks.shape), *self._between, part)
        return out.reshape(len(back), self.nodes.size).astype(np.float64)


class Grid:
    """A regular division of a picture into parts of about ``side`` px: their edges, and nodes in their middles."""

    def __init__(self, shape: tuple[int, int], side: float) -> None:
        counts = [min(size, max(2, round(size / side))) for size in shape]
        self.y, self.x = (
            np.linspace(0, size, count + 1).round().astype(np.int64)
            for size, count in zip(shape, counts, strict=True)
        )
        self.shape = (counts[0], counts[1])
        self.middles = tuple((edges[1:] + edges[:-1] - 1) / 2 for edges in (self.y, self.x))
        self._sizes = np.outer(np.diff(self.y), np.diff(self.x))

    def at(self, axis: int, place: Any) -> tuple[Any, Any]:
        """Return the node before each place and the fraction to the next; it extrapolates at the ends."""
        middles = self.middles[axis]
        low = np.searchsorted(middles, place).clip(1, len(middles) - 1) - 1
        fraction = (place - middles[low]) / (middles[low + 1] - middles[low])
        return low, fraction.clip(-0.5, 1.5).astype(np.float32)

    def pixels(self) -> tuple[Any, Any, Any, Any]:
        """Return where every pixel row and column lies between the nodes."""
        return *self.at(0, np.arange(self.y[-1])), *self.at(1, np.arange(self.x[-1]))

    def means(self, picture: NDArray[np.float32]) -> NDArray[np.float64]:
        """Return the mean of a picture in each part, as a flat array."""
        totals = np.add.reduceat(np.add.reduceat(picture, self.y[:-1], 0), self.x[:-1], 1)
        return (totals / self._sizes).ravel()


@kernel
def _fill_covered(raw: Any, free: Any) -> None:
    """Give blocks that cells cover nearly whole the mean of their neighbours."""
    rows, columns = raw.shape
    for y in range(rows):
        for x in range(columns):
            if free[y, x] >= LEAST_FREE:
                continue
            total, number = np.float32(0), np.float32(0)
            for v in range(max(y - 1, 0), min(y + 2, rows)):
                for u in range(max(x - 1, 0), min(x + 2, columns)):
                    if free[v, u] >= LEAST_FREE:
                        total += raw[v, u] * free[v, u]
                        number += free[v, u]
            raw[y, x] = total / number if number > 0 else np.float32(0)


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
    _fill_covered(out, free)


@sums
def _filter(raw: Any, into: Any, back: Any, gains: Any, local: Any, maps: Any, left: Any, nodes: Any) -> None:
    """Wiener filter: the shared modes, shrunk, go to the nodes; what they leave of each block, shrunk, to ``left``."""
    left[:] = raw
    nodes[:] = 0
    for m in range(gains.size):
        a, b, shape = into[m], back[m], maps[m]
        course = np.float32(0)
        for i in range(raw.size):
            course += a[i] * raw[i]
        for i in range(raw.size):
            left[i] -= course * b[i]
        course *= gains[m]
        for i in range(nodes.size):
            nodes[i] += course * shape[i]
    for i in range(raw.size):
        left[i] *= local[i]


@kernel
def _spread(coarse: Any, ylow: Any, yfrac: Any, xlow: Any, xfrac: Any, out: Any) -> None:
    """Add a coarse grid, interpolated, to a finer one."""
    for y in range(out.shape[0]):
        low, high, t = coarse[ylow[y]], coarse[ylow[y] + 1], yfrac[y]
        for x in range(out.shape[1]):
            k, s = xlow[x], xfrac[x]
            a = low[k] + s * (low[k + 1] - low[k])
            b = high[k] + s * (high[k + 1] - high[k])
            out[y, x] += a + t * (b - a)
