"""The components and everything that is summed for each: one row per cell, in arrays that grow by doubling.

A cell lives in a square box of side S = 2 * reach + 1 round its centre. Footprints, their statistics and all
products between cells stay inside these boxes, so the cost of a frame is that of the pixels that cells
really cover, and a box row is contiguous in memory: no pixel lists.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from roi_core.cnmf import neighbours
from roi_core.cnmf.neighbours import renew_gram
from roi_core.jit import kernel, lean

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from roi_core.cnmf.background import Grid

__all__ = ["BODY", "Cells", "Field", "Table", "settle", "shifted"]

NEIGHBOURS = 16
"""Width of the neighbour table at first; it doubles where a field is denser."""
BODY = 0.2
"""Share of the brightest pixel down to which a footprint has its size, and is shown."""
FINE = 4.0
"""Cells of at least this radius, px, are looked for and explained on a picture binned by two."""


@dataclass(frozen=True, slots=True)
class Field:
    """The sizes that follow from the (h, w) `shape` of the picture and the `radius` of a cell, in px.

    Boxes reach ``reach`` px to each side of a centre. On the picture binned by ``factor`` (``binned``) they
    become patches of side ``patch``, and pictures carry a ``margin`` so that no box ever leaves them.
    """

    shape: tuple[int, int]
    radius: float

    @property
    def factor(self) -> int:
        """Pixels binned in each direction for the residual."""
        return 2 if self.radius >= FINE else 1

    @property
    def reach(self) -> int:
        """Half a box, px."""
        return max(3, round(2 * self.radius))

    @property
    def side(self) -> int:
        """Side of a box, px."""
        return 2 * self.reach + 1

    @property
    def binned(self) -> tuple[int, int]:
        """(rows, columns) of the binned picture."""
        return self.shape[0] // self.factor, self.shape[1] // self.factor

    @property
    def margin(self) -> int:
        """Margin of binned pictures."""
        return self.reach // self.factor + 3

    @property
    def patch(self) -> int:
        """Side of a box on the binned picture."""
        return 2 * self.reach // self.factor + 3

    @property
    def area(self) -> float:
        """Expected px of a cell."""
        return float(np.pi * self.radius**2)

    @property
    def room(self) -> int:
        """Cells that there is room for at first: to make more in mid-recording takes longer than a frame."""
        return int(min(max(self.shape[0] * self.shape[1] / self.area, 64), 2048))


class Table(NamedTuple):
    """The arrays of N cells; each has room for more, so its first rows are the cells.

    Footprint: ``boxes`` (N, S, S) of unit energy (sum of squares 1), zero outside the cell; ``centres``
    (N, 2) y, x of the boxes' middles; ``moments`` (N, 3) sum of the footprint, and of it times y and times x
    from the middle, each pixel times its gain in the glow; ``patches`` and ``corners`` the same box on the
    binned picture with its margin; ``rows`` and ``lines`` (N, 2) the first row of box and patch that is not
    zero, and the one after the last.

    Neighbours: ``near`` (N, M) every cell whose box touches this one's, -1 after the last; for these pairs
    ``gram`` the product of the footprints, ``links`` W of Giovannucci et al. 2017 (sum of this instrument
    times the other's trace), ``sync`` the running mean of the product of their calcium.

    Sums: ``images`` (N, S, S) M on the box (sum of instrument times picture), ``power`` of instrument times
    own trace, ``energy`` of the instrument squared, ``fresh`` whether there is more in them than at the last
    look; ``first`` and ``second`` running moments of the calcium.

    Trace: ``mean`` of it as of the pixels, ``trace`` of this frame above that mean, ``floor`` the least it
    may be, ``prediction`` the calcium expected of the next frame, ``smooth`` raw trace, in ``tail`` (N, 3)
    its running first three moments, ``swings`` (N, scales, 4) weight and first three moments of its changes
    (`statistics.swing`), ``peak`` the highest transient of late, ``loud`` the most that ``second`` ever was.

    Glow: ``at`` (N, 4) the nodes round the middle, ``share`` (N, 3, 4) what each adds to the plane under it.

    Quality: ``r`` correlation with the image of its transients, ``contrast`` how far that falls to its rim,
    ``size`` px, ``evidence`` for its transients, in ``shown`` (N, `MARKS`) all marks when it last
    did something; ``status`` and the ``rule`` it fails (-1: none), ``verdict`` a status given by hand (0:
    none), ``frozen`` whether its footprint stays as it is. ``visited`` is the frame of the last look,
    ``born`` the row of birth.
    """

    boxes: Any
    centres: Any
    moments: Any
    patches: Any
    corners: Any
    rows: Any
    lines: Any
    near: Any
    gram: Any
    links: Any
    sync: Any
    images: Any
    power: Any
    energy: Any
    fresh: Any
    first: Any
    second: Any
    mean: Any
    trace: Any
    floor: Any
    prediction: Any
    smooth: Any
    tail: Any
    swings: Any
    peak: Any
    loud: Any
    at: Any
    share: Any
    r: Any
    contrast: Any
    size: Any
    evidence: Any
    shown: Any
    status: Any
    rule: Any
    verdict: Any
    frozen: Any
    visited: Any
    born: Any
    ids: Any


MARKS = 8
"""Marks by which a component is judged, see `quality.Marks`."""
SWINGS = (0.17, 0.35, 0.7)
"""Seconds over which the changes of a trace are taken."""
PAIRS = ("near", "gram", "links", "sync")


class Cells:
    """N cells on a field, whose glow is known on a `grid` of the binned picture; ``t`` is their table.

    ``gain`` (rows, columns) tells how much each binned pixel follows the glow of its place.

    ``cover`` (rows, columns) counts the cells on each binned pixel.
    """

    def __init__(self, field: Field, grid: Grid, gain: NDArray[np.float32]) -> None:
        self.field, self.grid, self.gain = field, grid, gain
        self.count = 0
        self.cover = np.zeros(field.binned, np.int16)
        self.t = _empty(field, field.room, NEIGHBOURS)

    def add(self, box: NDArray[np.float32], centre: tuple[int, int], born: int, seen: int, cell: int) -> int:
        """Add a cell with a footprint (S, S) of any scale, born at a row and after ``seen`` frames."""
        i, t = self.count, self._with_room()
        for column in t:
            column[i] = 0
        t.near[i] = -1
        t.boxes[i] = box
        t.floor[i] = -np.inf
        t.born[i], t.visited[i] = born, seen
        t.ids[i] = cell
        t.r[i] = t.contrast[i] = 1
        t.size[i] = (box > BODY * box.max()).sum()
        self.count += 1
        self.place(i, centre)
        return i

    def place(self, i: int, centre: tuple[int, int]) -> None:
        """Put cell i, which lies nowhere, at a centre, and join it to its neighbours."""
        self.t.centres[i] = centre
        self.t.at[i], self.t.share[i] = _under(self.grid, centre, self.field.factor)
        while not neighbours.join(i, self.count, self.t):
            self._widen()
        settle(i, self.t, self.field.factor, self.field.margin, self.gain, self.cover, False)

    def lift(self, i: int) -> None:
        """Take cell i out of its place; its sums with neighbours are lost, all others are kept."""
        field = self.field
        mark(self.cover, self.t.patches[i], self.t.corners[i], field.margin, -1)
        neighbours.leave(i, self.t)

    def move(self, i: int, dy: int, dx: int) -> None:
        """Centre the box of cell i elsewhere, its footprint stays where it is on the picture."""
        y, x = (int(v) for v in self.t.centres[i])
        known = neighbours.shared(i, self.t)
        self.lift(i)
        for name in ("boxes", "images"):
            box = getattr(self.t, name)[i]
            box[:] = shifted(box, -dy, -dx)
        self.place(i, (y + dy, x + dx))
        neighbours.share(i, self.t, known)

    def leave_light(self, i: int, j: int) -> None:
        """Let the light of cell j, an error or a shadow of cell i, stay in the image of that when j goes."""
        m = neighbours.pair(i, j, self.t.near)
        if m >= 0:
            self.t.links[i, m] = 0

    def settle(self, i: int) -> None:
        """Derive anew what follows from the box of cell i, after it was changed."""
        settle(i, self.t, self.field.factor, self.field.margin, self.gain, self.cover, True)

    def remove(self, i: int) -> NDArray[np.int64]:
        """Take cell i out; the last cell gets its row. Return which row each row was."""
        neighbours.clear(i, self.t)
        self.lift(i)
        last = self.count - 1
        order = np.arange(last)
        if i < last:
            order[i] = last
            for column in self.t:
                column[i] = column[last]
            neighbours.rename(last, i, self.t.near)
        self.count = last
        return order

    def _with_room(self) -> Table:
        if self.count == len(self.t.power):
            wider = _empty(self.field, 2 * self.count, self.t.near.shape[1])
            for old, new in zip(self.t, wider, strict=True):
                new[: self.count] = old[: self.count]
            self.t = wider
        return self.t

    def _widen(self) -> None:
        wide = {}
        for name in PAIRS:
            old = getattr(self.t, name)
            new = np.full((len(old), 2 * old.shape[1]), -1 if name == "near" else 0, old.dtype)
            new[:, : old.shape[1]] = old
            wide[name] = new
        self.t = self.t._replace(**wide)


def _empty(field: Field, room: int, neighbours: int) -> Table:
    """Return a table with room for so many cells."""
    shapes: dict[str, tuple[int, ...]] = {
        "boxes": (field.side, field.side),
        "images": (field.side, field.side),
        "patches": (field.patch, field.patch),
        "centres": (2,),
        "corners": (2,),
        "rows": (2,),
        "lines": (2,),
        "moments": (3,),
        "tail": (3,),
        "swings": (len(SWINGS), 4),
        "shown": (MARKS,),
        "at": (4,),
        "share": (3, 4),
        **dict.fromkeys(PAIRS, (neighbours,)),
    }
    whole = (
        "centres",
        "corners",
        "rows",
        "lines",
        "near",
        "at",
        "status",
        "rule",
        "verdict",
        "frozen",
        "visited",
        "born",
        "ids",
    )
    return Table(
        *(
            np.zeros((room, *shapes.get(name, ())), np.int64 if name in whole else np.float32)
            for name in Table._fields
        )
    )


def shifted(box: NDArray[np.float32], dy: int, dx: int) -> NDArray[np.float32]:
    """Return a box (S, S) whose content is moved by (dy, dx) px; what leaves it is lost."""
    out, side = np.zeros_like(box), len(box)
    rows, columns = slice(max(0, dy), side + min(0, dy)), slice(max(0, dx), side + min(0, dx))
    if abs(dy) < side and abs(dx) < side:
        out[rows, columns] = box[max(0, -dy) : side - max(0, dy), max(0, -dx) : side - max(0, dx)]
    return out


def _under(grid: Grid, centre: tuple[int, int], factor: int) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Return the four nodes round a place, and their shares in the glow there and its rise per px in y, x."""
    (y, t, dy), (x, s, dx) = (grid.beside(k, (centre[k] + 0.5) / factor - 0.5) for k in (0, 1))
    first = y * grid.shape[1] + x
    nodes = np.array([first, first + 1, first + grid.shape[1], first + grid.shape[1] + 1])
    level = (1 - t) * (1 - s), (1 - t) * s, t * (1 - s), t * s
    down = np.array([s - 1, -s, 1 - s, s]) / (dy * factor)
    across = np.array([t - 1, 1 - t, -t, t]) / (dx * factor)
    return nodes, np.array([level, down, across], np.float32)


@lean
def settle(i: Any, t: Any, factor: Any, margin: Any, gain: Any, cover: Any, again: Any) -> None:
    """Scale the box of cell i to unit energy and derive from it moments, products, patch and cover.

    ``again`` is whether its patch is counted in ``cover`` already.
    """
    box, side = t.boxes[i], t.boxes.shape[1]
    reach = side // 2
    energy = np.float64(0)
    for y in range(side):
        for x in range(side):
            energy += np.float64(box[y, x]) ** 2
    scale = np.float32(1 / np.sqrt(max(energy, 1e-30)))
    t.moments[i] = 0
    for y in range(side):
        v = min((t.centres[i, 0] - reach + y) // factor, gain.shape[0] - 1)
        for x in range(side):
            box[y, x] *= scale
            if box[y, x] == 0:
                continue
            u = min((t.centres[i, 1] - reach + x) // factor, gain.shape[1] - 1)
            share = box[y, x] * gain[max(v, 0), max(u, 0)]
            t.moments[i, 0] += share
            t.moments[i, 1] += share * (y - reach)
            t.moments[i, 2] += share * (x - reach)
    renew_gram(i, t)
    if again:
        mark(cover, t.patches[i], t.corners[i], margin, -1)
    for k in range(2):
        t.corners[i, k] = (t.centres[i, k] - reach) // factor + margin
    _bin_box(box, t.centres[i], factor, t.patches[i])
    _find_rows(box, t.rows[i])
    _find_rows(t.patches[i], t.lines[i])
    mark(cover, t.patches[i], t.corners[i], margin, 1)


@lean
def _bin_box(box: Any, centre: Any, factor: Any, out: Any) -> None:
    """Bin a footprint centred at (y, x) on the grid of the binned picture."""
    out[:] = 0
    side = box.shape[0]
    y0, x0 = (centre[0] - side // 2) % factor, (centre[1] - side // 2) % factor
    scale = np.float32(1 / (factor * factor))
    for y in range(side):
        for x in range(side):
            if box[y, x] != 0:
                out[(y + y0) // factor, (x + x0) // factor] += box[y, x] * scale


@lean
def _find_rows(box: Any, out: Any) -> None:
    """Fill ``out`` (2,) with the first row of a box that is not all zero and the one after the last."""
    out[:] = 0
    for y in range(box.shape[0]):
        for x in range(box.shape[1]):
            if box[y, x] != 0:
                out[0] = out[0] if out[1] else y
                out[1] = y + 1
                break


@kernel
def mark(cover: Any, patch: Any, corner: Any, margin: Any, sign: Any) -> None:
    """Count (sign 1) or uncount (-1) a binned footprint, one pixel wider than it is."""
    rows, columns = cover.shape
    side = patch.shape[0]
    line = np.empty(side + 4, np.bool_)  # column x of the patch is place x + 2
    x0 = corner[1] - margin - 1
    for y in range(-1, side + 1):
        v = y + corner[0] - margin
        if not 0 <= v < rows:
            continue
        line[:] = False
        middle = line[2 : side + 2]
        for near in range(max(y - 1, 0), min(y + 2, side)):
            row = patch[near]
            for x in range(side):
                middle[x] |= row[x] > 0
        counts = cover[v]
        for x in range(max(0, -x0), min(side + 2, columns - x0)):
            if line[x] or line[x + 1] or line[x + 2]:
                counts[x0 + x] += sign
