"""The glow between and under the cells: neuropil, out-of-focus light, a flickering lamp.

It is smooth in space, so it is a sum of few modes, each with a smooth map and a course in time. The courses
are solved for together with the traces: means of small blocks of the picture, cells taken out, are fitted by
the maps of all modes, each believed as far as its past variance allows (a Wiener filter). Modes are learned
from the past of larger blocks; glow and noise are told apart by time, for the noise of two successive frames is
independent, so the covariance at a lag of one frame is that of the glow alone. No rank has to be chosen.
Maps are first interpolated and then learned: what is left in the residual is regressed on the courses.
What no mode explains is followed block by block where no cell lies.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import cv2
import numpy as np
from scipy.linalg import eigh

from roi_core.jit import kernel, sums

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from roi_core.cnmf.state import Table

__all__ = ["Glow", "Grid"]

MODES = 16
"""Most modes that are kept."""
PAST = 512
"""Frames of block means from which the filter is learned."""
MOST_BLOCKS = 400
"""So many blocks at most, whatever the size of the picture."""
START = 0.7
"""Share of a block's mean that is believed before anything is learned."""
PRIOR, BEND = 0.2, 1.0
"""How much a map is expected to differ from what is interpolated, and may at most, as a share of its rms."""
LEAST_FREE = 8
"""Pixels that a block needs for a mean of its own; else it takes that of its neighbours."""


class Filter(NamedTuple):
    """What `Glow.learn` found out; swapped whole, so that a frame never sees half of it.

    ``into`` (m, nodes) turns means of small blocks into the courses of m modes; ``maps`` (m, nodes) and
    ``coarse`` (m, blocks) are the modes on small and on large blocks; ``local`` (blocks,) is the share of
    what they leave that is believed.
    """

    into: NDArray[np.float32]
    maps: NDArray[np.float32]
    coarse: NDArray[np.float32]
    local: NDArray[np.float32]


