"""The components and everything that is summed for each: one row per cell, in arrays that grow by doubling.

A cell lives in a square box of side S = 2 * reach + 1 round its centre. Footprints, their statistics and all
products between cells stay inside these boxes, so the cost of a frame is that of the pixels that cells
really cover, and a box row is contiguous in memory: no pixel lists.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from roi_core.jit import kernel, sums

if TYPE_CHECKING:
    from typing import Any

    from numpy.typing import NDArray

__all__ = ["Cells", "overlap"]

NEIGHBOURS = 16
"""Width of the neighbour table at first; it doubles when a field is denser."""


class Cells:
    """N cells; every array has room for more, so its first `count` rows are the cells.

    ``boxes`` (N, S, S) footprints of unit energy (sum of squares 1), zero outside the cell
    ``centres`` (N, 2) y, x of the middle pixel of each box, on the analysed picture
    ``images`` (N, S, S) M of Giovannucci et al. 2017 on the box: sum over frames of instrument times picture
    ``near`` (N, M) every cell whose box touches this one's, -1 after the last
    ``gram`` (N, M) products of the footprints of these pairs
    ``links`` (N, M) W on these pairs: sum over frames of this instrument times the other's trace
    ``power`` (N,) the same with itself; ``energy`` (N,) sum of squares of the instrument
    ``mass`` (N,) sum of each footprint; ``mean`` (N,) running mean of the trace, as of the pixels
    ``trace`` (N,) demixed trace of this frame above that mean; ``floor`` (N,) the least it may be
    ``visited`` (N,) frame of the last shape update
    """

    boxes: NDArray[np.float32]
    images: NDArray[np.float32]
    centres: NDArray[np.int64]
    near: NDArray[np.int64]
    gram: NDArray[np.float32]
    links: NDArray[np.float32]
    power: NDArray[np.float32]
    energy: NDArray[np.float32]
    mass: NDArray[np.float32]
    mean: NDArray[np.float32]
    trace: NDArray[np.float32]
    floor: NDArray[np.float32]
    visited: NDArray[np.int64]
    sync: NDArray[np.float32]
    first: NDArray[np.float32]
    second: NDArray[np.float32]

    def __init__(self, reach: int) -> None:
        self.reach = reach
        self.side = 2 * reach + 1
        self.count = 0
        box = (self.side, self.side)
        self._columns: dict[str, tuple[tuple[int, ...], type, float]] = {
            "boxes": (box, np.float32, 0),
            "images": (box, np.float32, 0),
            "centres": ((2,), np.int64, 0),
            "near": ((NEIGHBOURS,), np.int64, -1),
            "gram": ((NEIGHBOURS,), np.float32, 0),
            "links": ((NEIGHBOURS,), np.float32, 0),
            "sync": ((NEIGHBOURS,), np.float32, 0),
            **{name: ((), np.float32, 0) for name in ("power", "energy", "mean", "trace", "floor", "first", "second")},
            "mass": ((3,), np.float32, 0),
            "visited": ((), np.int64, 0),
        }
        for name, (shape, dtype, _) in self._columns.items():
            setattr(self, name, np.zeros((0, *shape), dtype))

    def append(self, boxes: NDArray[np.float32], centres: NDArray[np.int64], frame: int) -> None:
        """Add cells with footprints (n, S, S) of any scale, centred on ``centres`` (n, 2)."""
        first, self.count = self.count, self.count + len(boxes)
        self._make_room(self.count)
        for name, (_, _, fill) in self._columns.items():
            getattr(self, name)[first : self.count] = fill
        norms = np.sqrt((boxes.astype(np.float64) ** 2).sum((1, 2), keepdims=True))
        self.boxes[first : self.count] = boxes / np.maximum(norms, 1e-30)
        self.centres[first : self.count] = centres
        self.floor[first : self.count] = -np.inf
        self.visited[first : self.count] = frame
        self.connect()

    def keep(self, order: NDArray[np.int64]) -> None:
        """Keep the cells of ``order`` only, in that order."""
        pairs = self._pairs()
        for name in self._columns:
            array = getattr(self, name)
            array[: len(order)] = array[order]
        self.count = len(order)
        new = {int(old): i for i, old in enumerate(order)}
        pairs = {(new[i], new[j]): value for (i, j), value in pairs.items() if i in new and j in new}
        self.connect(pairs)

    def connect(self, pairs: dict[tuple[int, int], tuple[float, float]] | None = None) -> None:
        """Find anew which boxes touch; products are computed, running sums of surviving pairs are kept."""
        pairs = self._pairs() if pairs is None else pairs
        while not _find_near(self.count, self.centres, self.side, self.near):
            self._widen()
        for i in range(self.count):
            for m, j in enumerate(self.near[i]):
                if j < 0:
                    break
                self.links[i, m], self.sync[i, m] = pairs.get((i, int(j)), (0.0, 0.0))
        for i in range(self.count):
            renew_gram(i, self.boxes, self.centres, self.near, self.gram)

    def _pairs(self) -> dict[tuple[int, int], tuple[float, float]]:
        i, m = np.nonzero(self.near[: self.count] >= 0)
        keys = zip(i.tolist(), self.near[i, m].tolist(), strict=True)
        values = zip(self.links[i, m].tolist(), self.sync[i, m].tolist(), strict=True)
        return dict(zip(keys, values, strict=True))

    def _make_room(self, wanted: int) -> None:
        have = len(self.mass)
        if wanted <= have:
            return
        room = max(wanted, 2 * have, 64)
        for name, (shape, dtype, fill) in self._columns.items():
            old = getattr(self, name)
            new = np.full((room, *(old.shape[1:] if have else shape)), fill, dtype)
            new[:have] = old
            setattr(self, name, new)

    def _widen(self) -> None:
        for name in ("near", "gram", "links", "sync"):
            old = getattr(self, name)
            shape, dtype, fill = self._columns[name]
            self._columns[name] = ((2 * old.shape[1],), dtype, fill)
            new = np.full((len(old), 2 * old.shape[1]), fill, dtype)
            new[:, : old.shape[1]] = old
            setattr(self, name, new)


@kernel
def _find_near(count: Any, centres: Any, side: Any, near: Any) -> bool:
    """Fill the neighbour table; False when a row is too short."""
    for i in range(count):
        m = 0
        for j in range(count):
            if j == i or abs(centres[i, 0] - centres[j, 0]) >= side:
                continue
            if abs(centres[i, 1] - centres[j, 1]) >= side:
                continue
            if m == near.shape[1]:
                return False
            near[i, m] = j
            m += 1
        near[i, m:] = -1
    return True


@sums
def overlap(a: Any, b: Any, dy: Any, dx: Any) -> Any:
    """Return the product of two (S, S) boxes, the second moved by (dy, dx) px against the first."""
    side = a.shape[0]
    total = np.float32(0)
    x0, x1 = max(0, dx), min(side, side + dx)
    for y in range(max(0, dy), min(side, side + dy)):
        p, q = a[y, x0:x1], b[y - dy, x0 - dx : x1 - dx]
        for x in range(x1 - x0):
            total += p[x] * q[x]
    return total


@kernel
def renew_gram(i: Any, boxes: Any, centres: Any, near: Any, gram: Any) -> None:
    """Compute anew the products of cell i with its neighbours, in both rows of the table."""
    for m in range(near.shape[1]):
        j = near[i, m]
        if j < 0:
            break
        dy, dx = centres[j, 0] - centres[i, 0], centres[j, 1] - centres[i, 1]
        gram[i, m] = overlap(boxes[i], boxes[j], dy, dx)
        for back in range(near.shape[1]):
            if near[j, back] == i:
                gram[j, back] = gram[i, m]
                break
