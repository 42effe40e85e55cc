"""Drawn regions against what was found: which cell lies where a region is, and how alike their traces are.

A footprint counts as far as it is above a share of its maximum, in the template's frame; the frame's own
shift, a few px at most, is left out. All of it is worked out on a thread of its own.
"""

from __future__ import annotations

import logging
import time
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from roi_core.frame import Status
from roi_stream_gui.outlines import CUT

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    from roi_core.cellring import CellRing
    from roi_core.frame import Components
    from roi_core.ring import TraceRing
    from roi_core.rois import Roi, RoiSet
    from roi_core.snapshot import Snapshot

__all__ = ["FOUND", "Agreement", "Pair", "agree", "pairs"]

log = logging.getLogger(__name__)

FOUND: Final = 0.2
"""Overlap (pixels of both over pixels of either) from which a region counts as found."""
PERIOD: Final = 1.0
"""Seconds between two comparisons."""
LATELY: Final = 120.0
"""Seconds of trace that are compared."""
ENOUGH: Final = 60
"""Rows below which nothing is said of the correlation."""


class Pair(NamedTuple):
    """A region and the component nearest to it, by their ids; None for a region or a cell that has no other.

    ``overlap`` is 0..1, ``r`` the correlation of the raw traces (NaN: not known), ``far`` the distance of
    the middles in px; ``accepted`` tells whether the component is taken for a cell.
    """

    region: int | None
    cell: int | None
    overlap: float = 0.0
    r: float = np.nan
    far: float = np.nan
    accepted: bool = True

    @property
    def kind(self) -> str:
        """``found``, ``missed`` (a region without a component) or ``extra`` (a cell without a region)."""
        if self.region is None:
            return "extra"
        return "found" if self.overlap >= FOUND else "missed"


class Parts:
    """The bodies of the living components: pixels, middles and boxes."""

    def __init__(self, components: Components) -> None:
        c = components
        self.ids: list[int] = []
        self.accepted: list[bool] = []
        self.pixels: list[NDArray[np.int32]] = []
        for k in np.flatnonzero((c.status <= Status.REJECTED) & (np.diff(c.indptr) > 0)).tolist():
            part = slice(c.indptr[k], c.indptr[k + 1])
            data = c.data[part]
            self.ids.append(int(c.ids[k]))
            self.accepted.append(bool(c.status[k] == Status.ACCEPTED))
            self.pixels.append(c.indices[part][data > CUT * data.max()])
        places = [np.divmod(pixels, c.shape[1]) for pixels in self.pixels]
        self.middles = np.array([[y.mean(), x.mean()] for y, x in places]).reshape(-1, 2)
        self.boxes = np.array([[y.min(), x.min(), y.max(), x.max()] for y, x in places]).reshape(-1, 4)


def pairs(rois: Iterable[Roi], components: Components) -> list[Pair]:
    """Return for each region the component that overlaps it most, else the nearest; then the extra cells."""
    parts, out, covered = Parts(components), [], set()
    inside = np.zeros(components.shape[0] * components.shape[1], bool)
    for roi in rois:
        pixels = _pixels(roi, components.shape)
        if not pixels.size or not parts.ids:
            out.append(Pair(roi.id, None))
            continue
        inside[pixels] = True
        overlaps = _overlaps(pixels, inside, parts, components.shape[1])
        inside[pixels] = False
        middle = np.array([v.mean() for v in np.divmod(pixels, components.shape[1])])
        far = np.hypot(*(parts.middles - middle).T)
        k = int(np.argmax(overlaps) if overlaps.max() > 0 else np.argmin(far))
        covered.update(np.flatnonzero(overlaps >= FOUND).tolist())
        out.append(Pair(roi.id, parts.ids[k], float(overlaps[k]), np.nan, float(far[k]), parts.accepted[k]))
    if out:
        out += [
            Pair(None, cell)
            for k, cell in enumerate(parts.ids)
            if parts.accepted[k] and k not in covered
        ]  # fmt: skip
    return out


