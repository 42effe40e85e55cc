"""The ``/movie`` dataset on its way to the disk: one frame a chunk, as it is or compressed without loss."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from roi_core import layout
from roi_core.codecs import NEEDS, bitshuffle, compressor

if TYPE_CHECKING:
    import h5py
    from numpy.typing import NDArray

__all__ = ["Movie", "require"]


class Movie:
    """Frames (H, W) uint16 of one recording.

    A frame is in the file when `write` returns, past HDF5's cache: a killed process loses none of them. One
    that is compressed is so before HDF5 sees it, where that is possible: see `roi_core.codecs.compressor`.
    """

    def __init__(self, file: h5py.File, shape: tuple[int, int], compression: str) -> None:
        how: dict[str, Any] = {} if compression == "none" else dict(bitshuffle())
        self._chunk = None if compression == "none" else compressor(shape)
        self._direct = compression == "none" or self._chunk is not None
        self._dataset = file.create_dataset(
            layout.MOVIE, (0, *shape), "u2", maxshape=(None, *shape), chunks=(1, *shape), rdcc_nbytes=0, **how
        )
        self._dataset.attrs["compression"] = np.bytes_(NEEDS[compression].encode())

    def write(self, row: int, image: NDArray[np.uint16]) -> None:
        """Put a frame at `row`, the next or, after a failure, the same again."""
        self._dataset.resize(row + 1, axis=0)
        if self._direct:
            chunk = image if self._chunk is None else self._chunk(image)
            self._dataset.id.write_direct_chunk((row, 0, 0), chunk)
        else:
            self._dataset[row] = image

    def cut(self, rows: int) -> None:
        """Drop a frame that has no row."""
        self._dataset.resize(rows, axis=0)


def require(compression: str) -> None:
    """Refuse, before there is a file, what cannot be written here: a `MissingExtra` names the package."""
    if compression != "none":
        bitshuffle()
