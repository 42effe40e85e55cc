"""Which column of ``/cnmf`` belongs to which component, and what is known of each: one row of facts."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, Final

import h5py
import numpy as np

from roi_core import layout
from roi_core.frame import Status

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from roi_core.frame import Components

__all__ = ["Columns"]

FACTS: Final = {
    "id": layout.IDS,
    "born": layout.BORN,
    "status": layout.STATUS,
    "snr": layout.SNR,
    "r": layout.CORRELATION,
    "size": layout.SIZE,
    "overlap": layout.OVERLAP,
}
NUMBER: Final = re.compile(r"[\d.]+(e[+-]?\d+)?")
TABLE: Final = np.dtype(
    [
        ("id", "i8"),
        ("born", "i8"),
        ("status", "u1"),
        ("snr", "f4"),
        ("r", "f4"),
        ("size", "f4"),
        ("overlap", "f4"),
    ]
)


class Columns:
    """One column per component that was ever alive while the file was open, in order of appearance."""

    def __init__(self, group: h5py.Group) -> None:
        kinds: dict[str, Any] = {path: TABLE[name] for name, path in FACTS.items()}
        kinds[layout.REASON] = h5py.string_dtype()
        self._datasets = {
            path: group.create_dataset(path.split("/")[-1], (0,), kind, maxshape=(None,), chunks=(256,))
            for path, kind in kinds.items()
        }
        self._columns: dict[int, int] = {}
        self._facts = np.zeros(16, TABLE)
        self._reasons: list[str] = []
        self._changed = False
        self._stale: set[int] = set()
        """Columns whose reason is to be written."""

    def __len__(self) -> int:
        return len(self._columns)

    def known(self, ids: Iterable[int]) -> NDArray[np.intp]:
        """Return the column of each id, -1 for one that has none."""
        return np.array([self._columns.get(int(i), -1) for i in ids], np.intp)

    def added(self, ids: Iterable[int], row: int) -> NDArray[np.intp]:
        """Return the column of each id; those seen first, in row `row`, come behind the others."""
        ids = [int(i) for i in ids]
        for i in ids:
            if i not in self._columns:
                self._add(i, row)
        return self.known(ids)

    def judge(self, found: Components, row: int, offset: int) -> bool:
        """Take over what became of each component; return whether one died.

        Births are rows of the session, `offset` more than those of the file. Components that were dead
        already when they were first seen, in row `row`, get no column.
        """
        alive = (found.status == Status.ACCEPTED) | (found.status == Status.REJECTED)
        self.added(found.ids[alive], row)
        places = self.known(found.ids)
        has = places >= 0
        facts = self._facts[places[has]]
        before = facts["status"].copy()
        facts["born"] = np.maximum(found.born[has] - offset, 0)
        for name in ("status", "snr", "r", "size", "overlap"):
            facts[name] = getattr(found, name)[has]
        self._facts[places[has]] = facts
        other = before != facts["status"]
        for k, turned in zip(np.flatnonzero(has).tolist(), other.tolist(), strict=True):
            self._say(int(places[k]), found.reason[k], turned)
        self._changed = True
        return bool((other & (facts["status"] > Status.REJECTED)).any())

    def _say(self, column: int, reason: str, turned: bool) -> None:
        """Have a reason written if it is another one, or the status turned: HDF5 never gives back their room.

        Its numbers are those of when it became the reason, whenever the file is written.
        """
        if turned or NUMBER.sub("", reason) != NUMBER.sub("", self._reasons[column]):
            self._reasons[column] = reason
            self._stale.add(column)

    def append(self) -> None:
        """Bring the file up to date."""
        count = len(self)
        if self._changed:
            for name, path in FACTS.items():
                self._datasets[path].resize(count, axis=0)
                self._datasets[path][:] = self._facts[name][:count]
            self._changed = False
        if self._stale:
            reasons = self._datasets[layout.REASON]
            reasons.resize(count, axis=0)
            for column in sorted(self._stale):
                reasons[column] = json.dumps(self._reasons[column])
            self._stale.clear()

    def _add(self, cell: int, row: int) -> None:
        column = self._columns[cell] = len(self._reasons)
        self._reasons.append("")
        if column == len(self._facts):
            self._facts = np.concatenate([self._facts, np.zeros_like(self._facts)])
        self._facts[column] = (cell, row, Status.ACCEPTED, *4 * (np.nan,))
        self._stale.add(column)
        self._changed = True
