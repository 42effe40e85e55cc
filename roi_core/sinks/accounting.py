"""``/accounting`` of a recording: what became of its frames, up to date whenever rows are appended."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from roi_core import layout
from roi_core.ledger import RECORDER, Account, Carried, Ledger

if TYPE_CHECKING:
    import h5py

    from roi_core.frame import Header, Sample, Summary
    from roi_core.ledger import Cause

__all__ = ["Accounting"]


class Accounting:
    """Counts the rows of one file and keeps ``/accounting`` and the counts among the root attributes."""

    def __init__(self) -> None:
        self._ledger = Ledger("file")
        self._refused = Account()
        self._movie = False
        self._told: dict[str, int | None] = {}

    def open(self, file: h5py.File, header: Header) -> None:
        """Make the group; nothing has happened yet."""
        self._root, self._group = file.attrs, file.create_group(layout.ACCOUNTING).attrs
        self._ledger = Ledger(header.counter)
        self._movie = header.settings.recorder.movie
        self.append()

    def take(self, sample: Sample) -> None:
        """Count one row."""
        self._ledger.take(sample.fate, sample.lost, sample.cause)

    def lose(self, lost: int, cause: Cause) -> None:
        """Count what was lost after the last row."""
        self._ledger.lose(lost, cause, after=True)

    def end(self, summary: Summary) -> None:
        """Count what was lost after the last row, and what the recorder, having failed, could not take."""
        self.lose(summary.lost, summary.cause)
        self._refused = summary.refused or Account()

    @property
    def account(self) -> Account:
        """The account so far, of the rows in the file and those about to be; from any thread."""
        taken, refused = self._ledger.account, self._refused
        carried = Carried(taken.measured + refused.measured, taken.measured, 0, refused.measured)
        both = taken + refused if refused.captured else taken
        return replace(both, lanes={RECORDER: carried}, movie=taken.measured if self._movie else 0)

    def append(self) -> None:
        """Bring the attributes up to date."""
        now = self.account.flat()
        for name, count in now.items():
            if self._told.get(name, -1) != count:
                self._write(name, count)
        self._told = now

    def _write(self, name: str, count: int | None) -> None:
        number = layout.UNKNOWN if count is None else np.uint64(count)
        if name in self._told:
            self._group.modify(name, number)
        else:
            self._group.create(name, number)
        if name in layout.COUNTS:
            self._root.modify(layout.COUNTS[name], number)
