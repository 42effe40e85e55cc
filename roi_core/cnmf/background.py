"""The glow between and under the cells: neuropil, out-of-focus light, a flickering lamp.

It is smooth in space, so it is measured where no cell lies, as means of blocks a few cell radii wide. Block
means are noisy, and that noise would enter every trace; so they pass a Wiener filter learned from the blocks'
own past: modes shared by the whole field first, then what is left in each block. Signal and noise are told
apart by time: the noise of two successive frames is independent, so the covariance at a lag of one frame is
that of the glow alone. No rank has to be chosen.

How each mode looks between and under the blocks is first interpolated and then learned: what the residual of
all pixels, cells taken out, shares with the modes' courses; and how much each pixel follows the glow of its
place, for vessels and texture dim or brighten both alike. Nothing of this flows back into the measurement.
"""

from __future__ import annotations

from bisect import bisect_left
from typing import TYPE_CHECKING, Any, NamedTuple

import cv2
import numpy as np

from roi_core.jit import kernel, lean, lean_sums, sums

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
PRIOR, BEND = 0.2, 1.0
"""How much a map is expected to differ from what is interpolated, and may at most, as a share of its rms."""
TEXTURE = 0.3
"""How much the glow of a pixel is expected to differ from that of its surroundings."""
GAINS = 0.2, 2.0
LEAST_KNOWN = 0.25
"""Share of a block that must be no suspect for the block to be measured; others are bridged."""


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

    A pixel that a cell covers weighs ``covered`` against 1 of a free one. ``gain`` (rows, columns) is how
    much each pixel follows the glow of its place. `step` and `remember` are
    called for every frame, `watch` and `learn` belong to the detector's thread.
    """

    def __init__(self, shape: tuple[int, int], radius: float, covered: float) -> None:
        self._covered = np.float32(covered)
        self._blocks = Grid(shape, max(3 * radius, np.sqrt(shape[0] * shape[1] / MOST_BLOCKS)))
        self.grid = Grid(shape, max(1.5 * radius, 2.0))
        self.nodes = np.zeros(self.grid.shape, np.float32)
        self._between = (*self._blocks.at(0, self.grid.middles[0]), *self._blocks.at(1, self.grid.middles[1]))
        self._raw, self._left = np.zeros((2, *self._blocks.shape), np.float32)
        blocks, nodes = self._raw.size, self.nodes.size
        none = np.zeros((0, blocks), np.float32)
        start = np.full(blocks, START, np.float32)
        self._filter = Filter(none, none, np.zeros(0, np.float32), start, np.zeros((0, nodes), np.float32))
        self._past = np.zeros((PAST, blocks), np.float32)
        self._courses = np.zeros((PAST, MODES), np.float32)
        self.seen = self._learned = 0
        self._covariance = np.zeros((blocks, blocks))
        self._into, self._back = np.zeros((2, 0, blocks))
        self._prior = np.zeros(0)
        self._bent = np.zeros((0, nodes))
        self._moment, self._new_moment = np.zeros((0, 0)), np.zeros((0, 0))
        self._product = np.zeros((0, nodes))
        self._pixels = self.grid.pixels()
        self.gain = np.ones(shape, np.float32)
        self._agreement, self._strength = np.zeros((2, *shape), np.float32)
        self.suspects = np.zeros(shape, np.bool_)

    def step(self, slot: NDArray[np.float32], cover: NDArray[np.int16], most: float = np.inf) -> None:
        """Measure the blocks of a picture without its known cells, and estimate the glow at the nodes.

        It is at least ``-most`` and at most ``most``.

        ``slot`` is the picture in a margin (it is passed whole: rows of a part of it would not vectorise).

        Pixels that a cell covers count little: what it does in this very frame is not known yet. The
        ``suspects``, where the detector sees what may become a cell, do not count at all.
        """
        blocks = self._blocks
        _free_means(slot, cover, self.suspects, blocks.y, blocks.x, self._covered, self._raw)
        _bridge(self._raw)
        course = self._courses[self.seen % PAST]
        _filter(self._raw.reshape(-1), *self._filter, course, self._left.reshape(-1), self.nodes.reshape(-1))
        _spread(self._left, *self._between, self.nodes)
        np.clip(self.nodes, -most, most, out=self.nodes)

    def remember(self) -> None:
        """Keep this frame to learn from."""
        self._past[self.seen % PAST] = self._raw.reshape(-1)
        self.seen += 1

    def watch(self, residual: NDArray[np.float32], first: int, last: int) -> None:
        """Regress the mean residual (rows, columns) of frames ``first`` to ``last`` on modes and glow.

        A pixel follows the glow of its place more or less: vessels and texture dim or brighten both alike.
        The ``suspects`` say nothing: the light of a cell that is still to join would be an imprint on glow
        and gain, which stays and shows as false cells round it.
        """
        courses = self._courses[np.arange(first, last) % PAST, : len(self._into)].mean(0)
        if not len(courses):
            return
        residual = np.where(self.suspects, np.float32(0), residual)
        glow = np.zeros_like(residual)
        _spread((courses @ self._filter.maps).reshape(self.grid.shape), *self._pixels, glow)
        _agree(residual, glow, self.gain, self.suspects, self._agreement, self._strength)
        wide = courses.astype(np.float64)
        self._new_moment += np.outer(wide, wide)
        self._product += np.outer(wide, self.grid.means(residual))

    def _learn_gain(self, keep: float, noise: float) -> None:
        """Set the gain of every pixel against its surroundings; ``noise`` is a watched pixel's variance.

        The prior is 1, within `TEXTURE`.
        """
        prior = np.float32(noise / TEXTURE**2 + 1e-9)
        gain = ((self._agreement + prior) / (self._strength + prior)).clip(*GAINS)
        width = float(np.diff(self.grid.y).mean())
        self.gain[:] = gain / cv2.GaussianBlur(gain, (0, 0), width, borderType=cv2.BORDER_REFLECT)
        self._agreement *= np.float32(keep)
        self._strength *= np.float32(keep)

    def learn(self, memory: float, noise: float) -> None:
        """Learn from all since the last call; ``memory`` in frames, ``noise`` a watched pixel's variance."""
        new = min(self.seen - self._learned, PAST - 1)
        if new < 8:
            return
        self._bend(np.exp(-new / memory))
        self._learn_gain(np.exp(-new / memory), noise)
        past = self._past[np.arange(self.seen - new, self.seen) % PAST].astype(np.float64)
        self._learned = self.seen
        weight = min(self.seen, 3 * PAST)
        lagged = past[1:].T @ past[:-1] / (new - 1)
        self._covariance += new / max(weight, new) * ((lagged + lagged.T) / 2 - self._covariance)
        jitter = np.maximum((np.diff(past, axis=0) ** 2).mean(0) / 2, 1e-12)
        whiten = 1 / np.sqrt(jitter)
        values, vectors = _leading(self._covariance * whiten * whiten[:, None])
        best = np.flatnonzero(values > 2 * np.sqrt(len(jitter) / weight))
        modes = vectors[:, best].T
        left = past * whiten
        left = left - (left @ modes.T) @ modes
        signal = np.maximum((left[1:] * left[:-1]).mean(0), 0)
        local = (signal / np.maximum((left**2).mean(0), 1e-12)).clip(0, 1)
        self._turn(modes * whiten, modes / whiten, values[best], local, float(np.mean(jitter)))

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

        ``into`` and ``back`` (m, blocks) take block means to courses and back again, ``power`` (m,) is the
        variance of the courses, ``noise`` that of a block's mean.
        """
        size, nodes = len(power), self.nodes.size
        forth = into @ self._back.T
        self._bent = (self._into @ back.T).T @ self._bent
        self._moment = forth @ self._moment @ forth.T
        self._new_moment, self._product = np.zeros((size, size)), np.zeros((size, nodes))
        self._into, self._back = into, back
        plain = self._spread_modes(back)
        strength = np.sqrt((plain**2).mean(1, keepdims=True))
        self._bent = self._bent.clip(-BEND * strength, BEND * strength)
        self._prior = noise * self._raw.size / nodes / (PRIOR * strength[:, 0]) ** 2
        parts = into, back, power / (power + 1), local, plain + self._bent
        self._filter = Filter(*(np.ascontiguousarray(part, np.float32) for part in parts))

    def _spread_modes(self, back: NDArray[np.float64]) -> NDArray[np.float64]:
        out = np.zeros((len(back), *self.grid.shape), np.float32)
        for mode, part in zip(back, out, strict=True):
            _spread(mode.astype(np.float32).reshape(self._blocks.shape), *self._between, part)
        return out.reshape(len(back), self.nodes.size).astype(np.float64)


def _leading(matrix: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the greatest eigenvalues of a symmetric matrix, falling, and their vectors as columns."""
    # not scipy's, which finds these alone but keeps the interpreter to itself: 0.1 s without a frame
    values, vectors = np.linalg.eigh(matrix)
    return values[: -MODES - 1 : -1], vectors[:, : -MODES - 1 : -1]


