"""Footprints into the file, so that a kill at any moment leaves whole ones: the old, or the new."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import h5py
    from numpy.typing import NDArray

    from roi_core.frame import Components

__all__ = ["Footprints"]


class Footprints:
    """The CSC group of one file. A column that is dead keeps the last footprint it had."""

    def __init__(self, file: h5py.File, group: h5py.Group, pixels: int) -> None:
        self._file = file
        # links in the header of the group, not in a heap: replacing them is one write to the disk
        self._group = group.create_group("footprints", track_order=True)
        self._pixels = pixels
        self._data = np.zeros(0, np.float32)
        self._indices = np.zeros(0, np.int32)
        self._indptr = np.zeros(1, np.int64)
        for name, array in self._arrays().items():
            self._group[name] = array
        self._group.attrs["shape"] = np.array([pixels, 0], np.int64)

    @property
    def nbytes(self) -> int:
        """Bytes in the file."""
        return self._data.nbytes + self._indices.nbytes + self._indptr.nbytes

    def write(self, components: Components, places: NDArray[np.intp], count: int) -> None:
        """Write `count` columns; component k of `components` is column ``places[k]`` (-1: none).

        New arrays go to the disk without a name; only then they take the names of the old.
        """
        self.keep(components, places, count)
        arrays = {name: self._file.create_dataset(None, data=each) for name, each in self._arrays().items()}
        self._file.flush()
        for name, array in arrays.items():
            del self._group[name]
            self._group[name] = array
        self._group.attrs.modify("shape", np.array([self._pixels, count], np.int64))
        self._file.flush()

    def _arrays(self) -> dict[str, NDArray[Any]]:
        return {"data": self._data, "indices": self._indices, "indptr": self._indptr}

    def keep(self, components: Components, places: NDArray[np.intp], count: int) -> None:
        """Take over the footprints there are; those that are empty or gone stay as they were."""
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
