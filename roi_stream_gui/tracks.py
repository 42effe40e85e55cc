"""Lines of a few traces over the stretch of time that is looked at. Knows no toolkit.

What the ring of the session still holds is shown as fine as the screen; what is older, or not read yet, comes
from the history. A line is broken where frames are missing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from roi_core.cellring import CellRing
from roi_stream_gui import heat, history, slim, thinned
from roi_stream_gui.history import FINEST, thin, woven
from roi_stream_gui.resting import RAW
from roi_stream_gui.thinned import Thinned

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from roi_core.cellring import CellRows
    from roi_core.ring import Rows, TraceRing
    from roi_stream_gui.history import History
    from roi_stream_gui.resting import Resting

    Line = NDArray[np.float64]
    Points = tuple[Line, Line]

__all__ = ["Scale", "Stretch", "Tracks", "ticks", "warm_up"]

VALUES: Final = 16_384
"""Values read at most for one drawn frame: a few ms."""
LEAST: Final = 0.08
"""Share of the largest spike in sight below which none is drawn."""
STEP: Final = 3.5
"""Columns without a row at which a line is broken ..."""
SILENT: Final = 0.25
"""... if that is so many seconds: a camera that stutters has no gaps."""


class Scale(NamedTuple):
    """The time scale of a screen: seconds and columns in all, frames per second."""

    seconds: float
    columns: int
    rate: float

    @property
    def width(self) -> float:
        """Seconds of a column."""
        return self.seconds / max(self.columns, 1)


class Stretch(NamedTuple):
    """From ``start`` to ``end``, s, nothing after ``upto`` when held; ``gaps`` (n,) are without frames."""

    start: float
    end: float
    upto: float | None
    gaps: Line


class _Key(NamedTuple):
    history: History
    ids: tuple[int, ...]
    kinds: tuple[str, ...]
    scale: Scale
    end: float | None


class Tracks:
    """Traces of regions, or of cells: of the ids and kinds asked for and no others.

    Given the `resting` light of cells, their dF/F is raw over it; NaN where it is not known.
    """

    def __init__(self, resting: Resting | None = None) -> None:
        self._resting = resting
        self._key: _Key | None = None
        self._stretch = Stretch(0.0, 0.0, None, np.zeros(0))
        self._thinned: dict[str, Thinned] = {}
        self._cursor = 0
        self._last = 0
        """The row before which a stretch that is held ends."""
        self._behind = False
        """There are rows that were not read yet."""

    @property
    def busy(self) -> bool:
        """Tell whether there are rows of a stretch held that were not read yet."""
        return self._stretch.upto is not None and bool(self._thinned) and self._cursor < self._last

    def update(
        self,
        ring: TraceRing | CellRing | None,
        history: History,
        ids: tuple[int, ...],
        kinds: tuple[str, ...],
        scale: Scale,
        stretch: Stretch,
    ) -> None:
        """Take in what is new; another session, choice, scale or stretch held starts over."""
        kinds = tuple(dict.fromkeys(map(self._source, kinds)))
        key = _Key(history, ids, kinds, scale, stretch.upto)
        self._stretch = stretch
        if self._key is None or not _goes_on(self._key, key):
            self._key = key
            self._start(ring)
        self._key = key
        if ring is not None and self._thinned:
            self._read(ring)
            self._behind = self._cursor < (ring.head if stretch.upto is None else self._last)

    def line(self, kind: str, one: int) -> Points:
        """Return times (n,) and values (n,) of a trace, NaN where it is broken."""
        if self._key is None or one not in self._key.ids:
            return np.zeros(0), np.zeros(0)
        kind, over = self._source(kind), self._over(kind, (one,))[0]
        start, end, upto, gaps = self._stretch
        end = end if upto is None else min(end, upto)
        made = self._thinned.get(kind)
        column = self._key.ids.index(one)
        if made is None or column >= len(made.latest):  # nothing was read of it yet
            x, y = self._past(kind, one, start, end)
        else:
            at, values = made.times(), made.lane(column)
            first, last = at[0] - made.width / 2, at[-1] + made.width / 2
            before = self._past(kind, one, start, first)
            after = self._past(kind, one, last, end if self._behind else last)
            fine = _cut(at, values, _silences(at, made.width))
            x, y = (np.concatenate(parts) for parts in zip(before, fine, after, strict=True))
        return _cut(x, y / over, np.searchsorted(x, gaps))

    def table(self, kind: str, first: int, count: int) -> NDArray[np.float32]:
        """Return the highest value (K, count) of every trace in `count` columns of the screen.

        They are numbered from the first moment of the session on; see `width`.
        """
        key = self._key
        if key is None:
            return np.zeros((0, count), np.float32)
        out = self._table(key, self._source(kind), first, count)
        return out / self._over(kind, key.ids).astype(np.float32)[:, None]

    def _table(self, key: _Key, kind: str, first: int, count: int) -> NDArray[np.float32]:
        made = self._thinned.get(kind)
        if made is None or not len(made.latest):
            return key.history.table(kind, key.ids, first * self.width, self.width, count)
        at, fine = made.columns()
        inside = (at >= first) & (at < first + count)
        if inside.any() and at[inside][0] <= first + 1 and not self.busy:
            out = np.full((len(key.ids), count), np.nan, np.float32)
        else:
            out = key.history.table(kind, key.ids, first * self.width, self.width, count)
        out[: len(fine), at[inside] - first] = fine[:, inside]
        # a column that fell between two rows shows the one before
        bare = np.setdiff1d(at[inside][:-1] + 1, at) - first
        out[: len(fine), bare] = out[: len(fine), bare - 1]
        return out

    @property
    def width(self) -> float:
        """Seconds of a column."""
        for made in self._thinned.values():
            return made.width
        return 1.0 if self._key is None else max(self._key.scale.width, 1.0 / max(self._key.scale.rate, 1e-3))

    def spikes(self, one: int) -> Points:
        """Return times (s) and heights (0..1, of the largest in sight) of a cell's spikes."""
        x, y = self.line("spikes", one)
        known = ~np.isnan(y)
        high, times = y[known].reshape(-1, 2).max(axis=1), x[known][::2]
        most = float(high.max(initial=0.0))
        there = high > LEAST * most
        return times[there], high[there] / max(most, 1e-12)

    def _source(self, kind: str) -> str:
        """Return the kind of trace that is read for another."""
        return RAW if kind == "dff" and self._resting is not None else kind

    def _over(self, kind: str, ids: tuple[int, ...]) -> Line:
        """Return what (K,) each trace is divided by."""
        if self._resting is None or kind != "dff":
            return np.ones(len(ids))
        return np.array([self._resting.f0.get(one, np.nan) for one in ids])

    def _start(self, ring: TraceRing | CellRing | None) -> None:
        """Begin reading at the first row of the stretch that the ring still has."""
        key = self._key
        self._thinned = {}
        if ring is None or key is None or not key.ids or key.scale.width >= FINEST:
            return
        start, end = self._stretch.start, self._stretch.upto
        self._thinned = {kind: Thinned(*key.scale) for kind in key.kinds}
        self._cursor = ring.row_at(start - 2 * key.scale.width)
        self._last = 0 if end is None else ring.row_at(end + 1e-6)

    def _read(self, ring: TraceRing | CellRing) -> None:
        key, held = self._key, self._stretch.upto is not None
        most = max(VALUES // max(len(key.ids), 1), 32) if key is not None else 0
        most = min(most, self._last - self._cursor) if held else most
        if key is None or most <= 0 or self._cursor >= ring.head:
            return
        rows: Rows | CellRows
        if isinstance(ring, CellRing):
            rows = ring.since(self._cursor, key.ids, most)
            values = {kind: getattr(rows, kind) for kind in key.kinds}
        else:
            rows = ring.since(self._cursor, most)
            place = {roi: k for k, roi in enumerate(ring.ids[: rows.raw.shape[1]])}
            values = {
                kind: _columns(getattr(rows, kind), [place.get(i, -1) for i in key.ids]) for kind in key.kinds
            }
        self._cursor = rows.first + len(rows.times)
        if held and rows.first >= self._last:  # the ring has gone over them meanwhile
            return
        for kind, columns in self._thinned.items():
            columns.take(rows, values[kind])

    def _past(self, kind: str, one: int, start: float, end: float) -> Points:
        """Return what the history knows of a trace between two moments."""
        key = self._key
        if key is None or end - start < FINEST / 2:
            return np.zeros(0), np.zeros(0)
        x, y = key.history.points(kind, one, start, end)
        inside = (x > start) & (x < end)
        return woven(thin((x[inside], y[inside]), start, max(key.scale.width, 1e-6)))


def _goes_on(old: _Key, new: _Key) -> bool:
    """Tell whether what was read for one key serves another: ids may have been added at the end."""
    same = new._replace(ids=old.ids) == old and new.history is old.history
    return same and bool(old.ids) and new.ids[: len(old.ids)] == old.ids


def ticks(times: Line, heights: Line, base: float, tall: float) -> Points:
    """Return x and y of upright ticks from `base` on, `tall` for a height of 1, each ended by NaN."""
    x, y = np.repeat(times, 3), np.full(3 * len(times), base)
    y[1::3] += tall * heights
    y[2::3] = np.nan
    return x, y


def warm_up() -> None:
    """Compile every kernel of the traces."""
    thinned.warm_up()
    history.warm_up()
    heat.warm_up()
    slim.warm_up()


def _columns(values: NDArray[np.float32], places: list[int]) -> NDArray[np.float32]:
    """Return the (n, K) values of these columns; NaN for one that is not there."""
    out = np.full((len(values), len(places)), np.nan, np.float32)
    for k, place in enumerate(places):
        if place >= 0:
            out[:, k] = values[:, place]
    return out


def _silences(times: Line, width: float) -> NDArray[np.intp]:
    """Return where, in points two by two, there was no row for a while."""
    return 2 * (np.flatnonzero(np.diff(times[::2]) > max(STEP * width, SILENT)) + 1)


def _cut(x: Line, y: Line, at: NDArray[np.intp]) -> Points:
    """Return a line broken before these points."""
    at = at[(at > 0) & (at < len(x))]
    if not at.size:
        return x, y
    at = np.unique(at)
    return np.insert(x, at, x[at - 1]), np.insert(y, at, np.nan)
