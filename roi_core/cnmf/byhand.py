"""What a user does to components: each verb whole or not at all, with a sentence for every no."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from roi_core.cnmf.drawn import seed
from roi_core.cnmf.memos import memo, restore
from roi_core.cnmf.merge import Pair
from roi_core.cnmf.state import shifted
from roi_core.errors import ComponentError
from roi_core.frame import Memo, Order, Status, Verb

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from roi_core.cnmf.census import Census

__all__ = ["halves", "obey"]

LOST: Final = 0.5
"""Share of a footprint's energy that must remain in the box of the one it joins."""
LEAST: Final = 3
"""Pixels of a half, at least."""
ROUNDS: Final = 50
RESHAPING: Final = (Verb.REMOVE, Verb.MERGE, Verb.SPLIT)
"""Verbs after which the footprint is another, or none."""
UNDONE: Final = "undone"


def obey(order: Order, census: Census, row: int) -> Order:
    """Carry out a verb before row `row`; return the order that takes it back.

    Raises
    ------
    ComponentError
        When it cannot be, and then nothing was done.
    """
    if order.verb is Verb.RESTORE:
        return restore(order, census, row)
    places = {cell: census.place_of(cell) for cell in order.ids}
    before = [memo(census, i, row, whole=order.verb in RESHAPING) for i in places.values()]
    first = census.next_id
    VERBS[order.verb](order, census, row)
    made = range(first, census.next_id)
    census.touched.update(order.ids, made)
    undone = [Memo(cell, row, (Status.REMOVED, UNDONE)) for cell in made]
    return Order(Verb.RESTORE, why=UNDONE, memos=(*undone, *before))


def _accept(order: Order, census: Census, _: int) -> None:
    for cell in order.ids:
        census.decide(census.place_of(cell), Status.ACCEPTED)


def _reject(order: Order, census: Census, _: int) -> None:
    for cell in order.ids:
        census.decide(census.place_of(cell), Status.REJECTED)


def _leave_to_rules(order: Order, census: Census, _: int) -> None:
    for cell in order.ids:
        census.decide(census.place_of(cell), None)


def _remove(order: Order, census: Census, _: int) -> None:
    for cell in order.ids:
        i = census.place_of(cell)
        y, x = census.cells.t.centres[i].tolist()
        census.unwanted[cell] = y, x
        census.remove(i, Status.REMOVED, order.why)


def _freeze(order: Order, census: Census, _: int) -> None:
    for cell in order.ids:
        census.cells.t.frozen[census.place_of(cell)] = 1
        census.tell("frozen", {"id": cell})


def _thaw(order: Order, census: Census, _: int) -> None:
    for cell in order.ids:
        census.cells.t.frozen[census.place_of(cell)] = 0
        census.tell("thawed", {"id": cell})


def _merge(order: Order, census: Census, _: int) -> None:
    if len(set(order.ids)) < 2:
        named = "".join(f"component {cell} alone" for cell in set(order.ids)) or "no component"
        raise ComponentError(f"{named} is nothing to merge; name two or more")
    into, *others = dict.fromkeys(order.ids)
    for cell in others:
        _check_near(census, into, cell)
    for cell in others:
        census.unite(Pair(census.place_of(into), census.place_of(cell), True), order.why)


def _check_near(census: Census, into: int, cell: int) -> None:
    t, i, j = census.cells.t, census.place_of(into), census.place_of(cell)
    there = shifted(t.boxes[j], *(int(v) for v in t.centres[j] - t.centres[i]))
    if (there**2).sum() < LOST:
        raise ComponentError(f"component {cell} is too far from component {into} to be a part of it")


def _split(order: Order, census: Census, row: int) -> None:
    (cell,) = order.ids
    i = census.place_of(cell)
    one, other = halves(census.cells.t.boxes[i])
    if min(np.count_nonzero(one), np.count_nonzero(other)) < LEAST:
        raise ComponentError(f"component {cell} is too small to be two")
    verdict = int(census.cells.t.verdict[i])
    k = census.divide(i, one, other, row, order.why)
    census.cells.t.verdict[k] = verdict


def _promote(order: Order, census: Census, row: int) -> None:
    if order.roi is None:
        raise ComponentError("no region was named to promote")
    if census.promote(order.roi, row, alone=True) is None:
        outside = seed(order.roi, census.cells.field, census.view.camera) is None
        what = (
            "it lies outside of the analysed picture" if outside else "there is a cell at its place already"
        )
        raise ComponentError(what)


VERBS: Final[dict[Verb, Callable[[Order, Census, int], None]]] = {
    Verb.ACCEPT: _accept,
    Verb.REJECT: _reject,
    Verb.AUTOMATIC: _leave_to_rules,
    Verb.REMOVE: _remove,
    Verb.MERGE: _merge,
    Verb.SPLIT: _split,
    Verb.FREEZE: _freeze,
    Verb.THAW: _thaw,
    Verb.PROMOTE: _promote,
}


def halves(box: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return a footprint (S, S) as two: each pixel goes to the nearer of two means (Lloyd 1982).

    Pixels weigh what they are in the footprint; the means begin apart along its longest axis.
    """
    places = np.argwhere(box > 0).astype(np.float64)
    weights = box[box > 0].astype(np.float64)
    side = _along(places, weights) > 0
    for _ in range(ROUNDS):
        if side.all() or not side.any():
            break
        means = [np.average(places[part], 0, weights[part]) for part in (side, ~side)]
        nearer = ((places - means[0]) ** 2).sum(1) < ((places - means[1]) ** 2).sum(1)
        if (nearer == side).all():
            break
        side = nearer
    one, other = np.zeros_like(box), np.zeros_like(box)
    one[box > 0], other[box > 0] = np.where(side, weights, 0), np.where(side, 0, weights)
    return one, other


def _along(places: NDArray[np.float64], weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return how far each place (n, 2) lies along the longest axis, from the middle."""
    if len(places) == 0:
        return np.zeros(0)
    apart = places - np.average(places, 0, weights)
    (yy, yx), (_, xx) = (apart * weights[:, None]).T @ apart
    angle = 0.5 * np.arctan2(2 * yx, yy - xx)
    along: NDArray[np.float64] = apart @ np.array([np.cos(angle), np.sin(angle)])
    return along
