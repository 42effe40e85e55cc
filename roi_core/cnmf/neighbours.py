"""Which cells touch, and what each pair has in common: the pairs of the table (`state.Table`)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from roi_core.jit import lean, lean_sums

if TYPE_CHECKING:
    from roi_core.cnmf.state import Table

__all__ = ["clear", "join", "leave", "overlap", "pair", "rename", "renew_gram", "share", "shared"]


def shared(i: int, t: Table) -> dict[int, tuple[float, float, float]]:
    """Return for each neighbour of cell i its ``links`` to it, those from it, and ``sync``."""
    near = t.near[i][t.near[i] >= 0].tolist()
    return {j: (t.links[i, m], t.links[j, pair(j, i, t.near)], t.sync[i, m]) for m, j in enumerate(near)}


def share(i: int, t: Table, known: dict[int, tuple[float, float, float]]) -> None:
    """Give cell i, which was moved, and those that still are its neighbours back what was `shared`."""
    for j, (ours, theirs, sync) in known.items():
        m, back = pair(i, j, t.near), pair(j, i, t.near)
        if m >= 0:
            t.links[i, m], t.links[j, back] = ours, theirs
            t.sync[i, m] = t.sync[j, back] = sync


@lean
def join(i: Any, count: Any, t: Any) -> bool:
    """Enter cell i and all whose boxes touch its own in each other's rows; False if one is too short."""
    side, width = t.boxes.shape[1], t.near.shape[1]
    m = 0
    for j in range(count):
        apart = (
            abs(t.centres[i, 0] - t.centres[j, 0]) >= side or abs(t.centres[i, 1] - t.centres[j, 1]) >= side
        )
        if j == i or apart:
            continue
        back = 0
        while back < width and t.near[j, back] >= 0 and t.near[j, back] != i:
            back += 1
        if m == width or back == width:
            leave(i, t)
            return False
        t.near[i, m], t.near[j, back] = j, i
        t.links[i, m] = t.sync[i, m] = t.links[j, back] = t.sync[j, back] = 0
        m += 1
        t.near[i, m:] = -1
    return True


@lean
def leave(i: Any, t: Any) -> None:
    """Strike cell i out of all rows of the neighbour table."""
    width = t.near.shape[1]
    for m in range(width):
        j = t.near[i, m]
        if j < 0:
            break
        back = pair(j, i, t.near)
        last = back
        while last + 1 < width and t.near[j, last + 1] >= 0:
            last += 1
        for k in range(back, last):
            t.near[j, k], t.gram[j, k] = t.near[j, k + 1], t.gram[j, k + 1]
            t.links[j, k], t.sync[j, k] = t.links[j, k + 1], t.sync[j, k + 1]
        t.near[j, last] = -1
    t.near[i, :] = -1


@lean
def pair(i: Any, j: Any, near: Any) -> Any:
    """Return where cell j stands among the neighbours of cell i, or -1."""
    for m in range(near.shape[1]):
        if near[i, m] == j:
            return m
        if near[i, m] < 0:
            break
    return -1


@lean
def clear(i: Any, t: Any) -> None:
    """Take the light of cell i out of the sums of its neighbours: it will not be what it was."""
    side = t.boxes.shape[1]
    for m in range(t.near.shape[1]):
        j = t.near[i, m]
        if j < 0:
            break
        back = pair(j, i, t.near)
        weight, t.links[j, back] = t.links[j, back], 0
        dy, dx = t.centres[i, 0] - t.centres[j, 0], t.centres[i, 1] - t.centres[j, 1]
        for y in range(max(0, dy), min(side, side + dy)):
            for x in range(max(0, dx), min(side, side + dx)):
                t.images[j, y, x] -= weight * t.boxes[i, y - dy, x - dx]


@lean
def rename(old: Any, new: Any, near: Any) -> None:
    """Tell the neighbours of a cell that it moved to another row of the table."""
    for m in range(near.shape[1]):
        j = near[new, m]
        if j < 0:
            break
        near[j, pair(j, old, near)] = new


@lean_sums
def overlap(a: Any, b: Any, dy: Any, dx: Any) -> Any:
    """Return the product of two (S, S) boxes, the second moved by (dy, dx) px against the first."""
    side = a.shape[0]
    total = np.float32(0)
    x0, x1 = max(0, dx), min(side, side + dx)
    for y in range(max(0, dy), min(side, side + dy)):
        p, q = a[y, x0:x1], b[y - dy, x0 - dx : x1 - dx]
        for x in range(x1 - x0):
            total += p[x] * q[x]
    return total


@lean
def renew_gram(i: Any, t: Any) -> None:
    """Compute anew the products of cell i with its neighbours, in both rows of the table."""
    for m in range(t.near.shape[1]):
        j = t.near[i, m]
        if j < 0:
            break
        dy, dx = t.centres[j, 0] - t.centres[i, 0], t.centres[j, 1] - t.centres[i, 1]
        t.gram[i, m] = overlap(t.boxes[i], t.boxes[j], dy, dx)
        t.gram[j, pair(j, i, t.near)] = t.gram[i, m]
