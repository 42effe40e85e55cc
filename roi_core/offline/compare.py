"""Two results on the same field of view: which cells are in both, and whether their traces agree.

A footprint counts as the pixels above `CUT` of its peak, as its outline is drawn. The overlap of two cells is
the intersection of their pixels over the union (IoU, Jaccard index). Pairs are one to one: the assignment
with the largest sum of overlaps among those of at least ``least`` (Hungarian method,
`scipy.optimize.linear_sum_assignment`). Each result lies where its own motion template does: B is
first moved by the median, in whole px, of what A's frames were shifted more than B's, over the frames of
which both shifts are known. With m pairs among n and k cells, F1 = 2 m / (n + k). The traces of a
pair are compared over the frames that both have, found by the camera's frame index, by Pearson's correlation
of the demixed traces.

Only accepted cells are compared. Traces are read some rows at a time, so a recording may be of any length.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np
from scipy.optimize import linear_sum_assignment

from roi_core import layout
from roi_core.errors import RecordingError
from roi_core.frame import Status

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray
    from scipy.sparse import csc_matrix

    from roi_core.frame import Components
    from roi_core.recording import Recording
    from roi_core.snapshot import Snapshot

    Traces = NDArray[np.float32]

__all__ = [
    "CUT",
    "LEAST",
    "Comparison",
    "Pair",
    "Result",
    "common",
    "compare",
    "recorded",
    "running",
    "together",
]

CUT: Final = 0.2
"""Share of its peak at which a footprint ends."""
LEAST: Final = 0.5
"""Overlap of two footprints that are the same cell."""
BLOCK: Final = 2048
"""Common frames looked at at once."""


@dataclass(frozen=True, slots=True, eq=False)
class Result:
    """What one analysis found. ``index`` (rows,) is the camera's count of each row, strictly increasing.

    ``traces(first, last)`` gives the raw traces (n, N) of some rows, columns as in ``components``.
    """

    name: str
    components: Components
    index: NDArray[np.int64]
    traces: Callable[[int, int], Traces]
    shifts: NDArray[np.float32]
    """(rows, 2) dy, dx in px by which motion correction moved each frame; NaN where that is not known."""
    kept: str = ""
    """How long the traces are (m:ss) of which memory holds the last part only; '' when all are there."""

    @property
    def accepted(self) -> NDArray[np.int64]:
        """The columns of its cells."""
        return np.flatnonzero(self.components.status == Status.ACCEPTED)

    def masks(self) -> csc_matrix:
        """Return the pixels (H * W, n) of its cells, 1 where they are."""
        from scipy.sparse import csc_matrix

        c = self.components
        count = np.diff(c.indptr)
        peak = np.ones(len(count), np.float32)
        full = np.flatnonzero(count)
        if full.size:
            peak[full] = np.maximum.reduceat(c.data, c.indptr[full])
        keep = c.data >= CUT * np.repeat(peak, count)
        ones = csc_matrix(
            (keep.astype(np.float32), c.indices, c.indptr), (c.shape[0] * c.shape[1], len(count))
        )
        masks: csc_matrix = ones[:, self.accepted]
        masks.eliminate_zeros()
        return masks


class Pair(NamedTuple):
    """A cell of A and the same cell in B; ``r`` is NaN when their traces have nothing in common."""

    a: int
    b: int
    overlap: float
    r: float


@dataclass(frozen=True, slots=True)
class Comparison:
    """Pairs, best overlap first, and the ids of the cells that only one result has."""

    a: str
    b: str
    least: float
    frames: int
    pairs: tuple[Pair, ...]
    only_a: tuple[int, ...]
    only_b: tuple[int, ...]
    offset: tuple[int, int] = (0, 0)
    """(dy, dx) px by which B was moved to lie on A."""
    why: str = ""
    """Why no traces were compared; '' when they were."""

    @property
    def f1(self) -> float:
        """Harmonic mean of how much of A is in B and how much of B is in A; NaN when both are empty."""
        cells = 2 * len(self.pairs) + len(self.only_a) + len(self.only_b)
        return 2 * len(self.pairs) / cells if cells else float("nan")

    def median(self, name: str) -> float:
        """Return the median ``overlap`` or ``r`` of the pairs; NaN when there is none."""
        values = [value for pair in self.pairs if not np.isnan(value := getattr(pair, name))]
        return float(np.median(values)) if values else float("nan")

    def summary(self) -> str:
        """Return the outcome in a sentence."""
        n, m = len(self.pairs) + len(self.only_a), len(self.pairs) + len(self.only_b)
        text = f"{len(self.pairs)} of {n} cells in A and {m} in B are the same (IoU {self.least:g} or more)"
        if not self.pairs:
            return text
        overlap, r = self.median("overlap"), self.median("r")
        told = self.why or f"r {r:.2f} over {self.frames} common frames"
        if self.offset != (0, 0):
            told += f"; B was moved by {self.offset[0]}, {self.offset[1]} px (down, right)"
        return f"{text}: F1 {self.f1:.2f}, median IoU {overlap:.2f}, {told}"


def recorded(recording: Recording, refined: bool = False) -> Result:
    """Return the cells of an open recording: those found online, or those of its refinement."""
    cells = recording.refined if refined else recording.cells
    if cells is None:
        why = "was not refined (roi_stream refine)" if refined else "holds no cells"
        raise RecordingError(f"{recording.path} {why}")
    name = f"{recording.path.name}, refined" if refined else recording.path.name
    read = partial(cells.traces, layout.RAW)
    index, shifts = recording.frame_index, recording.shifts
    shifts = np.zeros((len(index), 2), np.float32) if shifts is None else shifts
    return Result(name, cells.components(recording.shape), index, read, shifts)


def running(snapshot: Snapshot, name: str) -> Result:
    """Return the cells of a session as they are now, with the last rows of their traces."""
    activity, ring = snapshot.activity, snapshot.cells
    if activity is None or ring is None:
        raise RecordingError(f"{name} holds no cells")
    rows = ring.since(0, activity.components.ids.tolist())
    known = snapshot.traces.since(snapshot.traces.head - snapshot.traces.capacity)
    # both rings were given the same time of each frame, but need not reach back equally far
    _, mine, theirs = np.intersect1d(rows.times, known.times, assume_unique=True, return_indices=True)
    traces = rows.raw[mine]
    shifts = np.full((len(mine), 2), np.nan, np.float32)  # of a session only the last is known
    if not snapshot.flag:
        shifts[-1:] = snapshot.shift or (0.0, 0.0)
    index = known.index[theirs]
    kept = ""
    if ring.head > ring.capacity and len(rows.times):
        minutes, seconds = divmod(round(float(rows.times[-1] - rows.times[0])), 60)
        kept = f"{minutes}:{seconds:02}"
    return Result(name, activity.components, index, lambda first, last: traces[first:last], shifts, kept)


def compare(a: Result, b: Result, least: float = LEAST) -> Comparison:
    """Match the cells of two results and compare their traces.

    Raises
    ------
    RecordingError
        The frames have not the same size, so there is nothing to compare.
    """
    if a.components.shape != b.components.shape:
        sizes = [f"{each.components.shape[1]}x{each.components.shape[0]}" for each in (a, b)]
        raise RecordingError(f"{a.name} has frames of {sizes[0]} px, {b.name} of {sizes[1]} px")
    offset = _offset(a, b)
    overlap = overlaps(a.masks(), moved(b.masks(), b.components.shape, offset))
    rows, columns = linear_sum_assignment(np.where(overlap >= least, overlap, 0.0), maximize=True)
    good = overlap[rows, columns] >= least
    rows, columns = rows[good], columns[good]
    best = np.argsort(-overlap[rows, columns], kind="stable")
    rows, columns = rows[best], columns[best]
    frames, r = _correlations(a, b, a.accepted[rows], b.accepted[columns])
    ids = [each.components.ids[each.accepted] for each in (a, b)]
    pairs = tuple(
        Pair(int(ids[0][i]), int(ids[1][k]), float(overlap[i, k]), float(value))
        for i, k, value in zip(rows, columns, r, strict=True)
    )
    alone = [np.delete(each, taken).tolist() for each, taken in zip(ids, (rows, columns), strict=True)]
    why = "" if frames > 1 else _why_none(a, b)
    return Comparison(a.name, b.name, least, frames, pairs, tuple(alone[0]), tuple(alone[1]), offset, why)


def _why_none(a: Result, b: Result) -> str:
    """Return why two results have no frames in common."""
    short = [each for each in (a, b) if each.kept]
    if len(short) == 2:
        return f"{a.name} and {b.name} keep only their last {a.kept} and {b.kept} of traces"
    if short:
        return f"no frames in common: {short[0].name} keeps only its last {short[0].kept} of traces"
    return "no frames in common"


def moved(masks: csc_matrix, shape: tuple[int, int], by: tuple[int, int]) -> csc_matrix:
    """Return masks (H * W, n) moved by (dy, dx) px; what leaves the frame is gone."""
    from scipy.sparse import csc_matrix

    entries = masks.tocoo()
    y, x = entries.row // shape[1] + by[0], entries.row % shape[1] + by[1]
    kept = (y >= 0) & (y < shape[0]) & (x >= 0) & (x < shape[1])
    places = (y[kept] * shape[1] + x[kept], entries.col[kept])
    return csc_matrix((entries.data[kept], places), masks.shape)


def _offset(a: Result, b: Result) -> tuple[int, int]:
    """Return the whole px (dy, dx) from B's template to A's; none when nothing is known of them."""
    _, mine, yours = np.intersect1d(a.index, b.index, assume_unique=True, return_indices=True)
    apart = a.shifts[mine].astype(np.float64) - b.shifts[yours]
    apart = apart[np.isfinite(apart).all(axis=1)]
    dy, dx = np.median(apart, axis=0) if len(apart) else (0.0, 0.0)
    return round(float(dy)), round(float(dx))


def overlaps(a: csc_matrix, b: csc_matrix) -> NDArray[np.float64]:
    """Return the IoU (n, k) of every two masks, columns of (pixels, n) and (pixels, k)."""
    both = np.asarray((a.T @ b).todense(), np.float64)
    sizes = np.asarray(a.sum(axis=0)).ravel()[:, None] + np.asarray(b.sum(axis=0)).ravel()
    found: NDArray[np.float64] = both / np.maximum(sizes - both, 1.0)
    return found


def common(a: Result, b: Result) -> NDArray[np.int64]:
    """Return the camera's count of the frames that both have."""
    return np.intersect1d(a.index, b.index, assume_unique=True)


