"""The ``/motion`` group of a recording."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    import h5py

__all__ = ["Shifts"]

UNKNOWN: Final = (np.nan, np.nan)


class Shifts:
    """Shifts (dy, dx) of the rows that wait; there is a dataset from when the first is known."""

    def __init__(self, chunk: int) -> None:
        self._chunk = chunk
        self._waiting: list[tuple[float, float]] = []
        self._dataset: h5py.Dataset | None = None

    @property
    def needed(self) -> bool:
        """True when there is a shift to write and no dataset for it."""
        return self._dataset is None and bool(np.isfinite(self._waiting).any())

    def create(self, group: h5py.Group) -> None:
        """Make the dataset."""
        how = {"maxshape": (None, 2), "chunks": (self._chunk, 2), "fillvalue": np.nan}
        self._dataset = group.create_dataset("shifts", (0, 2), "f4", **how)

    def follow(self, shift: tuple[float, float] | None) -> None:
        """Take the shift of the next row."""
        self._waiting.append(UNKNOWN if shift is None else shift)

    def append(self, rows: int) -> None:
        """Bring the file to `rows` rows."""
        if self._dataset is not None:
            self._dataset.resize(rows, axis=0)
            if self._waiting:
                self._dataset[rows - len(self._waiting) :] = self._waiting

    def clear(self) -> None:
        """Forget what waits: it is in the file."""
        self._waiting.clear()
