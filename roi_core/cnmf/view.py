"""What onlookers may see of the components: an immutable, versioned copy on the camera's picture."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from roi_core.frame import Components, Status
from roi_core.jit import kernel

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from roi_core.cnmf.state import Cells

__all__ = ["Camera", "Fate", "View"]


@dataclass(frozen=True, slots=True)
class Camera:
    """Where the analysed picture lies on the camera's (H, W): first px ``origin``, `bin` px to one."""

    shape: tuple[int, int]
    origin: tuple[int, int] = (0, 0)
    bin: int = 1


@dataclass(frozen=True, slots=True)
class Fate:
    """A component that is no more: when it was born and what became of it."""

    born: int
    status: Status
    reason: str


class Columns(NamedTuple):
    """Footprints as the arrays of a CSC matrix; never changed, only replaced."""

    data: NDArray[np.float32]
    indices: NDArray[np.int32]
    indptr: NDArray[np.int64]

    def plus(self, more: Columns) -> Columns:
        """Return the columns with more at their end."""
        if len(self.indptr) == 1:
            return more
        return Columns(
            np.concatenate([self.data, more.data]),
            np.concatenate([self.indices, more.indices]),
            np.concatenate([self.indptr, self.indptr[-1] + more.indptr[1:]]),
        )

    def without(self, i: int) -> Columns:
        """Return the columns without one, whose place the last one takes."""
        last = len(self.indptr) - 2
        a, b, c, end = self.indptr[[i, i + 1, last, last + 1]].tolist()
        order = [slice(0, a), slice(c, end), slice(b, c)] if i < last else [slice(0, a)]
        sizes = np.diff(self.indptr)
        sizes[i] = sizes[last]
        return Columns(
            np.concatenate([self.data[part] for part in order]),
            np.concatenate([self.indices[part] for part in order]),
            np.concatenate([[0], sizes[:last].cumsum()]),
        )


NOTHING = Columns(np.zeros(0, np.float32), np.zeros(0, np.int32), np.zeros(1, np.int64))


@dataclass
class View:
    """Makes `Components` when asked, with those that are no more behind the living.

    A footprint is drawn once and then shown as it was, until `redraw`: so a birth costs one footprint.
    """

    camera: Camera
    version: int = 0
    gone: dict[int, Fate] = field(default_factory=dict)
    _dead: Dead = field(default_factory=lambda: Dead.of([]))
    _drawn: Columns = field(default_factory=lambda: NOTHING)

    def redraw(self) -> None:
        """Draw all footprints anew the next time: their shapes or their order changed."""
        self._drawn = NOTHING

    def drop(self, i: int, count: int) -> None:
        """Show the footprint of cell i of so many no more; the last cell has its place."""
        drawn = len(self._drawn.indptr) - 1
        if drawn == count:
            self._drawn = self._drawn.without(i)
        elif i < drawn:  # the cell that has its place is not drawn yet
            self.redraw()

    def revive(self, cell: int) -> None:
        """Forget the fate of a component that lives again."""
        if self.gone.pop(cell, None) is not None:
            self._dead = Dead.of([])

    def of(
        self, cells: Cells, status: NDArray[np.uint8], reasons: tuple[str, ...], snr: NDArray[np.float32]
    ) -> Components:
        """Return all components as they are now."""
        n, t, camera = cells.count, cells.t, self.camera
        self.version += 1
        dead = self._dead = self._dead.plus(islice(self.gone.items(), len(self._dead.ids), None))
        none = np.full(len(dead.ids), np.nan, np.float32)
        first = len(self._drawn.indptr) - 1
        new = _on_camera(t.boxes[first:n], t.centres[first:n], t.rows[first:n], cells.field.shape, camera)
        self._drawn = data, indices, indptr = self._drawn.plus(new)
        return Components(
            version=self.version,
            shape=camera.shape,
            ids=np.concatenate([t.ids[:n], dead.ids]),
            born=np.concatenate([t.born[:n], dead.born]),
            status=np.concatenate([status, dead.status]),
            reason=reasons + dead.reason,
            snr=np.concatenate([snr, none]),
            r=np.concatenate([t.r[:n], none]),
            size=np.concatenate([t.size[:n] * camera.bin**2, none]),
            overlap=np.concatenate([np.where(t.near[:n] >= 0, t.gram[:n], 0).max(1, initial=0), none]),
            data=data,
            indices=indices,
            indptr=np.concatenate([indptr, np.full(len(dead.ids), indptr[-1])]),
            frozen=frozenset(t.ids[:n][t.frozen[:n] > 0].tolist()),
        )


