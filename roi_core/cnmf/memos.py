"""Components as they were: noted before a hand changes them, and put back when it is taken back.

A component that is put back goes on under its own id, as the same cell, with what was known of its trace; of
the frames between nothing is known. Whatever was found at its place meanwhile, untouched by any hand, gives
way to it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from roi_core.cnmf.census import PLACED, SHARES, TWIN
from roi_core.cnmf.ground import fitted
from roi_core.cnmf.state import Table
from roi_core.frame import Memo, Order, Status, Verb

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from roi_core.cnmf.census import Census

__all__ = ["memo", "restore"]

JUDGEMENT: Final = ("status", "rule", "verdict", "frozen")
LASTING: Final = sorted(set(Table._fields) - PLACED)


def memo(census: Census, i: int, row: int, whole: bool) -> Memo:
    """Note what cell i of the table is before row `row`: all of it, or only how it is judged."""
    t = census.cells.t
    marks = {name: np.array(getattr(t, name)[i]) for name in (LASTING if whole else JUDGEMENT)}
    if not whole:
        return Memo(int(t.ids[i]), row, marks=marks)
    centre = int(t.centres[i, 0]), int(t.centres[i, 1])
    return Memo(
        int(t.ids[i]), row, None, marks, t.boxes[i].copy(), centre, census.deconvolver.learned(i)
    )  # fmt: skip


def restore(order: Order, census: Census, row: int) -> Order:
    """Make components what memos say, before row `row`; return the order that takes this back.

    Raises
    ------
    ComponentError
        When the judgement of one is to be put back that is no more; then nothing was done.
    """
    for one in order.memos:
        if one.fate is None and one.box is None:
            census.place_of(one.id)
    now = [_now(one, census, row) for one in order.memos]
    for one in order.memos:
        _end(one, census)
    for one in order.memos:
        if one.box is not None:
            _enter(one, one.box, census)
        elif one.fate is None:
            _judge(one, census)
    twins = [other for one in order.memos if one.box is not None for other in _give_way(one, census, row)]
    census.touched.update(one.id for one in order.memos)
    return Order(Verb.RESTORE, why=order.why, memos=(*now, *twins))


def _alive(cell: int, census: Census) -> int | None:
    """Return which cell of the table has this id, if any has."""
    found = np.flatnonzero(census.cells.t.ids[: census.cells.count] == cell)
    return int(found[0]) if len(found) else None


def _now(one: Memo, census: Census, row: int) -> Memo:
    """Note what the component of a memo is at present."""
    i = _alive(one.id, census)
    if i is not None:
        return memo(census, i, row, whole=one.box is not None or one.fate is not None)
    fate = census.view.gone.get(one.id)
    return Memo(one.id, row, (Status.REMOVED, "") if fate is None else (fate.status, fate.reason))


def _end(one: Memo, census: Census) -> None:
    """Take out the component of a memo, if it is to be no more or to be entered anew."""
    i = _alive(one.id, census)
    if i is None:
        return
    if one.box is not None:
        census.take_out(i)
    elif one.fate is not None:
        status, why = one.fate
        census.remove(i, status, why)
        if status is not Status.REMOVED:
            census.tell("removed", {"id": one.id, "reason": why})


def _enter(one: Memo, box: NDArray[np.float32], census: Census) -> None:
    """Enter the component of a memo; cells may have boxes of another size by now."""
    room = fitted(box, census.cells.field.side)
    share = float(np.sqrt((room**2).sum() / (box**2).sum()))
    marks: dict[str, Any] = dict(one.marks)
    for name, power in SHARES.items():
        marks[name] = marks[name] * np.power(share, power)
    i = census.take_back(room, one.centre, marks, one.learned)
    census.tell("restored", census.place(i) | _judged(one, census))


def _judge(one: Memo, census: Census) -> None:
    """Judge a component as a memo says; its footprint stays."""
    i = census.place_of(one.id)
    for name in JUDGEMENT:
        getattr(census.cells.t, name)[i] = one.marks[name]
    census.tell("restored", {"id": one.id} | _judged(one, census))


def _judged(one: Memo, census: Census) -> dict[str, Any]:
    t, i = census.cells.t, census.place_of(one.id)
    return {
        "status": Status(int(t.status[i])).name.lower(),
        "by_hand": bool(t.verdict[i]),
        "frozen": bool(t.frozen[i]),
    }


def _give_way(one: Memo, census: Census, row: int) -> list[Memo]:
    """Remove what was found at the place of a component while that was no more; return what it was."""
    t, out = census.cells.t, []
    i = census.place_of(one.id)
    near = t.near[i][t.near[i] >= 0]
    twins = near[
        (t.gram[i][: len(near)] > TWIN)
        & (t.born[near] >= one.row)
        & (t.verdict[near] == 0)
        & (t.frozen[near] == 0)
    ]
    for cell in t.ids[twins].tolist():
        if cell not in census.touched:
            out.append(memo(census, census.place_of(cell), row, whole=True))
            census.remove(census.place_of(cell), Status.REMOVED, f"shadow of {one.id}")
    return out