def agree(
    rois: RoiSet, components: Components, traces: TraceRing, cells: CellRing, rate: float
) -> list[Pair]:
    """Return all pairs with the correlation of their traces: those that agree least first, extra last."""
    found = pairs(rois, components)
    both = [pair for pair in found if pair.region is not None and pair.cell is not None]
    number = round(LATELY * rate)
    drawn = traces.since(traces.head - number)
    theirs = cells.since(cells.head - number, dict.fromkeys(pair.cell for pair in both if pair.cell))
    column = {cell: k for k, cell in enumerate(dict.fromkeys(pair.cell for pair in both))}
    _, here, there = np.intersect1d(drawn.times, theirs.times, assume_unique=True, return_indices=True)
    place = {roi: k for k, roi in enumerate(traces.ids)}
    known = [
        pair if pair.region not in place or pair.cell not in column
        else pair._replace(r=_correlation(
            drawn.raw[here, place[pair.region]], theirs.raw[there, column[pair.cell]]
        ))
        for pair in found
    ]  # fmt: skip
    return sorted(known, key=lambda pair: (pair.region is None, pair.overlap))


class Agreement:
    """The last comparison, made anew about once a second while somebody looks."""

    def __init__(self) -> None:
        self.pairs: Sequence[Pair] = ()
        self._worker: ThreadPoolExecutor | None = None
        self._future: Future[list[Pair]] | None = None
        self._due = 0.0

    def follow(self, snapshot: Snapshot, rois: RoiSet) -> None:
        """Take what was worked out, and have it worked out again when it is time."""
        if self._future is not None:
            if not self._future.done():
                return
            try:
                self.pairs = self._future.result()
            except Exception as error:
                log.warning("regions and cells were not compared: %s", error, exc_info=error)
            self._future = None
        now, activity, cells = time.monotonic(), snapshot.activity, snapshot.cells
        if activity is None or cells is None or now < self._due:
            return
        self._due = now + PERIOD
        if self._worker is None:
            self._worker = ThreadPoolExecutor(1, thread_name_prefix="agreement")
        self._future = self._worker.submit(
            agree, rois, activity.components, snapshot.traces, cells, snapshot.rate
        )

    def of(self, kind: str) -> list[Pair]:
        """Return the pairs of one kind: ``found``, ``missed`` or ``extra``."""
        return [pair for pair in self.pairs if pair.kind == kind]

    def close(self) -> None:
        """End the thread."""
        if self._worker is not None:
            self._worker.shutdown(wait=True)


def _pixels(roi: Roi, shape: tuple[int, int]) -> NDArray[np.int64]:
    """Return the pixels (n,) of a region in C order."""
    runs = [np.arange(first, last) + y * shape[1] for y, first, last in roi.runs(shape)]
    return np.concatenate(runs) if runs else np.zeros(0, np.int64)


def _overlaps(
    pixels: NDArray[np.int64], inside: NDArray[np.bool_], parts: Parts, width: int
) -> NDArray[np.float64]:
    """Return the overlap (K,) of a region with each component; ``inside`` are its pixels."""
    y, x = np.divmod(pixels, width)
    top, left, low, right = parts.boxes.T
    near = (top <= y.max()) & (low >= y.min()) & (left <= x.max()) & (right >= x.min())
    out = np.zeros(len(parts.ids))
    for k in np.flatnonzero(near).tolist():
        both = int(np.count_nonzero(inside[parts.pixels[k]]))
        out[k] = both / (pixels.size + parts.pixels[k].size - both)
    return out


def _correlation(a: NDArray[np.float32], b: NDArray[np.float32]) -> float:
    """Return the correlation of two traces (T,) where both are known; NaN when that is hardly anywhere."""
    known = np.isfinite(a) & np.isfinite(b)
    a, b = a[known].astype(np.float64), b[known].astype(np.float64)
    if len(a) < ENOUGH or not a.std() or not b.std():
        return float("nan")
    return float(np.corrcoef(a, b)[0, 1])
