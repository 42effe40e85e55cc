"""Footprints into the file, so that a kill at any moment leaves whole ones: the old, or the new."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from roi_core import layout

if TYPE_CHECKING:
    import h5py
    from numpy.typing import NDArray

    from roi_core.frame import Components

__all__ = ["Footprints"]


class Footprints:
    """The CSC group of one file. A column that is dead keeps the last footprint it had."""

    def __init__(self, file: h5py.File, shape: tuple[int, int]) -> None:
        self._file = file
        self._pixels = shape[0] * shape[1]
        self._data = np.zeros(0, np.float32)
        self._indices = np.zeros(0, np.int32)
        self._indptr = np.zeros(1, np.int64)

    @property
    def nbytes(self) -> int:
        """Bytes in the file."""
        return self._data.nbytes + self._indices.nbytes + self._indptr.nbytes

    def write(self, components: Components, places: NDArray[np.intp], count: int) -> None:
        """Write `count` columns; component k of `components` is column ``places[k]`` (-1: none).

        New arrays go to a name of their own and to the disk; only then they take the place of the old.
        """
        self._merge(components, places, count)
        if layout.FOOTPRINTS_NEW in self._file:
            del self._file[layout.FOOTPRINTS_NEW]
        group = self._file.create_group(layout.FOOTPRINTS_NEW)
        group.attrs["shape"] = np.array([self._pixels, count], np.int64)
        group["data"], group["indices"], group["indptr"] = self._data, self._indices, self._indptr
        self._file.flush()
        if layout.FOOTPRINTS in self._file:
            del self._file[layout.FOOTPRINTS]
        self._file.move(layout.FOOTPRINTS_NEW, layout.FOOTPRINTS)
        self._file.flush()

    def _merge(self, components: Components, places: NDArray[np.intp], count: int) -> None:
        known = len(self._indptr) - 1
        sources: list[tuple[NDArray[np.float32], NDArray[np.int32], slice]] = [
            (self._data, self._indices, _column(self._indptr, k) if k < known else slice(0))
            for k in range(count)
        ]
        for k, place in enumerate(places.tolist()):
            column = _column(components.indptr, k)
            if place >= 0 and column.stop > column.start:
                sources[place] = (components.data, components.indices, column)
        lengths = [column.stop - (column.start or 0) for _, _, column in sources]
        data = [np.zeros(0, np.float32), *(data[column] for data, _, column in sources)]
        indices = [np.zeros(0, np.int32), *(indices[column] for _, indices, column in sources)]
        self._data, self._indices = np.concatenate(data), np.concatenate(indices)
        self._indptr = np.cumsum([0, *lengths], dtype=np.int64)


def _column(indptr: NDArray[np.int64], k: int) -> slice:
    return slice(int(indptr[k]), int(indptr[k + 1]))