class Glow:
    """The glow on a (rows, columns) picture; `nodes` are its values on a `grid` of 1.5 cell radii.

    `measure` and `solve` are called for every frame. `watch` and `learn` belong to the detector's thread.
    """

    def __init__(self, shape: tuple[int, int], radius: float) -> None:
        self._blocks = Grid(shape, max(3 * radius, np.sqrt(shape[0] * shape[1] / MOST_BLOCKS)))
        self.grid = self._blocks.halved() if min(shape) >= 4 * max(self._blocks.shape) else self._blocks
        self._split = self.grid.shape[0] // self._blocks.shape[0]
        self.nodes = np.zeros(self.grid.shape, np.float32)
        self._means = np.zeros(self.grid.shape, np.float32)
        self._between = (*self._blocks.at(0, self.grid.middles[0]), *self._blocks.at(1, self.grid.middles[1]))
        self._raw, self._left, self._free, self._open = (
            np.zeros(self._blocks.shape, np.float32) for _ in range(4)
        )
        blocks, nodes = self._raw.size, self.nodes.size
        start = np.full(blocks, START, np.float32)
        none = np.zeros((0, nodes), np.float32)
        self._filter = Filter(none, none, np.zeros((0, blocks), np.float32), start)
        self._into, self._back = np.zeros((2, 0, blocks))
        self._prior = np.zeros(0)
        self._past = np.zeros((PAST, blocks), np.float32)
        self._courses = np.zeros((PAST, MODES), np.float32)
        self.seen = self._learned = 0
        self._covariance = np.zeros((blocks, blocks))
        self._bent = np.zeros((0, nodes))
        self._moment, self._new_moment = np.zeros((0, 0)), np.zeros((0, 0))
        self._product = np.zeros((0, nodes))

    def measure(self, binned: NDArray[np.float32], cover: NDArray[np.int16]) -> None:
        """Take the means of all small blocks, and of the uncovered pixels of all large ones."""
        _means(binned, self.grid.y, self.grid.x, self._means)
        _free_means(binned, cover, self._blocks.y, self._blocks.x, self._open, self._free)

    def solve(self, count: int, t: Table, factor: int) -> None:
        """Estimate the glow at the nodes, given what the cells contribute (``t.trace``)."""
        now = self.seen % PAST
        _solve(
            self._means, self._open, self.grid.sizes, count, t, np.float32(factor), self._split,
            *self._filter, self._raw, self._left, self._courses[now], self.nodes,
        )  # fmt: skip
        _spread(self._left, *self._between, self.nodes)

    def remember(self) -> None:
        """Keep this frame to learn from."""
        self._past[self.seen % PAST] = self._raw.reshape(-1)
        self.seen += 1

    def watch(self, residual: NDArray[np.float32], first: int, last: int) -> None:
        """Regress the mean residual (rows, columns) of frames ``first`` to ``last`` on the modes."""
        courses = self._courses[np.arange(first, last) % PAST, : len(self._into)].mean(0).astype(np.float64)
        if len(courses):
            self._new_moment += np.outer(courses, courses)
            self._product += np.outer(courses, self.grid.means(residual))

    def learn(self, memory: float) -> None:
        """Learn from all since the last call; ``memory`` is in frames."""
        new = min(self.seen - self._learned, PAST - 1)
        if new < 8:
            return
        self._bend(np.exp(-new / memory))
        past = self._past[np.arange(self.seen - new, self.seen) % PAST].astype(np.float64)
        self._learned = self.seen
        weight = min(self.seen, 3 * PAST)
        lagged = past[1:].T @ past[:-1] / (new - 1)
        self._covariance += new / max(weight, new) * ((lagged + lagged.T) / 2 - self._covariance)
        noise = np.maximum((np.diff(past, axis=0) ** 2).mean(0) / 2, 1e-12)
        whiten = 1 / np.sqrt(noise)
        values, vectors = _leading(self._covariance * whiten * whiten[:, None])
        best = np.flatnonzero(values > 2 * np.sqrt(len(noise) / weight))
        modes = vectors[:, best].T
        left = past * whiten
        left = left - (left @ modes.T) @ modes
        signal = np.maximum((left[1:] * left[:-1]).mean(0), 0)
        local = (signal / np.maximum((left**2).mean(0), 1e-12)).clip(0, 1)
        self._turn(modes * whiten, modes / whiten, values[best], local, float(np.mean(noise)))

    def _bend(self, keep: float) -> None:
        """Recursive least squares: put into the maps what `watch` gathered; the past counts ``keep`` times.

        The prior is that a map bends by a small part of itself.
        """
        size = len(self._new_moment)
        if size == 0:
            return
        self._moment = keep * self._moment + self._new_moment
        target = self._product - (1 - keep) * self._prior[:, None] * self._bent
        change = np.linalg.solve(self._moment + np.diag(self._prior), target).reshape(size, *self.grid.shape)
        self._bent += np.stack([cv2.GaussianBlur(part, (0, 0), 1.0) for part in change]).reshape(size, -1)

    def _turn(self, into: Any, back: Any, power: Any, local: Any, noise: float) -> None:
        """Change to new modes and carry over what was learned of the old ones' maps.

        ``into`` and ``back`` (m, blocks) take block means to courses and courses to block means, ``power`` (m,)
        is the variance of the courses, ``noise`` that of a block's mean.
        """
        size, nodes = len(power), self.nodes.size
        noise *= self._split**2
        forth = into @ self._back.T
        self._bent = (self._into @ back.T).T @ self._bent
        self._moment = forth @ self._moment @ forth.T
        self._new_moment, self._product = np.zeros((size, size)), np.zeros((size, nodes))
        self._into, self._back = into, back
        plain = self._spread_modes(back)
        strength = np.sqrt((plain**2).mean(1, keepdims=True))
        self._bent = self._bent.clip(-BEND * strength, BEND * strength)
        self._prior = noise / (PRIOR * strength[:, 0]) ** 2
        maps = plain + self._bent
        fit = maps @ maps.T + noise * np.diag(1 / power)
        solver = np.linalg.solve(fit, maps) if size else maps
        parts = solver, maps, self._gathered(maps), local
        self._filter = Filter(*(np.ascontiguousarray(part, np.float32) for part in parts))

    def _spread_modes(self, back: NDArray[np.float64]) -> NDArray[np.float64]:
        out = np.zeros((len(back), *self.grid.shape), np.float32)
        for mode, part in zip(back, out, strict=True):
            _spread(mode.astype(np.float32).reshape(self._blocks.shape), *self._between, part)
        return out.reshape(len(back), -1).astype(np.float64)

    def _gathered(self, maps: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return maps (m, nodes) as means of large blocks (m, blocks)."""
        k, (rows, columns) = self._split, self._blocks.shape
        return maps.reshape(len(maps), rows, k, columns, k).mean((2, 4)).reshape(len(maps), -1)


def _leading(matrix: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the greatest eigenvalues of a symmetric matrix, falling, and their vectors as columns."""
    size = len(matrix)
    values, vectors = eigh(matrix, subset_by_index=(max(0, size - MODES), size - 1))
    return values[::-1], vectors[:, ::-1]


class Grid:
    """A regular division of a picture into parts of about ``side`` px: their edges, and nodes in their middles."""

    def __init__(self, shape: tuple[int, int], side: float) -> None:
        counts = [min(size, max(2, round(size / side))) for size in shape]
        self._set(
            *(
                np.linspace(0, size, n + 1).round().astype(np.int64)
                for size, n in zip(shape, counts, strict=True)
            )
        )

    def _set(self, y: NDArray[np.int64], x: NDArray[np.int64]) -> None:
        self.y, self.x = y, x
        self.shape = (len(y) - 1, len(x) - 1)
        self.middles = tuple((edges[1:] + edges[:-1] - 1) / 2 for edges in (self.y, self.x))
        self.sizes = np.outer(np.diff(self.y), np.diff(self.x)).astype(np.float32)

    def halved(self) -> Grid:
        """Return the grid that divides each part in four."""
        grid = Grid.__new__(Grid)
        grid._set(*(np.sort(np.concatenate([e, (e[1:] + e[:-1]) // 2])) for e in (self.y, self.x)))
        return grid

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
        return (totals / self.sizes).ravel()


@sums
def _means(binned: Any, yedges: Any, xedges: Any, out: Any) -> None:
    """Fill ``out`` with the mean of each block."""
    line = np.empty(binned.shape[1], np.float32)
    for j in range(out.shape[0]):
        line[:] = 0
        for y in range(yedges[j], yedges[j + 1]):
            d = binned[y]
            for x in range(d.size):
                line[x] += d[x]
        for k in range(out.shape[1]):
            total = np.float32(0)
            for x in range(xedges[k], xedges[k + 1]):
                total += line[x]
            out[j, k] = total / np.float32((yedges[j + 1] - yedges[j]) * (xedges[k + 1] - xedges[k]))


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
def _free_means(binned: Any, cover: Any, yedges: Any, xedges: Any, out: Any, free: Any) -> None:
    """Fill ``out`` with the mean of each block's uncovered pixels and ``free`` with their number."""
    line, count = np.empty((2, binned.shape[1]), np.float32)
    for j in range(out.shape[0]):
        line[:] = 0
        count[:] = 0
        for y in range(yedges[j], yedges[j + 1]):
            d, c = binned[y], cover[y]
            for x in range(d.size):
                open_ = np.float32(c[x] == 0)
                line[x] += open_ * d[x]
                count[x] += open_
        for k in range(out.shape[1]):
            total, number = np.float32(0), np.float32(0)
            for x in range(xedges[k], xedges[k + 1]):
                total += line[x]
                number += count[x]
            out[j, k], free[j, k] = total / max(number, np.float32(1)), number
    _fill_covered(out, free)


@sums
def _solve(
    means: Any, open_: Any, sizes: Any, count: Any, t: Any, factor: Any, split: Any, into: Any, maps: Any,
    coarse: Any, local: Any, raw: Any, left: Any, course: Any, nodes: Any,
) -> None:  # fmt: skip
    """Fit the modes to the block means less the cells; ``raw`` is what was fitted, ``left`` what remains of it."""
    nodes[:] = means
    flat, scale = nodes.reshape(-1), sizes.reshape(-1)
    for i in range(count):
        c = t.trace[i] * t.moments[i, 0] / (factor * factor)
        for k in range(4):
            flat[t.at[i, k]] -= c * t.share[i, 0, k] / scale[t.at[i, k]]
    rows, columns = raw.shape
    for y in range(rows):
        for x in range(columns):
            total = np.float32(0)
            for v in range(split):
                for u in range(split):
                    total += nodes[y * split + v, x * split + u]
            raw[y, x] = total / np.float32(split * split)
    for m in range(into.shape[0]):
        total = np.float32(0)
        for i in range(flat.size):
            total += into[m, i] * flat[i]
        course[m] = total
    left[:] = open_
    remains = left.reshape(-1)
    flat[:] = 0
    for m in range(into.shape[0]):
        for i in range(flat.size):
            flat[i] += course[m] * maps[m, i]
        for i in range(remains.size):
            remains[i] -= course[m] * coarse[m, i]
    for i in range(remains.size):
        remains[i] *= local[i]


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
