"""The two passes over the movie that alternate: measure with known footprints, learn from known traces.

Both go through the rows in chunks; after each chunk everything they gathered is in one state, so that a
killed refinement goes on where it was.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from roi_core.cnmf import picture, statistics
from roi_core.cnmf import traces as live
from roi_core.cnmf.fading import Texture
from roi_core.cnmf.traces import project
from roi_core.jit import kernel
from roi_core.offline.evidence import Evidence
from roi_core.offline.glow import block_means, courses

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from roi_core.cnmf.state import Cells
    from roi_core.offline.glow import Blocks, Modes
    from roi_core.offline.movie import Registered
    from roi_core.offline.traces import Weighted

__all__ = ["CHUNK", "Learning", "Measuring", "first_look"]

CHUNK = 240
"""Rows between two states."""
ODD = 6.0
"""A picture that deviates from the mean this many times more than usual (rms) teaches nothing."""
LOOK = 32
"""Frames from which the first mean picture and the usual deviation are taken."""
FLOOR = 0.05
"""A pixel's noise variance is at least this share of the mean: a dead pixel must not shout."""

State = dict[str, Any]


class Measuring:
    """Fills ``products`` (rows, N), ``means`` (rows, blocks) and ``good`` (rows,).

    With ``first`` the mean picture and the noise variance of binned pixels are gathered on the way.
    """

    def __init__(self, movie: Registered, blocks: Blocks, usual: float, first: bool) -> None:
        self._movie, self._blocks, self._usual, self._first = movie, blocks, usual, first
        h, w = movie.shape
        self._total, self._count = np.zeros((h, w)), np.zeros((h, w), np.int32)
        self._change, self._changes = np.zeros(movie.field.binned), np.zeros(1, np.int64)

    def state(self) -> State:
        """Return what the pass gathered."""
        if not self._first:
            return {}
        return {
            "total": self._total, "count": self._count, "change": self._change, "changes": self._changes,
        }  # fmt: skip

    def restore(self, state: State) -> None:
        """Go on from a state."""
        if self._first:
            self._total, self._count = state["total"], state["count"]
            self._change, self._changes = state["change"], state["changes"]

    def run(self, row: int, cells: Cells, w: Weighted, products: Any, means: Any, good: Any) -> Iterator[int]:
        """Measure from a row on; yield the number of rows done after every chunk."""
        movie, n = self._movie, cells.count
        before = None
        out = np.zeros(n, np.float32)
        for done, power in movie.rows(row):
            good[done] = power < ODD**2 * self._usual
            means[done] = self._blocks.measure(movie.binned, cells.cover)
            project(n, w.table, movie.padded, out)
            products[done] = out
            if self._first and good[done]:
                before = self._gather(before)
            if (done + 1) % CHUNK == 0:
                before = None
                yield done + 1

    def finish(self) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Return the mean picture (h, w) and the noise variance (rows, columns) of binned pixels."""
        mean = self._movie.mean + self._total / np.maximum(self._count, 1)
        variance = self._change / max(int(self._changes[0]), 1)
        least = FLOOR * float(variance.mean()) + 1e-9
        return mean.astype(np.float32), np.maximum(variance, least).astype(np.float32)

    def _gather(self, before: NDArray[np.float32] | None) -> NDArray[np.float32]:
        now = self._movie.binned.copy()
        known = before is not None
        add_picture(
            self._movie.picture, self._movie.seen, now, now if before is None else before, self._total,
            self._count, self._change,
        )  # fmt: skip
        self._changes += known
        return now


class Learning:
    """Gathers the pictures of all cells, of the glow's modes, and evidence for cells that are missed.

    Fills ``shares`` (rows,) with what share of the mean picture's texture each residual has.
    """

    def __init__(
        self, movie: Registered, blocks: Blocks, modes: Modes, rate: float, find: bool, shares: Any
    ) -> None:
        self._movie, self._blocks, self._modes, self._find = movie, blocks, modes, find
        field = movie.field
        self.evidence = Evidence(field, rate)
        self._texture = Texture.of(movie.mean, field.factor, field.radius / field.factor)
        self._shares = shares
        size, nodes = modes.maps.shape
        self.moment, self.product = np.zeros((size, size)), np.zeros((size, nodes))
        rows, columns = (side + 2 * field.margin for side in field.binned)
        self._residual = np.zeros((rows, columns), np.float32)
        self._between = blocks.grid.pixels()
        self._bare = np.zeros(field.binned, np.int16)
        self._shown, self._free = (np.zeros(blocks.grid.shape, np.float32) for _ in range(2))

    def state(self) -> State:
        """Return what the pass gathered beside the sums in the table of cells."""
        found = {"moment": self.moment, "product": self.product}
        return found | (self.evidence.state() if self._find else {})

    def restore(self, state: State) -> None:
        """Go on from a state."""
        self.moment, self.product = state["moment"], state["product"]
        if self._find:
            self.evidence.restore(state)

    def run(
        self, row: int, cells: Cells, traces: Any, guesses: Any, means: Any, good: Any, variance: Any
    ) -> Iterator[int]:
        """Learn from a row on; yield the number of rows done after every chunk."""
        n, t, field = cells.count, cells.t, cells.field
        glow, deviation = np.empty((n, 3), np.float32), np.sqrt(variance)
        rest = np.zeros(n, np.float32)
        inner = slice(field.margin, -field.margin)
        for done, _ in self._movie.rows(row):
            if done == row or done % CHUNK == 0:
                some = slice(done, min(done - done % CHUNK + CHUNK, len(good)))
                start, (course, left) = done, courses(self._modes, means[some])
                nodes = (course @ self._modes.maps + left @ self._blocks.spread).astype(np.float32)
                shown = np.zeros((len(nodes), nodes.shape[1]))
            here = done - start
            if good[done]:
                t.trace[:n], t.prediction[:n] = traces[done], guesses[done]
                live.planes(n, t, nodes[here], glow)
                statistics.gather(n, t, self._movie.padded, glow, rest)
                picture.explain(
                    self._movie.binned, field.margin, nodes[here].reshape(self._blocks.grid.shape),
                    cells.gain, self._between, n, t, self._movie.seen, field.factor, self._residual,
                )  # fmt: skip
                self._shares[done] = self._texture.share(self._residual, field.margin)
                residual = self._residual[inner, inner]
                grid = self._blocks.grid
                block_means(residual, self._bare, grid.y, grid.x, np.float32(0), self._shown, self._free)
                shown[here] = self._shown.ravel()
                if self._find:
                    self.evidence.take(done, residual, deviation)
            if (done + 1) % CHUNK == 0 or done + 1 == len(good):
                course = course[good[some]].astype(np.float64)
                self.moment += course.T @ course
                self.product += course.T @ shown[good[some]]
                yield done + 1


def first_look(movie: Registered) -> float:
    """Give the movie a first mean picture, the median of a few frames; return their usual mean square."""
    last, factor = movie.movie.rows - 1, movie.field.factor
    pictures = movie.some(sorted(set(np.linspace(0, last, LOOK).round().astype(int).tolist())))
    movie.mean[:] = np.median(pictures, axis=0)
    rows, columns = movie.field.binned
    part = (pictures - movie.mean)[:, : rows * factor, : columns * factor]
    part = part.reshape(-1, rows, factor, columns, factor).mean((2, 4))
    return float(np.median((part**2).mean((1, 2)))) + 1e-9


@kernel
def add_picture(picture: Any, seen: Any, now: Any, before: Any, total: Any, count: Any, change: Any) -> None:
    """Add the part of a picture that was seen, and half the squared difference of two binned ones."""
    y0, y1, x0, x1 = seen
    for y in range(y0, y1):
        for x in range(x0, x1):
            total[y, x] += picture[y, x]
            count[y, x] += 1
    for y in range(now.shape[0]):
        for x in range(now.shape[1]):
            step = now[y, x] - before[y, x]
            change[y, x] += np.float32(0.5) * step * step