def together(a: Result, b: Result, i: Any, k: Any) -> Iterator[tuple[Traces, Traces]]:
    """Yield the traces (n, pairs) of columns `i` of A and `k` of B in the frames they share, in blocks."""
    _, mine, yours = np.intersect1d(a.index, b.index, assume_unique=True, return_indices=True)
    for first in range(0, len(mine), BLOCK):
        yield tuple(
            each.traces(int(rows[0]), int(rows[-1]) + 1)[rows - rows[0]][:, columns]
            for each, rows, columns in (
                (a, mine[first : first + BLOCK], i), (b, yours[first : first + BLOCK], k)
            )
        )  # fmt: skip


def _correlations(a: Result, b: Result, i: Any, k: Any) -> tuple[int, NDArray[np.float64]]:
    """Return the number of common frames, and Pearson's r of each pair where both are known."""
    frames, zero = 0, np.zeros((2, len(i)))
    n, mean, squares, product = np.zeros(len(i)), zero.copy(), zero.copy(), np.zeros(len(i))
    for block in together(a, b, i, k):
        frames += len(block[0])
        x = np.stack(block).astype(np.float64)
        known = np.isfinite(x).all(axis=0)
        x = np.where(known, x, 0.0)
        count = known.sum(axis=0)
        # moments of a part, added to those of what came before (Chan, Golub & LeVeque 1979)
        part = x.sum(axis=1) / np.maximum(count, 1)
        away = np.where(known, x - part[:, None], 0.0)
        step, all_ = part - mean, np.maximum(n + count, 1)
        squares += (away**2).sum(axis=1) + step**2 * (n * count / all_)
        product += (away[0] * away[1]).sum(axis=0) + step[0] * step[1] * (n * count / all_)
        mean += step * (count / all_)
        n += count
    scale = np.sqrt(squares[0] * squares[1])
    with np.errstate(divide="ignore", invalid="ignore"):
        return frames, np.where((n > 1) & (scale > 0), product / scale, np.nan)