class Dead(NamedTuple):
    """Those that are no more, in columns; only ever longer, so that a view does not ask all of them again."""

    ids: NDArray[np.int64]
    born: NDArray[np.int64]
    status: NDArray[np.uint8]
    reason: tuple[str, ...]

    @classmethod
    def of(cls, gone: Iterable[tuple[int, Fate]]) -> Dead:
        """Return the columns of some fates by id."""
        rows = [(cell, fate.born, fate.status, fate.reason) for cell, fate in gone]
        ids, born, status, reason = zip(*rows, strict=True) if rows else ((), (), (), ())
        return cls(np.array(ids, np.int64), np.array(born, np.int64), np.array(status, np.uint8), reason)

    def plus(self, gone: Iterable[tuple[int, Fate]]) -> Dead:
        """Return the columns with more fates at their ends."""
        more = Dead.of(gone)
        if not len(more.ids):
            return self
        return Dead(
            np.concatenate([self.ids, more.ids]),
            np.concatenate([self.born, more.born]),
            np.concatenate([self.status, more.status]),
            self.reason + more.reason,
        )


def _on_camera(
    boxes: NDArray[np.float32],
    centres: NDArray[np.int64],
    rows: NDArray[np.int64],
    shape: tuple[int, int],
    camera: Camera,
) -> Columns:
    """Return footprints, zero but in ``rows``, over the camera's pixels, each scaled to a maximum of 1."""
    n, (y0, x0) = len(boxes), camera.origin
    frame = (shape[0], shape[1], camera.shape[1], y0, x0, camera.bin)
    indptr = np.zeros(n + 1, np.int64)
    _count(n, boxes, centres, rows, frame, indptr)
    data, indices = np.empty(indptr[-1] + 1, np.float32), np.empty(indptr[-1] + 1, np.int32)
    _fill(n, boxes, centres, rows, frame, data, indices)
    return Columns(data[:-1], indices[:-1], indptr)


@kernel
def _part(centre: Any, side: Any, size: Any) -> Any:
    """Return the first pixel and the end of the part of a box that lies on the picture, along one axis."""
    first = centre - side // 2
    return max(0, -first), min(side, size - first)


@kernel
def _count(n: Any, boxes: Any, centres: Any, rows: Any, frame: Any, indptr: Any) -> None:
    side, px = boxes.shape[1], frame[5]
    for i in range(n):
        (y0, y1), (x0, x1) = _part(centres[i, 0], side, frame[0]), _part(centres[i, 1], side, frame[1])
        number = 0
        for y in range(max(y0, rows[i, 0]), min(y1, rows[i, 1])):
            row = boxes[i, y, x0:x1]
            for x in range(row.size):
                number += row[x] > 0
        indptr[i + 1] = indptr[i] + number * px * px


@kernel
def _fill(n: Any, boxes: Any, centres: Any, rows: Any, frame: Any, data: Any, indices: Any) -> None:
    """Write every pixel and go on only behind those that count: without a branch it is five times faster."""
    height, width, wide, up, left, px = frame
    side, end, none = boxes.shape[1], np.uint64(0), np.float32(0)
    source = (np.arange(side * px) // px).astype(np.uint64)
    for i in range(n):
        (y0, y1), (x0, x1) = _part(centres[i, 0], side, height), _part(centres[i, 1], side, width)
        corner = (up + (centres[i, 0] - side // 2) * px) * wide + left + (centres[i, 1] - side // 2) * px
        begin, top = end, np.float32(1e-30)
        for y in range(max(y0, rows[i, 0]), min(y1, rows[i, 1])):
            row = boxes[i, y]
            for at in range(corner + y * px * wide, corner + (y + 1) * px * wide, wide):
                for x in range(x0 * px, x1 * px):
                    value = row[source[np.uint64(x)]]
                    data[end], indices[end] = value, np.int32(at + x)
                    top = max(top, value)
                    end += np.uint64(value > none)
        column = data[begin:end]
        for k in range(column.size):
            column[k] /= top
