"""Which cells the user looks at, and what there is to say of them. Knows no toolkit."""

from __future__ import annotations

from enum import IntEnum
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from roi_core.frame import Status
from roi_stream_gui import words

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from roi_core.frame import Activity, Components
    from roi_core.snapshot import Snapshot

__all__ = ["Choice", "Kind", "best", "facts", "kinds", "told", "visible"]

NEW: Final = 3.0
"""Seconds for which a cell counts as new."""
LAYERS: Final = {"off": (), "accepted": ("ACCEPTED", "NEW"), "all": ("ACCEPTED", "NEW", "REJECTED")}


class Kind(IntEnum):
    """How a component is drawn."""

    GONE = 0
    ACCEPTED = 1
    NEW = 2
    REJECTED = 3


def kinds(components: Components, row: int, rate: float) -> NDArray[np.uint8]:
    """Return the `Kind` of each component (N,) in row `row` at `rate` frames per second."""
    status = components.status
    out = np.full(len(status), Kind.GONE, np.uint8)
    out[status == Status.ACCEPTED] = Kind.ACCEPTED
    out[(status == Status.ACCEPTED) & (row - components.born < NEW * rate)] = Kind.NEW
    out[status == Status.REJECTED] = Kind.REJECTED
    return out


def visible(of: NDArray[np.uint8], layers: str) -> NDArray[np.bool_]:
    """Return which components are drawn when the setting ``display.cells`` is `layers`."""
    return np.isin(of, [Kind[name] for name in LAYERS[layers]])


def best(activity: Activity, count: int, before: tuple[int, ...] = ()) -> tuple[int, ...]:
    """Return the ids of the `count` accepted cells of the highest SNR.

    Those of `before` stay while they are among twice as many, in their places: traces must not jump about.
    """
    c = activity.components
    good = np.flatnonzero(c.status == Status.ACCEPTED)
    ranked = c.ids[good[np.argsort(-c.snr[good], kind="stable")]][: 2 * count].tolist()
    kept = [cell for cell in before if cell in ranked][:count]
    return (*kept, *[cell for cell in ranked if cell not in kept][: count - len(kept)])


class Choice:
    """The cells whose traces are shown: those clicked, or the best ones when none is."""

    def __init__(self) -> None:
        self.chosen: tuple[int, ...] = ()
        self.hovered: int | None = None
        self._best: tuple[int, ...] = ()
        self._of: Components | None = None

    def choose(self, cells: Iterable[int]) -> None:
        """Choose these and no others."""
        self.chosen = tuple(dict.fromkeys(cells))

    def click(self, cell: int | None, more: bool = False) -> None:
        """Choose the cell that was clicked, or none; `more` adds it to the others or takes it out."""
        if cell is None:
            self.chosen = self.chosen if more else ()
        elif not more:
            self.chosen = (cell,)
        elif cell in self.chosen:
            self.chosen = tuple(one for one in self.chosen if one != cell)
        else:
            self.chosen = (*self.chosen, cell)

    def step(self, snapshot: Snapshot | None, step: int) -> None:
        """Choose the cell so many ids after the one that is chosen, of those that are alive."""
        alive = () if snapshot is None or snapshot.activity is None else snapshot.activity.ids
        if self.chosen and alive:
            at = alive.index(self.chosen[-1]) if self.chosen[-1] in alive else -1
            self.choose([alive[(at + step) % len(alive)]])

    def traced(self, snapshot: Snapshot, count: int) -> tuple[int, ...]:
        """Return the ids whose traces are shown; a chosen one that is no more is let go."""
        activity = snapshot.activity
        if activity is None:
            self.chosen, self._best, self._of = (), (), None
            return ()
        if activity.components is not self._of or len(self._best) > count:
            self._of = activity.components
            self.chosen = tuple(cell for cell in self.chosen if cell in activity.ids)
            self._best = best(activity, count, self._best)
        return self.chosen or self._best[:count]


def facts(components: Components, cell: int, age: float) -> str:
    """Return what is known of a cell born `age` s ago, in lines."""
    found = np.flatnonzero(components.ids == cell)
    if not found.size:
        return ""
    c, k = components, int(found[0])
    reason = f": {c.reason[k]}" if c.reason[k] else ""
    return words.CELL.format(
        id=cell, status=Status(c.status[k]).name.lower(), reason=reason, snr=c.snr[k], r=c.r[k],
        size=c.size[k], overlap=c.overlap[k], age=max(age, 0.0),
    )  # fmt: skip


def told(snapshot: Snapshot | None, choice: Choice) -> dict[str, Any] | None:
    """Return what tests ask for; None while there are no cells."""
    activity = snapshot.activity if snapshot else None
    if snapshot is None or activity is None:
        return None
    c = activity.components
    by_status = {kind.name.lower(): c.ids[c.status == kind].tolist() for kind in Status}
    return {
        **by_status,
        "version": c.version,
        "reasons": {int(cell): why for cell, why in zip(c.ids, c.reason, strict=True) if why},
        "places": _places(c, snapshot.shift or (0.0, 0.0)),
        "chosen": choice.chosen,
        "hovered": choice.hovered,
    }


def _places(c: Components, shift: tuple[float, float]) -> dict[int, list[float]]:
    """Return the middle (y, x) of each component on the raw picture."""
    found = {}
    for k, cell in enumerate(c.ids.tolist()):
        part = slice(c.indptr[k], c.indptr[k + 1])
        if c.data[part].size:
            place = np.array(np.divmod(c.indices[part], c.shape[1])) @ c.data[part] / c.data[part].sum()
            found[cell] = (place - shift).tolist()
    return found
