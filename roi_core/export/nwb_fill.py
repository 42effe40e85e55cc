"""What stands in an NWB file where something large is to be, and how it gets there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np
from hdmf.backends.hdf5.h5_utils import H5DataIO

from roi_core.export.units import BLOCK

if TYPE_CHECKING:
    from collections.abc import Callable

    import h5py
    from numpy.typing import NDArray
    from pynwb import TimeSeries
    from scipy.sparse import csc_matrix

    from roi_core.export.frames import Frames
    from roi_core.export.task import Task

    Rows = Callable[[slice], NDArray[np.float32]]

__all__ = ["Clock", "Later", "fill_masks", "fill_movie", "fill_rows", "in_words", "packed"]

EVEN: Final = 1e-6
"""Times are those of a constant rate when none is further from it, s."""


class Later(NamedTuple):
    """A dataset of the file that is filled once the containers are written; ``work`` counts its rows."""

    path: str
    work: int
    fill: Callable[[h5py.Dataset], None]


class Clock:
    """When the samples of some series were taken: at a constant rate, or at (n,) times in s."""

    def __init__(self, time: NDArray[np.float64], rate: float) -> None:
        period = (time[-1] - time[0]) / (len(time) - 1) if len(time) > 1 else 1 / rate
        off = np.abs(time - time[0] - period * np.arange(len(time))).max()
        self.fields: dict[str, Any] = {"timestamps": time}
        if off <= EVEN:
            self.fields = {"rate": float(1 / period), "starting_time": float(time[0])}

    def follow(self, series: TimeSeries) -> None:
        """Let series that are made from now on point to the times of this one."""
        if "timestamps" in self.fields:
            self.fields = {"timestamps": series}


def packed(shape: tuple[int, ...], dtype: str, chunks: tuple[int, ...]) -> H5DataIO:
    """Return an empty dataset, compressed with what every HDF5 reader knows."""
    return H5DataIO(
        shape=shape,
        dtype=np.dtype(dtype),
        chunks=chunks,
        compression="gzip",
        compression_opts=1,
        shuffle=True,
    )


def fill_movie(frames: Frames, chunk: int, dataset: h5py.Dataset) -> None:
    """Write frames, `chunk` at a time, as [frame][x][y]."""
    height, width = frames.shape
    waiting = np.empty((chunk, width, height), np.uint16)
    for number, (_, frame) in enumerate(frames.all()):
        place = number % chunk
        waiting[place] = frame.T
        if place == chunk - 1 or number == len(frames) - 1:
            dataset[number - place : number + 1] = waiting[: place + 1]


def fill_rows(source: Rows, rows: NDArray[np.intp], task: Task, dataset: h5py.Dataset) -> None:
    """Write some rows, in rising order, of what `source` gives for a slice of rows."""
    for block in task.blocks(len(rows), BLOCK):
        wanted = rows[block]
        dataset[block] = source(slice(wanted[0], wanted[-1] + 1))[wanted - wanted[0]]


def fill_masks(footprints: csc_matrix, shape: tuple[int, int], task: Task, dataset: h5py.Dataset) -> None:
    """Write the columns (H * W, N) one by one as [roi][x][y]."""
    for block in task.blocks(footprints.shape[1], 1):
        mask = footprints[:, block].toarray().reshape(shape)
        dataset[block] = mask.T[None]


def in_words(data: dict[str, Any]) -> str:
    """Return an event's own fields as text; with braces it would be taken for a dictionary not unpacked."""
    said = ", ".join(f"{name}: {value}" for name, value in data.items())
    return said.translate(str.maketrans("{}", "()"))
