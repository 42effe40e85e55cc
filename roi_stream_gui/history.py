"""Every trace from the first frame on, thinned to its lowest and highest value in slices of time.

A `Piece` holds `SIZE` slices and the traces there were in them, so that what is deleted or dies stays where
it was and costs nothing later. When all pieces together take more than their budget, the two oldest of the
finest slices become one of slices twice as long: the last minutes stay fine, hours fit. Knows no toolkit.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from roi_core.jit import kernel

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    Points = tuple[NDArray[np.float64], NDArray[np.float64]]

__all__ = ["BUDGET", "FINEST", "SIZE", "History", "thin", "warm_up", "woven"]

FINEST: Final = 0.5
"""Seconds of a slice while it is young."""
SIZE: Final = 256
"""Slices of a piece; even, so that the halves of a coarser one never share a slice."""
BUDGET: Final = 120 * 2**20
"""Bytes that the traces of one kind of thing (regions, cells) may take."""
SPARE: Final = 16
"""Columns by which a piece grows."""


class Piece:
    """`SIZE` slices of ``width`` s from slice number ``first`` on."""

    def __init__(self, first: int, width: float, kinds: int, ids: Sequence[int]) -> None:
        self.first, self.width = first, width
        self.column = {one: k for k, one in enumerate(ids)}
        self.low = np.full((kinds, SIZE, _room(len(ids))), np.nan, np.float32)
        self.high = self.low.copy()

    @property
    def start(self) -> float:
        """When it begins, s."""
        return self.first * self.width

    @property
    def end(self) -> float:
        """When it ends, s."""
        return (self.first + SIZE) * self.width

    @property
    def parent(self) -> int:
        """First slice of the coarser piece it goes into, in slices twice as long."""
        return self.first // 2 // SIZE * SIZE

    @property
    def bytes(self) -> int:
        """How much memory it takes."""
        return self.low.nbytes + self.high.nbytes

    def columns(self, ids: Sequence[int]) -> NDArray[np.int64]:
        """Return the column (K,) of each id; those that are new get one."""
        new = [one for one in ids if one not in self.column]
        if new:
            self.column |= {one: len(self.column) + k for k, one in enumerate(new)}
            more = len(self.column) - self.low.shape[2]
            if more > 0:
                pad = np.full((*self.low.shape[:2], _room(more)), np.nan, np.float32)
                self.low = np.concatenate([self.low, pad], axis=2)
                self.high = np.concatenate([self.high, pad], axis=2)
        return np.array([self.column[one] for one in ids], np.int64)

    def times(self) -> NDArray[np.float64]:
        """Return the middle (SIZE,) of each slice, s."""
        return (self.first + np.arange(SIZE, dtype=np.float64) + 0.5) * self.width


class History:
    """Lowest and highest values of traces of several ``kinds`` (say raw and dF/F), by id."""

    def __init__(self, kinds: Sequence[str], budget: int = BUDGET) -> None:
        self.kinds = tuple(kinds)
        self.newest = -1.0
        self._budget = budget
        self._pieces: list[Piece] = []
        """In the order of time, never overlapping."""
        self._ids: tuple[int, ...] = ()
        self._columns = np.zeros(0, np.int64)
        self._of: Piece | None = None

    @property
    def bytes(self) -> int:
        """How much memory all pieces take."""
        return sum(piece.bytes for piece in self._pieces)

    @property
    def start(self) -> float:
        """When the first slice begins, s."""
        return self._pieces[0].start if self._pieces else 0.0

    def take(
        self, times: NDArray[np.float64], ids: tuple[int, ...], values: Sequence[NDArray[np.float32]]
    ) -> None:
        """Add rows at times (n,), s; `values` are (n, K) for each kind, columns in the order of `ids`."""
        at = 0
        while at < len(times):
            piece = self._piece(times[at], ids)
            upto = at + int(np.searchsorted(times[at:], piece.end))
            if piece is not self._of or ids != self._ids:
                self._of, self._ids, self._columns = piece, ids, piece.columns(ids)
            slices = (times[at:upto] // piece.width).astype(np.int64) - piece.first
            for k, kind in enumerate(values):
                _fill(slices, self._columns, kind[at:upto], piece.low[k], piece.high[k])
            at = max(upto, at + 1)
        if len(times):
            self.newest = float(times[-1])
            self._thin_out()

    def points(self, kind: str, one: int, start: float, end: float) -> Points:
        """Return times (2n,) and the two values of each slice (2n,) of one trace between two moments, s.

        Slices without a value are NaN, so that nothing is drawn across them.
        """
        k, x, low, high = self.kinds.index(kind), [], [], []
        for piece, part in self._between(start, end):
            column = piece.column.get(one)
            nothing = np.full(part.stop - part.start, np.nan, np.float32)
            x.append(piece.times()[part])
            low.append(nothing if column is None else piece.low[k, part, column])
            high.append(nothing if column is None else piece.high[k, part, column])
        if not x:
            return np.zeros(0), np.zeros(0)
        y = np.column_stack([np.concatenate(low), np.concatenate(high)]).ravel()
        return np.repeat(np.concatenate(x), 2), y.astype(np.float64)

    def ids(self, start: float, end: float) -> set[int]:
        """Return the ids of which there are traces between two moments, roughly: those of whole pieces."""
        return {one for piece, _ in self._between(start, end) for one in piece.column}

    def table(
        self, kind: str, ids: Sequence[int], start: float, width: float, count: int
    ) -> NDArray[np.float32]:
        """Return the highest value (K, count) of each trace in `count` columns of `width` s from `start` on.

        A column narrower than a slice shows the slice it lies in.
        """
        k, out = self.kinds.index(kind), np.full((len(ids), count), np.nan, np.float32)
        for piece, part in self._between(start, start + width * count):
            rows = np.array([piece.column.get(one, -1) for one in ids], np.int64)
            edges = (piece.first + np.arange(part.start, part.stop + 1)) * piece.width
            to = np.clip(np.floor((edges - start) / width + 1e-6), 0, count).astype(np.int64)
            _spread(piece.high[k, part], rows, to, out)
        return out

    def _between(self, start: float, end: float) -> Iterator[tuple[Piece, slice]]:
        """Return each piece that has slices between two moments, and which; none later than the newest."""
        end = min(end, self.newest)
        for piece in self._pieces:
            first = max(int(start // piece.width) - piece.first, 0)
            last = min(int(end // piece.width) - piece.first + 1, SIZE)
            if first < last:
                yield piece, slice(first, last)

    def _piece(self, time: float, ids: Sequence[int]) -> Piece:
        """Return the piece that holds a time, a new one when there is none."""
        if self._pieces and time < self._pieces[-1].end:
            return self._pieces[-1]
        first = int(time // FINEST) // SIZE * SIZE
        self._pieces.append(Piece(first, FINEST, len(self.kinds), ids))
        return self._pieces[-1]

    def _thin_out(self) -> None:
        """Make the oldest of the finest slices coarser while they are too many; one step at a time."""
        if self.bytes <= self._budget or len(self._pieces) < 3:
            return
        *done, filling = self._pieces
        past = [piece for piece in done if 2 * piece.width * (piece.parent + SIZE) <= filling.start]
        if past:
            finest = min(past, key=lambda piece: piece.width)  # the oldest of them
            width, start = finest.width, finest.parent
            both = [piece for piece in past if (piece.width, piece.parent) == (width, start)]
            at = self._pieces.index(finest)
            self._pieces[at : at + len(both)] = [_coarser(both, start)]


def thin(points: Points, start: float, width: float) -> Points:
    """Return points two by two in columns of `width` s from `start` on: lowest and highest of each."""
    x, y = points
    if x.size < 4:
        return points
    column = np.floor((x[::2] - start) / width)
    firsts = np.flatnonzero(np.diff(column, prepend=-np.inf))
    low, high = np.fmin.reduceat(y[::2], firsts), np.fmax.reduceat(y[1::2], firsts)
    times = start + (column[firsts] + 0.5) * width
    return np.repeat(times, 2), np.column_stack([low, high]).ravel()


def woven(points: Points) -> Points:
    """Return points of which every second pair is turned round, so that a line through them zigzags less."""
    x, y = points
    pairs = y.reshape(-1, 2).copy()
    pairs[1::2] = pairs[1::2, ::-1]
    return x, pairs.ravel()


def warm_up() -> None:
    """Compile the kernels."""
    history = History(["raw"])
    history.take(np.zeros(1), (1,), [np.zeros((1, 1), np.float32)])
    history.table("raw", (1,), 0.0, 1.0, 1)


def _room(columns: int) -> int:
    return -(-columns // SPARE) * SPARE


def _coarser(pieces: Sequence[Piece], first: int) -> Piece:
    """Return pieces of slices half as long as one."""
    ids = list(dict.fromkeys(one for piece in pieces for one in piece.column))
    out = Piece(first, 2 * pieces[0].width, len(pieces[0].low), ids)
    for piece in pieces:
        to = out.columns(list(piece.column))
        half = slice(piece.first // 2 - first, piece.first // 2 - first + SIZE // 2)
        for mine, theirs, join in ((out.low, piece.low, np.fmin), (out.high, piece.high, np.fmax)):
            mine[:, half, to] = join(theirs[:, 0::2, : len(to)], theirs[:, 1::2, : len(to)])
    return out


@kernel
def _fill(
    slices: NDArray[np.int64],
    columns: NDArray[np.int64],
    values: NDArray[np.float32],
    low: NDArray[np.float32],
    high: NDArray[np.float32],
) -> None:
    for i in range(slices.size):
        at = slices[i]
        for k in range(columns.size):
            value, to = values[i, k], columns[k]
            if value == value:
                if not value >= low[at, to]:
                    low[at, to] = value
                if not value <= high[at, to]:
                    high[at, to] = value


@kernel
def _spread(
    high: NDArray[np.float32],
    rows: NDArray[np.int64],
    to: NDArray[np.int64],
    out: NDArray[np.float32],
) -> None:
    for i in range(high.shape[0]):
        for j in range(to[i], max(to[i + 1], min(to[i] + 1, out.shape[1]))):
            for k in range(rows.size):
                if rows[k] >= 0:
                    value = high[i, rows[k]]
                    if value == value and not value <= out[k, j]:
                        out[k, j] = value
