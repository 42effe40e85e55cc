"""Births, deaths and judgements: which components there are, and what is told of them.

Keeps the table of cells, their deconvolution and their recent past in step with each other: whatever adds,
joins or removes a component goes through here.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

from roi_core.cnmf import jury, merge, quality, split, statistics
from roi_core.cnmf.drawn import seed
from roi_core.cnmf.echo import beside, stands_alone
from roi_core.cnmf.jury import BY_HAND, Jury
from roi_core.cnmf.misses import Miss, Misses, spots
from roi_core.cnmf.neighbours import clear, pair
from roi_core.cnmf.past import Past
from roi_core.cnmf.peaks import STEP
from roi_core.cnmf.residual import steadied
from roi_core.cnmf.state import Table, shifted
from roi_core.cnmf.view import Fate, View
from roi_core.errors import ComponentError
from roi_core.frame import Activity, Backfill, Foresight, Status

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from roi_core.cnmf.deconvolve import Deconvolver
    from roi_core.cnmf.detect import Candidate
    from roi_core.cnmf.rates import Rates
    from roi_core.cnmf.residual import Ring
    from roi_core.cnmf.state import Cells
    from roi_core.cnmf.view import Camera
    from roi_core.frame import Components, Settled
    from roi_core.rois import Roi
    from roi_core.settings import Cnmf

__all__ = ["Census"]

PROBATION = 10.0
"""Seconds of learning in which a new component must have shown what it is."""
TRIED = 10.0
"""Seconds after an edit of the thresholds in which none is removed: it may be tried and taken back."""
TIDY, SHOW = 0.4, 2.0
"""Seconds between two judgements (of learning), and two views that differ in shapes only (of the camera)."""
LEAST_ROUND = 6
"""Frames from one judgement to the next at least: at a few frames a second births need frames, too."""
APART = 3
"""Frames from a judgement to a view, for neither to wait for the other; fewer than `LEAST_ROUND`."""
TWIN = 0.65
"""Product of two footprints from which a candidate counts as one that is known already."""
SURE = 20.0
"""Significance of a candidate by which its past counts as that of a cell, not as chance that made it one."""
PRIOR = 0.3
"""Weight of the first look at a cell's shape against what is learned later."""
SHARES: Any = {
    **dict.fromkeys(("mean", "trace", "prediction", "smooth", "first", "peak", "evidence"), 1),
    **dict.fromkeys(("second", "loud", "power", "energy"), 2),
    "tail": np.arange(1, 4),
    "swings": np.arange(4),
}
"""How what is known of a trace grows with its scale: by which power."""
JUDGED = ("r", "contrast", "size", "status", "rule")
PLACED = {
    "boxes", "images", "centres", "moments", "patches", "corners", "rows", "lines", "near", "gram", "links",
    "sync", "at", "share", "visited",
}  # fmt: skip
"""What of a table belongs to boxes of one size, and to the frames of one ring."""
BESIDE = 0.65
"""Radii within which a candidate is the cell that a user removed."""
EDGE = 2
"""Pixels beyond what motion hid of late within which no cell is begun."""