class Grid:
    """A regular division of a picture into parts of about ``side`` px, with nodes in their middles."""

    def __init__(self, shape: tuple[int, int], side: float) -> None:
        counts = [min(size, max(2, round(size / side))) for size in shape]
        self.y, self.x = (
            np.linspace(0, size, n + 1).round().astype(np.int64)
            for size, n in zip(shape, counts, strict=True)
        )
        self.shape = (counts[0], counts[1])
        self.middles = tuple((edges[1:] + edges[:-1] - 1) / 2 for edges in (self.y, self.x))
        self.sizes = np.outer(np.diff(self.y), np.diff(self.x)).astype(np.float32)

    def at(self, axis: int, place: Any) -> tuple[Any, Any]:
        """Return the node before each place and the fraction to the next; it extrapolates at the ends."""
        middles = self.middles[axis]
        low = np.searchsorted(middles, place).clip(1, len(middles) - 1) - 1
        fraction = (place - middles[low]) / (middles[low + 1] - middles[low])
        return low, fraction.clip(-0.5, 1.5).astype(np.float32)

    def beside(self, axis: int, place: float) -> tuple[int, float, float]:
        """Return what `at` does of one place, and how far the two nodes are apart; an array costs more."""
        middles = self.middles[axis]
        low = min(max(bisect_left(middles, place), 1), len(middles) - 1) - 1
        apart = float(middles[low + 1] - middles[low])
        return low, min(max(float(place - middles[low]) / apart, -0.5), 1.5), apart

    def pixels(self) -> tuple[Any, Any, Any, Any]:
        """Return where every pixel row and column lies between the nodes."""
        return *self.at(0, np.arange(self.y[-1])), *self.at(1, np.arange(self.x[-1]))

    def means(self, picture: NDArray[np.float32]) -> NDArray[np.float64]:
        """Return the mean of a picture in each part, as a flat array."""
        totals = np.add.reduceat(np.add.reduceat(picture, self.y[:-1], 0), self.x[:-1], 1)
        return (totals / self.sizes).ravel()


@sums
def _free_means(
    slot: Any, cover: Any, suspects: Any, yedges: Any, xedges: Any, covered: Any, out: Any
) -> None:
    """Fill ``out`` with the mean of each block, in which pixels that cells cover weigh ``covered``.

    NaN where too few pixels are left that are no suspects.
    """
    width = cover.shape[1]
    margin = (slot.shape[1] - width) // 2
    line, count, known = np.empty((3, width), np.float32)
    for j in range(out.shape[0]):
        line[:] = 0
        count[:] = 0
        known[:] = 0
        for y in range(yedges[j], yedges[j + 1]):
            d, c, no = slot[margin + y, margin : margin + width], cover[y], suspects[y]
            for x in range(width):
                free = np.float32(1) - np.float32(no[x])
                weight = free * (np.float32(1) if c[x] == 0 else covered)
                line[x] += weight * d[x]
                count[x] += weight
                known[x] += free
        for k in range(out.shape[1]):
            total, number, left = np.float32(0), np.float32(0), np.float32(0)
            for x in range(xedges[k], xedges[k + 1]):
                total += line[x]
                number += count[x]
                left += known[x]
            size = (yedges[j + 1] - yedges[j]) * (xedges[k + 1] - xedges[k])
            out[j, k] = total / number if left > LEAST_KNOWN * size else np.nan


@kernel
def _bridge(blocks: Any) -> None:
    """Replace the blocks that are NaN by their neighbours, the nearer the more (inverse fourth power)."""
    gaps = np.argwhere(np.isnan(blocks))
    values = np.zeros(len(gaps), np.float32)
    for n in range(len(gaps)):
        total, weights = np.float32(0), np.float32(0)
        for j in range(blocks.shape[0]):
            for k in range(blocks.shape[1]):
                if not np.isnan(blocks[j, k]):
                    away = np.float32((j - gaps[n, 0]) ** 2 + (k - gaps[n, 1]) ** 2)
                    total += blocks[j, k] / (away * away)
                    weights += 1 / (away * away)
        values[n] = total / weights if weights > 0 else np.float32(0)
    for n in range(len(gaps)):
        blocks[gaps[n, 0], gaps[n, 1]] = values[n]


@lean_sums
def _filter(
    raw: Any, into: Any, back: Any, gains: Any, local: Any, maps: Any, course: Any, left: Any, nodes: Any
) -> None:
    """Wiener filter: shared modes, shrunk, go to the nodes; what they leave, shrunk, to ``left``."""
    for i in range(raw.size):
        left[i] = raw[i]
    nodes[:] = 0
    for m in range(gains.size):
        a, b, shape = into[m], back[m], maps[m]
        total = np.float32(0)
        for i in range(raw.size):
            total += a[i] * raw[i]
        for i in range(raw.size):
            left[i] -= total * b[i]
        course[m] = gains[m] * total
        for i in range(nodes.size):
            nodes[i] += course[m] * shape[i]
    for i in range(raw.size):
        left[i] *= local[i]


@lean
def _spread(coarse: Any, ylow: Any, yfrac: Any, xlow: Any, xfrac: Any, out: Any) -> None:
    """Add a coarse grid, interpolated, to a finer one."""
    for y in range(out.shape[0]):
        low, high, t = coarse[ylow[y]], coarse[ylow[y] + 1], yfrac[y]
        for x in range(out.shape[1]):
            k, s = xlow[x], xfrac[x]
            a = low[k] + s * (low[k + 1] - low[k])
            b = high[k] + s * (high[k + 1] - high[k])
            out[y, x] += a + t * (b - a)


@lean
def _agree(residual: Any, glow: Any, gain: Any, suspects: Any, agreement: Any, strength: Any) -> None:
    """Add one look to the sums from which the gain of each pixel that is no suspect is learned."""
    for y in range(glow.shape[0]):
        r, g, k = residual[y], glow[y], gain[y]
        a, b, no = agreement[y], strength[y], suspects[y]
        for x in range(g.size):
            weight = np.float32(0) if no[x] else g[x]
            a[x] += (r[x] + k[x] * g[x]) * weight
            b[x] += g[x] * weight