class Census:
    """The components on a field: ids are given in order of birth and never used twice."""

    def __init__(
        self, cells: Cells, deconvolver: Deconvolver, ring: Ring, camera: Camera, rates: Rates, first_id: int
    ) -> None:
        self.cells, self.deconvolver, self.ring = cells, deconvolver, ring
        self.rates, self.next_id = rates, first_id
        self.view = View(camera)
        self.misses = Misses()
        self.touched: set[int] = set()
        """Ids of those that a user did something to: no rule removes them."""
        self.unwanted: dict[int, tuple[int, int]] = {}
        """Where those lay that a user removed, by id: nothing is found there unless they are put back."""
        self.hidden = (0.0, 0.0, 0.0, 0.0)
        """How many px motion now and then hides at the top, bottom, left and right."""
        self.last = -1
        """The row that the deconvolution has come to."""
        self.past = Past(len(ring), rates.learning, cells.field.room)
        self._tidied = self._shown = 0
        self._judged = False
        self._jury = Jury()
        self._asked: tuple[float, ...] = ()
        self._spare = 0.0
        """Frames before which none is removed for its marks: a threshold may be tried and taken back."""
        self._changed = True
        self._ids: tuple[int, ...] = ()
        self._components: Components | None = None
        self._news: list[tuple[str, dict[str, Any]]] = []
        self._backfill: list[Backfill] = []

    # -- births ----------------------------------------------------------------------------------------------

    def birth(self, candidate: Candidate, row: int, most: int) -> Candidate | None:
        """Make a candidate a cell, unless it is known or hidden by motion; return it as it was used."""
        box, centre = _on_picture(candidate, self.cells)
        if not self._free(box, centre):
            return None
        if self.cells.count >= most:
            why = f"there are cnmf.max_cells = {most} already"
            self.misses.remember(Miss(row, box, centre, why, candidate))
            return None
        step = max(1, round(STEP * self.rates.learning))
        near = beside(candidate, self.cells.count, self.cells.t)
        past = self.past.before(self.ring.head - candidate.last, len(candidate.trace), near)
        if not stands_alone(candidate, near, self.cells.t, past, step):
            return None
        whole = self._prolonged(candidate)
        energy = float(np.sqrt((box.astype(np.float64) ** 2).sum()))
        paces = self.ring.paces(self.ring.head - len(whole.trace), self.ring.head)
        sure = candidate.z >= SURE
        past = steadied(whole.trace + np.float32(whole.rest), paces) if sure else whole.trace
        i = self._enter(box, centre, past * np.float32(energy), row, sure)
        self._account(i, (whole.trace + np.float32(whole.rest)) * np.float32(energy))
        self._news.append(("birth", self.place(i)))
        return whole

    def _account(self, i: int, course: NDArray[np.float32]) -> None:
        """Count for its neighbours how much of the light of a new cell i is in their sums already.

        ``course`` is its fluorescence in the last frames, above the running mean. Without that they would
        take its place for theirs.
        """
        t = self.cells.t
        near = t.near[i][t.near[i] >= 0]
        for j, taught in zip(near.tolist(), self.past.taught(course, near).tolist(), strict=True):
            t.links[j, pair(j, i, t.near)] = taught

    def _enter(
        self,
        box: NDArray[np.float32],
        centre: tuple[int, int],
        past: NDArray[np.float32],
        row: int,
        sure: bool = False,
    ) -> int:
        """Add a cell with the fluorescence of the last frames of the ring; it is judged by them if `sure`."""
        i = self.cells.add(box, centre, row, self.ring.head, self.next_id)
        rows = self._in_rows(past)
        traces = np.concatenate(self.deconvolver.append(rows[None]))
        calcium, t = traces[1], self.cells.t
        power = PRIOR * float(np.nansum(calcium.astype(np.float64) ** 2)) + 1e-6
        t.images[i] = t.boxes[i] * np.float32(power)
        t.power[i] = t.energy[i] = power
        t.status[i], t.rule[i] = Status.REJECTED, 0
        self.past.begin(i, past, t)
        if sure:
            statistics.recall(i, t, traces[0], calcium, 1 / self.rates.learning)
        if len(rows):
            traces[:, ~np.isfinite(rows)] = np.nan
            self._backfill.append(Backfill(self.next_id, self.last + 1 - len(rows), *traces))
        self.next_id += 1
        self._changed = True
        return i

    def _in_rows(self, past: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the fluorescence of the last frames of the ring as that of the rows up to the last one.

        NaN in rows that are not in the ring, with none before the first that is; never more than it is long.
        """
        rows = self.ring.rows(len(past))
        known = np.isfinite(past) & (rows > self.last - len(self.ring))
        if not known.any():
            return past[:0]
        first = int(rows[known][0])
        out = np.full(self.last + 1 - first, np.nan, np.float32)
        out[rows[known] - first] = past[known]
        return out

    def miss(self, candidate: Candidate, row: int, flaw: str) -> None:
        """Remember a candidate that fell short, if it would have found a place."""
        box, centre = _on_picture(candidate, self.cells)
        if self._free(box, centre):
            self.misses.remember(Miss(row, box, centre, flaw, candidate))

    def _free(self, box: NDArray[np.float32], centre: tuple[int, int]) -> bool:
        """Return whether a cell there is new, and not hidden by motion."""
        field, hidden, edge = self.cells.field, self.hidden, max(EDGE, self.cells.field.radius / 2)
        inside = all(
            hidden[2 * k] + edge <= centre[k] < field.shape[k] - hidden[2 * k + 1] - edge for k in (0, 1)
        )
        return inside and not self._known(box, centre) and not self._is_unwanted(centre)

    def _is_unwanted(self, centre: tuple[int, int]) -> bool:
        """Return whether a user took away what was there, and did not put it back."""
        near, alive = (BESIDE * self.cells.field.radius) ** 2, self.cells.t.ids[: self.cells.count]
        return any(
            (centre[0] - y) ** 2 + (centre[1] - x) ** 2 < near and cell not in alive
            for cell, (y, x) in self.unwanted.items()
        )

    def _known(self, box: NDArray[np.float32], centre: tuple[int, int]) -> bool:
        """Return whether a cell there has nearly that footprint."""
        like = merge.closest(box, centre, self.cells.count, self.cells.t)
        return bool(like > TWIN * np.sqrt((box**2).sum()))

    def _prolonged(self, candidate: Candidate) -> Candidate:
        """Take a candidate out of the ring, also out of the frames that came since it was proposed."""
        ring, (y, x, shape) = self.ring, (candidate.y, candidate.x, candidate.shape)
        late = ring.projected(max(candidate.last, ring.head - len(ring)), y, x, shape)
        late = late / np.float32((shape**2).sum()) - np.float32(candidate.rest)
        trace = np.concatenate([candidate.trace, late])[-len(ring) :]
        ring.take_out(trace, y, x, shape)
        return replace(candidate, trace=trace, last=ring.head)

    def promote(self, roi: Roi, row: int, frozen: bool = False, alone: bool = False) -> int | None:
        """Make a drawn region a component, of fixed shape and a cell if `frozen`; return its id.

        None if it lies outside, or is to be `alone` and is not.
        """
        found = seed(roi, self.cells.field, self.view.camera)
        if found is None or (alone and self._known(*found)):
            return None
        i = self._enter(*found, np.zeros(0, np.float32), row)
        if frozen:
            self.cells.t.frozen[i] = 1
            self.cells.t.verdict[i] = self.cells.t.status[i] = Status.ACCEPTED
        self._news.append(("birth", self.place(i) | {"roi": roi.id}))
        return int(self.cells.t.ids[i])

    def drop(self, cell: int, why: str) -> None:
        """Remove the component of this id, if it lives."""
        for i in np.flatnonzero(self.cells.t.ids[: self.cells.count] == cell):
            self.remove(int(i), Status.REMOVED, why)

    def place_of(self, cell: int) -> int:
        """Return which cell of the table has this id.

        Raises
        ------
        ComponentError
            When none has.
        """
        found = np.flatnonzero(self.cells.t.ids[: self.cells.count] == cell)
        if len(found):
            return int(found[0])
        fate = self.view.gone.get(cell)
        raise ComponentError(
            f"component {cell} is no more: {fate.reason}" if fate else f"there is no component {cell}"
        )

    def recentre(self, i: int) -> None:
        """Put the middle of the box of cell i where its footprint is, if that is on the picture."""
        t, shape = self.cells.t, self.cells.field.shape
        dy, dx = (round(float(v / t.moments[i, 0])) for v in t.moments[i, 1:])
        y, x = (int(v) for v in t.centres[i])
        if (dy or dx) and 0 <= y + dy < shape[0] and 0 <= x + dx < shape[1]:
            self.cells.move(i, dy, dx)

    def move_to(self, cells: Cells, ring: Ring, shares: NDArray[np.float32]) -> None:
        """Go on with the same cells in other boxes, in which these shares (N,) of them found room.

        Their statistics go with them; those of their neighbourhood and of their pixels begin anew.
        """
        old, new, n = self.cells.t, cells.t, cells.count
        for name in set(Table._fields) - PLACED:
            getattr(new, name)[:n] = getattr(old, name)[:n]
        for name, power in SHARES.items():
            column = getattr(new, name)[:n]
            column *= np.power(shares.reshape(-1, *(1,) * (column.ndim - 1)), power).astype(column.dtype)
        new.images[:n] = new.boxes[:n] * new.power[:n, None, None]
        self.cells, self.ring = cells, ring
        self.past.forget_lessons()
        self.misses.forget()
        self._spare = self._until()
        self._changed = True
        self.view.redraw()

    def tell(self, kind: str, data: dict[str, Any]) -> None:
        """Say something with the next activity, and show the components anew."""
        self._news.append((kind, data))
        self._changed = True

    # -- judgements ------------------------------------------------------------------------------------------

    def tidy(self, row: int, settings: Cnmf) -> bool:
        """Judge all components now and then, in the next frame join two that are one, or remove one.

        Return whether this frame had its part of that: then nothing else is to be done in it.
        """
        if self._judged:
            self._judged = False
            self._weed(row, settings)
            return True
        if self.past.rows - self._tidied >= max(TIDY * self.rates.learning, LEAST_ROUND):
            self._tidied, self._judged = self.past.rows, True
            self._judge(settings)
            return True
        return False

    def _weed(self, row: int, settings: Cnmf) -> None:
        """Join two components that are one, or else remove one that is none."""
        n, t, radius = self.cells.count, self.cells.t, self.cells.field.radius
        two = split.fused(n, t, row, self.rates.learning, self.cells.field.area)
        rest = None if two is None else split.rest_of(t, *two)
        if two is not None and rest is not None:
            self._leave(*two, rest)
            return
        pair = merge.likest(n, t, row, self.rates.learning, radius, settings.merge_r)
        if pair is not None:
            self.unite(pair)
            self._judged = True  # there may be more of them: the next frame is for the next
            return
        if self.past.rows < self._spare or not self._jury.hopeless:
            return
        for i, cell in enumerate(t.ids[:n].tolist()):
            if cell in self._jury.hopeless and row - t.born[i] >= PROBATION * self.rates.learning:
                if not (cell in self.touched or t.verdict[i] or t.frozen[i]):
                    self._give_up(i, row)
                    return

    def _judge(self, settings: Cnmf) -> None:
        asked = tuple(getattr(settings, name) for name in quality.THRESHOLDS)
        if asked != self._asked:
            self._asked, self._spare = asked, self._until()
        t = self.cells.t
        for i, reason in self._jury.judge(self._marks(), self.cells, settings):
            kind = "accepted" if t.status[i] == Status.ACCEPTED else "rejected"
            self._news.append((kind, {"id": int(t.ids[i]), "reason": reason}))
            self._changed = True

    def _until(self) -> float:
        return self.past.rows + TRIED * self.rates.camera

    def _give_up(self, i: int, row: int) -> None:
        """Remove a component for what it showed; other thresholds may be tried on it for a while."""
        t, cells = self.cells.t, self.cells
        marks = quality.Marks(*t.shown[i : i + 1].T.copy())
        centre, why = (int(t.centres[i, 0]), int(t.centres[i, 1])), self._jury.why(int(t.ids[i]))
        self.misses.remember(Miss(row, t.boxes[i].copy(), centre, why, marks=marks, area=cells.field.area))
        self.remove(i, Status.REMOVED)

    def foresee(self, settings: Cnmf, row: int, area: float) -> Foresight:
        """Return what would become of the components, and what would be found, with other thresholds.

        A cell would be expected to have ``area`` px.
        """
        cells, room = self.cells, max(settings.max_cells - self.cells.count, 0)
        misses = self.misses.passing(settings, row, self.rates.camera)
        free = (miss for miss in misses if self._free(miss.box, miss.centre))
        field = cells.field
        found = spots(free, field.radius, room, field.shape, self.view.camera)
        return Foresight(self.what_if(settings, area), found)

    def what_if(self, settings: Cnmf, area: float) -> dict[int, tuple[Status, str]]:
        """Return what would become of each component under other thresholds, and why; changes nothing."""
        return jury.what_if(self._marks(), self.cells, settings, area)

    def _marks(self) -> quality.Marks:
        return jury.marks(self.cells, self.deconvolver.noise, self.hidden)

    def decide(self, i: int, verdict: Status | None) -> None:
        """Judge component i by hand, or leave it to the rules again, which look at it at once."""
        t = self.cells.t
        cell, status = int(t.ids[i]), int(t.status[i]) if verdict is None else verdict
        t.verdict[i], t.status[i] = verdict or 0, status
        kinds = {Status.ACCEPTED: "accepted", Status.REJECTED: "rejected", None: "automatic"}
        self._news.append((kinds[verdict], {"id": cell, "reason": BY_HAND}))
        if verdict is None:
            self._tidied, self._judged = -(10**9), False
        self._changed = True

    # -- unions and deaths -----------------------------------------------------------------------------------

    def unite(self, pair: merge.Pair, why: str = "") -> None:
        """Join the second of a pair to the first, or drop it."""
        t = self.cells.t
        if pair.join:
            self._join(pair.keep, pair.drop)
            into, told = int(t.ids[pair.keep]), {"reason": why} if why else {}
            self._news.append(("merge", {"id": into, "from": int(t.ids[pair.drop])} | told))
            self.remove(pair.drop, Status.MERGED, f"part of {into}")
        else:
            self.cells.leave_light(pair.keep, pair.drop)
            self.remove(pair.drop, Status.REMOVED, f"shadow of {int(t.ids[pair.keep])}")

    def _join(self, i: int, j: int) -> None:
        """Make cell i the sum of i and j: shape, sums, trace and what the deconvolution remembers."""
        t = self.cells.t
        box, a, b = merge.joined(t, i, j)
        past = self.past.of(i) * np.float32(a) + self.past.of(j) * np.float32(b)
        for column in (t.mean, t.trace):
            column[i] = column[i] * a + column[j] * b
        self._renew(i, box, past, max(float(t.power[i] + t.power[j]), 1e-6))

    def divide(
        self, i: int, one: NDArray[np.float32], other: NDArray[np.float32], row: int, why: str = ""
    ) -> int:
        """Leave cell i one part (S, S) of its footprint and make a cell of the other; return which.

        Each gets the share of trace and statistics that its part has; demixing tells them apart from here.
        """
        old, past = Table(*(np.array(column[i]) for column in self.cells.t)), self.past.of(i)
        middle = [
            round(float((other.sum(1 - k) * np.arange(len(other))).sum() / other.sum())) for k in (0, 1)
        ]
        dy, dx = (v - self.cells.field.reach for v in middle)
        centre = int(old.centres[0]) + dy, int(old.centres[1]) + dx
        k = self._enter(shifted(other, -dy, -dx), centre, np.zeros(0, np.float32), row)
        t = self.cells.t
        self._inherit(i, one, old, past)
        self._inherit(k, other, old, past, t.boxes[k].copy())
        told = {"reason": why} if why else {}
        self._news.append(("split", {"id": int(t.ids[i]), "into": int(t.ids[k])} | told))
        self._news.append(("birth", self.place(k)))
        self.recentre(i)
        return k

    def _leave(self, i: int, k: int, rest: NDArray[np.float32]) -> None:
        """Leave cell i, which held two, the rest (S, S) that is not cell k, with its share of the trace."""
        t = self.cells.t
        self._inherit(i, rest, Table(*(np.array(column[i]) for column in t)), self.past.of(i))
        self._news.append(("split", {"id": int(t.ids[i]), "into": int(t.ids[k])}))
        self.recentre(i)

    def _inherit(
        self, i: int, part: NDArray[np.float32], whole: Table, past: NDArray[np.float32], box: Any = None
    ) -> None:
        """Make cell i a part (S, S) of a whole, with its share of that one's statistics and past.

        ``box`` is the part as it lies in the box of cell i, if that is not the box of the whole.
        """
        size = float(np.sqrt((part**2).sum()))
        share = float((part * whole.boxes).sum()) / size
        for name, power in (SHARES | dict.fromkeys(JUDGED, 0)).items():
            getattr(self.cells.t, name)[i] = getattr(whole, name) * np.power(share, power)
        box = part / np.float32(size) if box is None else box
        self._renew(i, box, past * np.float32(share), float(whole.power) * share**2)

    def _renew(self, i: int, box: NDArray[np.float32], past: NDArray[np.float32], power: float) -> None:
        """Give cell i another footprint, as if it had had it since long with this past (n,) and `power`."""
        cells, t = self.cells, self.cells.t
        clear(i, t)
        t.boxes[i], t.images[i] = box, box * np.float32(power)
        t.power[i] = t.energy[i] = power
        t.links[i] = 0
        cells.settle(i)
        self.past.replace(i, past)
        self.deconvolver.append(self._in_rows(past)[None])
        self.deconvolver.drop(i)
        self._changed = True
        self.view.redraw()

    def remove(self, i: int, status: Status, why: str = "") -> None:
        """Take a component out; it stays known by its fate."""
        t = self.cells.t
        cell, born = int(t.ids[i]), int(t.born[i])
        if status is Status.REMOVED:
            why = why or "it never became a cell"
            self._news.append(("removed", {"id": cell, "reason": why}))
        self.view.gone[cell] = Fate(born, status, why)
        self.take_out(i)

    def take_out(self, i: int) -> None:
        """Take a component out of the table, its deconvolution and its past, and tell nothing."""
        self.cells.remove(i)
        self.deconvolver.drop(i)
        self.past.drop(i, self.cells.count)
        self._changed = True
        self.view.drop(i, self.cells.count + 1)

    def take_back(
        self, box: NDArray[np.float32], centre: tuple[int, int], marks: dict[str, Any], learned: Any
    ) -> int:
        """Enter a component that was taken out, with all that was known of it but its last frames."""
        i = self.cells.add(box, centre, marks["born"], self.ring.head, marks["ids"])
        t = self.cells.t
        for name, value in marks.items():
            getattr(t, name)[i] = value
        t.images[i] = t.boxes[i] * t.power[i]
        t.prediction[i] = 0
        self.deconvolver.append(np.zeros((1, 0), np.float32))
        self.deconvolver.recall(i, learned)
        self.past.begin(i, np.zeros(0, np.float32), t)
        self.view.revive(int(t.ids[i]))
        self._changed = True
        return i

    # -- the present ----------------------------------------------------------------------------

    def place(self, i: int) -> dict[str, Any]:
        """Return id and place on the camera of cell i."""
        camera, (y, x) = self.view.camera, self.cells.t.centres[i]
        y, x = (int(v) * camera.bin + o for v, o in zip((y, x), camera.origin, strict=True))
        return {"id": int(self.cells.t.ids[i]), "y": y, "x": x}

    def components(self) -> Components:
        """Return what onlookers see: the same object while nothing that matters changed."""
        rows = self.past.rows
        # not in a frame that judges or weeds: each of these takes as long as half a frame
        aged = rows - self._shown >= SHOW * self.rates.camera and rows - self._tidied >= APART
        if aged:
            self._shown = rows
            self.view.redraw()
        if self._components is None or self._changed or aged:
            t, n = self.cells.t, self.cells.count
            snr = t.peak[:n] / np.maximum(self.deconvolver.noise, np.float32(1e-9))
            self._ids = tuple(t.ids[:n].tolist())
            reasons = self._jury.reasons(self._ids, self.cells)
            self._components = self.view.of(self.cells, t.status[:n].astype(np.uint8), reasons, snr)
            self._changed = False
        return self._components

    def activity(self, lag: int, tail: Settled | None = None) -> Activity:
        """Return what the cells did in this frame, and what happened to them since the last.

        ``tail`` is what is known of the last rows.
        """
        d = self.deconvolver
        components = self.components()
        news, self._news = tuple(self._news), []
        backfill, self._backfill = tuple(self._backfill), []
        return Activity(
            ids=self._ids,
            raw=d.raw.copy(),
            calcium=d.calcium.copy(),
            spikes=d.spikes.copy(),
            lag=lag,
            settled_calcium=d.settled_calcium.copy(),
            settled_spikes=d.settled_spikes.copy(),
            components=components,
            backfill=backfill,
            events=news,
            tail=tail,
        )


def _on_picture(candidate: Candidate, cells: Cells) -> tuple[NDArray[np.float32], tuple[int, int]]:
    """Return the box (S, S) on the picture for a binned shape, and the centre it is drawn round."""
    field = cells.field
    q, side = field.factor, len(candidate.shape) * field.factor
    fine = (
        cv2.resize(candidate.shape, (side, side), interpolation=cv2.INTER_LINEAR)
        if q > 1
        else candidate.shape
    )
    corner = (candidate.y - field.margin) * q, (candidate.x - field.margin) * q
    total = float(fine.sum())
    middle = [float((fine.sum(1 - k) * np.arange(side)).sum()) / total for k in (0, 1)]
    centre = tuple(
        min(max(round(c + m), 0), size - 1) for c, m, size in zip(corner, middle, field.shape, strict=True)
    )
    wide = np.zeros((side + 2 * field.side, side + 2 * field.side), np.float32)
    wide[field.side : field.side + side, field.side : field.side + side] = fine
    y, x = (centre[k] - field.reach - corner[k] + field.side for k in (0, 1))
    box = wide[y : y + field.side, x : x + field.side].copy()
    below, right = (field.shape[k] - centre[k] + field.reach for k in (0, 1))
    box[: max(0, field.reach - centre[0])] = 0
    box[below:] = 0
    box[:, : max(0, field.reach - centre[1])] = 0
    box[:, right:] = 0
    return box, (centre[0], centre[1])
